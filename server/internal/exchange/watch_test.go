package exchange

import (
	"fmt"
	"strings"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// snapshot is a county with one grid and the forms of the program.
func snapshot(t *testing.T) *registry.Snapshot {
	t.Helper()
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := area.NewTree([]area.Node{{Key: 1, ID: "county"}, {Key: 2, ID: "grid", Parent: "county"}})
	if err != nil {
		t.Fatal(err)
	}
	return &registry.Snapshot{Areas: tree, People: identity.NewDirectory(identity.Everyone{}), Forms: forms}
}

// reading is the nth temperature of one phone, so many minutes after eight.
func reading(n uint64, minute int, value string) *Logged {
	const eight = syncproto.Instant(1_580_083_200_000) // 2020-01-27 08:00 in UTC+8
	at := eight + syncproto.Instant(minute*60_000)
	return &Logged{
		Seq: syncproto.Version(n), Stamp: syncproto.Stamp{Time: at, Earliest: at, Latest: at}, Received: at,
		Change: syncproto.Change{
			ID: syncproto.ChangeID{15: byte(n), 14: byte(n >> 8)}, Device: syncproto.DeviceID{1}, N: n, Author: syncproto.AuthorID{2},
			Kind: "temperature", Record: syncproto.RecordID{15: byte(n), 14: byte(n >> 8)}, Area: "grid", At: at, Form: 1,
			Fields: fmt.Appendf(nil, `{"person":"01000000-0000-7000-8000-000000000001","value":%s,"taken_at":%d}`, value, at),
		},
	}
}

// pulses plays readings and returns the names of the windows that were raised.
func pulses(t *testing.T, readings []*Logged) (raisedAt map[string]int, pulse []byte) {
	t.Helper()
	snap := snapshot(t)
	raisedAt = make(map[string]int)
	for i, l := range readings {
		var found []raised
		pulse, found = beat(snap, snap.Forms.Newest("temperature"), l, nil, pulse)
		for _, r := range found {
			if _, known := raisedAt[r.Field]; !known {
				raisedAt[r.Field] = i + 1
			}
			if r.desk != 2 || r.sample != l.Change.Record {
				t.Errorf("raised at desk %d with sample %s", r.desk, r.sample)
			}
		}
	}
	return raisedAt, pulse
}

func TestARunOfEqualReadingsIsRaisedAtItsTwentieth(t *testing.T) {
	var same, varied []*Logged
	for n := range 40 {
		same = append(same, reading(uint64(n+1), n, "36.5"))
		varied = append(varied, reading(uint64(n+1), n, fmt.Sprintf("36.%d", n%7)))
	}
	found, _ := pulses(t, same)
	at, other := 0, 0
	for name, n := range found {
		if strings.Contains(name, "even") {
			at = n
		} else {
			other = n
		}
	}
	if at != 20 || other != 0 || len(found) != 1 {
		t.Errorf("raised: %v", found)
	}
	if found, _ := pulses(t, varied); len(found) != 0 {
		t.Errorf("readings that differ were raised: %v", found)
	}
}

func TestReadingsThatAllDifferAreNoRun(t *testing.T) {
	var differ []*Logged
	for n := range 30 {
		differ = append(differ, reading(uint64(n+1), n, fmt.Sprintf("3%d.%d", 5+n/10, n%10)))
	}
	if found, _ := pulses(t, differ); len(found) != 0 {
		t.Errorf("readings of which no two are alike were raised: %v", found)
	}
}

func TestReadingsFasterThanHandsAreRaised(t *testing.T) {
	var fast []*Logged
	for n := range 61 {
		fast = append(fast, reading(uint64(n+1), n/10, fmt.Sprintf("36.%d", n%9)))
	}
	if found, _ := pulses(t, fast[:60]); len(found) != 0 {
		t.Errorf("60 in ten minutes were raised: %v", found)
	}
	if found, _ := pulses(t, fast); len(found) != 1 {
		t.Errorf("61 in ten minutes: %v", found)
	}
}

func TestAPulseIsBounded(t *testing.T) {
	var days []*Logged
	for n := range 500 {
		days = append(days, reading(uint64(n+1), n*17, fmt.Sprintf("36.%d", n%9)))
	}
	if _, pulse := pulses(t, days); len(pulse) != maxBeats*beatBytes {
		t.Errorf("a pulse of %d bytes", len(pulse))
	}
}

func TestTheChainCoversEverythingThatMayNotChange(t *testing.T) {
	l := reading(7, 3, "36.5")
	before := syncproto.Hash{9}
	want := ChainOf(before, l, l.Change.Hash())
	for name, alter := range map[string]func(*Logged, *syncproto.Hash){
		"row before": func(_ *Logged, h *syncproto.Hash) { h[31]++ },
		"place":      func(l *Logged, _ *syncproto.Hash) { l.Seq++ },
		"received":   func(l *Logged, _ *syncproto.Hash) { l.Received++ },
		"time":       func(l *Logged, _ *syncproto.Hash) { l.Time++ },
		"earliest":   func(l *Logged, _ *syncproto.Hash) { l.Earliest-- },
		"latest":     func(l *Logged, _ *syncproto.Hash) { l.Latest++ },
		"author":     func(l *Logged, _ *syncproto.Hash) { l.Change.Author[0]++ },
		"fields":     func(l *Logged, _ *syncproto.Hash) { l.Change.Fields = []byte(`{"value":37.5}`) },
	} {
		altered, h := *l, before
		if alter(&altered, &h); ChainOf(h, &altered, altered.Change.Hash()) == want {
			t.Errorf("the chain doesn't tell an altered %s", name)
		}
	}
	waiting := *l
	waiting.Version, waiting.Verdict, waiting.Reason, waiting.Field = 0, syncproto.Parked, syncproto.CodeOutOfArea, "area"
	if ChainOf(before, &waiting, waiting.Change.Hash()) != want {
		t.Error("whether a row waits is no part of the chain")
	}
}
