package bench

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// TestMain lets the test's own program be the bench's children.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "bench-child" {
		if err := Child(context.Background(), os.Args[2:], serveFake); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// fake is a server that holds everything in memory and speaks the protocol. It
// turns away whatever a server would.
type fake struct {
	mu     sync.Mutex
	people map[syncproto.AreaID][]syncproto.Record
	high   map[syncproto.DeviceID]uint64
}

func prepareFake(_ context.Context, dir string, areas []syncproto.Area, devices []Device) ([]string, error) {
	tokens := make([]string, len(devices))
	scope := map[string]syncproto.AreaID{}
	known := map[syncproto.AreaID]bool{}
	for _, a := range areas {
		known[a.ID] = true
	}
	for i, d := range devices {
		if !known[d.Area] {
			return nil, fmt.Errorf("no area %s", d.Area)
		}
		tokens[i] = "token of " + d.ID.String()
		scope[tokens[i]] = d.Area
	}
	b, err := json.Marshal(scope)
	if err != nil {
		return nil, err
	}
	return tokens, os.WriteFile(filepath.Join(dir, "scope.json"), b, 0o600)
}

func serveFake(ctx context.Context, dir, listen string) error {
	b, err := os.ReadFile(filepath.Join(dir, "scope.json"))
	if err != nil {
		return err
	}
	scope := map[string]syncproto.AreaID{}
	if err := json.Unmarshal(b, &scope); err != nil {
		return err
	}
	f := &fake{people: map[syncproto.AreaID][]syncproto.Record{}, high: map[syncproto.DeviceID]uint64{}}
	if b, err := os.ReadFile(filepath.Join(dir, "people.json")); err == nil {
		if err := json.Unmarshal(b, &f.people); err != nil {
			return err
		}
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: syncproto.MaxBodyBytes})
	app.Post(syncPath, func(c *fiber.Ctx) error {
		token := c.Get("Authorization")[len("Bearer "):]
		area, ok := scope[token]
		if !ok {
			return fiber.ErrUnauthorized
		}
		answer, err := f.sync(area, token, c.Body())
		if err != nil {
			return err
		}
		return c.JSON(answer)
	})
	go func() {
		<-ctx.Done()
		_ = app.Shutdown()
	}()
	if err := app.Listen(listen); err != nil {
		return err
	}
	people, err := json.Marshal(f.people)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "people.json"), people, 0o600)
}

func (f *fake) sync(area syncproto.AreaID, token string, body []byte) (*syncproto.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var req syncproto.Request
	if err := json.Unmarshal(body, &req); err != nil {
		return nil, fiber.NewError(fiber.StatusBadRequest, err.Error())
	}
	if token != "token of "+req.Device.String() || req.Protocol != syncproto.Protocol {
		return nil, fiber.ErrForbidden
	}
	forms, err := form.BuiltIn()
	if err != nil {
		return nil, err
	}
	answer := &syncproto.Answer{Protocol: syncproto.Protocol, Epoch: syncproto.Epoch{1}, Now: req.Clock, Cursor: "up to date"}
	for _, raw := range req.Changes {
		c, fields, err := syncproto.DecodeFields(raw, req.Device)
		if err != nil {
			return nil, err
		}
		problem := forms.Newest(c.Kind).Check(fields, true, form.Occasion{At: c.At})
		if problem != nil || c.Area != area || c.N != f.high[req.Device]+1 || c.N > req.High || len(fields) != 12 {
			answer.Verdicts = append(answer.Verdicts, syncproto.Verdict{N: c.N, Verdict: syncproto.Parked, Reason: problem})
			continue
		}
		f.high[req.Device] = c.N
		if c.Kind == "person" {
			f.people[area] = append(f.people[area], syncproto.Record{ID: c.Record, Kind: c.Kind, Area: area, Live: []syncproto.Part{{Fields: fields}}})
		}
		answer.Verdicts = append(answer.Verdicts, syncproto.Verdict{N: c.N, Verdict: syncproto.Applied})
	}
	if req.Cursor == "" || req.Cursor == "half" { // two pages
		half := len(f.people[area]) / 2
		answer.Records, answer.Cursor, answer.More = f.people[area][:half], "half", true
		if req.Cursor == "half" {
			answer.Records, answer.Cursor, answer.More = f.people[area][half:], "up to date", false
		}
	}
	return answer, nil
}

func smallOptions(t *testing.T) Options {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Prepare: prepareFake, Child: []string{exe, "bench-child"}, Dir: t.TempDir(), Seed: 7,
		Changes: 230, Batch: 20, Clients: []int{1, 3}, People: 95, Roster: 10, Idle: 40, FirstSyncs: 2, Rounds: 2,
	}
}

func TestARunMeasuresBothSidesAndLeavesNothingBehind(t *testing.T) {
	o := smallOptions(t)
	var out, progress bytes.Buffer
	o.JSON, o.Out, o.Progress = true, &out, &progress
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	var written Report
	if err := json.Unmarshal(out.Bytes(), &written); err != nil || len(written.Push) != 2 {
		t.Fatalf("the JSON reads as %+v, %v", written, err)
	}
	for _, p := range report.Push {
		if p.Floor <= 0 || p.Server <= 0 || p.Ratio <= 0 || p.FloorP99 < p.FloorP50 {
			t.Errorf("push: %+v", p)
		}
	}
	if f := report.FirstSync; f.People != 10 || f.Of != 95 || f.ServerPages != 2 || f.Floor <= 0 || f.Server <= 0 || f.ServerBytes < 10*300 {
		t.Errorf("first sync: %+v", f)
	}
	if i := report.Idle; i.Floor <= 0 || i.Server <= 0 || i.Body < 50 || i.Body > 1000 {
		t.Errorf("idle: %+v", i)
	}
	if m := report.Memory; m.Floor < 1<<20 || m.Server < 1<<20 {
		t.Errorf("memory: %+v", m)
	}
	if d := report.Disk; d.Records != 95+2*230 || d.Floor == 0 || d.Server == 0 {
		t.Errorf("disk: %+v", d)
	}
	if len(report.Targets) != 5 {
		t.Errorf("targets: %+v", report.Targets)
	}
	if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAChangeThatIsNotAppliedEndsTheRun(t *testing.T) {
	o := smallOptions(t)
	o.Prepare = func(ctx context.Context, dir string, areas []syncproto.Area, devices []Device) ([]string, error) {
		for i := range devices {
			devices[i].Area = areas[1].ID // where most of them don't record
		}
		return prepareFake(ctx, dir, areas, devices)
	}
	_, err := Run(t.Context(), o)
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("were applied")) {
		t.Fatalf("got %v, want an error that says how many were applied", err)
	}
}

func TestTheFloorReallyHoldsItsRows(t *testing.T) {
	o, err := smallOptions(t).withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{Options: o, dir: t.TempDir(), began: time.UnixMilli(1_580_000_000_000)}
	r.world = newWorld(o, r.began)
	p, err := r.start(t.Context(), floorSide, r.dir)
	if err != nil {
		t.Fatal(err)
	}
	result, err := r.push(t.Context(), p, r.world.pushers[3], r.world.temperatures(3, o.Changes, o.Batch))
	if err := errors.Join(err, p.stop()); err != nil {
		t.Fatal(err)
	}
	if result.changes != 230 || len(result.each) != 12 {
		t.Errorf("%d changes in %d requests, want 230 in 12", result.changes, len(result.each))
	}
	db, err := sql.Open("sqlite", filepath.Join(r.dir, "floor.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows, ids, devices, fields int
	err = db.QueryRow(`SELECT count(*), count(DISTINCT id), count(DISTINCT device),
	  (SELECT count(*) FROM json_each((SELECT fields FROM change LIMIT 1))) FROM change WHERE kind = 'temperature' AND length(record) = 16`).
		Scan(&rows, &ids, &devices, &fields)
	if err != nil {
		t.Fatal(err)
	}
	if rows != 230 || ids != 230 || devices != 3 || fields != 12 {
		t.Errorf("%d rows, %d ids, %d devices, %d fields; want 230, 230, 3, 12", rows, ids, devices, fields)
	}
}

func TestTheSameSeedMakesTheSameWorld(t *testing.T) {
	o, err := smallOptions(t).withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	began := time.UnixMilli(1_580_000_000_000)
	a, b := newWorld(o, began), newWorld(o, began)
	o.Seed++
	c := newWorld(o, began)
	body := func(w world) []byte { return w.temperatures(3, 50, 20)[1][0].changes }
	if !bytes.Equal(body(a), body(b)) {
		t.Error("one seed made two worlds")
	}
	if bytes.Equal(body(a), body(c)) {
		t.Error("two seeds made one world")
	}
}

func TestEveryPusherHasACommunityOfItsOwn(t *testing.T) {
	o, err := smallOptions(t).withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	o.People, o.Clients = 20, []int{1, 8, 64}
	w := newWorld(o, time.UnixMilli(0))
	seen := map[syncproto.AreaID]string{w.first.Area: "first", w.idlers[0].Area: "idle"}
	for _, clients := range o.Clients {
		for _, d := range w.pushers[clients] {
			if seen[d.Area] != "" {
				t.Errorf("%s shares %s with %s", d.Name, d.Area, seen[d.Area])
			}
			seen[d.Area] = d.Name
		}
	}
	if len(seen) != 75 {
		t.Errorf("%d communities in use, want 75", len(seen))
	}
}

func TestSharesAddUp(t *testing.T) {
	for _, c := range []struct{ total, size, clients int }{{100_000, 100, 64}, {230, 20, 3}, {5, 20, 3}, {100, 100, 1}, {101, 100, 2}} {
		sum := 0
		for i := range c.clients {
			sum += share(c.total, c.size, c.clients, i)
		}
		if sum != c.total {
			t.Errorf("%+v: the shares add up to %d", c, sum)
		}
	}
}
