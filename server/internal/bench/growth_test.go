package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gridsync/syncproto"
)

// ledger is an installation that keeps what was said to it, and parks what isn't as a server
// would want it.
type ledger struct {
	mu      sync.Mutex
	areas   map[syncproto.DeviceID]syncproto.AreaID
	high    map[syncproto.DeviceID]uint64
	records map[syncproto.RecordID]bool
	spoilt  bool
	closed  bool
}

func (l *ledger) start(ctx context.Context, _, dir string, _ []syncproto.Area, devices []Device) (Installation, error) {
	for _, d := range devices {
		l.areas[d.ID] = d.Area
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "ledger.db"))
	if err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, "CREATE TABLE said (n INTEGER)")
	return l, errors.Join(err, db.Close())
}

func (l *ledger) Sync(_ context.Context, device syncproto.DeviceID, r *syncproto.Request) (*syncproto.Answer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.high[device] > 0; known != (r.Cursor == "kept") || known && *r.Epoch != (syncproto.Epoch{1}) {
		return nil, fmt.Errorf("a cursor %q of %v", r.Cursor, r.Epoch)
	}
	answer := &syncproto.Answer{Epoch: syncproto.Epoch{1}, Cursor: "kept"}
	for _, raw := range r.Changes {
		c, _, err := syncproto.DecodeFields(raw, device)
		if err != nil {
			return nil, err
		}
		verdict := syncproto.Applied
		if c.N != l.high[device]+1 || c.Area != l.areas[device] || l.records[c.Record] || l.spoilt {
			verdict = syncproto.Parked
		}
		l.high[device], l.records[c.Record] = c.N, true
		answer.Verdicts = append(answer.Verdicts, syncproto.Verdict{N: c.N, Verdict: verdict})
	}
	return answer, nil
}

func (l *ledger) Close() error {
	l.closed = true
	return nil
}

func newLedger() *ledger {
	return &ledger{
		areas: map[syncproto.DeviceID]syncproto.AreaID{}, high: map[syncproto.DeviceID]uint64{}, records: map[syncproto.RecordID]bool{},
	}
}

func TestADatabaseGrowsByExactlyWhatIsMeasured(t *testing.T) {
	l := newLedger()
	marks := []int{70, 26_050, 30_001} // within a batch, within a step, over several rounds of phones
	report, err := RunGrowth(t.Context(), GrowthOptions{Engines: []string{SQLite}, Start: l.start, Dir: t.TempDir(), Marks: marks})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.records) != 30_001 || !l.closed {
		t.Errorf("%d records, closed %v", len(l.records), l.closed)
	}
	for i, p := range report.Curves[0].Points {
		if p.Records != marks[i] || p.Window > p.Records || p.Micros <= 0 || p.Seconds <= 0 {
			t.Errorf("at %d: %+v", marks[i], p)
		}
	}
	if used := len(l.high); used < 250 {
		t.Errorf("all was said by %d phones", used)
	}
}

func TestARecordThatIsNotAppliedEndsAGrowth(t *testing.T) {
	l := newLedger()
	l.spoilt = true
	_, err := RunGrowth(t.Context(), GrowthOptions{Engines: []string{SQLite}, Start: l.start, Dir: t.TempDir(), Marks: []int{10}})
	if err == nil || !l.closed {
		t.Errorf("got %v, closed %v", err, l.closed)
	}
}

func TestTheCostAtAMarkIsThatOfTheLastTenth(t *testing.T) {
	g := &growth{}
	for range 100 {
		g.steps = append(g.steps, step{growthStep, time.Second})
	}
	for i := 90; i < 100; i++ {
		g.steps[i].took = 2 * time.Second
	}
	p := g.point(100 * growthStep)
	if p.Window != 10*growthStep || p.Micros != 2e6/float64(growthStep) || p.Seconds != 110 {
		t.Errorf("%+v", p)
	}
}

func TestNothingIsBegunOnADiskThatIsTooSmall(t *testing.T) {
	l := newLedger()
	_, err := RunGrowth(t.Context(), GrowthOptions{Engines: []string{SQLite}, Start: l.start, Dir: t.TempDir(), Marks: []int{10, 1e15}, Limit: time.Second})
	if !errors.Is(err, &RoomError{}) || len(l.areas) > 0 {
		t.Errorf("got %v, begun with %d phones", err, len(l.areas))
	}
}

func TestGroupsHoldEveryChangeOnceAndNoMoreThanAServersWould(t *testing.T) {
	o, err := Options{Prepare: prepareFake, Changes: 12_345, Clients: []int{8, 64}, People: 1}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(o, time.UnixMilli(1_580_000_000_000))
	for _, c := range []struct{ clients, writers, largest int }{{8, 1, 800}, {8, 3, 300}, {64, 1, 1500}, {64, 3, 1500}} {
		loads := w.temperatures(c.clients, o.Changes, o.Batch)
		groups, err := groupsOf(w.pushers[c.clients], loads, c.writers)
		if err != nil {
			t.Fatal(err)
		}
		seen, largest := map[string]bool{}, 0
		for writer := range groups {
			for _, g := range groups[writer] {
				largest = max(largest, len(g.n))
				for i := range g.n {
					seen[fmt.Sprint(g.device[i], g.n[i])] = true
					if !json.Valid([]byte(g.fields[i])) {
						t.Fatalf("fields %q", g.fields[i])
					}
				}
			}
		}
		if len(seen) != 12_345 || largest != c.largest {
			t.Errorf("%+v: %d changes in groups of up to %d", c, len(seen), largest)
		}
	}
}
