package sqlstore

import (
	"context"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// tx is a write transaction. It remembers the keys of the records it met, so that
// what the service asked about isn't looked for again when it saves.
type tx struct {
	ctx context.Context
	s   *Store
	w   *writer
	// records are the keys of records; 0 for those known not to be there.
	records map[syncproto.RecordID]int64
	// stirs says that other processes may want to hear of it at once.
	stirs bool
}

var _ exchange.Tx = (*tx)(nil)

// Commit implements exchange.Store.
func (s *Store) Commit(ctx context.Context, fn func(exchange.Tx) error) error {
	if err := s.transact(ctx, func(t *tx) error { t.stirs = true; return fn(t) }); err != nil {
		return fmt.Errorf("store: group: %w", err)
	}
	return nil
}

// transact runs fn in a write transaction, if the database's history goes on here.
func (s *Store) transact(ctx context.Context, fn func(*tx) error) error {
	return s.unchecked(ctx, func(t *tx) error {
		if err := t.here(); err != nil {
			return err
		}
		return fn(t)
	})
}

// unchecked is transact wherever the history goes on.
func (s *Store) unchecked(ctx context.Context, fn func(*tx) error) error {
	return s.write.transact(ctx, func(ctx context.Context) error {
		t := s.begun(ctx)
		if s.care.Begun != nil {
			if err := s.care.Begun(Own{t}); err != nil {
				return err
			}
		}
		if err := fn(t); err != nil || !t.stirs || s.care.Stirred == nil {
			return err
		}
		return s.care.Stirred(Own{t})
	})
}

// begun is a write transaction of which nothing is known yet.
func (s *Store) begun(ctx context.Context) *tx {
	return &tx{ctx: ctx, s: s, w: s.write, records: make(map[syncproto.RecordID]int64)}
}

// Save implements exchange.Tx. What points at something comes after it.
func (t *tx) Save(b *exchange.Batch) error {
	return do(b, []step{
		{"keys", t.saveKeys},
		{"records", t.saveRecords},
		{"log", t.saveLog},
		{"moments", t.saveMoments},
		{"authors' runs", t.saveRuns},
		{"released changes", t.saveReleased},
		{"what is derived", t.saveDerived},
		{"tellings", t.saveTold},
		{"alerts", t.saveAlerts},
		{"what restates days", t.saveRestatings},
		{"devices", t.saveDevices},
		{"heads", t.saveHeads},
		{"last number", t.saveLast},
		{"turn", t.saveTurn},
	})
}

// saveDerived writes what of a batch Rederive writes too.
func (t *tx) saveDerived(b *exchange.Batch) error {
	return do(b, []step{
		{"counters", t.saveCounts},
		{"sums", t.saveSums},
		{"the tree of sums", t.saveTree},
		{"former areas", t.saveLodgings},
		{"sightings", t.saveSightings},
		{"traces", t.saveTraces},
		{"questions", t.saveItems},
		{"what happened to questions", t.saveEvents},
		{"blocked index", t.saveIndex},
		{"links", t.saveLinks},
		{"signatures", t.saveSignatures},
	})
}

// step writes one part of a batch.
type step struct {
	what string
	do   func(*exchange.Batch) error
}

func do(b *exchange.Batch, steps []step) error {
	for _, step := range steps {
		if err := step.do(b); err != nil {
			return fmt.Errorf("save %s: %w", step.what, err)
		}
	}
	return nil
}

// saveKeys makes sure that everything that the batch's rows point at has a key.
func (t *tx) saveKeys(b *exchange.Batch) error {
	var devices, authors, kinds, places values
	for i := range b.Log {
		c := &b.Log[i].Change
		devices.add(string(c.Device[:]))
		authors.add(string(c.Author[:]))
		kinds.add(string(c.Kind))
		places.add(string(c.Area))
	}
	for i := range b.Records {
		kinds.add(string(b.Records[i].Record.Kind))
		places.add(string(b.Records[i].Record.Area))
	}
	for i := range b.Seen {
		authors.add(string(b.Seen[i].Author[:]))
	}
	for i := range b.Traced.Visited {
		authors.add(string(b.Traced.Visited[i].Author[:]))
	}
	for i := range b.Traced.References {
		kinds.add(string(b.Traced.References[i].Kind))
	}
	for i := range b.Untraced.References {
		kinds.add(string(b.Untraced.References[i].Kind))
	}
	for i := range b.Told {
		devices.add(string(b.Told[i].Device[:]))
	}
	for i := range b.Devices {
		devices.add(string(b.Devices[i].Device[:]))
	}
	keys := &t.s.keys
	for _, learn := range []struct {
		d      *dimension
		values []string
	}{{keys.devices, devices.all}, {keys.authors, authors.all}, {keys.kinds, kinds.all}, {keys.places, places.all}} {
		if err := t.learn(learn.d, learn.values); err != nil {
			return err
		}
	}
	return t.learnCounties(places.all)
}

func (t *tx) device(id syncproto.DeviceID) int64 { return t.s.keys.devices.keys[string(id[:])] }
func (t *tx) author(id syncproto.AuthorID) int64 { return t.s.keys.authors.keys[string(id[:])] }
func (t *tx) kind(k syncproto.Kind) int64        { return t.s.keys.kinds.keys[string(k)] }
func (t *tx) place(a syncproto.AreaID) int64     { return t.s.keys.places.keys[string(a)] }
