package storetest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

const loadStart = syncproto.Instant(1_580_000_000_000)

// What a busy server commits at once: as many phones, and as many changes of each.
const (
	LoadDevices = 64
	LoadBatch   = 100
)

// loadID makes a UUIDv7-like id: a time and a number that says whose it is.
func loadID[T ~[16]byte](at syncproto.Instant, kind byte, owner, n int) T {
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
	person := loadID[syncproto.RecordID](loadStart-86_400_000, 1, device, n%500)
	household := loadID[syncproto.RecordID](loadStart-86_400_000, 2, device, n%200)
	fields := fmt.Sprintf(`{"person":%q,"household":%q,"slot":"am","value":36.%d,"symptoms":["cough"],"taken_at":%d,`+
		`"method":"forehead","place":"东门岗亭","thermometer":"T-%04d","medicated":false,"self_reported":false,"note":"晨检%d"}`,
		person, household, n%10, at, device, n)
	return syncproto.Change{
		ID: loadID[syncproto.ChangeID](at, 3, device, n), Device: loadID[syncproto.DeviceID](loadStart, 4, device, 0), N: uint64(n),
		Author: loadID[syncproto.AuthorID](loadStart, 5, device, 0), Kind: "temperature", Record: loadID[syncproto.RecordID](at, 6, device, n),
		Area: syncproto.AreaID(fmt.Sprintf("330702001%03d", device%16)), Fields: json.RawMessage(fields), At: at, Form: 1,
	}
}

// Load is the group-th thing, from 0, that some phones push at once, some temperatures each, as
// the service hands it over.
func Load(t testing.TB, group, devices, each int) *exchange.Batch {
	t.Helper()
	batch := &exchange.Batch{Now: loadStart + syncproto.Instant(group)*1000}
	link := syncproto.Hash{byte(group), byte(group >> 8)}
	seq := syncproto.Version(group * devices * each)
	for device := range devices {
		feed := exchange.Feed{Area: area.Key(device%16 + 1), Stream: form.History}
		for i := range each {
			seq++
			n := group*each + i + 1
			change := temperature(device, n, loadStart+syncproto.Instant(group*1000+i*10+device%10))
			stamp := syncproto.Stamp{Time: change.At, Earliest: change.At - 500, Latest: batch.Now}
			logged := exchange.Logged{
				Seq: seq, Change: change, Stamp: stamp, Received: batch.Now, Version: seq, Verdict: syncproto.Applied,
			}
			link = exchange.ChainOf(link, &logged, change.Hash())
			logged.Chain = link
			part, err := logged.Part()
			if err != nil {
				t.Fatal(err)
			}
			batch.Log = append(batch.Log, logged)
			batch.Records = append(batch.Records, exchange.RecordChange{
				Record: syncproto.Record{ID: change.Record, Kind: change.Kind, Area: change.Area, Version: seq, Live: []syncproto.Part{part}},
				Feed:   feed, Sole: true, New: true,
			})
		}
		batch.Counts = append(batch.Counts, rollup.Count{Area: feed.Area, Day: 20200126, Measure: "temperatures", N: int64(each)})
		batch.Heads = append(batch.Heads, exchange.Head{Feed: feed, Last: seq, Records: int64((group + 1) * each)})
		batch.Devices = append(batch.Devices, exchange.DeviceState{
			Device: loadID[syncproto.DeviceID](loadStart, 4, device, 0), High: uint64((group + 1) * each), Held: uint64((group + 1) * each),
			ContactServer: batch.Now, ContactDevice: batch.Now,
		})
	}
	batch.Last = seq
	return batch
}

// Push commits a group as the service does: look up what is known of the records, save.
func Push(t testing.TB, store exchange.Store, batch *exchange.Batch) {
	t.Helper()
	ids := make([]syncproto.RecordID, len(batch.Records))
	for i := range batch.Records {
		ids[i] = batch.Records[i].Record.ID
	}
	err := store.Commit(t.Context(), func(tx exchange.Tx) error {
		if _, err := tx.Records(ids); err != nil {
			return err
		}
		return tx.Save(batch)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkCommit commits groups of 6,400 temperatures, and says how many rows a second
// that is. An operation is one row. It returns how many there were.
func BenchmarkCommit(b *testing.B, store exchange.Store) (rows int) {
	b.Helper()
	b.ResetTimer()
	for group := 0; rows < b.N; group++ {
		b.StopTimer()
		batch := Load(b, group, LoadDevices, LoadBatch)
		b.StartTimer()
		Push(b, store, batch)
		rows += len(batch.Log)
	}
	b.StopTimer()
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(rows), "µs/row")
	return rows
}
