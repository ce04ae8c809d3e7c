package exchange

import (
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/match"
	"gridsync/server/internal/plausible"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// looked is a record's live parts, looked at: what they show, what they count, and
// what is compared and doubted of them.
type looked struct {
	merge.Brief
	counts []form.Count
	// profile is nil for what is compared with nothing.
	profile *match.Profile
	flags   []string
	// keys and ranges are the profile's places in the index, once somebody asked.
	keys   []match.Key
	ranges []match.Range
}

// compared returns what is compared of a record; the zero Profile where nothing is.
func (l *looked) compared() match.Profile {
	if l.profile == nil {
		return match.Profile{}
	}
	return *l.profile
}

// indexed returns where the record stands in the index. It is for one goroutine at a time.
func (l *looked) indexed(d match.Digester) []match.Key {
	if l.keys == nil && l.profile != nil {
		l.keys = l.profile.Keys(d)
	}
	return l.keys
}

// searched returns where records that may be one with it are looked for, as indexed does.
func (l *looked) searched(d match.Digester) []match.Range {
	if l.ranges == nil && l.profile != nil {
		l.ranges = l.profile.Ranges(d)
	}
	return l.ranges
}

// envOf is what is set in an area: nil where nothing is, which costs forms nothing to ask.
func envOf(settings *registry.Settings, id syncproto.AreaID) form.Env {
	if level := settings.Of(id); level != nil {
		return level
	}
	return nil
}

// look looks at parts by the settings of the area in which they say that they belong.
func look(settings *registry.Settings, f *form.Form, live []syncproto.Part) *looked {
	shown := merge.Glance(f, live)
	l := &looked{Brief: shown, counts: f.Counts(shown.Values, shown.Exit, envOf(settings, shown.Area))}
	if f == nil {
		return l
	}
	if f.Match != nil && !isMistake(shown.Exit) {
		profile := match.ProfileOf(f, shown.Values, authorsOf(live))
		l.profile = &profile
	}
	if len(f.Checks) > 0 {
		l.flags = plausible.Flags(f, shown.Values)
	}
	return l
}

// isMistake reports whether a record left because there never should have been one: it
// is no longer compared with others.
func isMistake(exit *syncproto.Exit) bool {
	return exit != nil && (exit.Reason == "duplicate" || exit.Reason == "mistake")
}

// authorsOf lists who wrote what is alive, each once, decisions left out.
func authorsOf(live []syncproto.Part) []syncproto.AuthorID {
	authors := make([]syncproto.AuthorID, 0, 1)
	for i := range live {
		if p := &live[i]; !p.Decides && len(p.Fields) > 0 && !slices.Contains(authors, p.Author) {
			authors = append(authors, p.Author)
		}
	}
	return authors
}

// seen is one record in a world.
type seen struct {
	record *syncproto.Record
	shown  *looked
}

// world is all records at one moment, as far as they matter: a group has one before it
// and one after it, and a rebuild has one. Everything that is derived from more than one
// record is derived here, so that whoever asks gets the same.
type world struct {
	snap  *registry.Snapshot
	links *links
	// find returns a record; nil for one that is not there.
	find func(syncproto.RecordID) *seen
}

// raised is a question as the world raises it, whatever people have said about it.
type raised struct {
	review.Key
	// desk is where it lies unless somebody routes it.
	desk area.Key
	// version is that of what raised it.
	version  syncproto.Version
	score    int
	evidence []match.Evidence
	sample   syncproto.RecordID
	// returned says that it waits for its author.
	returned bool
}

// keyOf returns the key of an area; 0 for one that is not there.
func (w *world) keyOf(id syncproto.AreaID) area.Key {
	n, _ := w.snap.Areas.Find(id)
	return n.Key
}

// members returns those records of a list that are there.
func (w *world) members(ids []syncproto.RecordID) []*seen {
	found := make([]*seen, 0, len(ids))
	for _, id := range ids {
		if s := w.find(id); s != nil {
			found = append(found, s)
		}
	}
	return found
}

// join looks at records as one; the first stands for all.
func (w *world) join(members []*seen) *looked {
	if len(members) == 1 {
		return members[0].shown
	}
	survivor := members[0].record
	absorbed := make([]*syncproto.Record, 0, len(members)-1)
	for _, m := range members[1:] {
		if m.record.Kind == survivor.Kind {
			absorbed = append(absorbed, m.record)
		}
	}
	f := w.snap.Forms.Newest(survivor.Kind)
	return look(w.snap.Settings, f, merge.Join(f, survivor, absorbed))
}

// standing leaves out of members those of which all was taken out again: they stand for no
// others.
func standing(members []*seen) []*seen {
	return slices.DeleteFunc(members, func(s *seen) bool { return len(s.record.Live) == 0 })
}

// counts returns what the records that count as one with id add, together.
func (w *world) counts(id syncproto.RecordID) []rollup.Count {
	members := standing(w.members(w.links.counted(id)))
	if len(members) == 0 {
		return nil
	}
	return w.inAreas(members[0].record, w.join(members).counts)
}

// inAreas puts what a record counts where it belongs.
func (w *world) inAreas(r *syncproto.Record, counts []form.Count) []rollup.Count {
	return rollup.In(w.keyOf(r.Area), w.snap.Areas, counts)
}

// fieldQuestions returns the conflicts and exits of the records that are one with id.
func (w *world) fieldQuestions(id syncproto.RecordID) []raised {
	var all []raised
	if w.links.alone(id) {
		if s := w.find(id); s != nil {
			all = w.disputes(all, s.record, s.shown.Disputed)
		}
		return all
	}
	members := standing(w.members(w.links.same(id)))
	if len(members) == 0 {
		return nil
	}
	all = w.disputes(all, members[0].record, w.join(members).Disputed)
	for _, m := range members[1:] {
		// What belongs to a record as such is not joined, and asked about by itself.
		all = w.disputes(all, m.record, slices.DeleteFunc(slices.Clone(m.shown.Disputed), func(name string) bool {
			return !isStanding(name)
		}))
	}
	return all
}

func (w *world) disputes(all []raised, r *syncproto.Record, names []string) []raised {
	for _, name := range names {
		kind := review.Conflict
		if name == syncproto.FieldExit {
			kind = review.Exit
		}
		all = append(all, raised{
			Key: review.Key{Kind: kind, Record: r.ID, Field: name}, desk: w.keyOf(r.Area), version: r.Version,
		})
	}
	return all
}

// flagQuestions returns what is hard to believe of one record by itself.
func (w *world) flagQuestions(id syncproto.RecordID) []raised {
	s := w.find(id)
	if s == nil {
		return nil
	}
	var all []raised
	f := w.snap.Forms.Newest(s.record.Kind)
	for _, name := range s.shown.flags {
		all = append(all, raised{
			Key: review.Key{Kind: review.Implausible, Record: id, Field: name}, desk: w.keyOf(s.record.Area),
			version: doubtedSince(f, name, s.record.Live),
		})
	}
	return all
}

// doubtedSince returns the version of the latest live part that writes what a check looks
// at: whoever accepts it afterwards has seen it.
func doubtedSince(f *form.Form, check string, live []syncproto.Part) syncproto.Version {
	var since syncproto.Version
	for i := range f.Checks {
		c := &f.Checks[i]
		if c.Name != check {
			continue
		}
		for j := range live {
			_, field := live[j].Fields[c.Field]
			_, against := live[j].Fields[c.Against]
			if field || against {
				since = max(since, live[j].Version)
			}
		}
	}
	return since
}

// desks returns the desk for a question about two records: the nearest area that has
// both, or that of the first.
func (w *world) desks(a, b syncproto.AreaID) area.Key {
	below := make(map[area.Key]bool)
	for _, n := range w.snap.Areas.Path(a) {
		below[n.Key] = true
	}
	path := w.snap.Areas.Path(b)
	for i := len(path) - 1; i >= 0; i-- {
		if below[path[i].Key] {
			return path[i].Key
		}
	}
	return w.keyOf(a)
}

// pairQuestion returns the question whether two records, each together with all that is
// one with it, are one, and false if there is none. Pairs that people have said to be
// different speak for nothing.
func (w *world) pairQuestion(a, b syncproto.RecordID) (raised, bool) {
	if w.links.root(a) != a || w.links.root(b) != b || a == b {
		return raised{}, false
	}
	r := raised{}
	for _, x := range w.members(w.links.same(a)) {
		for _, y := range w.members(w.links.same(b)) {
			score, evidence := match.Score(x.shown.compared(), y.shown.compared())
			if score < match.Threshold || score <= r.score && r.score > 0 {
				continue
			}
			kind := review.Duplicate
			if x.shown.compared().Event != "" {
				kind = review.DoubleVisit
			}
			desk := w.desks(x.record.Area, y.record.Area)
			if w.ruling(review.Pair(kind, x.record.ID, y.record.ID), desk).verdict == review.VerdictDifferent {
				continue
			}
			r = raised{
				Key: review.Pair(kind, a, b), desk: desk, score: score, evidence: evidence,
				version: max(x.record.Version, y.record.Version),
			}
		}
	}
	if r.score == 0 || w.ruling(r.Key, r.desk).verdict == review.VerdictDifferent {
		return raised{}, false
	}
	return r, true
}

// ruling is what people have said about a question.
type ruling struct {
	verdict review.Verdict
	// by gave the verdict, version is that of what says so.
	by       syncproto.AuthorID
	version  syncproto.Version
	without  []string
	desk     area.Key // 0 unless somebody routed it
	area     syncproto.AreaID
	assignee syncproto.AuthorID
	reason   string
}

// ruling reads the review record of a question that lies on a desk. Whoever gave a verdict
// was entitled to when it was taken in (group.entitledToRule).
func (w *world) ruling(key review.Key, desk area.Key) ruling {
	id := key.ID()
	s := w.find(id)
	if s == nil || s.record.Kind != review.RecordKind || keyOfReview(s.shown.Values).ID() != id {
		return ruling{}
	}
	r := ruling{reason: textOf(s.shown.Values, review.FieldReason)}
	if id, err := syncproto.ParseID[syncproto.AuthorID](textOf(s.shown.Values, review.FieldAssignee)); err == nil {
		r.assignee = id
	}
	if n, ok := w.snap.Areas.Find(s.record.Area); ok && n.Key != desk {
		r.desk, r.area = n.Key, n.ID
	}
	by := w.deciding(s, review.FieldVerdict)
	if by == nil {
		return r
	}
	r.verdict = review.Verdict(textOf(s.shown.Values, review.FieldVerdict))
	r.by, r.version = by.Author, by.Version
	r.without = syncproto.SplitNames(textOf(s.shown.Values, review.FieldWithout))
	return r
}

// deciding returns the live part whose value of a field shows.
func (w *world) deciding(s *seen, field string) *syncproto.Part {
	if len(s.record.Live) == 1 {
		if _, writes := s.record.Live[0].Fields[field]; writes {
			return &s.record.Live[0]
		}
		return nil
	}
	shown, ok := merge.Show(w.snap.Forms.Newest(s.record.Kind), s.record.Live).Fields[field]
	if !ok {
		return nil
	}
	return &s.record.Live[shown.Candidates[0].Witnesses[0]]
}

// keyOfReview reads which question a review record is about.
func keyOfReview(shown syncproto.Fields) review.Key {
	key := review.Key{Kind: review.Kind(textOf(shown, review.FieldItem)), Field: textOf(shown, review.FieldSubject)}
	if id, err := syncproto.ParseID[syncproto.RecordID](textOf(shown, review.FieldAbout)); err == nil {
		key.Record = id
	}
	return key
}

// isStanding reports whether a field belongs to a record as such, and so to no other
// record that is one with it.
func isStanding(name string) bool {
	switch name {
	case syncproto.FieldArea, syncproto.FieldExit, syncproto.FieldSameAs, syncproto.FieldResidences:
		return true
	}
	return false
}

func textOf(shown syncproto.Fields, name string) string {
	text, _ := shown[name].Text()
	return text
}
