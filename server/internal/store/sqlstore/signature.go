package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

var (
	putSignature = insertion{
		head: "INSERT INTO signature (record, area, day, figures, drift, scope) VALUES ", columns: 6, types: "bnnttn",
		tail: ` ON CONFLICT (record) DO UPDATE SET area = excluded.area, day = excluded.day,
			figures = excluded.figures, drift = excluded.drift, scope = excluded.scope`,
	}
	dropSignature = insertion{head: "DELETE FROM signature WHERE (record) IN (VALUES ", columns: 1, types: "b", tail: ")"}
)

func (t *tx) saveSignatures(b *exchange.Batch) error {
	var signed, withdrawn []any
	for _, s := range lastOf(b.Signatures, func(s *exchange.Signature) syncproto.RecordID { return s.Record }) {
		if s.Day == 0 {
			withdrawn = append(withdrawn, s.Record[:])
			continue
		}
		signed = append(signed, s.Record[:], int64(s.Area), int64(s.Day), figuresArg(s.Figures), figuresArg(s.Drift), s.Scope)
	}
	if err := t.put(&dropSignature, withdrawn); err != nil {
		return err
	}
	return t.put(&putSignature, signed)
}

func figuresArg(figures map[string]int64) any {
	if len(figures) == 0 {
		return nil
	}
	return string(syncproto.ValueOf(figures))
}

// figuresFrom reads what figuresArg wrote.
func figuresFrom(text string) (map[string]int64, error) {
	if text == "" {
		return nil, nil
	}
	var figures map[string]int64
	if err := json.Unmarshal([]byte(text), &figures); err != nil {
		return nil, fmt.Errorf("stored figures: %w", err)
	}
	return figures, nil
}

const signatureSelect = "SELECT record, area, day, COALESCE(figures, ''), COALESCE(drift, ''), scope FROM signature "

func scanSignature(rows *sql.Rows, s *exchange.Signature) error {
	var figures, drift string
	err := rows.Scan(intoID(&s.Record), &s.Area, &s.Day, &figures, &drift, &s.Scope)
	if err != nil {
		return err
	}
	if s.Figures, err = figuresFrom(figures); err != nil {
		return err
	}
	s.Drift, err = figuresFrom(drift)
	return err
}

func signaturesFrom(ctx context.Context, q querier) ([]exchange.Signature, error) {
	rows, err := q.query(ctx, signatureSelect+"ORDER BY record")
	signatures, err := collect(rows, err, scanSignature)
	if err != nil {
		return nil, fmt.Errorf("signatures: %w", err)
	}
	return signatures, nil
}
