package simtest

import (
	"cmp"
	"context"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// history is the server's whole log with the records as they are stored.
type history struct {
	rows   []exchange.Logged // in order of Seq
	stored map[syncproto.RecordID]*syncproto.Record
}

func (w *World) readLog(ctx context.Context) (*history, error) {
	h := &history{stored: make(map[syncproto.RecordID]*syncproto.Record)}
	err := w.server().Histories(ctx, func(log []exchange.Logged, stored *syncproto.Record) error {
		h.rows = append(h.rows, log...)
		if stored != nil && len(stored.Live) > 0 { // of some all was taken out again
			h.stored[stored.ID] = stored
		}
		return nil
	})
	slices.SortFunc(h.rows, func(a, b exchange.Logged) int { return cmp.Compare(a.Seq, b.Seq) })
	return h, err
}
