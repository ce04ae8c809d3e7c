package simtest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/roster"
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
	done, err := w.server().Purge(ctx, exchange.PurgeOrder{Kind: syncproto.Kind(args[0]), Days: days})
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

// expectGone: gone ROUND N — so many records that said whom a round met were purged.
func expectGone(ctx context.Context, w *World, args []string) error {
	if len(args) != 2 {
		return errors.New("gone ROUND N")
	}
	want, err := number(args[1])
	if err != nil {
		return err
	}
	var diff roster.Diff
	path := fmt.Sprintf("/v1/rounds/%[1]s/diff/%[1]s?area=county", recordID(args[0]))
	if err := w.get(ctx, path, &diff); err != nil {
		return err
	}
	if diff.A.Purged != want || diff.B.Purged != want {
		return fmt.Errorf("of %s %d are gone, and of %s %d", diff.A.Name, diff.A.Purged, diff.B.Name, diff.B.Purged)
	}
	return nil
}

// purge is the log before and after one.
type purge struct{ before, after []exchange.Logged }

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
	w.purges = append(w.purges, purge{before.rows, after.rows})
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
// counted before as it was counted then.
func (w *World) slowly(rows []exchange.Logged, read func([]exchange.Logged) (*oracle.Reading, error)) (*oracle.Reading, error) {
	r, err := read(standing(rows))
	if err != nil || len(w.purges) == 0 {
		return r, err
	}
	r.Remember(w.recalled(rows), func() ([]oracle.Taken, error) {
		var taken []oracle.Taken
		for _, p := range w.purges {
			before, err := read(standing(p.before))
			if err != nil {
				return nil, err
			}
			after, err := read(standing(p.after))
			if err != nil {
				return nil, err
			}
			taken = append(taken, oracle.Taken{Before: before, After: after})
		}
		return taken, nil
	})
	return r, nil
}

// ages draws what is so old that its content goes. Days pass before, as nothing is younger
// than one.
func (p *player) ages(_ context.Context) (string, error) {
	kind := one(p, "visit", "visit", "temperature", "passage", "person", "household")
	return fmt.Sprintf("wait %s ; purge %s %d", one(p, "20m", "26h", "50h"), kind, 1+p.rand.IntN(2)), nil
}
