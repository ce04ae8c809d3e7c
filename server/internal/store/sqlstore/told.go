package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

const (
	toldSelect = "SELECT device, version, ordinal, said FROM told WHERE device = (SELECT key FROM device WHERE id = $1) "
	toldAfter  = toldSelect + "AND version > $2 ORDER BY version, ordinal LIMIT $3"
	toldAt     = toldSelect + "AND version = $2 ORDER BY ordinal"
)

func scanTold(q querier) func(*sql.Rows, *syncproto.Told) error {
	return func(rows *sql.Rows, told *syncproto.Told) error {
		var device, version, ordinal int64
		var said sealedColumn
		if err := rows.Scan(&device, &version, &ordinal, &said); err != nil {
			return err
		}
		text, err := q.ring().Open(toldPlace(device, version, ordinal), said)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, told); err != nil {
			return fmt.Errorf("a stored telling: %w", err)
		}
		return nil
	}
}

// Told implements exchange.Store. Rows are never changed, so that what two statements
// read fits together.
func (s *Store) Told(ctx context.Context, device syncproto.DeviceID, after syncproto.Version, limit int) ([]syncproto.Told, error) {
	told, err := s.told(ctx, device, after, limit)
	if err != nil {
		return nil, fmt.Errorf("store: what device %s is to hear: %w", device, err)
	}
	return told, nil
}

func (s *Store) told(ctx context.Context, device syncproto.DeviceID, after syncproto.Version, limit int) ([]syncproto.Told, error) {
	limit = max(limit, 0)
	rows, err := s.read.query(ctx, toldAfter, device[:], int64(after), limit+1)
	told, err := collect(rows, err, scanTold(s.read))
	if err != nil || len(told) <= limit {
		return told, err
	}
	// The last row says where the page would end amid a version.
	cut := told[limit].Version
	whole := limit
	for whole > 0 && told[whole-1].Version == cut {
		whole--
	}
	if whole > 0 {
		return told[:whole], nil
	}
	rows, err = s.read.query(ctx, toldAt, device[:], int64(cut))
	return collect(rows, err, scanTold(s.read))
}

var addTold = insertion{head: "INSERT INTO told (device, version, ordinal, said, record) VALUES ", columns: 5, types: "nnnbb"}

// saveTold writes what devices are to hear. All that a version tells a device is in
// one batch.
func (t *tx) saveTold(b *exchange.Batch) error {
	type place struct {
		device  syncproto.DeviceID
		version syncproto.Version
	}
	next := make(map[place]int64)
	s := sealer{ring: t.w.ring()}
	args := make([]any, 0, len(b.Told)*addTold.columns)
	for i := range b.Told {
		telling := &b.Told[i]
		at := place{telling.Device, telling.Version}
		args = append(args, t.device(at.device), int64(at.version), next[at],
			s.seal(toldPlace(t.device(at.device), int64(at.version), next[at]), []byte(syncproto.ValueOf(telling.Told))), idOrNull(telling.Record))
		next[at]++
	}
	if s.err != nil {
		return s.err
	}
	return t.put(&addTold, args)
}
