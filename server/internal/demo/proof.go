package demo

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"gridsync/clientsdk"
	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// ledger is the server's log and records, read in one pass.
type ledger struct {
	ids map[syncproto.ChangeID]int
	// numbers counts rows by device and n.
	numbers map[origin]int
	parked  int
	records map[syncproto.RecordID]copyOf
}

type origin struct {
	device syncproto.DeviceID
	n      uint64
}

// copyOf is a replica's copy of a record, small enough to compare many.
type copyOf struct {
	area    syncproto.AreaID
	version syncproto.Version
	live    [sha256.Size]byte
}

func digest(live []syncproto.Part) ([sha256.Size]byte, error) {
	text, err := json.Marshal(live)
	return sha256.Sum256(text), err
}

func readLedger(ctx context.Context, s *Server) (*ledger, error) {
	l := &ledger{
		ids: make(map[syncproto.ChangeID]int), numbers: make(map[origin]int),
		records: make(map[syncproto.RecordID]copyOf),
	}
	err := s.Histories(ctx, func(log []exchange.Logged, stored *syncproto.Record) error {
		for i := range log {
			l.ids[log[i].Change.ID]++
			l.numbers[origin{log[i].Change.Device, log[i].Change.N}]++
			if log[i].Version == 0 {
				l.parked++
			}
		}
		if stored == nil {
			return nil
		}
		live, err := digest(stored.Live)
		l.records[stored.ID] = copyOf{stored.Area, stored.Version, live}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the server's log: %w", err)
	}
	return l, nil
}

// changes compares every phone's own log with the server's.
func (p *play) changes(ctx context.Context, l *ledger) (Changes, error) {
	c := Changes{Held: len(l.ids)}
	for _, n := range l.ids {
		c.Doubled += n - 1
	}
	for _, n := range l.numbers {
		c.Doubled += n - 1
	}
	var mu sync.Mutex
	err := p.each(func(ph *phone, _ int) error {
		entries, err := ph.client.Log(ctx)
		if err != nil {
			return fmt.Errorf("the log of %s: %w", ph.Name, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for i := range entries {
			if entries[i].State == clientsdk.Superseded { // recorded again under another number
				continue
			}
			c.Recorded++
			if l.ids[entries[i].ID] == 0 {
				c.Lost++
			}
		}
		return nil
	})
	return c, err
}

// replicas compares every phone's copies with the server's records, one by one,
// and those of a new phone that has just fetched everything. It returns what
// differs.
func (p *play) replicas(ctx context.Context, l *ledger) ([]string, error) {
	tree, err := area.NewTree(nodes(p.w))
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var differ []string
	compare := func(name string, client *clientsdk.Client, scope syncproto.AreaID) error {
		found, err := compareReplica(ctx, client, l, func(id syncproto.AreaID) bool { return tree.Within(id, scope) })
		mu.Lock()
		defer mu.Unlock()
		for _, f := range found {
			differ = append(differ, name+": "+f)
		}
		return err
	}
	err = p.each(func(ph *phone, _ int) error { return compare(ph.Name, ph.client, ph.Area) })
	if err != nil {
		return nil, err
	}
	fresh, err := clientsdk.Open(ctx, filepath.Join(p.dir, "phones", "fresh.db"), clientsdk.Options{
		Server: p.server.URL, Token: p.fresh.Token, Device: p.fresh.Device, AppName: "demo/1", Now: p.clock.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("the new phone: %w", err)
	}
	_, err = fresh.Sync(ctx)
	if err == nil {
		err = compare("the new phone", fresh, p.w.Community)
	}
	return differ, errors.Join(err, fresh.Close())
}

// compareReplica returns how a replica differs from what the server has within a
// scope. A record on which a change of the phone's own is still waiting at a desk
// shows that change too; its copy is then compared by version.
func compareReplica(ctx context.Context, client *clientsdk.Client, l *ledger, within func(syncproto.AreaID) bool) ([]string, error) {
	var differ []string
	held := 0
	for _, kind := range client.Forms().Kinds() {
		records, err := client.List(ctx, kind)
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", kind, err)
		}
		for i := range records {
			r := &records[i]
			if r.Version == 0 { // on this phone only: parked
				continue
			}
			held++
			problem, err := difference(r, l, within)
			if err != nil {
				return nil, err
			}
			if problem != "" {
				differ = append(differ, fmt.Sprintf("%s %s: %s", kind, r.ID, problem))
			}
		}
	}
	expected := 0
	for _, c := range l.records {
		if within(c.area) {
			expected++
		}
	}
	if held != expected {
		differ = append(differ, fmt.Sprintf("holds %d records of %d", held, expected))
	}
	return differ, nil
}

// difference says how one copy differs from the server's record; "" if it doesn't.
func difference(r *clientsdk.Record, l *ledger, within func(syncproto.AreaID) bool) (string, error) {
	theirs, ok := l.records[r.ID]
	switch {
	case !ok:
		return "the server has no such record", nil
	case !within(theirs.area):
		return "it belongs to " + string(theirs.area), nil
	case r.Version != theirs.version:
		return fmt.Sprintf("version %d, not %d", r.Version, theirs.version), nil
	case r.Pending:
		return "", nil
	}
	live, err := digest(r.Live())
	if err != nil {
		return "", err
	}
	if live != theirs.live {
		return "what is alive of it differs", nil
	}
	return "", nil
}
