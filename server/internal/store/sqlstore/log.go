package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/seal"
	"gridsync/syncproto"
)

// A row of the log with what its keys stand for.
const (
	logSelect = `SELECT c.seq, c.said, d.id, c.n, a.id, k.name, r.id, p.code, c.base,
		COALESCE(c.amid, ''), c.decides, c.at, c.form,
		c.time, c.earliest, c.latest, c.received, COALESCE(c.released, c.seq), c.verdict,
		COALESCE(c.reason, ''), COALESCE(c.field, ''), COALESCE(c.admitted, ''), c.chain, c.hash `
	logFrom = `FROM change_log c
		JOIN device d ON d.key = c.device
		JOIN author a ON a.key = c.author
		JOIN kind k ON k.key = c.kind
		JOIN record r ON r.key = c.record
		JOIN place p ON p.key = c.area `
)

// scanLogged reads rows of logSelect.
func scanLogged(q querier) func(*sql.Rows, *exchange.Logged) error {
	return func(rows *sql.Rows, l *exchange.Logged) error { return readLogged(q.ring(), rows, l) }
}

func readLogged(ring *seal.Ring, rows *sql.Rows, l *exchange.Logged) error {
	var amid, admitted string
	var said sealedColumn
	var verdict int64
	c := &l.Change
	err := rows.Scan(&l.Seq, &said, intoID(&c.Device), &c.N, intoID(&c.Author), &c.Kind,
		intoID(&c.Record), &c.Area, &c.Base, &amid, &c.Decides, &c.At, &c.Form,
		&l.Time, &l.Earliest, &l.Latest, &l.Received, &l.Version, &verdict, &l.Reason, &l.Field,
		&admitted, chainColumn{&l.Chain}, chainColumn{&l.Purged})
	if err != nil {
		return fmt.Errorf("a row of the log: %w", err)
	}
	if said == nil && l.Purged == (syncproto.Hash{}) {
		return &exchange.UnreadableRow{Seq: l.Seq, Err: errNoWords}
	}
	if err := openSaid(ring, l.Seq, said, c); err != nil {
		return err
	}
	if l.Verdict, err = outcomeOf(verdict); err != nil {
		return err
	}
	if c.Amid, err = unlist[string](amid); err != nil {
		return err
	}
	l.Admitted, err = admissionFrom(admitted)
	return err
}

// admissionArg is NULL for a change that nobody had to let in.
func admissionArg(a *exchange.Admission) any {
	if a == nil {
		return nil
	}
	return string(syncproto.ValueOf(a))
}

// admissionFrom reads what admissionArg wrote.
func admissionFrom(text string) (*exchange.Admission, error) {
	if text == "" {
		return nil, nil
	}
	var a exchange.Admission
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return nil, fmt.Errorf("a stored admission: %w", err)
	}
	return &a, nil
}

var insertLog = insertion{
	head: `INSERT INTO change_log (seq, said, device, n, author, kind, record, area, base, amid, decides,
		at, form, time, earliest, latest, received, released, verdict, reason, field, admitted, chain, county) VALUES `,
	columns: 24, types: "nbnnnnnnntnnnnnnnnntttbn",
}

// insertPlain is insertLog without the columns in which most rows have nothing:
// what is not bound costs nothing.
var insertPlain = insertion{
	head: `INSERT INTO change_log (seq, said, device, n, author, kind, record, area, base,
		at, form, time, earliest, latest, received, verdict, chain, county) VALUES `,
	columns: 18, types: "nbnnnnnnnnnnnnnnbn",
}

// isPlain reports whether a row has nothing in the columns that insertPlain leaves
// out.
func isPlain(l *exchange.Logged) bool {
	c := &l.Change
	return l.Version == l.Seq && l.Reason == "" && l.Field == "" && l.Admitted == nil &&
		len(c.Amid) == 0 && !c.Decides
}

func (t *tx) saveLog(b *exchange.Batch) error {
	plain := make([]any, 0, len(b.Log)*insertPlain.columns)
	var args []any
	s := sealer{ring: t.w.ring()}
	for i := range b.Log {
		l := &b.Log[i]
		c := &l.Change
		verdict, err := outcomeNumber(l.Verdict)
		if err != nil {
			return err
		}
		if isPlain(l) {
			plain = append(plain, int64(l.Seq), s.said(l), t.device(c.Device), int64(c.N), t.author(c.Author),
				t.kind(c.Kind), t.records[c.Record], t.place(c.Area), int64(c.Base),
				int64(c.At), int64(c.Form), int64(l.Time), int64(l.Earliest), int64(l.Latest), int64(l.Received), verdict,
				chainArg(&l.Chain), t.countyOf(c.Area, false))
			continue
		}
		args = append(args, int64(l.Seq), s.said(l), t.device(c.Device), int64(c.N), t.author(c.Author),
			t.kind(c.Kind), t.records[c.Record], t.place(c.Area), int64(c.Base),
			orNull(list(c.Amid)), flag(c.Decides), int64(c.At), int64(c.Form),
			int64(l.Time), int64(l.Earliest), int64(l.Latest), int64(l.Received), releasedArg(l), verdict,
			orNull(string(l.Reason)), orNull(l.Field), admissionArg(l.Admitted), chainArg(&l.Chain),
			t.countyOf(c.Area, l.Version == 0))
	}
	if s.err != nil {
		return s.err
	}
	if err := t.put(&insertPlain, plain); err != nil {
		return err
	}
	return t.put(&insertLog, args)
}

// releasedArg is NULL for a change that became visible under its own number.
func releasedArg(l *exchange.Logged) any {
	if l.Version == l.Seq {
		return nil
	}
	return int64(l.Version)
}

var updateReleased = insertion{
	head:    `WITH given (seq, released, verdict, reason, field, admitted) AS (VALUES `,
	columns: 6, types: "nnnttt",
	tail: `) UPDATE change_log SET released = given.released, verdict = given.verdict,
		reason = given.reason, field = given.field, admitted = given.admitted FROM given
		WHERE change_log.seq = given.seq AND change_log.county = 0`,
}

func (t *tx) saveReleased(b *exchange.Batch) error {
	args := make([]any, 0, len(b.Released)*updateReleased.columns)
	for i := range b.Released {
		l := &b.Released[i]
		verdict, err := outcomeNumber(l.Verdict)
		if err != nil {
			return err
		}
		args = append(args, int64(l.Seq), int64(l.Version), verdict, orNull(string(l.Reason)), orNull(l.Field),
			admissionArg(l.Admitted))
	}
	return t.put(&updateReleased, args)
}

// numbersOfDevice is what most retries ask for, a batch without a gap: one search in each
// part of a log that is spread, where a list is one for each number.
const numbersOfDevice = logSelect + logFrom + "WHERE c.device = $1 AND c.n BETWEEN $2 AND $3 ORDER BY c.n"

// Prior implements exchange.Tx: in order of n.
func (t *tx) Prior(device syncproto.DeviceID, ns []uint64) ([]exchange.Logged, error) {
	if len(ns) == 0 {
		return nil, nil
	}
	if err := t.knowDevice(device); err != nil || t.device(device) == 0 {
		return nil, err
	}
	text, args := numbersOfDevice, []any{t.device(device), int64(slices.Min(ns)), int64(slices.Max(ns))}
	if slices.Max(ns)-slices.Min(ns) != uint64(len(once(ns)))-1 {
		text, args = logSelect+logFrom+"WHERE c.device = $1 AND "+t.s.dialect.AmongNumbers("c.n", 2)+" ORDER BY c.n", []any{args[0], list(ns)}
	}
	rows, err := t.w.query(t.ctx, text, args...)
	logged, err := collect(rows, err, scanLogged(t.w))
	if err != nil {
		return nil, fmt.Errorf("prior changes of a device: %w", err)
	}
	return logged, nil
}

// knowDevice remembers the key of a device if it has one.
func (t *tx) knowDevice(id syncproto.DeviceID) error {
	if t.device(id) != 0 {
		return nil
	}
	var key int64
	rows, err := t.w.query(t.ctx, "SELECT COALESCE(MAX(key), 0) FROM device WHERE id = $1", id[:])
	if err := one(rows, err, &key); err != nil {
		return fmt.Errorf("key of a device: %w", err)
	}
	if key != 0 {
		t.s.keys.devices.keys[string(id[:])] = key
	}
	return nil
}

var logsOf = search{logSelect + logFrom + "WHERE r.id IN (", "?", ")"}

// Logs implements exchange.Tx.
func (t *tx) Logs(ids []syncproto.RecordID) ([]exchange.Logged, error) {
	logs, err := findLogs(t.ctx, t.w, t.s.dialect, ids)
	if err != nil {
		return nil, fmt.Errorf("logs of records: %w", err)
	}
	return logs, nil
}

// LogOf implements desk.Store.
func (s *Store) LogOf(ctx context.Context, ids []syncproto.RecordID) ([]exchange.Logged, error) {
	logs, err := findLogs(ctx, s.read, s.dialect, ids)
	if err != nil {
		return nil, fmt.Errorf("store: logs of records: %w", err)
	}
	return logs, nil
}

// findLogs returns what was ever said about records, in order.
func findLogs(ctx context.Context, q querier, d Dialect, ids []syncproto.RecordID) ([]exchange.Logged, error) {
	var all []exchange.Logged
	err := find(ctx, q, d, logsOf, ids, idArg, nil, func(rows *sql.Rows) error {
		var l exchange.Logged
		err := readLogged(q.ring(), rows, &l)
		all = append(all, l)
		return err
	})
	slices.SortFunc(all, func(a, b exchange.Logged) int { return cmp.Compare(a.Seq, b.Seq) })
	return all, err
}

// ChangesOf implements desk.Store: in order of n.
func (s *Store) ChangesOf(ctx context.Context, device syncproto.DeviceID, first, last uint64) ([]exchange.Logged, error) {
	text := logSelect + logFrom + `WHERE c.device = (SELECT key FROM device WHERE id = $1) AND c.n BETWEEN $2 AND $3
		ORDER BY c.n`
	rows, err := s.read.query(ctx, text, device[:], int64(min(first, math.MaxInt64)), int64(min(last, math.MaxInt64)))
	logged, err := collect(rows, err, scanLogged(s.read))
	if err != nil {
		return nil, fmt.Errorf("store: changes of device %s: %w", device, err)
	}
	return logged, nil
}

// Parked implements exchange.Tx.
func (t *tx) Parked(reasons []syncproto.Code, after syncproto.Version, limit int) ([]exchange.Logged, error) {
	if len(reasons) == 0 || limit <= 0 {
		return nil, nil
	}
	text := logSelect + logFrom + "WHERE c.released = 0 AND c.county = 0 AND c.seq > $1 AND " +
		t.s.dialect.AmongTexts("c.reason", 2) + " ORDER BY c.seq LIMIT $3"
	rows, err := t.w.query(t.ctx, text, int64(after), list(reasons), limit)
	logged, err := collect(rows, err, scanLogged(t.w))
	if err != nil {
		return nil, fmt.Errorf("parked changes: %w", err)
	}
	return logged, nil
}

// CountParked implements rollup.Store.
func (s *Store) CountParked(ctx context.Context) ([]rollup.Parked, error) {
	rows, err := s.read.query(ctx, `SELECT p.code, d.id, w.n
		FROM (SELECT area, device, COUNT(*) AS n FROM change_log WHERE released = 0 AND county = 0 GROUP BY area, device) w
		JOIN place p ON p.key = w.area JOIN device d ON d.key = w.device ORDER BY p.code, d.id`)
	parked, err := collect(rows, err, func(rows *sql.Rows, p *rollup.Parked) error {
		return rows.Scan(&p.Area, intoID(&p.Device), &p.N)
	})
	if err != nil {
		return nil, fmt.Errorf("store: count parked changes: %w", err)
	}
	return parked, nil
}
