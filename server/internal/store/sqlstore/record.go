package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/seal"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// A record as it stands: its own row, and the log row that it stands for when it is
// one change with all its fields alive.
const (
	recordSelect = `SELECT r.id, rk.name, rp.code, r.version, r.parts,
		d.id, c.n, a.id, c.base, c.time, c.earliest, c.latest, COALESCE(c.amid, ''), c.decides, c.said, p.code `
	recordFrom = `FROM record r JOIN kind rk ON rk.key = r.kind
		JOIN place rp ON rp.key = r.area `
	recordLog = `
		LEFT JOIN device d ON d.key = c.device
		LEFT JOIN author a ON a.key = c.author
		LEFT JOIN place p ON p.key = c.area `
	standsFor = "r.parts IS NULL AND c.county = r.county AND c.seq = r.version"
)

// recordsWhere asks for records: where is the rest of the statement.
func recordsWhere(d Dialect, where string) string {
	return recordSelect + recordFrom + d.Beside("change_log", "c", standsFor) + recordLog + where
}

// storedRecord is a row of recordSelect.
type storedRecord struct {
	syncproto.Record
	parts sealedColumn
	// The columns of the log row; absent if parts is there.
	n, base, time, earliest, latest, decides sql.NullInt64
	device                                   syncproto.DeviceID
	author                                   syncproto.AuthorID
	amid                                     string
	said                                     sealedColumn
	area                                     sql.NullString
}

// scanArgs says where a row of recordSelect goes.
func (r *storedRecord) scanArgs() []any {
	return []any{
		intoID(&r.ID), &r.Kind, &r.Area, &r.Version, &r.parts, intoID(&r.device), &r.n, intoID(&r.author),
		&r.base, &r.time, &r.earliest, &r.latest, &r.amid, &r.decides, &r.said, &r.area,
	}
}

// record turns the row into a record.
func (r *storedRecord) record(ring *seal.Ring) (syncproto.Record, error) {
	if r.parts != nil {
		if err := openParts(ring, &r.Record, r.parts); err != nil {
			return r.Record, fmt.Errorf("record %s: %w", r.ID, err)
		}
		return r.Record, nil
	}
	if r.said == nil {
		return r.Record, fmt.Errorf("record %s: the log has no row %d that it stands for", r.ID, r.Version)
	}
	amid, err := unlist[string](r.amid)
	if err != nil {
		return r.Record, fmt.Errorf("record %s: %w", r.ID, err)
	}
	logged := exchange.Logged{
		Seq: r.Version, Version: r.Version,
		Change: syncproto.Change{
			Device: r.device, N: uint64(r.n.Int64), Author: r.author, Base: syncproto.Version(r.base.Int64),
			Area: syncproto.AreaID(r.area.String),
			Amid: amid, Decides: r.decides.Int64 != 0,
		},
		Stamp: syncproto.Stamp{
			Time: syncproto.Instant(r.time.Int64), Earliest: syncproto.Instant(r.earliest.Int64),
			Latest: syncproto.Instant(r.latest.Int64),
		},
	}
	if err := openSaid(ring, r.Version, r.said, &logged.Change); err != nil {
		return r.Record, fmt.Errorf("record %s: %w", r.ID, err)
	}
	part, err := logged.Part()
	if err != nil {
		return r.Record, fmt.Errorf("record %s: stored fields: %w", r.ID, err)
	}
	r.Live = []syncproto.Part{part}
	return r.Record, nil
}

// size is how long the record is as JSON, nearly: the names and punctuation of a
// record and of a part are counted as their usual length.
func (r *storedRecord) size() int {
	const envelope, part = 120, 290
	if r.parts != nil {
		return envelope + len(r.parts) - seal.Overhead
	}
	return envelope + part + saidSize(r.said) + len(r.amid)
}

func scanRecord(q querier) func(*sql.Rows, *syncproto.Record) error {
	return func(rows *sql.Rows, r *syncproto.Record) error { return readRecord(q.ring(), rows, r) }
}

func readRecord(ring *seal.Ring, rows *sql.Rows, r *syncproto.Record) error {
	var stored storedRecord
	if err := rows.Scan(stored.scanArgs()...); err != nil {
		return fmt.Errorf("a row of a record: %w", err)
	}
	var err error
	*r, err = stored.record(ring)
	return err
}

// findRecords returns the records that exist, in any order.
func findRecords(ctx context.Context, q querier, d Dialect, ids []syncproto.RecordID) ([]syncproto.Record, error) {
	var found []syncproto.Record
	byID := search{recordsWhere(d, "WHERE r.version > 0 AND r.id IN ("), "?", ")"}
	err := find(ctx, q, d, byID, ids, idArg, nil, func(rows *sql.Rows) error {
		var r syncproto.Record
		err := readRecord(q.ring(), rows, &r)
		found = append(found, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("records by id: %w", err)
	}
	return found, nil
}

// Records implements exchange.Tx. It looks at the keys first: most ids of a push are
// new, and needn't be looked for again when they are saved.
func (t *tx) Records(ids []syncproto.RecordID) ([]syncproto.Record, error) {
	if err := t.knowRecords(ids); err != nil {
		return nil, err
	}
	var there []syncproto.RecordID
	for _, id := range ids {
		if t.records[id] != 0 {
			there = append(there, id)
		}
	}
	return findRecords(t.ctx, t.w, t.s.dialect, there)
}

var recordKeys = search{"SELECT id, key FROM record WHERE id IN (", "?", ")"}

// knowRecords finds out which of the records have keys.
func (t *tx) knowRecords(ids []syncproto.RecordID) error {
	var unknown []syncproto.RecordID
	for _, id := range ids {
		if _, ok := t.records[id]; !ok {
			t.records[id] = 0
			unknown = append(unknown, id)
		}
	}
	err := find(t.ctx, t.w, t.s.dialect, recordKeys, unknown, idArg, nil, func(rows *sql.Rows) error {
		var id syncproto.RecordID
		var key int64
		err := rows.Scan(intoID(&id), &key)
		t.records[id] = key
		return err
	})
	if err != nil {
		return fmt.Errorf("keys of records: %w", err)
	}
	return nil
}

var (
	insertRecord = insertion{
		head: "INSERT INTO record (key, id, kind, area, feed, version, county, parts) VALUES ", columns: 8, types: "nbnnnnnb",
	}
	// insertSole is insertRecord for records that stand for their log rows.
	insertSole = insertion{
		head: "INSERT INTO record (key, id, kind, area, feed, version, county) VALUES ", columns: 7, types: "nbnnnnn",
	}
	updateRecord = insertion{
		head: "INSERT INTO record (key, id, kind, area, feed, version, county, parts) VALUES ", columns: 8, types: "nbnnnnnb",
		tail: ` ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, area = excluded.area,
			feed = excluded.feed, version = excluded.version, county = excluded.county,
			parts = excluded.parts`,
	}
	insertGone = insertion{head: "INSERT INTO gone (feed, version, record) VALUES ", columns: 3, types: "nnn"}
)

// recordRows are what a batch writes about records: rows to add, rows to change, and
// rows about those that left a feed.
type recordRows struct {
	next                       int64 // the next key
	admitted                   map[syncproto.Version]bool
	places                     map[syncproto.Version]syncproto.AreaID // of the log's new rows
	sole, added, changed, left []any
	sealer                     sealer
}

// saveRecords writes the records that are new or have changed, and a bare name for
// those that so far only parked changes speak of.
func (t *tx) saveRecords(b *exchange.Batch) error {
	if err := t.knowRecords(spokenOf(b)); err != nil {
		return err
	}
	next, err := t.nextKey("record")
	if err != nil {
		return err
	}
	rows := recordRows{sealer: sealer{ring: t.w.ring()}, next: next, admitted: admittedRows(b), places: placesOf(b), sole: make([]any, 0, len(b.Records)*insertSole.columns)}
	for i := range b.Records {
		if err := t.addRecord(&rows, &b.Records[i]); err != nil {
			return err
		}
	}
	for i := range b.Log {
		if id := b.Log[i].Change.Record; t.records[id] == 0 {
			rows.added = append(rows.added, t.giveKey(&rows, id), id[:], nil, nil, nil, int64(0), int64(0), nil)
		}
	}
	if rows.sealer.err != nil {
		return rows.sealer.err
	}
	if err := t.put(&insertSole, rows.sole); err != nil {
		return err
	}
	if err := t.put(&insertRecord, rows.added); err != nil {
		return err
	}
	if err := t.put(&updateRecord, rows.changed); err != nil {
		return err
	}
	return t.put(&insertGone, rows.left)
}

// spokenOf lists the records that a batch speaks of.
func spokenOf(b *exchange.Batch) []syncproto.RecordID {
	ids := make([]syncproto.RecordID, 0, len(b.Log)+len(b.Records))
	for i := range b.Records {
		ids = append(ids, b.Records[i].Record.ID)
	}
	for i := range b.Log {
		ids = append(ids, b.Log[i].Change.Record)
	}
	return ids
}

// giveKey gives a new record its key.
func (t *tx) giveKey(rows *recordRows, id syncproto.RecordID) int64 {
	key := rows.next
	rows.next++
	t.records[id] = key
	return key
}

// addRecord adds the rows of one record. One that the log spoke of before has a row
// already, even if it is new.
func (t *tx) addRecord(rows *recordRows, rc *exchange.RecordChange) error {
	r := &rc.Record
	feed, err := feedNumber(rc.Feed)
	if err != nil {
		return err
	}
	if rc.Sole && !standsAlone(r, rows.admitted) {
		return fmt.Errorf("record %s can't stand for row %d of the log: columns of the row don't say all of it", r.ID, r.Version)
	}
	// A record stands for a row of its own group, of which is known where it lies.
	place, sole := rows.places[r.Version]
	sole = sole && rc.Sole
	var county int64
	if sole {
		county = t.countyOf(place, false)
	}
	key, to := t.records[r.ID], &rows.changed
	if key == 0 {
		key, to = t.giveKey(rows, r.ID), &rows.added
		if sole {
			rows.sole = append(rows.sole, key, r.ID[:], t.kind(r.Kind), t.place(r.Area), feed, int64(r.Version), county)
			return nil
		}
	}
	*to = append(*to, key, r.ID[:], t.kind(r.Kind), t.place(r.Area), feed, int64(r.Version), county, rows.partsArg(r, sole))
	if rc.New || rc.Before == rc.Feed {
		return nil
	}
	before, err := feedNumber(rc.Before)
	if err != nil {
		return err
	}
	rows.left = append(rows.left, before, int64(r.Version), key)
	return nil
}

// placesOf says which place each new row of the log names.
func placesOf(b *exchange.Batch) map[syncproto.Version]syncproto.AreaID {
	places := make(map[syncproto.Version]syncproto.AreaID, len(b.Log))
	for i := range b.Log {
		places[b.Log[i].Seq] = b.Log[i].Change.Area
	}
	return places
}

// admittedRows names the rows of a batch that a person let in.
func admittedRows(b *exchange.Batch) map[syncproto.Version]bool {
	var admitted map[syncproto.Version]bool
	for i := range b.Log {
		if b.Log[i].Admitted == nil {
			continue
		}
		if admitted == nil {
			admitted = make(map[syncproto.Version]bool)
		}
		admitted[b.Log[i].Seq] = true
	}
	return admitted
}

// standsAlone reports whether storedRecord.record can make the record of its log row
// again: it reads neither what the row's change says beside its fields nor how it was
// let in.
func standsAlone(r *syncproto.Record, admitted map[syncproto.Version]bool) bool {
	return len(r.Live) == 1 && len(r.Live[0].With) == 0 && len(r.Live[0].Undoes) == 0 && !admitted[r.Version]
}

// partsArg is NULL for a record that may stand for its log row.
func (rows *recordRows) partsArg(r *syncproto.Record, sole bool) any {
	if sole {
		return nil
	}
	return rows.sealer.seal(partsPlace(r.ID, r.Version), []byte(syncproto.ValueOf(r.Live)))
}

// feedNumber is how a feed is stored.
func feedNumber(f exchange.Feed) (int64, error) {
	if f.Stream != form.Roster && f.Stream != form.History && f.Stream != form.Broadcast {
		return 0, fmt.Errorf("no stream %q", f.Stream)
	}
	return int64(f.Number()), nil
}

// feedOf is the feed that a number stands for.
func feedOf(number int64) exchange.Feed { return exchange.FeedAt(uint64(number)) }

// areaOfFeed is the key of a feed's area in SQL, and feedsOfArea an area's feeds: those of
// exchange.Feed.Number.
const (
	areaOfFeed  = "CASE WHEN %[1]s >= 8589934592 THEN %[1]s - 8589934592 ELSE %[1]s / 2 END"
	feedsOfArea = "%[1]s * 2, %[1]s * 2 + 1, 8589934592 + %[1]s"
)

// feedNumbers are those of an area's feeds.
func feedNumbers(key area.Key) []int64 {
	var numbers []int64
	for _, stream := range []form.Stream{form.Broadcast, form.Roster, form.History} {
		numbers = append(numbers, int64(exchange.Feed{Area: key, Stream: stream}.Number()))
	}
	return numbers
}

// RecordsByID implements roster.Store.
func (s *Store) RecordsByID(ctx context.Context, ids []syncproto.RecordID) ([]syncproto.Record, error) {
	found, err := findRecords(ctx, s.read, s.dialect, ids)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return found, nil
}
