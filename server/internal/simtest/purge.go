package simtest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/simtest/oracle"
	"gridsync/syncproto"
)

// purgeOld: purge KIND DAYS [N] — the content of records goes that are older than so many
// days; of N of them, neither more nor less.
func purgeOld(ctx context.Context, w *World, args []string) error {
	if len(args) < 2 {
		return errors.New("purge KIND DAYS [N]")
	}
	days, err := number(args[1])
	if err != nil {
		return err
	}
	before, err := w.readLog(ctx)
	if err != nil {
		return err
	}
	done, err := w.server.Purge(ctx, exchange.PurgeOrder{Kind: syncproto.Kind(args[0]), Days: days})
	if err != nil {
		return err
	}
	if len(args) > 2 {
		if n, err := number(args[2]); err != nil || done.Records != n {
			return errors.Join(err, fmt.Errorf("%d records were purged, and %d kept", done.Records, done.Kept))
		}
	}
	return w.remember(ctx, before)
}

// remember keeps what was purged as it was: past totals stand on it.
func (w *World) remember(ctx context.Context, before *history) error {
	after, err := w.readLog(ctx)
	if err != nil {
		return err
	}
	was := make(map[syncproto.Version]exchange.Logged, len(before.rows))
	for _, l := range before.rows {
		was[l.Seq] = l
	}
	for _, l := range after.rows {
		old := was[l.Seq]
		if l.Purged == (syncproto.Hash{}) || old.Purged == l.Purged {
			continue
		}
		if l.Purged != old.Change.Hash() {
			return fmt.Errorf("row %d keeps another hash than that of what it said", l.Seq)
		}
		w.purged[l.Purged] = old
	}
	return nil
}

// recalled are rows of the log with what was purged as it was.
func (w *World) recalled(rows []exchange.Logged) []exchange.Logged {
	rows = slices.Clone(rows)
	for i := range rows {
		if was, ok := w.purged[rows[i].Purged]; ok {
			rows[i].Change = was.Change
		}
	}
	return rows
}

// standing leaves out of rows what was purged.
func standing(rows []exchange.Logged) []exchange.Logged {
	return slices.DeleteFunc(slices.Clone(rows), func(l exchange.Logged) bool { return l.Purged != (syncproto.Hash{}) })
}

// slowly reads rows slowly: what stands as the rows say that have their content, and what was
// counted as all of them said.
func (w *World) slowly(rows []exchange.Logged, read func([]exchange.Logged) (*oracle.Reading, error)) (*oracle.Reading, error) {
	r, err := read(standing(rows))
	if err != nil || len(w.purged) == 0 {
		return r, err
	}
	past, err := read(w.recalled(rows))
	if err == nil {
		r.CountAs(past)
	}
	return r, err
}
