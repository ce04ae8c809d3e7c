package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
	"gridsync/syncproto/form"

	"gridsync/server/internal/area"
)

var (
	addAlert = insertion{
		head: "INSERT INTO alert (seq, version, at, area, what, kind, record, detail, item, ending) VALUES ", columns: 10, types: "nnnnttbtbt",
	}
	addRestating = insertion{
		head: "INSERT INTO restating (signature, version, record, measure, n) VALUES ", columns: 5, types: "bnbtn",
		tail: " ON CONFLICT (signature, version, record, measure) DO UPDATE SET n = restating.n + excluded.n",
	}
)

// saveAlerts numbers alerts on from the last one: groups never overlap.
func (t *tx) saveAlerts(b *exchange.Batch) error {
	if len(b.Alerts) == 0 {
		return nil
	}
	var last int64
	rows, err := t.w.query(t.ctx, "SELECT COALESCE(MAX(seq), 0) FROM alert")
	if err := one(rows, err, &last); err != nil {
		return err
	}
	args := make([]any, 0, len(b.Alerts)*addAlert.columns)
	for i := range b.Alerts {
		a := &b.Alerts[i]
		a.Seq = last + int64(i) + 1
		args = append(args, a.Seq, int64(a.Version), int64(a.At), int64(a.Area), string(a.What), string(a.Kind),
			idOrNull(a.Record), a.Detail, idOrNull(a.Item), string(a.Ending))
	}
	return t.put(&addAlert, args)
}

func (t *tx) saveRestatings(b *exchange.Batch) error {
	// A statement may meet a row only once.
	moved := make(map[exchange.Restating]int64, len(b.Restatings))
	for _, r := range b.Restatings {
		n := r.N
		r.N = 0
		moved[r] += n
	}
	args := make([]any, 0, len(moved)*addRestating.columns)
	for r, n := range moved {
		args = append(args, r.Signature[:], int64(r.Version), r.Record[:], r.Measure, n)
	}
	return t.put(&addRestating, args)
}

const alertSelect = "SELECT seq, version, at, area, what, kind, record, detail, item, ending FROM alert "

func scanAlert(rows *sql.Rows, a *exchange.Alert) error {
	return rows.Scan(&a.Seq, &a.Version, &a.At, &a.Area, &a.What, &a.Kind, intoID(&a.Record), &a.Detail, intoID(&a.Item), &a.Ending)
}

// Alerts returns what was told of after a place, in order: at most limit.
func (s *Store) Alerts(ctx context.Context, after int64, limit int) ([]exchange.Alert, error) {
	rows, err := s.read.query(ctx, alertSelect+"WHERE seq > $1 ORDER BY seq LIMIT $2", after, limit)
	alerts, err := collect(rows, err, scanAlert)
	if err != nil {
		return nil, fmt.Errorf("store: alerts: %w", err)
	}
	return alerts, nil
}

// LastAlert returns the place of the last one; 0 if there is none.
func (s *Store) LastAlert(ctx context.Context) (int64, error) {
	var last int64
	rows, err := s.read.query(ctx, "SELECT COALESCE(MAX(seq), 0) FROM alert")
	if err := one(rows, err, &last); err != nil {
		return 0, fmt.Errorf("store: the last alert: %w", err)
	}
	return last, nil
}

// Restatings implements dayclose.Store.
func (s *Store) Restatings(ctx context.Context, signature syncproto.RecordID, after syncproto.Version, limit int) ([]exchange.Restating, error) {
	rows, err := s.read.query(ctx, `SELECT signature, version, record, measure, n FROM restating
		WHERE signature = $1 AND version > $2 ORDER BY version, record, measure LIMIT $3`, signature[:], int64(after), limit)
	found, err := collect(rows, err, func(rows *sql.Rows, r *exchange.Restating) error {
		return rows.Scan(intoID(&r.Signature), &r.Version, intoID(&r.Record), &r.Measure, &r.N)
	})
	if err != nil {
		return nil, fmt.Errorf("store: what restated %s: %w", signature, err)
	}
	return found, nil
}

// Signed implements dayclose.Store: in order of areas and records.
func (s *Store) Signed(ctx context.Context, areas []area.Key, day form.Day) ([]exchange.Signature, error) {
	if len(areas) == 0 {
		return nil, nil
	}
	rows, err := s.read.query(ctx, signatureSelect+"WHERE day = $2 AND "+s.dialect.AmongNumbers("area", 1)+" ORDER BY area, record",
		list(areas), int64(day))
	signed, err := collect(rows, err, scanSignature)
	if err != nil {
		return nil, fmt.Errorf("store: days signed: %w", err)
	}
	return signed, nil
}
