package simtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/review"
	"gridsync/server/internal/simtest/oracle"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Counted counts questions by kind: those that the oracle expects, and those that were
// found in the queue.
type Counted map[review.Kind][2]int

// Add adds what was counted elsewhere.
func (c Counted) Add(other Counted) {
	for kind, n := range other {
		sum := c[kind]
		c[kind] = [2]int{sum[0] + n[0], sum[1] + n[1]}
	}
}

func (c Counted) String() string {
	words := make([]string, 0, len(review.Kinds))
	for _, kind := range review.Kinds {
		words = append(words, fmt.Sprintf("%s %d expected %d found", kind, c[kind][0], c[kind][1]))
	}
	return strings.Join(words, ", ")
}

// read reads the server's log slowly.
func (w *World) read(ctx context.Context) (*oracle.Reading, error) {
	h, err := w.readLog(ctx)
	if err != nil {
		return nil, err
	}
	forms, err := w.forms()
	if err != nil {
		return nil, err
	}
	tree, err := w.server().Areas(ctx)
	if err != nil {
		return nil, err
	}
	r, err := w.slowly(h.rows, func(rows []exchange.Logged) (*oracle.Reading, error) {
		r, err := oracle.Read(rows, forms, tree, identity.NewDirectory(w.everyone()))
		if err == nil {
			r.Under(w.said)
		}
		return r, err
	})
	if err != nil {
		return nil, err
	}
	for id, rec := range r.Records { // who said where it belongs was withdrawn: it stays where it was
		if stored := h.stored[id]; stored != nil && rec.Area == "" {
			rec.Area = stored.Area
		}
	}
	return r, nil
}

// everyone is who was enrolled with which phones, and with which grants.
func (w *World) everyone() identity.Everyone {
	all := identity.Everyone{Grants: w.grants}
	for _, d := range w.devices {
		device := identity.Device{ID: d.id, Name: d.name, Standing: d.standing}
		for _, person := range d.people {
			device.Authors = append(device.Authors, person.ID)
		}
		all.Devices = append(all.Devices, device)
	}
	for name, id := range w.authors {
		all.Authors = append(all.Authors, identity.Author{ID: id, Name: name})
	}
	return all
}

// recordsAgree holds every stored record by itself against the oracle's.
func recordsAgree(ctx context.Context, w *World) error {
	h, err := w.readLog(ctx)
	if err != nil {
		return err
	}
	r, err := w.read(ctx)
	if err != nil {
		return err
	}
	forms, err := w.forms()
	if err != nil {
		return err
	}
	if len(h.stored) != len(r.Records) {
		return fmt.Errorf("%d records are stored, the log makes %d", len(h.stored), len(r.Records))
	}
	for id, stored := range h.stored {
		rec := r.Records[id]
		if rec == nil || rec.Version != stored.Version || rec.Area != stored.Area {
			return fmt.Errorf("%s: stored in %s as version %d, the log says %+v", w.name(id), stored.Area, stored.Version, rec)
		}
		if here, there := live(forms.Newest(stored.Kind), stored.Live), rec.Live(); here != there {
			return fmt.Errorf("%s: lives as %s, the log says %s", w.name(id), here, there)
		}
	}
	return nil
}

// waitingAgrees holds what waits for who wrote it, where and on which phone, against
// the oracle's judgement.
func waitingAgrees(ctx context.Context, w *World) error {
	r, err := w.read(ctx)
	if err != nil {
		return err
	}
	if wrong := r.Misplaced(w.everyone(), w.lay); len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}

// live writes parts as oracle.Record.Live does.
func live(f *form.Form, parts []syncproto.Part) string {
	var lines []string
	for i := range parts {
		for name, v := range parts[i].Fields {
			field, _ := f.Field(name)
			lines = append(lines, oracle.Lives(parts[i].Device, parts[i].N, name, v, field.Rule == form.Union)...)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}

// rosterAgrees holds every row of the county's roster against the oracle's joined view.
func rosterAgrees(ctx context.Context, w *World) error {
	r, err := w.read(ctx)
	if err != nil {
		return err
	}
	rows, err := w.rows(ctx, "county", "")
	if err != nil {
		return err
	}
	if len(rows) != len(r.Records) {
		return fmt.Errorf("%d rows, the log makes %d records", len(rows), len(r.Records))
	}
	for i := range rows {
		row := &rows[i]
		shown := r.Records[row.ID].Shown
		if group := r.Group(row.ID); group[0].ID == row.ID && r.Root(row.ID) == row.ID {
			shown = r.Joined(group)
		} else if row.SameAs == nil {
			return fmt.Errorf("%s does not say that it turned out to be %s", w.name(row.ID), w.name(r.Root(row.ID)))
		}
		for _, name := range append(row.Fields.Names(), shown.Values.Names()...) {
			if row.Fields[name] != shown.Values[name] {
				return fmt.Errorf("%s: %s is %s, the log says %s", w.name(row.ID), name, row.Fields[name], shown.Values[name])
			}
		}
		var disputed []string
		for name := range row.Disputed {
			disputed = append(disputed, name)
		}
		if err := sameNames(disputed, shown.Disputed); err != nil {
			return fmt.Errorf("%s: disputed, where the log says %q: %w", w.name(row.ID), shown.Disputed, err)
		}
	}
	return nil
}

// queueAgrees holds the open questions against those that the oracle expects.
func queueAgrees(ctx context.Context, w *World) error {
	r, err := w.read(ctx)
	if err != nil {
		return err
	}
	lines, err := w.queue(ctx, "county")
	if err != nil {
		return err
	}
	found, expected := make(map[syncproto.RecordID]bool), make(map[syncproto.RecordID]bool)
	w.counted = Counted{}
	var wrong []string
	for i := range lines {
		w.counted.Add(Counted{lines[i].Kind: {0, 1}})
		if found[lines[i].ID] {
			wrong = append(wrong, "twice: "+w.tell(w.keyOf(&lines[i])))
		}
		found[lines[i].ID] = true
	}
	for key := range r.Questions() {
		if w.overlook != nil && w.overlook(key) {
			continue
		}
		w.counted.Add(Counted{key.Kind: {1, 0}})
		if !found[key.ID()] {
			wrong = append(wrong, "missing: "+w.tell(key))
		}
		expected[key.ID()] = true
	}
	for i := range lines {
		if !expected[lines[i].ID] {
			wrong = append(wrong, "nobody's: "+w.tell(w.keyOf(&lines[i])))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}
