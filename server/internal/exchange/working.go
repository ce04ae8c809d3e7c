package exchange

import (
	"fmt"
	"maps"
	"slices"

	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/merge"
)

// working is a record while a group works on it.
type working struct {
	id syncproto.RecordID
	// before is the record as stored, now as it stands; nil while there is none.
	before, now *syncproto.Record
	shown       looked
	// sole is the log row that the record as it stands consists of, if there is one.
	sole *Logged
	// maker is the push whose device makes the record itself.
	maker *job
	// rows are this group's rows of the record, applied counts those in it.
	rows    []*Logged
	applied int
	touched bool
}

func (w *working) load(r *syncproto.Record) { w.before, w.now = r, r }

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
// whole, as merge.Fold asks.
func (g *group) apply(l *Logged, d *decoded, w *working, late bool) error {
	f := g.snap.Forms.Newest(l.Change.Kind)
	part := l.Change.PartOf(d.fields, l.Version, l.Seq-1, l.Stamp)
	parts := []syncproto.Part{part}
	version := l.Version
	switch {
	case w.now != nil && late:
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
	if w.shown = d.alone; w.now != nil || d.newest != f {
		w.shown = look(f, live)
	}
	w.now = &syncproto.Record{ID: w.id, Kind: l.Change.Kind, Area: g.place(w, l), Version: version, Live: live}
	w.applied++
	w.sole = nil
	if l.Version == l.Seq && (len(parts) == 1 || isOnly(live, &part)) {
		w.sole = l
	}
	l.Verdict = syncproto.Applied
	if len(parts) > 1 {
		l.Verdict = merge.Outcome(live, merge.Show(f, live), &part)
	}
	return nil
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
