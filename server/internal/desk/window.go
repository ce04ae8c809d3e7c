package desk

import (
	"context"
	"fmt"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/plausible"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Bounds on what is read and shown of a window.
const (
	maxEntered  = 100
	windowReach = 500
)

// window shows what an implausible bucket is about; nil for any other question.
func (s *Service) window(ctx context.Context, m *matter) (*Window, error) {
	bucket, ok := plausible.ParseBucket(m.item.Field)
	if !m.item.Record.IsZero() || !ok {
		return nil, nil //nolint:nilnil // most questions have no window, and that is no error
	}
	check := checkOf(m.snap.Forms.Newest(bucket.Kind), bucket.Rule)
	w := &Window{
		Check: bucket.Rule, Label: check.Label, Kind: bucket.Kind, Who: bucket.Who,
		Start: bucket.Start, End: bucket.Start + syncproto.Instant(check.Window)*60_000,
	}
	if check.Window == 0 {
		return w, nil // the form has no such check any more
	}
	rows, err := s.around(ctx, m, &check, w)
	if err != nil {
		return nil, fmt.Errorf("window: %w", err)
	}
	for i := range rows {
		if !within(m.snap, &bucket, &check, &rows[i]) {
			continue
		}
		if w.Count++; len(w.Entered) < maxEntered {
			w.Entered = append(w.Entered, statementOf(m.snap, &rows[i]))
		}
	}
	return w, nil
}

// around reads the log near a window, the newest first, and puts a name to who it is of.
func (s *Service) around(ctx context.Context, m *matter, check *form.Check, w *Window) ([]exchange.Logged, error) {
	if check.Rule != form.CheckBurst {
		author, err := syncproto.ParseID[syncproto.AuthorID](w.Who)
		if err != nil {
			return nil, fmt.Errorf("author of a window: %w", err)
		}
		w.Who = personOf(m.snap, author).Name
		return s.store.LogBy(ctx, author, m.item.Opened+1, windowReach)
	}
	id, err := syncproto.ParseID[syncproto.DeviceID](w.Who)
	if err != nil {
		return nil, fmt.Errorf("device of a window: %w", err)
	}
	device, _ := m.snap.People.Device(id)
	w.Who = device.Name
	return s.near(ctx, m.item.Sample, id)
}

// near reads a device's changes around the one that made a record.
func (s *Service) near(ctx context.Context, sample syncproto.RecordID, id syncproto.DeviceID) ([]exchange.Logged, error) {
	log, err := s.store.LogOf(ctx, []syncproto.RecordID{sample})
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(log, func(l exchange.Logged) bool { return l.Change.Device == id })
	if at < 0 {
		return nil, nil
	}
	n := log[at].Change.N
	rows, err := s.store.ChangesOf(ctx, id, n-min(n-1, windowReach/2), n+windowReach/2)
	slices.Reverse(rows)
	return rows, err
}

// checkOf finds a form's check by its name.
func checkOf(f *form.Form, name string) form.Check {
	if f != nil {
		for _, c := range f.Checks {
			if c.Name == name {
				return c
			}
		}
	}
	return form.Check{Name: name, Label: syncproto.Text{ZH: name, EN: name}}
}

// within reports whether a row of the log is an entry that fell into a window.
func within(snap *registry.Snapshot, b *plausible.Bucket, check *form.Check, l *exchange.Logged) bool {
	n, _ := snap.Areas.Find(l.Change.Area)
	if l.Change.Kind != b.Kind || l.Change.Base != 0 || n.Key != b.Area {
		return false
	}
	at := l.Time
	if check.Rule != form.CheckBurst {
		fields, _ := l.Change.Values()
		at, _ = check.Moment(fields)
	}
	return check.Start(at) == b.Start
}
