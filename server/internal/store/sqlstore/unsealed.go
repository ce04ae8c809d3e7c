package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/review"
	"gridsync/server/internal/seal"
	"gridsync/syncproto"
)

// unsealed is a table that an earlier release filled in the clear: which rows are still
// to be sealed, and how one is.
type unsealed struct {
	// ask is the question for rows that are not sealed, row the columns that tell them
	// apart, in the table's order.
	ask string
	row []string
	// set seals a row: its arguments are those that seal returns, the last of which tell the
	// row.
	set  string
	seal func(*sealer, *sql.Rows) ([]any, error)
}

// The tables that were in the clear. What was empty there stays NULL.
var unsealedTables = []unsealed{
	{
		ask:  "SELECT seq, id, fields, COALESCE(extra, '') FROM change_log WHERE said IS NULL",
		row:  []string{"seq"},
		set:  "UPDATE change_log SET said = $1 WHERE seq = $2",
		seal: sealChange,
	},
	{
		ask:  "SELECT key, id, version, live FROM record WHERE live IS NOT NULL AND parts IS NULL",
		row:  []string{"key"},
		set:  "UPDATE record SET parts = $1 WHERE key = $2",
		seal: sealRecord,
	},
	{
		ask:  "SELECT id, evidence FROM review_item WHERE evidence IS NOT NULL AND proof IS NULL",
		row:  []string{"id"},
		set:  "UPDATE review_item SET proof = $1 WHERE id = $2",
		seal: sealItem,
	},
	{
		ask: `SELECT item, ordinal, detail, COALESCE(changes, '') FROM review_event
			WHERE said IS NULL AND (detail <> '' OR changes IS NOT NULL)`,
		row:  []string{"item", "ordinal"},
		set:  "UPDATE review_event SET said = $1 WHERE item = $2 AND ordinal = $3",
		seal: sealEvent,
	},
	{
		ask:  "SELECT device, version, ordinal, body FROM told WHERE said IS NULL",
		row:  []string{"device", "version", "ordinal"},
		set:  "UPDATE told SET said = $1, record = $2 WHERE device = $3 AND version = $4 AND ordinal = $5",
		seal: sealTold,
	},
	{
		ask:  "SELECT device, pulse FROM device_state WHERE pulse IS NOT NULL AND beats IS NULL",
		row:  []string{"device"},
		set:  "UPDATE device_state SET beats = $1 WHERE device = $2",
		seal: sealPulse,
	},
}

var errLeft = errors.New("some rows are still in the clear")

// unsealedSpan is how many rows are sealed in one transaction.
const unsealedSpan = 1000

// SealRows seals whatever an earlier release wrote in the clear, some rows at a time.
// Broken off, it goes on where it was: a row is sealed or isn't. The clear columns stay
// until the next step of the schema.
func SealRows(ctx context.Context, db *sql.DB, keys *seal.Ring) error {
	rows, err := db.QueryContext(ctx, sealKeys)
	if _, err := collect(rows, err, knownKey(keys)); err != nil {
		return fmt.Errorf("seal rows: %w", err)
	}
	_, err = db.ExecContext(ctx, "INSERT INTO seal_key (id, print) SELECT $1, $2 FROM meta WHERE true ON CONFLICT (id) DO NOTHING",
		int64(keys.Newest()), printOf(keys, keys.Newest()))
	if err != nil {
		return fmt.Errorf("seal rows: %w", err)
	}
	for i := range unsealedTables {
		u := &unsealedTables[i]
		for after, more := []any(nil), true; more; {
			if after, more, err = u.some(ctx, db, keys, after); err != nil {
				return fmt.Errorf("seal rows: %w", err)
			}
		}
		// The next step takes the clear columns away, so nothing may be left in them alone.
		var left bool
		if err := db.QueryRowContext(ctx, "SELECT EXISTS ("+u.ask+")").Scan(&left); err != nil {
			return fmt.Errorf("seal rows: %w", err)
		}
		if left {
			return errLeft
		}
	}
	return nil
}

// some seals a span of rows after a row, and returns the last, and whether there may be
// more.
func (u *unsealed) some(ctx context.Context, db *sql.DB, keys *seal.Ring, after []any) (last []any, more bool, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, false, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	s := sealer{ring: keys}
	var all [][]any
	rows, err := tx.QueryContext(ctx, spanOf(u.ask, u.row, len(after) > 0), append(after[:len(after):len(after)], unsealedSpan)...)
	err = each(rows, err, func(rows *sql.Rows) error {
		args, err := u.seal(&s, rows)
		all = append(all, args)
		return err
	})
	if err := errors.Join(err, s.err); err != nil {
		return nil, false, err
	}
	set, err := tx.PrepareContext(ctx, u.set)
	if err != nil {
		return nil, false, err
	}
	for _, args := range all {
		if _, err := set.ExecContext(ctx, args...); err != nil {
			return nil, false, err
		}
		last = args[len(args)-len(u.row):]
	}
	return last, len(all) == unsealedSpan, errors.Join(set.Close(), tx.Commit())
}

func sealChange(s *sealer, rows *sql.Rows) ([]any, error) {
	var l exchange.Logged
	var fields, extra string
	if err := rows.Scan(&l.Seq, intoID(&l.Change.ID), &fields, &extra); err != nil {
		return nil, err
	}
	l.Change.Fields = json.RawMessage(fields)
	var err error
	l.Change.Extra, err = extraFrom(extra)
	return []any{s.said(&l), int64(l.Seq)}, err
}

func sealRecord(s *sealer, rows *sql.Rows) ([]any, error) {
	var key int64
	var id syncproto.RecordID
	var version syncproto.Version
	var live string
	err := rows.Scan(&key, intoID(&id), &version, &live)
	return []any{s.seal(partsPlace(id, version), []byte(live)), key}, err
}

func sealItem(s *sealer, rows *sql.Rows) ([]any, error) {
	var id syncproto.RecordID
	var evidence string
	err := rows.Scan(intoID(&id), &evidence)
	return []any{s.seal(proofPlace(id), []byte(evidence)), id[:]}, err
}

func sealEvent(s *sealer, rows *sql.Rows) ([]any, error) {
	var e review.Event
	var ordinal int64
	var changes string
	err := rows.Scan(intoID(&e.Item), &ordinal, &e.Detail, &changes)
	if err != nil {
		return nil, err
	}
	e.Changes, err = unlist[review.Made](changes)
	return []any{s.event(&e, ordinal), e.Item[:], ordinal}, err
}

func sealTold(s *sealer, rows *sql.Rows) ([]any, error) {
	var device, version, ordinal int64
	var body string
	if err := rows.Scan(&device, &version, &ordinal, &body); err != nil {
		return nil, err
	}
	var told syncproto.Told
	if err := json.Unmarshal([]byte(body), &told); err != nil {
		return nil, fmt.Errorf("a stored telling: %w", err)
	}
	return []any{s.seal(toldPlace(device, version, ordinal), []byte(body)), idOrNull(told.Record), device, version, ordinal}, nil
}

func sealPulse(s *sealer, rows *sql.Rows) ([]any, error) {
	var device int64
	var pulse []byte
	err := rows.Scan(&device, &pulse)
	return []any{s.pulse(device, pulse), device}, err
}
