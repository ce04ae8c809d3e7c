package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gridsync/server/internal/audit"
	"gridsync/syncproto"
)

var _ audit.Store = (*Store)(nil)

var (
	addNoted        = insertion{head: "INSERT INTO audit (key, at, act, who, device, area, detail, shown) VALUES ", columns: 8, types: "nntnnntb"}
	addNotedRecords = insertion{head: "INSERT INTO audit_record (record, line) VALUES ", columns: 2, types: "bn"}
)

const (
	lineSelect = "SELECT l.key, l.at, l.act, a.id, d.id, COALESCE(p.code, ''), l.detail, "
	lineFrom   = ` LEFT JOIN author a ON a.key = l.who
		LEFT JOIN device d ON d.key = l.device
		LEFT JOIN place p ON p.key = l.area
		WHERE `
	linesOf = lineSelect + "NULL FROM audit_record i JOIN audit l ON l.key = i.line" + lineFrom +
		"i.record = $1 AND i.line < $2 ORDER BY i.line DESC LIMIT $3"
	linesBefore = lineSelect + "l.shown FROM audit l" + lineFrom + `l.key < $1 AND l.key >= $2
		AND ($3 = '' OR l.act = $3) AND (a.id = $4 OR $4 IS NULL) AND (CAST($5 AS BIGINT) = 0 OR `
	linesEnd = ") ORDER BY l.key DESC LIMIT $7"
)

// AppendAudit implements audit.Store.
func (s *Store) AppendAudit(ctx context.Context, entries []audit.Entry) error {
	if err := s.transact(ctx, func(t *tx) error { return t.appendAudit(entries) }); err != nil {
		return fmt.Errorf("store: audit: %w", err)
	}
	return nil
}

func (t *tx) appendAudit(entries []audit.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := t.learnNoted(entries); err != nil {
		return err
	}
	next, err := t.nextKey("audit")
	if err != nil {
		return err
	}
	var lines, index []any
	for i := range entries {
		e := &entries[i]
		records := once(e.Records)
		lines = append(lines, next, int64(e.At), string(e.Act), t.whoOf(e), t.deviceOf(e), t.areaOf(e), e.Detail, joined(records))
		for j := range records {
			index = append(index, idArg(&records[j]), next)
		}
		next++
	}
	if err := t.put(&addNoted, lines); err != nil {
		return err
	}
	return t.put(&addNotedRecords, index)
}

// learnNoted gives keys to whoever and whatever is named.
func (t *tx) learnNoted(entries []audit.Entry) error {
	var devices, authors, places values
	for i := range entries {
		e := &entries[i]
		if !e.Who.IsZero() {
			authors.add(string(e.Who[:]))
		}
		if !e.Device.IsZero() {
			devices.add(string(e.Device[:]))
		}
		if e.Area != "" {
			places.add(string(e.Area))
		}
	}
	keys := &t.s.keys
	return errors.Join(t.learn(keys.authors, authors.all), t.learn(keys.devices, devices.all), t.learn(keys.places, places.all))
}

func (t *tx) whoOf(e *audit.Entry) any {
	if e.Who.IsZero() {
		return nil
	}
	return t.author(e.Who)
}

func (t *tx) deviceOf(e *audit.Entry) any {
	if e.Device.IsZero() {
		return nil
	}
	return t.device(e.Device)
}

func (t *tx) areaOf(e *audit.Entry) any {
	if e.Area == "" {
		return nil
	}
	return t.place(e.Area)
}

// joined writes ids one after the other; NULL for none.
func joined(ids []syncproto.RecordID) any {
	if len(ids) == 0 {
		return nil
	}
	b := make([]byte, 0, 16*len(ids))
	for _, id := range ids {
		b = append(b, id[:]...)
	}
	return b
}

// AuditLines implements audit.Store.
func (s *Store) AuditLines(ctx context.Context, want audit.Want, before int64, limit int) ([]audit.Line, int64, error) {
	lines, next, err := s.auditLines(ctx, want, before, max(limit, 0))
	if err != nil {
		return nil, 0, fmt.Errorf("store: audit: %w", err)
	}
	return lines, next, nil
}

func (s *Store) auditLines(ctx context.Context, want audit.Want, before int64, limit int) ([]audit.Line, int64, error) {
	if before <= 0 {
		rows, err := s.read.query(ctx, "SELECT COALESCE(MAX(key), 0) + 1 FROM audit")
		if err := one(rows, err, &before); err != nil {
			return nil, 0, err
		}
	}
	least := max(before-audit.Reach, 1)
	text := linesBefore + s.dialect.AmongTexts("COALESCE(p.code, '')", 6) + linesEnd
	areas := string(syncproto.ValueOf(append([]syncproto.AreaID{}, want.Areas...)))
	rows, err := s.read.query(ctx, text, before, least, string(want.Act), idOrNull(want.Who), flag(want.Areas != nil), areas, limit)
	lines, err := collect(rows, err, scanLine)
	switch {
	case err != nil:
		return nil, 0, err
	case len(lines) == limit && limit > 0:
		least = lines[limit-1].N
	}
	if least <= 1 {
		least = 0
	}
	return lines, least, nil
}

// AuditOf implements audit.Store.
func (s *Store) AuditOf(ctx context.Context, record syncproto.RecordID, before int64, limit int) ([]audit.Line, error) {
	if before <= 0 {
		before = syncproto.MaxN
	}
	rows, err := s.read.query(ctx, linesOf, record[:], before, max(limit, 0))
	lines, err := collect(rows, err, scanLine)
	if err != nil {
		return nil, fmt.Errorf("store: who saw %s: %w", record, err)
	}
	return lines, nil
}

func scanLine(rows *sql.Rows, l *audit.Line) error {
	var shown []byte
	err := rows.Scan(&l.N, &l.At, &l.Act, intoID(&l.Who), intoID(&l.Device), &l.Area, &l.Detail, &shown)
	for ; len(shown) >= 16; shown = shown[16:] {
		l.Records = append(l.Records, syncproto.RecordID(shown[:16]))
	}
	return err
}
