package demo

import (
	"context"
	"fmt"
	"sync"

	"gridsync/clientsdk"
	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// ledger is the server's log and records, read in one pass.
type ledger struct {
	ids map[syncproto.ChangeID]int
	// numbers counts rows by device and n.
	numbers map[origin]int
	parked  int
	records *records
}

type origin struct {
	device syncproto.DeviceID
	n      uint64
}

func readLedger(ctx context.Context, s *Server) (*ledger, error) {
	records, err := newRecords()
	if err != nil {
		return nil, err
	}
	l := &ledger{ids: make(map[syncproto.ChangeID]int), numbers: make(map[origin]int), records: records}
	err = s.Histories(ctx, func(log []exchange.Logged, stored *syncproto.Record) error {
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
		l.records.add(stored)
		return nil
	})
	if err == nil {
		err = l.records.link()
	}
	if err != nil {
		return nil, fmt.Errorf("reading the server's log: %w", err)
	}
	return l, nil
}

// changes compares every phone's own log with the server's.
func (p *play) changes(ctx context.Context, l *ledger) (Changes, error) {
	var c Changes
	phones := make(map[syncproto.DeviceID]bool, len(p.phones))
	for _, ph := range p.phones {
		phones[ph.client.Device()] = true
	}
	for at := range l.numbers {
		if phones[at.device] {
			c.Held++
		} else {
			c.Ruled++
		}
	}
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
