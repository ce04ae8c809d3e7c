package oracle

import (
	"encoding/json"
	"fmt"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/server/internal/plausible"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Questions returns every question that must be open, and none besides.
func (r *Reading) Questions() map[review.Key]bool {
	open := make(map[review.Key]bool)
	r.disputes(open)
	r.pairs(open)
	r.waiting(open)
	r.doubts(open)
	r.restated(open)
	return open
}

// disputes are the fields at which a person must look: of records that are one those of
// the joined view, and of each absorbed one what belongs to it as such.
func (r *Reading) disputes(open map[review.Key]bool) {
	for id := range r.Records {
		group := r.Group(id)
		if group[0].ID == id {
			for _, name := range r.Joined(group).Disputed {
				open[disputeOf(id, name)] = true
			}
			continue
		}
		for _, name := range r.Records[id].Disputed {
			if OwnField(name) {
				open[disputeOf(id, name)] = true
			}
		}
	}
}

func disputeOf(id syncproto.RecordID, name string) review.Key {
	if name == syncproto.FieldExit {
		return review.Key{Kind: review.Exit, Record: id, Field: name}
	}
	return review.Key{Kind: review.Conflict, Record: id, Field: name}
}

// pairs are the records that may be one: every one is held against every other.
func (r *Reading) pairs(open map[review.Key]bool) {
	profiles := make(map[syncproto.RecordID]match.Profile)
	for id, rec := range r.Records {
		profiles[id] = r.profile(rec)
	}
	for a, p := range profiles {
		for b, q := range profiles {
			if less(a, b) >= 0 || r.Root(a) == r.Root(b) {
				continue
			}
			if score, _ := match.Score(p, q); score < match.Threshold {
				continue
			}
			kind := review.Duplicate
			if p.Event != "" {
				kind = review.DoubleVisit
			}
			pair, roots := review.Pair(kind, a, b), review.Pair(kind, r.Root(a), r.Root(b))
			if !r.different(pair) && !r.different(roots) {
				open[roots] = true
			}
		}
	}
}

// profile is what is compared of a record. One that should never have been is not.
func (r *Reading) profile(rec *Record) match.Profile {
	f := r.forms.Newest(rec.Kind)
	if f == nil || f.Match == nil || rec.Exit != nil && (rec.Exit.Reason == "duplicate" || rec.Exit.Reason == "mistake") {
		return match.Profile{}
	}
	var authors []syncproto.AuthorID
	for _, w := range rec.inOrder() {
		if !w.decides && !slices.Contains(authors, w.author) {
			authors = append(authors, w.author)
		}
	}
	return match.ProfileOf(f, rec.Values, authors)
}

// inOrder are the statements of which something lives, by version.
func (s *Shown) inOrder() []*statement {
	var all []*statement
	for _, w := range s.live {
		if !slices.Contains(all, w.statement) {
			all = append(all, w.statement)
		}
	}
	slices.SortFunc(all, func(a, b *statement) int { return int(a.version - b.version) })
	return all
}

// said is what somebody entitled has said of a question as such.
type said struct {
	verdict review.Verdict
	version syncproto.Version
	by      syncproto.AuthorID
}

// said reads the ruling on a question. Who may not rule there had the ruling parked.
func (r *Reading) said(key review.Key) said {
	rec := r.Records[key.ID()]
	if rec == nil || rec.Kind != review.RecordKind {
		return said{}
	}
	text := func(name string) string {
		s, _ := rec.Values[name].Text()
		return s
	}
	record, _ := syncproto.ParseID[syncproto.RecordID](text(review.FieldAbout))
	if (review.Key{Kind: review.Kind(text(review.FieldItem)), Record: record, Field: text(review.FieldSubject)}) != key {
		return said{}
	}
	live := about(rec.live, review.FieldVerdict)
	if len(live) == 0 {
		return said{}
	}
	field, _ := r.forms.Newest(review.RecordKind).Field(review.FieldVerdict)
	w := preferred(field, live)
	return said{review.Verdict(text(review.FieldVerdict)), w.version, w.author}
}

func (r *Reading) different(key review.Key) bool {
	return r.said(key).verdict == review.VerdictDifferent
}

// waiting are the changes that are in no record and were not submitted anew.
func (r *Reading) waiting(open map[review.Key]bool) {
	for i := range r.rows {
		l := &r.rows[i]
		if l.Version == 0 && l.Reason != syncproto.CodeResubmitted {
			open[parkedKey(l)] = true
		}
	}
}

// parkedKey is the question about a change that waits.
func parkedKey(l *exchange.Logged) review.Key {
	return review.Key{Kind: review.Parked, Record: l.Change.Record, Field: fmt.Sprintf("%s/%d", l.Change.Device, l.Change.N)}
}

// doubts are the records that a check of their form finds hard to believe, unless
// somebody who saw them as they are accepted that; and how somebody's entries came.
func (r *Reading) doubts(open map[review.Key]bool) {
	for id, rec := range r.Records {
		f := r.forms.Newest(rec.Kind)
		if f == nil {
			continue
		}
		for _, name := range plausible.Flags(f, rec.Values) {
			key := review.Key{Kind: review.Implausible, Record: id, Field: name}
			if s := r.said(key); s.verdict != review.VerdictAccept || s.version <= doubtedSince(f, name, rec) {
				open[key] = true
			}
		}
	}
	tallies := make(map[plausible.Beat]int64)
	for i := range r.came { // how entries came was seen when they came
		l := &r.came[i]
		f := r.forms.Newest(l.Change.Kind)
		if l.Change.Base != 0 || l.Version != l.Seq || f == nil {
			continue // what waited says nothing of how entries came
		}
		for _, b := range r.beats(f, l) {
			tallies[b]++
			var of plausible.Full
			for beat, n := range tallies {
				if beat.Bucket == b.Bucket {
					of = of.With(n)
				}
			}
			key := review.Key{Kind: review.Implausible, Field: b.Bucket.String()}
			if plausible.Raised(f, b.Bucket, of) && r.said(key).verdict != review.VerdictAccept {
				open[key] = true
			}
		}
	}
}

// doubtedSince is the version of the latest live write that a check looks at.
func doubtedSince(f *form.Form, name string, rec *Record) syncproto.Version {
	var since syncproto.Version
	for i := range f.Checks {
		if f.Checks[i].Name != name {
			continue
		}
		for _, field := range []string{f.Checks[i].Field, f.Checks[i].Against} {
			for _, w := range about(rec.live, field) {
				since = max(since, w.version)
			}
		}
	}
	return since
}

// beats are an entry's shares in the windows that its form watches.
func (r *Reading) beats(f *form.Form, l *exchange.Logged) []plausible.Beat {
	n, _ := r.areas.Find(l.Change.Area)
	fields, err := l.Change.Values()
	if err != nil {
		return nil
	}
	made := syncproto.Part{Device: l.Change.Device, N: l.Change.N, Author: l.Change.Author, Stamp: l.Stamp, Fields: fields}
	s := &statement{device: l.Change.Device, n: l.Change.N, author: l.Change.Author, fields: fields}
	return plausible.Beats(f, n.Key, &made, show(f, writes(f, []*statement{s})).Values)
}

// restated are the signed days whose figures no longer hold.
func (r *Reading) restated(open map[review.Key]bool) {
	for id, rec := range r.Records {
		day, ok := Signed(rec)
		if !ok {
			continue
		}
		text, _ := rec.Values["figures"].Text()
		var figures map[string]int64
		if json.Unmarshal([]byte(text), &figures) != nil {
			continue
		}
		now := r.Totals(rec.Area, day)
		for measure, figure := range figures {
			if now[measure] != figure {
				open[review.Key{Kind: review.Restated, Record: id}] = true
			}
		}
	}
}

// Signed returns the day that a record signs, if it signs one and was not returned.
func Signed(rec *Record) (form.Day, bool) {
	text, _ := rec.Values["day"].Text()
	day, ok := form.ParseDay(text)
	returned, _ := rec.Values["returned"].Text()
	return day, ok && rec.Kind == review.DayCloseKind && rec.Exit == nil && returned == ""
}
