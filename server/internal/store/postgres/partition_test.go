package postgres_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// county puts a county, two of its communities, which Load names, and a place beside it.
func county(t *testing.T, store *postgres.Store) {
	t.Helper()
	must(t, store.PutAreas(t.Context(), []area.Node{
		{ID: "33", Name: "省"},
		{ID: "330702", Name: "县", Parent: "33"},
		{ID: "330702001", Name: "镇", Parent: "330702"},
		{ID: "330702001000", Name: "社区", Parent: "330702001"},
		{ID: "330702001001", Name: "市直", Parent: "33"},
	}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRowsLieInTheirCountyFromWhenItIsGivenATable writes in the county and beside it, before
// and after, and after the county has lost a community to somebody else.
func TestRowsLieInTheirCountyFromWhenItIsGivenATable(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	store, other := opened(t, url), opened(t, url)
	conn := observer(t, url)
	county(t, store)
	lie := func(want string) {
		t.Helper()
		var got string
		err := conn.QueryRow(t.Context(), `SELECT string_agg(DISTINCT c.tableoid::regclass || ' ' || p.code || ' ' || c.seq, ', ')
			FROM change_log c JOIN place p ON p.key = c.area`).Scan(&got)
		if err != nil || got != want {
			t.Errorf("%v\n got %s\nwant %s", err, got, want)
		}
	}
	storetest.Push(t, store, storetest.Load(t, 0, 2, 1))
	must(t, other.AddPartition(t.Context(), "330702", postgres.Spot{}))
	storetest.Push(t, store, storetest.Load(t, 1, 2, 1))
	lie("change_log_of_2 330702001000 3, change_log_rest 330702001000 1, change_log_rest 330702001001 2, change_log_rest 330702001001 4")

	waiting := storetest.Load(t, 2, 2, 1)
	waiting.Records = nil
	waiting.Log[0].Version, waiting.Log[0].Verdict, waiting.Log[0].Reason = 0, syncproto.Parked, syncproto.CodeUnknownRecord
	storetest.Push(t, store, waiting)
	must(t, other.PutAreas(t.Context(), []area.Node{{ID: "330702001", Name: "镇", Parent: "33"}}))
	storetest.Push(t, store, storetest.Load(t, 3, 2, 1))
	lie("change_log_of_2 330702001000 3, change_log_rest 330702001000 1, change_log_rest 330702001000 5, change_log_rest 330702001000 7, " +
		"change_log_rest 330702001001 2, change_log_rest 330702001001 4, change_log_rest 330702001001 6, change_log_rest 330702001001 8")

	page, err := store.Page(t.Context(), exchange.Feed{Area: 1, Stream: form.History}, 0, 100, 1<<20)
	if err != nil || len(page) != 3 || page[1].Version != 3 || page[1].Record == nil {
		t.Errorf("a page over both tables: %+v, %v", page, err)
	}
	list, err := store.Partitions(t.Context())
	if err != nil || len(list) != 2 || list[1].County != "330702" || list[1].Table != "change_log_of_2" || list[1].Bytes == 0 {
		t.Errorf("%+v, %v", list, err)
	}
	for code, want := range map[syncproto.AreaID]error{"330702": postgres.ErrHasPartition, "99": postgres.ErrNoSuchArea} {
		if err := store.AddPartition(t.Context(), code, postgres.Spot{}); !errors.Is(err, want) {
			t.Errorf("%s: %v", code, err)
		}
	}
	if err := store.AddPartition(t.Context(), "33", postgres.Spot{Tablespace: `no"where`}); err == nil {
		t.Error("a tablespace that isn't there was taken")
	}
	if n := rows(t, store); n != 8 {
		t.Errorf("%d rows", n)
	}
}

// TestRowsOfACountyWithoutATableComeIntoIt is about a copy of a database that had one.
func TestRowsOfACountyWithoutATableComeIntoIt(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	store := opened(t, url)
	conn := observer(t, url)
	county(t, store)
	_, err := conn.Exec(t.Context(), "INSERT INTO county VALUES (2)")
	must(t, err)
	storetest.Push(t, store, storetest.Load(t, 0, 2, 3))
	tables := func() (other, own int) {
		var there bool
		must(t, conn.QueryRow(t.Context(), "SELECT COUNT(*) FROM change_log_other").Scan(&other))
		must(t, conn.QueryRow(t.Context(), "SELECT to_regclass('change_log_of_2') IS NOT NULL").Scan(&there))
		if there {
			must(t, conn.QueryRow(t.Context(), "SELECT COUNT(*) FROM change_log_of_2").Scan(&own))
		}
		return other, own
	}
	if other, own := tables(); other != 3 || own != 0 {
		t.Errorf("before: %d and %d rows", other, own)
	}
	must(t, store.AddPartition(t.Context(), "330702", postgres.Spot{}))
	if other, own := tables(); other != 0 || own != 3 {
		t.Errorf("after: %d and %d rows", other, own)
	}
	if n := rows(t, store); n != 6 {
		t.Errorf("%d rows", n)
	}
}

// TestASpreadLogIsCopiedThereAndBack copies it into SQLite and from there into a database that
// has no partitions yet: a page reads the same everywhere, and new rows go on beside the old.
func TestASpreadLogIsCopiedThereAndBack(t *testing.T) {
	t.Parallel()
	first, url := opened(t, pgtest.Empty(t)), pgtest.Empty(t)
	county(t, first)
	must(t, first.AddPartition(t.Context(), "330702", postgres.Spot{}))
	storetest.Push(t, first, storetest.Load(t, 0, 2, 20))
	file, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{Keys: storetest.Keys(t)})
	must(t, err)
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	second := opened(t, url)
	page := func(store *sqlstore.Store) []exchange.FeedRow {
		t.Helper()
		rows, err := store.Page(t.Context(), exchange.Feed{Area: 1, Stream: form.History}, 0, 100, 1<<20)
		must(t, err)
		return rows
	}
	want := page(first.Store)
	journey := func(from, to string) *sqlstore.Journey {
		nothing := func(context.Context) error { return nil }
		return &sqlstore.Journey{From: from, To: to, Told: func(string, int64) {}, Sound: nothing, Proved: nothing}
	}
	must(t, first.Move(t.Context(), file.Store, journey("a", "b")))
	storetest.Push(t, file, storetest.Load(t, 1, 2, 20))
	if got := page(file.Store); len(want) != 20 || len(got) != 40 || !reflect.DeepEqual(got[:20], want) {
		t.Errorf("%d rows, and %d in the copy", len(want), len(got))
	}
	must(t, file.Move(t.Context(), second.Store, journey("b", "c")))
	must(t, second.AddPartition(t.Context(), "330702", postgres.Spot{}))
	storetest.Push(t, second, storetest.Load(t, 2, 2, 20))
	if got := page(second.Store); len(got) != 60 || !reflect.DeepEqual(got[:20], want) {
		t.Errorf("%d rows, and %d in the copy's copy", len(want), len(got))
	}
	if n := number(t, observer(t, url), "SELECT COUNT(*) FROM change_log_of_2"); n != 60 {
		t.Errorf("%d rows lie in the county's table", n)
	}
}
