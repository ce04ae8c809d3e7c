package host

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// aging starts a server whose clock a test moves.
func aging(t *testing.T, dir string, clock *atomic.Int64, keep Retention, log *slog.Logger) *Server {
	t.Helper()
	now := func() time.Time { return time.Unix(0, clock.Load()) }
	s, err := Start(t.Context(), Config{Dir: dir, Listen: "127.0.0.1:0", Poll: time.Hour, Now: now, Retain: keep, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// passage is a change of the device's only author about somebody who passed.
func passage(e *Enrolled, n uint64, at syncproto.Instant, fields string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(
		`{"id":%q,"n":%d,"author":%q,"kind":"passage","record":%q,"area":"g1","base":0,"fields":{"passed_at":%d%s},"at":%d,"form":1}`,
		syncproto.ChangeID{byte(n), 2}, n, e.Authors[0].ID, syncproto.RecordID{byte(n), 7}, at, fields, at,
	))
}

const days = 24 * time.Hour

// old makes a folder in which somebody passed long ago, twice, and somebody lately.
func old(t *testing.T, keep Retention, log *slog.Logger) (s *Server, e Enrolled, changes []json.RawMessage, dir string, clock *atomic.Int64) {
	t.Helper()
	dir, clock = t.TempDir(), &atomic.Int64{}
	clock.Store(time.Now().UnixNano()) // phones tell the real one: theirs is behind afterwards
	s = aging(t, dir, clock, keep, log)
	if _, problems, err := s.ImportAreas(t.Context(), strings.NewReader(county)); err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	e = add(t, s.Data, "g1")
	if err := s.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := syncproto.Instant(clock.Load() / 1e6)
	changes = []json.RawMessage{
		passage(&e, 1, at, `,"name":"申屠某","note":"`+strings.Repeat("量过两次", 60)+`"`), passage(&e, 2, at, ""), passage(&e, 3, at, ""),
	}
	if status, answer := exchangeWith(t, s, &e, changes[:2]...); status != http.StatusOK || answer.Verdicts[1].Verdict != syncproto.Applied {
		t.Fatalf("status %d %+v", status, answer.Verdicts)
	}
	clock.Add(int64(95 * days))
	if status, answer := exchangeWith(t, s, &e, changes[2]); status != http.StatusOK || answer.Verdicts[0].Verdict != syncproto.Applied {
		t.Fatalf("status %d %+v", status, answer.Verdicts)
	}
	return s, e, changes, dir, clock
}

var ninety = exchange.PurgeOrder{Kind: "passage", Days: 90}

func TestAPurgeIsProvedAndForgetsNothingThatItOwes(t *testing.T) {
	s, e, changes, dir, clock := old(t, nil, nil)
	_, before := exchangeWith(t, s, &e)
	dry := ninety
	dry.Dry = true
	for _, c := range []struct {
		order   exchange.PurgeOrder
		records int
	}{{dry, 2}, {exchange.PurgeOrder{Kind: "passage", Days: 99}, 0}, {exchange.PurgeOrder{Kind: "visit", Days: 1}, 0}, {ninety, 2}, {ninety, 0}} {
		done, err := s.Purge(t.Context(), c.order)
		if err != nil || done.Records != c.records || done.Changes != c.records {
			t.Fatalf("%+v: %+v %v", c.order, done, err)
		}
	}
	_, after := exchangeWith(t, s, &e)
	if after.Receipt.Digest != before.Receipt.Digest || after.Receipt.Held != 3 || after.Receipt.Through != 3 {
		t.Errorf("receipt %+v, before %+v", after.Receipt, before.Receipt)
	}
	// Delivered again, they are known; another change under their number is not taken for one.
	other := json.RawMessage(bytes.Replace(changes[1], []byte(`"fields":{`), []byte(`"fields":{"note":"x",`), 1))
	_, again := exchangeWith(t, s, &e, changes[0], other)
	if v := again.Verdicts[0]; v.Verdict != syncproto.Duplicate || v.First != syncproto.Applied {
		t.Errorf("the same: %+v", v)
	}
	if v := again.Verdicts[1]; v.Verdict != syncproto.Refused || v.Reason.Code != syncproto.CodeNReused {
		t.Errorf("another: %+v", v)
	}
	// A late change of another number waits, with a base and without.
	late := []json.RawMessage{
		json.RawMessage(strings.Replace(string(passage(&e, 4, syncproto.Instant(clock.Load()/1e6), "")), syncproto.RecordID{4, 7}.String(), syncproto.RecordID{1, 7}.String(), 1)),
	}
	late = append(late, json.RawMessage(strings.NewReplacer(`"n":4`, `"n":5`, `"base":0`, `"base":1`).Replace(string(late[0]))))
	_, parked := exchangeWith(t, s, &e, late...)
	for _, v := range parked.Verdicts {
		if v.Verdict != syncproto.Parked || v.Reason.Code != syncproto.CodePurged {
			t.Errorf("late: %+v", v)
		}
	}
	for range 2 {
		diff, err := s.Rebuild(t.Context())
		if err != nil || !diff.None() || diff.BadRow != "" {
			t.Errorf("rebuild: %+v %v", diff, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = aging(t, dir, clock, nil, nil)
	}
	lines, err := s.Purges(t.Context())
	if err != nil || len(lines) != 1 || lines[0].Records != 2 || lines[0].Older != form.DayOf(syncproto.Instant((clock.Load()-int64(90*days))/1e6)) || !lines[0].By.IsZero() {
		t.Errorf("lines %+v %v", lines, err)
	}
	_, last := exchangeWith(t, s, &e)
	if last.Receipt.Held != 5 || len(last.Receipt.Parked) != 2 {
		t.Errorf("receipt after all %+v", last.Receipt)
	}
}

func TestATamperedHashOfAPurgedRowBreaksTheChain(t *testing.T) {
	s, _, _, dir, clock := old(t, nil, nil)
	if _, err := s.Purge(t.Context(), ninety); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var first int // the derivation when the server first started has a number of its own
	raw(t, dir, func(db *sql.DB) {
		err := db.QueryRow("UPDATE change_log SET hash = randomblob(32) WHERE seq = (SELECT min(seq) FROM change_log) RETURNING seq").Scan(&first)
		if err != nil {
			t.Fatal(err)
		}
	})
	s = aging(t, dir, clock, nil, nil)
	diff, err := s.Rebuild(t.Context())
	if err != nil || !strings.HasPrefix(diff.BadRow, fmt.Sprint(first, " ")) {
		t.Errorf("bad row %+v %v", diff, err)
	}
}

// raw opens the database as it lies there.
func raw(t *testing.T, dir string, look func(*sql.DB)) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "gridsync.db"))
	if err != nil {
		t.Fatal(err)
	}
	look(db)
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestWhatWasPurgedIsInNoPageOfAnyFile(t *testing.T) {
	s, _, _, dir, _ := old(t, nil, nil)
	var kept, gone []byte
	raw(t, dir, func(db *sql.DB) {
		err := db.QueryRow("SELECT (SELECT said FROM change_log ORDER BY seq LIMIT 1), (SELECT said FROM change_log ORDER BY seq DESC LIMIT 1)").Scan(&gone, &kept)
		if err != nil || len(gone) < 40 || len(kept) < 40 {
			t.Fatal(err, len(gone), len(kept))
		}
	})
	if len(inFiles(t, dir, [][]byte{gone, kept})) != 2 {
		t.Fatal("what was said is in no file before")
	}
	if _, err := s.Purge(t.Context(), ninety); err != nil {
		t.Fatal(err)
	}
	var pieces [][]byte
	for piece := range slices.Chunk(gone, 12) {
		if len(piece) == 12 {
			pieces = append(pieces, piece)
		}
	}
	if found := inFiles(t, dir, pieces); len(found) > 0 {
		t.Errorf("still there: %x", found)
	}
	if len(inFiles(t, dir, [][]byte{kept})) != 1 {
		t.Error("what was to stay is gone")
	}
}

func TestAServerKeepsToItsRetention(t *testing.T) {
	s, e, _, dir, clock := old(t, nil, nil)
	for _, keep := range []Retention{nil, {"passage": 0}, {"passage": 365, "visit": 1}} {
		if err := s.Sweep(t.Context(), keep); err != nil {
			t.Fatal(err)
		}
	}
	if lines, err := s.Purges(t.Context()); err != nil || len(lines) != 0 {
		t.Fatalf("purged %+v %v", lines, err)
	}
	if err := s.Sweep(t.Context(), Retention{"review": 1}); !errors.Is(err, ErrNotPurged) {
		t.Errorf("rulings: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	heard := make(swept, 1)
	s = aging(t, dir, clock, Retention{"passage": 90}, slog.New(heard))
	select {
	case <-heard:
	case <-t.Context().Done():
	}
	if lines, err := s.Purges(t.Context()); err != nil || len(lines) != 1 || lines[0].Records != 2 {
		t.Errorf("purged %+v %v", lines, err)
	}
	if _, answer := exchangeWith(t, s, &e); answer.Receipt.Held != 3 {
		t.Errorf("receipt %+v", answer.Receipt)
	}
}

// tidied is an engine that counts how often it tidies its files.
type tidied struct {
	engine
	times int
}

func (e *tidied) Checkpoint(ctx context.Context) error {
	e.times++
	return e.engine.Checkpoint(ctx)
}

func TestASweepOfManyKindsTidiesTheFilesOnce(t *testing.T) {
	s, e, _, _, clock := old(t, nil, nil)
	supply := passage(&e, 4, 0, `,"item":"mask","movement":"received","quantity":5,"day":"2020-01-31"`)
	supply = bytes.Replace(bytes.Replace(supply, []byte(`"passage"`), []byte(`"supply"`), 1), []byte(`"passed_at":0,`), nil, 1)
	if status, answer := exchangeWith(t, s, &e, supply); status != http.StatusOK || answer.Verdicts[0].Verdict != syncproto.Applied {
		t.Fatalf("status %d %+v", status, answer.Verdicts)
	}
	clock.Add(int64(95 * days))
	s.stop()
	<-s.done // nothing looks at the engine any more
	files := &tidied{engine: s.engine}
	s.engine = files
	for _, want := range []int{1, 1} { // the second sweep finds nothing
		if err := s.Sweep(t.Context(), Retention{"passage": 90, "supply": 90}); err != nil {
			t.Fatal(err)
		}
		if files.times != want {
			t.Errorf("tidied %d times, want %d", files.times, want)
		}
	}
	if lines, err := s.Purges(t.Context()); err != nil || len(lines) != 2 {
		t.Errorf("purged %+v %v", lines, err)
	}
}

// swept tells when a server says that it purged something.
type swept chan struct{}

func (swept) Enabled(context.Context, slog.Level) bool { return true }
func (l swept) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l swept) WithGroup(string) slog.Handler          { return l }

func (l swept) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "purged" {
		l <- struct{}{}
	}
	return nil
}

func TestNothingIsPurgedBesideAServer(t *testing.T) {
	s, _, _, dir, _ := old(t, nil, nil)
	data, err := Open(t.Context(), dir, Options{Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := data.PurgeAlone(t.Context(), ninety); !errors.Is(err, ErrServing) {
		t.Errorf("beside a server: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		order   exchange.PurgeOrder
		records int
		err     error
	}{
		{exchange.PurgeOrder{Kind: "passage", Days: 90, Area: "nowhere"}, 0, ErrUnknownArea},
		{exchange.PurgeOrder{Kind: "day_close", Days: 90}, 0, ErrNotPurged},
		{exchange.PurgeOrder{Kind: "unheard", Days: 90}, 0, ErrNotPurged},
		{exchange.PurgeOrder{Kind: "passage"}, 0, &syncproto.Error{Code: syncproto.CodeBadRequest}},
		{exchange.PurgeOrder{Kind: "passage", Days: 90, Area: "33"}, 2, nil},
	} {
		done, err := data.PurgeAlone(t.Context(), c.order)
		if !errors.Is(err, c.err) || done.Records != c.records {
			t.Errorf("%+v: %+v %v", c.order, done, err)
		}
	}
	if err := data.Close(); err != nil {
		t.Error(err)
	}
}
