package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"gridsync/server/internal/bench"
	"gridsync/server/internal/store/postgres/pgcluster"
	"gridsync/server/internal/store/postgres/pgtest"
)

// benched runs a bench in a folder, reads what it printed, and makes sure that it left
// nothing there.
func benched(t *testing.T, into any, args ...string) {
	t.Helper()
	dir := t.TempDir()
	var out, told bytes.Buffer
	if err := realMain(t.Context(), append([]string{"bench", "-json", "-dir", dir}, args...), strings.NewReader(""), &out, &told); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, &told)
	}
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestServersOfOneDatabaseAreMeasuredInDatabasesThatAreGoneAfterwards(t *testing.T) {
	cluster, err := pgcluster.Start(benchCluster)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	}()
	url := cluster.URL("postgres")
	before := databases(t, url)
	var report bench.ScaleReport
	benched(t, &report, "-scale", "-changes", "600", "-clients", "3", "-servers", "1,2", "-rounds", "2", "-db", url)
	if len(report.Push) != 2 {
		t.Fatalf("the report has %+v", report.Push)
	}
	for i, p := range report.Push {
		if p.Servers != i+1 || p.Clients != 3 || p.Server <= 0 || p.Copy <= 0 || p.Upsert <= 0 || p.OfCopy <= 0 || p.OfFewest <= 0 || p.P99 < p.P50 {
			t.Errorf("%+v", p)
		}
		if p.WAL < 400 { // a change is longer than that
			t.Errorf("%d servers wrote %.0f bytes a change to the log", p.Servers, p.WAL)
		}
		if p.Spent == nil || p.Spent.Group < 1 || p.Spent.Group > 300 || p.Spent.Statements <= 0 || len(p.Spent.Top) == 0 {
			t.Errorf("%d servers: the time went into %+v", p.Servers, p.Spent)
		}
	}
	if after := databases(t, url); after != before {
		t.Errorf("the databases are %s, and were %s", after, before)
	}
}

func databases(t *testing.T, url string) (names string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database").Scan(&names); err != nil {
		t.Fatal(err)
	}
	return names
}

func TestBothEnginesGrowToWhereTheyAreMeasured(t *testing.T) {
	var report bench.GrowthReport
	benched(t, &report, "-growth", "-records", "150,420")
	if len(report.Curves) != 2 {
		t.Fatalf("the report has %+v", report.Curves)
	}
	for i, engine := range []string{"sqlite", "postgres"} {
		curve := report.Curves[i]
		if curve.Engine != engine || len(curve.Points) != 2 {
			t.Fatalf("%+v, want %s at two marks", curve, engine)
		}
		for k, mark := range []int{150, 420} {
			p := curve.Points[k]
			if p.Records != mark || p.Window != mark || p.Micros <= 0 || p.Bytes < int64(mark)*300 || p.BytesSince < 300 {
				t.Errorf("%s at %d: %+v", engine, mark, p)
			}
		}
	}
}

func TestABenchIsRefusedWhereItWouldMeanNothing(t *testing.T) {
	for _, c := range []struct {
		why, said string
		args      []string
	}{
		{"a database that doesn't wait for its disk", "不等待写入磁盘", []string{"-scale", "-changes", "1", "-rounds", "1", "-servers", "1", "-clients", "1", "-db", pgtest.Empty(t)}},
		{"a disk that is too small", "磁盘空间不足", []string{"-growth", "-engine", "sqlite", "-records", "1000000000000000"}},
	} {
		dir := t.TempDir()
		code, out, told := command(t, "", append([]string{"bench", "-dir", dir}, c.args...)...)
		if code != 1 || out != "" || !strings.Contains(told, c.said) {
			t.Errorf("%s: code %d, %q, %q", c.why, code, out, told)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", c.why, left, err)
		}
	}
}
