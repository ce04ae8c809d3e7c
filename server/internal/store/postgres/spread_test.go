package postgres_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

var readsPart = regexp.MustCompile(`on (change_log_of_\d+|change_log_rest|change_log_other) .*\(actual`)

// partsRead are the parts of the log that the plans of statements with some text in them
// read, out of what the cluster wrote down after start.
func partsRead(t *testing.T, cluster *pgtest.Cluster, after int, text string) (parts []string) {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(cluster.Dir, "log"))
	must(t, err)
	met := false
	for _, entry := range strings.Split(string(log[after:]), "Query Text: ") {
		if !strings.Contains(entry, text) {
			continue
		}
		met = true
		for _, line := range readsPart.FindAllStringSubmatch(entry, -1) {
			parts = append(parts, line[1])
		}
	}
	if !met {
		t.Errorf("no statement has %q", text)
	}
	slices.Sort(parts)
	return slices.Compact(parts)
}

// TestAPageReadsNoPartOfTheLogButItsOwn has the database write down what it did: sixteen
// counties, and a page of one, which is older than its table in part.
func TestAPageReadsNoPartOfTheLogButItsOwn(t *testing.T) {
	t.Parallel()
	cluster := pgtest.New(t, pgtest.Options{Settings: []string{
		"session_preload_libraries='auto_explain'", "auto_explain.log_min_duration=0", "auto_explain.log_analyze=on", "auto_explain.log_timing=off",
	}})
	store := opened(t, cluster.Empty(t))
	for i := range 16 {
		code := syncproto.AreaID(fmt.Sprintf("330702001%03d", i))
		must(t, store.PutAreas(t.Context(), []area.Node{{ID: code, Name: "县"}}))
		must(t, store.AddPartition(t.Context(), code, postgres.Spot{}))
	}
	for group := range 4 {
		storetest.Push(t, store, storetest.Load(t, group, 16, 250))
	}
	must(t, store.Sweep(t.Context()))
	for _, look := range []struct {
		text string
		do   func() error
		want string
	}{
		{"r.feed = $1 AND r.version > $2 ORDER BY", func() error {
			page, err := store.Page(t.Context(), exchange.Feed{Area: 3, Stream: form.History}, 100, 500, 1<<24)
			if len(page) != 500 {
				t.Errorf("%d rows", len(page))
			}
			return err
		}, "change_log_of_3"},
		{"released = 0 AND county = 0", func() error { _, err := store.CountParked(t.Context()); return err }, "change_log_rest"},
		{"FROM moment", func() error {
			return store.Commit(t.Context(), func(tx exchange.Tx) error {
				_, err := tx.CommittedAt([]syncproto.Version{7, 900, 15_000})
				return err
			})
		}, ""},
	} {
		log, err := os.Stat(filepath.Join(cluster.Dir, "log"))
		must(t, err)
		for range 7 { // the sixth time a plan for any arguments may be taken
			must(t, look.do())
		}
		if got := strings.Join(partsRead(t, cluster, int(log.Size()), look.text), ", "); got != look.want {
			t.Errorf("%s reads %q, not %q", look.text, got, look.want)
		}
	}
}
