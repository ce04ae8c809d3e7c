package exchange

import (
	"fmt"
	"maps"
	"slices"

	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// working is a record while a group works on it.
type working struct {
	id syncproto.RecordID
	// before is the record as stored, now as it stands; nil while there is none.
	before, now *syncproto.Record
	// shown is what the record shows now; nil while that has not been worked out.
	shown *looked
	// present and past hand out these, filled in when they are asked for.
	nowSeen, wasSeen seen
	// sole is the log row that the record as it stands consists of, if there is one.
	sole *Logged
	// maker is the push whose device makes the record itself.
	maker *job
	// rows are this group's rows of the record, applied counts those in it.
	rows    []*Logged
	applied int
	touched bool
	// purged says that it was there once, and that nothing is said of it any more.
	purged bool
}

func (w *working) load(r *syncproto.Record) { w.before, w.now = r, r }

// there reports whether anybody says anything of the record: of one whose only changes were
// taken out again nobody does.
func (w *working) there() bool { return w.now != nil && len(w.now.Live) > 0 }

// present returns the record as it stands; nil while there is none.
func (w *working) present(snap *registry.Snapshot) *seen {
	if w.now == nil {
		return nil
	}
	if w.shown == nil {
		w.shown = look(snap.Settings, snap.Forms.Newest(w.now.Kind), w.now.Live)
	}
	w.nowSeen = seen{w.now, w.shown}
	return &w.nowSeen
}

// past returns the record as it was before the group; nil if there was none.
func (w *working) past(snap *registry.Snapshot) *seen {
	if w.before == nil {
		return nil
	}
	if w.wasSeen.record == nil {
		w.wasSeen = seen{w.before, look(snap.Settings, snap.Forms.Newest(w.before.Kind), w.before.Live)}
	}
	return &w.wasSeen
}

// touch returns a record that was loaded, and puts it in the order of first touch.
func (g *group) touch(id syncproto.RecordID) *working {
	w := g.records[id]
	if !w.touched {
		w.touched = true
		g.order = append(g.order, w)
	}
	return w
}

// apply merges a row into its record. late says that the row's device may have
// changed the record by a later change already: the history is then folded as a
// whole, as merge.Fold asks; so it is when the row withdraws a decision.
func (g *group) apply(l *Logged, d *decoded, w *working, late bool) error {
	f := g.snap.Forms.Newest(l.Change.Kind)
	part := l.partOf(d.fields)
	parts := []syncproto.Part{part}
	version := l.Version
	switch {
	case w.now != nil && (late || len(part.Undoes) > 0):
		history, err := g.history(w)
		if err != nil {
			return err
		}
		parts = slices.Concat(history, parts)
	case w.now != nil:
		parts = slices.Concat(w.now.Live, parts)
	}
	if w.now != nil {
		version = max(version, w.now.Version)
	}
	live := merge.Fold(f, parts)
	if w.shown = d.alone; w.shown == nil || w.now != nil || d.newest != f || d.rules != g.snap.Rules || l.Admitted != nil {
		w.shown = look(g.snap.Settings, f, live)
	}
	w.now = &syncproto.Record{ID: w.id, Kind: l.Change.Kind, Area: g.place(w, l), Version: version, Live: live}
	w.applied++
	w.sole = nil
	if l.Version == l.Seq && (len(parts) == 1 || isOnly(live, &part)) && w.standsFor(&part) {
		w.sole = l
	}
	g.relink(w)
	l.Verdict = syncproto.Applied
	if len(parts) > 1 || !g.links.alone(w.id) {
		l.Verdict = g.outcome(w, f, &part)
	}
	return nil
}

// standsFor reports whether whoever has the part alone has the record: it says where the
// record is, and nothing of other records.
func (w *working) standsFor(part *syncproto.Part) bool {
	return w.shown.Area == w.now.Area && len(part.With) == 0 && len(part.Undoes) == 0
}

// outcome says what became of a change, with all that is one with its record.
func (g *group) outcome(w *working, f *form.Form, part *syncproto.Part) syncproto.Outcome {
	live := w.now.Live
	if !g.links.alone(w.id) {
		members := g.after().members(g.links.same(w.id))
		if len(members) > 1 {
			absorbed := make([]*syncproto.Record, 0, len(members)-1)
			for _, m := range members[1:] {
				absorbed = append(absorbed, m.record)
			}
			live, part.Of = merge.Join(f, members[0].record, absorbed), w.id
		}
	}
	return merge.Outcome(live, merge.Show(f, live), part)
}

// relink follows what the record turned out to be.
func (g *group) relink(w *working) {
	now, was := w.shown.SameAs, g.links.into[w.id]
	if now == was {
		return
	}
	g.alterLinks().link(Link{Record: w.id, Into: now})
	g.relinked = append(g.relinked, w.id, now, was)
}

// alterLinks returns the group's own links, a copy of those committed.
func (g *group) alterLinks() *links {
	if g.links == g.w.links {
		g.links = g.links.clone()
	}
	return g.links
}

// before and after are the worlds that the group found and that it leaves.
func (g *group) before() *world {
	return &world{snap: g.snap, links: g.w.links, find: func(id syncproto.RecordID) *seen { return g.known(id).past(g.snap) }}
}

func (g *group) after() *world {
	return &world{snap: g.snap, links: g.links, find: func(id syncproto.RecordID) *seen { return g.known(id).present(g.snap) }}
}

// known returns a record, loading it if nobody has before. Those who know beforehand
// which records they will ask for load them together. What goes wrong is told at the
// group's end.
func (g *group) known(id syncproto.RecordID) *working {
	if g.records[id] == nil {
		if err := g.loadRecords([]syncproto.RecordID{id}); err != nil {
			g.failure = err
			return &working{id: id}
		}
	}
	return g.records[id]
}

// isOnly reports whether all that lives is one part, whole.
func isOnly(live []syncproto.Part, part *syncproto.Part) bool {
	return len(live) == 1 && live[0].Version == part.Version && maps.Equal(live[0].Fields, part.Fields)
}

// place returns the area that a record shows; a record always has one, as the
// change that made it named one that exists.
func (g *group) place(w *working, l *Logged) syncproto.AreaID {
	if _, ok := g.snap.Areas.Find(w.shown.Area); ok {
		return w.shown.Area
	}
	if w.now != nil {
		return w.now.Area
	}
	return l.Change.Area
}

// history returns everything that was ever applied to a record, by this group too.
func (g *group) history(w *working) ([]syncproto.Part, error) {
	rows, err := g.tx.Logs([]syncproto.RecordID{w.id})
	if err != nil {
		return nil, fmt.Errorf("group: history: %w", err)
	}
	all := make([]*Logged, 0, len(rows)+len(w.rows))
	for i := range rows {
		l := &rows[i]
		if mine := g.prior[origin{l.Change.Device, l.Change.N}]; mine != nil {
			l = mine
		}
		all = append(all, l)
	}
	return parts(append(all, w.rows...))
}

// parts returns what the rows that are applied write.
func parts(rows []*Logged) ([]syncproto.Part, error) {
	out := make([]syncproto.Part, 0, len(rows))
	for _, l := range rows {
		if l.Version == 0 {
			continue
		}
		p, err := l.Part()
		if err != nil {
			return nil, fmt.Errorf("fields of %s: %w", l.Change.ID, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// feedOf returns where a record is sent: the feed of the area that it shows and of
// its form's stream.
func feedOf(snap *registry.Snapshot, r *syncproto.Record) Feed {
	n, _ := snap.Areas.Find(r.Area)
	return Feed{Area: n.Key, Stream: snap.Forms.Newest(r.Kind).Stream}
}
