package storetest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// start is when every test begins.
const start = syncproto.Instant(1_580_000_000_000)

// world is one test's database and the counter that its service would hold.
type world struct {
	t *testing.T
	Engine
	open Place

	last syncproto.Version
	now  syncproto.Instant
	// sent is the last number of each device.
	sent map[syncproto.DeviceID]uint64
}

func (w *world) ctx() context.Context { return w.t.Context() }

// close ends the handle, once.
func (w *world) close() {
	if w.Engine == nil {
		return
	}
	if err := w.Close(); err != nil {
		w.t.Errorf("close: %v", err)
	}
	w.Engine = nil
}

// reopen closes the handle and opens another one on the same data.
func (w *world) reopen() {
	w.t.Helper()
	w.close()
	w.Engine = w.open(w.t)
}

// id makes the n-th id of its kind.
func id[T ~[16]byte](n int) T {
	var b [16]byte
	binary.BigEndian.PutUint64(b[8:], uint64(n))
	b[0], b[6], b[8] = 1, 0x70, 0x80
	return T(b)
}

func recordID(n int) syncproto.RecordID { return id[syncproto.RecordID](n) }
func deviceID(n int) syncproto.DeviceID { return id[syncproto.DeviceID](n) }
func authorID(n int) syncproto.AuthorID { return id[syncproto.AuthorID](n) }

// code is the code of the area with a key.
func code(key area.Key) syncproto.AreaID { return syncproto.AreaID(fmt.Sprintf("330702%03d", key)) }

// rosterOf and historyOf are an area's two feeds.
func rosterOf(key area.Key) exchange.Feed  { return exchange.Feed{Area: key, Stream: form.Roster} }
func historyOf(key area.Key) exchange.Feed { return exchange.Feed{Area: key, Stream: form.History} }

// areas puts areas with the keys 1 to n.
func (w *world) areas(n int) {
	w.t.Helper()
	nodes := make([]area.Node, n)
	for i := range nodes {
		nodes[i] = area.Node{ID: code(area.Key(i + 1)), Name: fmt.Sprintf("第%d网格", i+1)}
	}
	w.must(w.PutAreas(w.ctx(), nodes))
}

// change makes the device's next change: a new record in the area with key 1.
func (w *world) change(device int, record syncproto.RecordID) syncproto.Change {
	d := deviceID(device)
	if w.sent == nil {
		w.sent = make(map[syncproto.DeviceID]uint64)
	}
	w.sent[d]++
	n := w.sent[d]
	return syncproto.Change{
		ID: id[syncproto.ChangeID](device*1_000_000 + int(n)), Device: d, N: n, Author: authorID(device), Kind: "person",
		Record: record, Area: code(1), Fields: json.RawMessage(`{"name":"王芳"}`), At: w.time(), Form: 1,
	}
}

// time is the instant of the group that is being made.
func (w *world) time() syncproto.Instant {
	if w.now == 0 {
		w.now = start
	}
	return w.now
}

// log gives a change its place in the log, visible at once.
func (w *world) log(c syncproto.Change) exchange.Logged {
	w.last++
	at := w.time()
	return exchange.Logged{
		Seq: w.last, Change: c, Stamp: syncproto.Stamp{Time: at - 20, Earliest: at - 50, Latest: at},
		Received: at, Version: w.last, Verdict: syncproto.Applied,
	}
}

// park gives a change its place in the log, where it waits.
func (w *world) park(c syncproto.Change, reason syncproto.Code) exchange.Logged {
	l := w.log(c)
	l.Version, l.Verdict, l.Reason, l.Field = 0, syncproto.Parked, reason, "area"
	return l
}

// record is the record that one logged change makes, in a feed.
func (w *world) record(l *exchange.Logged, feed exchange.Feed) exchange.RecordChange {
	w.t.Helper()
	part, err := l.Part()
	w.must(err)
	return exchange.RecordChange{
		Record: syncproto.Record{ID: l.Change.Record, Kind: l.Change.Kind, Area: l.Change.Area, Version: l.Version, Live: []syncproto.Part{part}},
		Feed:   feed, Sole: l.Version == l.Seq, New: true,
	}
}

// add logs a new record of a device in a feed, as part of a batch.
func (w *world) add(b *exchange.Batch, device int, record syncproto.RecordID, feed exchange.Feed) syncproto.Record {
	w.t.Helper()
	c := w.change(device, record)
	c.Area = code(feed.Area)
	l := w.log(c)
	rc := w.record(&l, feed)
	b.Log = append(b.Log, l)
	b.Records = append(b.Records, rc)
	return rc.Record
}

// edit logs another change of a record, which leaves both parts alive, and moves it
// to a feed.
func (w *world) edit(b *exchange.Batch, device int, r syncproto.Record, from, to exchange.Feed) syncproto.Record {
	w.t.Helper()
	c := w.change(device, r.ID)
	c.Base, c.Area, c.Fields = 1, code(to.Area), json.RawMessage(`{"note":"改"}`)
	l := w.log(c)
	part, err := l.Part()
	w.must(err)
	before := r.Version
	r.Version, r.Area = l.Version, code(to.Area)
	r.Live = append(r.Live[:len(r.Live):len(r.Live)], part)
	b.Log = append(b.Log, l)
	b.Records = append(b.Records, exchange.RecordChange{Record: r, Feed: to, Before: from, BeforeVersion: before})
	return r
}

// save commits one batch as a group.
func (w *world) save(b *exchange.Batch) {
	w.t.Helper()
	w.must(w.trySave(b))
}

func (w *world) trySave(b *exchange.Batch) error {
	b.Last, b.Now = w.last, w.time()
	w.now += 1000
	return w.Commit(w.ctx(), func(tx exchange.Tx) error { return tx.Save(b) })
}

// in asks something within a group that saves nothing.
func in[T any](w *world, ask func(exchange.Tx) (T, error)) T {
	w.t.Helper()
	var answer T
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) (err error) {
		answer, err = ask(tx)
		return err
	}))
	return answer
}

// logs returns the log of records as a group and as a reader find it.
func (w *world) logs(ids ...syncproto.RecordID) []exchange.Logged {
	w.t.Helper()
	logs := in(w, func(tx exchange.Tx) ([]exchange.Logged, error) { return tx.Logs(ids) })
	read, err := w.LogOf(w.ctx(), ids)
	w.must(err)
	same(w.t, "logs as read and as the group sees them", read, logs)
	return logs
}

// page reads a feed without bounds.
func (w *world) page(feed exchange.Feed, after syncproto.Version) []exchange.FeedRow {
	w.t.Helper()
	rows, err := w.Page(w.ctx(), feed, after, 1<<20, 1<<30)
	w.must(err)
	return rows
}

// versions names what a page tells, as in "3 4gone 7".
func versions(rows []exchange.FeedRow) string {
	s := ""
	for i, row := range rows {
		if i > 0 {
			s += " "
		}
		s += fmt.Sprint(row.Version)
		if row.Gone != nil {
			s += "gone"
		}
	}
	return s
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// same fails unless got is want.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}
