package postgres_test

import (
	"errors"
	"testing"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
)

// TestNoNumberIsGivenOutOnTwoTimelines has machines take over, one of which is lost with all
// that it gave out.
func TestNoNumberIsGivenOutOnTwoTimelines(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	must(t, open(t, url).Close())
	db := handle(t, "pgx", url)
	at := &onTimeline{Dialect: postgres.Dialect, timeline: 1}
	store, err := sqlstore.New(t.Context(), db, db, at, storetest.Keys(t))
	must(t, err)
	defer func() { must(t, store.Close()) }()
	storetest.Push(t, store, storetest.Load(t, 0, 1, 3))
	before, err := store.Boot(t.Context())
	must(t, err)

	// on has the store write on a timeline, and tells how many steps the numbers have gone.
	on := func(timeline int64) (steps syncproto.Version) {
		t.Helper()
		at.timeline = timeline
		failed := errors.New("failed")
		var within exchange.Boot
		err := store.Commit(t.Context(), func(exchange.Tx) (err error) {
			if within, err = store.Boot(t.Context()); err != nil {
				return err
			}
			return failed
		})
		if !errors.Is(err, failed) {
			t.Fatal(err)
		}
		after, err := store.Boot(t.Context())
		must(t, err)
		if within.Turn != after.Turn || within.Last != after.Last {
			t.Errorf("timeline %d: a group that failed saw %d at turn %v, and then it was %d at %v", timeline, within.Last, within.Turn, after.Last, after.Turn)
		}
		turns, err := store.Turns(t.Context(), before.Turn)
		must(t, err)
		if moved := after.Last != before.Last; turns.Lost != moved || moved == (turns.Last == before.Turn) {
			t.Errorf("timeline %d: from %d to %d whoever remembers is told %+v", timeline, before.Last, after.Last, turns)
		}
		if (after.Last-before.Last)%sqlstore.TimelineStep != 0 {
			t.Errorf("timeline %d: from %d to %d", timeline, before.Last, after.Last)
		}
		return (after.Last - before.Last) / sqlstore.TimelineStep
	}
	for _, next := range []struct {
		timeline int64
		lost     bool // whatever came after the first
		steps    syncproto.Version
	}{
		{timeline: 1},
		{timeline: 2, steps: 1},
		{timeline: 2, steps: 1},
		{timeline: 3, lost: true, steps: 2},
		{timeline: 6, steps: 5},
		{timeline: 1, steps: 6}, // a cluster that was made anew
	} {
		if next.lost {
			_, err := observer(t, url).Exec(t.Context(), "UPDATE meta SET last_number = $1, last_turn = $2, turn_name = $3, timeline = 1",
				int64(before.Last), before.Turn.Number, before.Turn.Name)
			must(t, err)
		}
		if steps := on(next.timeline); steps != next.steps {
			t.Errorf("on timeline %d, lost %v: %d steps from the first", next.timeline, next.lost, steps)
		}
	}
}
