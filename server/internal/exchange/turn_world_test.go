package exchange_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/formbook"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/server/internal/seal"
	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// start is 8 in the morning of 2020-01-31 in China.
const start = syncproto.Instant(1_580_428_800_000)

// servers are some services over one database, as in as many processes: each with handles
// and a registry of its own. Their one clock moves when it is told to.
type servers struct {
	*testing.T
	all []*server
	now syncproto.Instant
	// sent is the last number of each phone, pushed its last request.
	sent   map[int]uint64
	pushed map[int]*syncproto.Request
	digest *seal.Digester
	// log is what all of them write.
	log lines
}

// lines is a log, from whichever goroutine.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(line)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.all.String(), text)
}

type server struct {
	*exchange.Service
	// late is how far its clock is behind.
	late     syncproto.Instant
	store    *grudging
	registry *registry.Registry
}

// grudging is a store that can say that it failed after it committed, one that fails to tell
// of areas, people, forms and settings, one that reads at another machine than it writes, one
// that shows what is known of phones as yet another one knows it, and one that is away:
// attempts counts who would commit then, and each waits until somebody lets it. Where somebody
// is in the way of a group, what else happens before it is run again is between.
type grudging struct {
	*sqlite.Store
	lost     error
	untold   error
	between  func()
	writes   *sqlite.Store
	phones   *sqlite.Store
	away     chan struct{}
	attempts atomic.Int64
	// looks counts the states of phones that were asked for beside all transactions, asks how
	// often groups asked for some.
	looks, asks atomic.Int64
}

// grudgingTx is a transaction of one.
type grudgingTx struct {
	exchange.Tx
	*grudging
}

func (t grudgingTx) Devices(ids []syncproto.DeviceID) ([]exchange.DeviceState, error) {
	t.asks.Add(1)
	return t.Tx.Devices(ids)
}

func (t grudgingTx) Save(b *exchange.Batch) error {
	if t.between != nil {
		return errInTheWay
	}
	return t.Tx.Save(b)
}

// errAway is what a store says that is away, errInTheWay what ends a group that is run again.
var (
	errAway     = errors.New("nobody is there")
	errInTheWay = errors.New("somebody is in the way")
)

func (g *grudging) Commit(ctx context.Context, fn func(exchange.Tx) error) error {
	if g.away != nil {
		g.attempts.Add(1)
		<-g.away
		return fmt.Errorf("group: %w", errAway)
	}
	at := g.Store
	if g.writes != nil {
		at = g.writes
	}
	run := func() error { return at.Commit(ctx, func(tx exchange.Tx) error { return fn(grudgingTx{tx, g}) }) }
	err := run()
	if g.between != nil && errors.Is(err, errInTheWay) {
		g.between()
		g.between = nil
		err = run()
	}
	if err != nil || g.lost == nil {
		return err
	}
	err = g.lost
	g.lost = nil
	return err
}

func (g *grudging) Revision(ctx context.Context) (int64, error) {
	if g.untold != nil {
		return 0, g.untold
	}
	return g.Store.Revision(ctx)
}

func (g *grudging) Device(ctx context.Context, id syncproto.DeviceID) (exchange.DeviceState, error) {
	g.looks.Add(1)
	if g.phones != nil {
		return g.phones.Device(ctx, id)
	}
	return g.Store.Device(ctx, id)
}

var (
	tree = []area.Node{
		{ID: "33", Name: "县"},
		{ID: "c1", Name: "一社区", Parent: "33"},
		{ID: "c2", Name: "二社区", Parent: "33"},
		{ID: "g1", Name: "一网格", Parent: "c1"},
		{ID: "g2", Name: "二网格", Parent: "c1"},
		{ID: "g3", Name: "三网格", Parent: "c2"},
	}
	epoch  = syncproto.Epoch{1, 6: 0x40, 8: 0x80, 15: 7}
	county = author(9)
)

func author(n int) syncproto.AuthorID { return syncproto.AuthorID{1, 6: 0x70, 8: 0x80, 15: byte(n)} }

func phone(n int) syncproto.DeviceID { return syncproto.DeviceID{2, 6: 0x70, 8: 0x80, 15: byte(n)} }

func record(n int) syncproto.RecordID          { return syncproto.RecordID{3, 6: 0x70, 8: 0x80, 15: byte(n)} }
func text(s string) syncproto.Value            { return syncproto.TextValue(s) }
func number(n int64) syncproto.Value           { return syncproto.ValueOf(n) }
func noon(day int) syncproto.Value             { return number(int64(start) + int64(day)*86_400_000 + 14_400_000) }
func of(id syncproto.RecordID) syncproto.Value { return text(id.String()) }

// fields are pairs of name and value.
type fields = syncproto.Fields

// serve starts so many services, none of which is alone, over a new database with four
// phones of an author each and a county that decides.
func serve(t *testing.T, count int) *servers {
	t.Helper()
	s := &servers{T: t, now: start, sent: make(map[int]uint64), pushed: make(map[int]*syncproto.Request)}
	var err error
	s.digest, err = seal.NewDigester(bytes.Repeat([]byte{7}, seal.KeySize))
	s.must(err)
	dir := t.TempDir()
	for i := range count {
		store, err := sqlite.Open(t.Context(), dir, sqlite.Options{Keys: storetest.Keys(t), NewEpoch: epoch})
		s.must(err)
		t.Cleanup(func() { s.must(store.Close()) })
		if i == 0 {
			s.must(store.PutAreas(t.Context(), tree))
			everyone := identity.Everyone{
				Authors: []identity.Author{{ID: county, Name: "县"}},
				Grants:  []identity.Grant{{Author: county, Area: "33", Role: identity.Township}, {Author: county, Area: "33", Role: identity.Secretary}},
			}
			for n := 1; n <= 4; n++ {
				everyone.Authors = append(everyone.Authors, identity.Author{ID: author(n), Name: fmt.Sprint("志愿者", n)})
				everyone.Grants = append(everyone.Grants, identity.Grant{Author: author(n), Area: "33", Role: identity.Volunteer})
				everyone.Devices = append(everyone.Devices, identity.Device{ID: phone(n), Name: fmt.Sprint("手机", n), Authors: []syncproto.AuthorID{author(n)}})
			}
			s.must(store.AddIdentities(t.Context(), everyone))
		}
		s.all = append(s.all, s.over(&grudging{Store: store}, false))
	}
	t.Cleanup(s.close)
	return s
}

// over starts one more service over a store.
func (s *servers) over(store *grudging, alone bool) *server {
	s.Helper()
	return s.with(store, s.book(store), alone)
}

// book is the registry of a store, as of now.
func (s *servers) book(store registry.Store) *registry.Registry {
	s.Helper()
	forms, err := form.BuiltIn()
	s.must(err)
	book, err := registry.Open(s.Context(), store, forms)
	s.must(err)
	return book
}

// with starts one more service over a store, with a registry that may be of before.
func (s *servers) with(store *grudging, book *registry.Registry, alone bool) *server {
	s.Helper()
	one := &server{store: store, registry: book}
	var err error
	one.Service, err = exchange.New(s.Context(), exchange.Config{
		Store: store, Registry: one.registry, Digester: s.digest, Now: func() time.Time { return time.UnixMilli(int64(s.now - one.late)) },
		Log: slog.New(slog.NewTextHandler(&s.log, nil)), Flush: time.Hour, Alone: alone,
		Away: func(err error) bool { return errors.Is(err, errAway) },
	})
	s.must(err)
	return one
}

// close ends the services, which write down what they know of phones.
func (s *servers) close() {
	for _, one := range s.all {
		s.must(one.Close(context.Background()))
	}
	s.all = nil
}

func (s *servers) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// change is what a phone says of a record.
type change struct {
	kind   syncproto.Kind
	record syncproto.RecordID
	area   syncproto.AreaID
	base   syncproto.Version
	fields fields
}

// push has a phone push its next change to one of the services.
func (s *servers) push(at, from int, c change) syncproto.Verdict {
	s.Helper()
	s.sent[from]++
	s.pushed[from] = s.request(from, s.sent[from], c)
	return s.again(at, from).Verdicts[0]
}

// request is a phone's push of one change.
func (s *servers) request(from int, n uint64, c change) *syncproto.Request {
	encoded, err := json.Marshal(syncproto.Change{
		ID: syncproto.ChangeID{4, byte(from), 6: 0x70, 8: 0x80, 15: byte(n)}, N: n, Author: author(from), Kind: c.kind, Record: c.record,
		Area: c.area, Base: c.base, Fields: c.fields.Encode(), At: s.now, Form: 1,
	})
	if err != nil {
		s.Error(err)
	}
	return &syncproto.Request{
		Protocol: syncproto.Protocol, Device: phone(from), Clock: s.now, High: n, Changes: []json.RawMessage{encoded},
	}
}

// again has a phone push once more what it pushed last.
func (s *servers) again(at, from int) *syncproto.Answer {
	s.Helper()
	answer, err := s.all[at].Sync(s.Context(), phone(from), s.pushed[from])
	s.must(err)
	return answer
}

// contact has a phone ask one of the services what is new.
func (s *servers) contact(at, from int, cursor string, unsent int) *syncproto.Answer {
	s.Helper()
	answer, err := s.all[at].Sync(s.Context(), phone(from), &syncproto.Request{
		Protocol: syncproto.Protocol, Device: phone(from), Clock: s.now, High: s.sent[from], Cursor: cursor, Unsent: unsent,
	})
	s.must(err)
	return answer
}

// decide takes one step of the county's at one of the services.
func (s *servers) decide(at int, c change) error {
	_, err := s.all[at].Decide(s.Context(), exchange.Decision{Author: county, Steps: []exchange.Step{
		{Record: c.record, Kind: c.kind, Area: c.area, Base: c.base, Fields: c.fields},
	}})
	return err
}

// sets has somebody set something in an area, past all services.
func (s *servers) sets(id syncproto.AreaID, name string, value syncproto.Value) {
	s.Helper()
	_, err := formbook.NewService(s.all[0].store, s.book(s.all[0].store)).Set(s.Context(), id, []formbook.Change{{Name: name, From: "2020-01-01", Value: value}}, formbook.Editor{At: s.now})
	s.must(err)
}

func household(n int, where syncproto.AreaID, head string) change {
	return change{kind: "household", record: record(n), area: where, fields: fields{
		"address": text(fmt.Sprint(n, "号")), "found_on": text("2020-01-31"), "head": text(head),
	}}
}

func temperature(n int, where syncproto.AreaID, day int, value string) change {
	return change{kind: "temperature", record: record(n), area: where, fields: fields{
		"person": of(record(200)), "value": syncproto.Value(value), "taken_at": noon(day),
	}}
}

func visit(n int, where syncproto.AreaID, home int) change {
	return change{kind: "visit", record: record(n), area: where, fields: fields{
		"round": of(record(201)), "household": of(record(home)), "outcome": text("met"), "visited_at": noon(0),
	}}
}

// signed is a day of a community, with its temperatures.
func signed(n int, where syncproto.AreaID, day string, temperatures int64) change {
	return change{kind: review.DayCloseKind, record: record(n), area: where, fields: fields{
		"day": text(day), "figures": text(fmt.Sprintf(`{"temperatures":%d}`, temperatures)),
	}}
}

func (c change) on(base syncproto.Version, f fields) change {
	c.base, c.fields = base, f
	return c
}

// sound holds everything that is stored against the log.
func (s *servers) sound() {
	s.Helper()
	one := s.all[0]
	_, err := one.registry.Refresh(s.Context())
	s.must(err)
	diff, err := exchange.Rebuild(s.Context(), one.store, one.registry.Current(), s.digest)
	s.must(err)
	if !diff.None() {
		s.Errorf("a rebuild finds %q", diff.Found)
	}
}

// derived is what is stored beside the log.
func (s *servers) derived() exchange.Derived {
	s.Helper()
	d, err := s.all[0].store.Derived(s.Context())
	s.must(err)
	return d
}

// open returns the open questions of a kind.
func (s *servers) open(kind review.Kind) []review.Item {
	s.Helper()
	return slices.DeleteFunc(s.derived().Items, func(it review.Item) bool { return it.Kind != kind })
}

// counted sums a measure over all areas and days.
func (s *servers) counted(measure string) (n int64) {
	s.Helper()
	for _, c := range s.derived().Counts {
		if c.Measure == measure {
			n += c.N
		}
	}
	return n
}

// expect fails unless two things are the same.
func expect[T comparable](s *servers, what string, got, want T) {
	s.Helper()
	if got != want {
		s.Errorf("%s: %v, not %v", what, got, want)
	}
}
