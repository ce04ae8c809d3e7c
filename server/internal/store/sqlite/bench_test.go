package sqlite_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

const (
	benchStart   = syncproto.Instant(1_580_000_000_000)
	benchDevices = 64
	benchBatch   = 100
	benchGroup   = benchDevices * benchBatch
)

// id makes a UUIDv7-like id: a time and a number that says whose it is.
func id[T ~[16]byte](at syncproto.Instant, kind byte, owner, n int) T {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(at)<<16)
	b[6] = 0x70 | kind&0x0f
	b[7] = byte(owner)
	x := uint64(owner)<<40 | uint64(n)
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	binary.BigEndian.PutUint64(b[8:], x)
	b[8] = 0x80 | b[8]&0x3f
	return T(b)
}

// temperature is a change as a phone makes it: twelve fields, some 330 bytes.
func temperature(device, n int, at syncproto.Instant) syncproto.Change {
	person := id[syncproto.RecordID](benchStart-86_400_000, 1, device, n%500)
	household := id[syncproto.RecordID](benchStart-86_400_000, 2, device, n%200)
	fields := fmt.Sprintf(`{"person":%q,"household":%q,"slot":"am","value":36.%d,"symptoms":["cough"],"taken_at":%d,`+
		`"method":"forehead","place":"东门岗亭","thermometer":"T-%04d","medicated":false,"self_reported":false,"note":"晨检%d"}`,
		person, household, n%10, at, device, n)
	return syncproto.Change{
		ID: id[syncproto.ChangeID](at, 3, device, n), Device: id[syncproto.DeviceID](benchStart, 4, device, 0), N: uint64(n),
		Author: id[syncproto.AuthorID](benchStart, 5, device, 0), Kind: "temperature", Record: id[syncproto.RecordID](at, 6, device, n),
		Area: syncproto.AreaID(fmt.Sprintf("330702001%03d", device%16)), Fields: json.RawMessage(fields), At: at, Form: 1,
	}
}

// benchmarkGroup is what 64 phones push at once, 100 temperatures each, as the
// service hands it over.
func benchmarkGroup(b testing.TB, group int) *exchange.Batch {
	b.Helper()
	batch := &exchange.Batch{Now: benchStart + syncproto.Instant(group)*1000}
	link := syncproto.Hash{byte(group), byte(group >> 8)}
	seq := syncproto.Version(group * benchGroup)
	for device := range benchDevices {
		feed := exchange.Feed{Area: area.Key(device%16 + 1), Stream: form.History}
		for i := range benchBatch {
			seq++
			n := group*benchBatch + i + 1
			change := temperature(device, n, benchStart+syncproto.Instant(group*1000+i*10+device%10))
			stamp := syncproto.Stamp{Time: change.At, Earliest: change.At - 500, Latest: batch.Now}
			logged := exchange.Logged{
				Seq: seq, Change: change, Stamp: stamp, Received: batch.Now, Version: seq, Verdict: syncproto.Applied,
			}
			link = exchange.ChainOf(link, &logged, change.Hash())
			logged.Chain = link
			part, err := logged.Part()
			if err != nil {
				b.Fatal(err)
			}
			batch.Log = append(batch.Log, logged)
			batch.Records = append(batch.Records, exchange.RecordChange{
				Record: syncproto.Record{ID: change.Record, Kind: change.Kind, Area: change.Area, Version: seq, Live: []syncproto.Part{part}},
				Feed:   feed, Sole: true, New: true,
			})
		}
		batch.Counts = append(batch.Counts, rollup.Count{Area: feed.Area, Day: 20200126, Measure: "temperatures", N: benchBatch})
		batch.Heads = append(batch.Heads, exchange.Head{Feed: feed, Last: seq, Records: int64((group + 1) * benchBatch)})
		batch.Devices = append(batch.Devices, exchange.DeviceState{
			Device: id[syncproto.DeviceID](benchStart, 4, device, 0), High: uint64((group + 1) * benchBatch), Held: uint64((group + 1) * benchBatch),
			ContactServer: batch.Now, ContactDevice: batch.Now,
		})
	}
	batch.Last = seq
	return batch
}

// BenchmarkCommit commits groups of 6,400 temperatures as the service does: look up
// what is known of the records, save, commit durably. An operation is one row.
func BenchmarkCommit(b *testing.B) {
	store, err := sqlite.Open(b.Context(), b.TempDir(), sqlite.Options{Keys: storetest.Keys(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	}()
	rows := 0
	b.ResetTimer()
	for group := 0; rows < b.N; group++ {
		b.StopTimer()
		batch := benchmarkGroup(b, group)
		b.StartTimer()
		commit(b, store, batch)
		rows += benchGroup
	}
	b.StopTimer()
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(rows), "µs/row")
	if err := store.Checkpoint(b.Context()); err != nil {
		b.Fatal(err)
	}
	size, err := store.Size()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(size)/float64(rows), "bytes/row")
	b.ReportMetric(float64(len(temperature(1, 12345, benchStart).Fields)), "fieldbytes")
}

// TestARecordTakesAtMost800Bytes counts everything on disk: the log, the records, the
// feeds, every index.
func TestARecordTakesAtMost800Bytes(t *testing.T) {
	store := open(t, t.TempDir())
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	for group := range 2 {
		commit(t, store, benchmarkGroup(t, group))
	}
	if err := store.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	size, err := store.Size()
	if err != nil {
		t.Fatal(err)
	}
	if each := size / (2 * benchGroup); each > 800 {
		t.Errorf("a record takes %d bytes", each)
	}
}

func commit(b testing.TB, store *sqlite.Store, batch *exchange.Batch) {
	b.Helper()
	ids := make([]syncproto.RecordID, len(batch.Records))
	for i := range batch.Records {
		ids[i] = batch.Records[i].Record.ID
	}
	err := store.Commit(b.Context(), func(tx exchange.Tx) error {
		if _, err := tx.Records(ids); err != nil {
			return err
		}
		return tx.Save(batch)
	})
	if err != nil {
		b.Fatal(err)
	}
}
