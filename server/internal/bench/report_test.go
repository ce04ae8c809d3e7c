package bench

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestTheReportsArithmetic(t *testing.T) {
	r := &run{Options: Options{Changes: 1000, People: 500, Roster: 10, Rounds: 3, Clients: []int{1, 64}}, began: time.Now()}
	r.world.residents = append(r.world.residents, nil)
	s := &r.taken
	second := func(changes int) pushed {
		return pushed{changes: changes, took: time.Second, each: []time.Duration{time.Millisecond, 2 * time.Millisecond, 3 * time.Millisecond}}
	}
	for i := range 3 { // the middle one counts
		s.pushed(floorSide, 1, second(1000*(i+1)))
		s.pushed(serverSide, 1, second(500*(i+1)))
		s.pushed(floorSide, 64, second(10_000))
		s.pushed(serverSide, 64, second(4000))
		s.pulled(floorSide, pulled{each: []time.Duration{4 * time.Millisecond}})
		s.pulled(serverSide, pulled{each: []time.Duration{8 * time.Millisecond}, pages: 2, bytes: 10, zipped: 5})
		s.idled(floorSide, 1000)
		s.idled(serverSide, 399)
		s.weighed(floorSide, 50e6, 150_000)
		s.weighed(serverSide, int64(100e6+50e6*i), 1_500_000)
	}
	s.loaded(serverSide, 500_000)
	s.idleBody = 400
	got := r.report()
	want := []struct {
		what      string
		got, want float64
	}{
		{"push at 1", got.Push[0].Server, 1000},
		{"floor's push at 1", got.Push[0].Floor, 2000},
		{"ratio at 1", got.Push[0].Ratio, 0.5},
		{"ratio at 64", got.Push[1].Ratio, 0.4},
		{"p50", got.Push[0].ServerP50, 2},
		{"p99", got.Push[0].ServerP99, 3},
		{"first sync, where less is better", got.FirstSync.Ratio, 0.5},
		{"idle", got.Idle.Ratio, 0.399},
		{"memory: the largest of all rounds", float64(got.Memory.Server), 200e6},
		{"records", float64(got.Disk.Records), 2500},
		{"bytes a record", got.Disk.ServerRecord, 600},
		{"bytes a person", got.Disk.ServerPerson, 1000},
		{"bytes a temperature", got.Disk.ServerTemperature, 500},
	}
	for _, w := range want {
		if w.got != w.want {
			t.Errorf("%s: %v, want %v", w.what, w.got, w.want)
		}
	}
	// At the mark is reached, one short of it isn't, and one miss is a miss.
	var reached []bool
	for _, target := range got.Targets {
		reached = append(reached, target.Reached)
	}
	for i, w := range []bool{true, true, false, true, true} {
		if reached[i] != w {
			t.Errorf("%s: reached %v, want %v", got.Targets[i].Name, reached[i], w)
		}
	}
	if got.Reached {
		t.Error("everything is said to be reached")
	}
	var table bytes.Buffer
	if err := got.Table(&table); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"0.40", "MISSED   sync with nothing new, of the floor's requests a second: 0.399 (≥ 0.4)"} {
		if !strings.Contains(table.String(), part) {
			t.Errorf("the table doesn't say %q:\n%s", part, table.String())
		}
	}
}
