package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/hook"
	"gridsync/server/internal/seal"
	"gridsync/syncproto"
)

var _ hook.Store = (*Store)(nil)

func targetPlace(id uuid.UUID) seal.Place { return seal.In("hook.target").ID(id) }

// AddHook implements hook.Store.
func (s *Store) AddHook(ctx context.Context, h *hook.Hook) error {
	err := s.transact(ctx, func(t *tx) error {
		sealed := sealer{ring: t.w.ring()}
		target := sealed.seal(targetPlace(h.ID), []byte(syncproto.ValueOf(h.Target)))
		if sealed.err != nil {
			return sealed.err
		}
		return t.w.exec(t.ctx, `INSERT INTO hook (id, area, events, target, by, made, position, ended, ending)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			h.ID[:], string(h.Area), strings.Join(h.Events, " "), target, idOrNull(h.By), int64(h.Made), h.Position, int64(h.Ended), string(h.Ending))
	})
	if err != nil {
		return fmt.Errorf("store: hook: %w", err)
	}
	return nil
}

// EndHook implements hook.Store.
func (s *Store) EndHook(ctx context.Context, id uuid.UUID, at syncproto.Instant, why hook.Ending) error {
	err := s.transact(ctx, func(t *tx) error {
		return t.w.exec(t.ctx, "UPDATE hook SET ended = $1, ending = $2 WHERE id = $3 AND ended = 0", int64(at), string(why), id[:])
	})
	if err != nil {
		return fmt.Errorf("store: hook: %w", err)
	}
	return nil
}

const hookSelect = "SELECT id, area, events, target, by, made, position, ended, ending FROM hook "

func (s *Store) scanHook(rows *sql.Rows, h *hook.Hook) error {
	var named string
	var sealed sealedColumn
	err := rows.Scan(intoID(&h.ID), &h.Area, &named, &sealed, intoID(&h.By), &h.Made, &h.Position, &h.Ended, &h.Ending)
	if err != nil {
		return err
	}
	h.Events = strings.Fields(named)
	target, err := s.read.ring().Open(targetPlace(h.ID), sealed)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(target, &h.Target); err != nil {
		return fmt.Errorf("where a hook is reached: %w", err)
	}
	h.Host = h.Target.Host
	return nil
}

// Hooks implements hook.Store.
func (s *Store) Hooks(ctx context.Context, areas []syncproto.AreaID) ([]hook.Hook, error) {
	var rows *sql.Rows
	var err error
	if areas == nil {
		rows, err = s.read.query(ctx, hookSelect+"WHERE ended = 0 ORDER BY made, id")
	} else {
		rows, err = s.read.query(ctx, hookSelect+"WHERE "+s.dialect.AmongTexts("area", 1)+" ORDER BY made, id", listOfAreas(areas))
	}
	hooks, err := collect(rows, err, s.scanHook)
	if err != nil {
		return nil, fmt.Errorf("store: hooks: %w", err)
	}
	return hooks, nil
}

func listOfAreas(areas []syncproto.AreaID) string {
	if len(areas) == 0 {
		return "[]"
	}
	return list(areas)
}

// HookByID implements hook.Store.
func (s *Store) HookByID(ctx context.Context, id uuid.UUID) (hook.Hook, bool, error) {
	rows, err := s.read.query(ctx, hookSelect+"WHERE id = $1", id[:])
	hooks, err := collect(rows, err, s.scanHook)
	if err != nil {
		return hook.Hook{}, false, fmt.Errorf("store: hook: %w", err)
	}
	if len(hooks) == 0 {
		return hook.Hook{}, false, nil
	}
	return hooks[0], true, nil
}

var addDelivery = insertion{
	head: "INSERT INTO delivery (hook, seq, area, state, attempts, due, claimed, tried, status, failure) VALUES ", columns: 10, types: "bnntnnnnnt",
}

// Enqueue implements hook.Store.
func (s *Store) Enqueue(ctx context.Context, id uuid.UUID, from, to int64, alerts []exchange.Alert) error {
	err := s.transact(ctx, func(t *tx) error {
		moved, err := t.changes("UPDATE hook SET position = $1 WHERE id = $2 AND position = $3 AND ended = 0 RETURNING position", to, id[:], from)
		if err != nil || moved == 0 {
			return err
		}
		args := make([]any, 0, len(alerts)*addDelivery.columns)
		for i := range alerts {
			a := &alerts[i]
			args = append(args, id[:], a.Seq, int64(a.Area), string(hook.Waiting), 0, int64(a.At), 0, 0, 0, "")
		}
		return t.put(&addDelivery, args)
	})
	if err != nil {
		return fmt.Errorf("store: deliveries: %w", err)
	}
	return nil
}

// changes runs a statement that returns the rows that it changed, and counts them.
func (t *tx) changes(text string, args ...any) (int, error) {
	n := 0
	rows, err := t.w.query(t.ctx, text, args...)
	err = each(rows, err, func(*sql.Rows) error { n++; return nil })
	return n, err
}

const deliverySelect = `SELECT d.hook, d.state, d.attempts, d.due, d.claimed, d.tried, d.status, d.failure,
	a.seq, a.version, a.at, a.area, a.what, a.kind, a.record, a.detail, a.item, a.ending
	FROM delivery d JOIN alert a ON a.seq = d.seq `

func scanDelivery(rows *sql.Rows, d *hook.Delivery) error {
	a := &d.Alert
	return rows.Scan(intoID(&d.Hook), &d.State, &d.Attempts, &d.Due, &d.Claimed, &d.Tried, &d.Status, &d.Failure,
		&a.Seq, &a.Version, &a.At, &a.Area, &a.What, &a.Kind, intoID(&a.Record), &a.Detail, intoID(&a.Item), &a.Ending)
}

// DueDeliveries implements hook.Store.
func (s *Store) DueDeliveries(ctx context.Context, now syncproto.Instant, each int) ([]hook.Delivery, error) {
	rows, err := s.read.query(ctx, deliverySelect+`JOIN (SELECT w.hook AS hook, MIN(w.seq) AS seq FROM delivery w
			JOIN hook h ON h.id = w.hook WHERE w.state = 'waiting' AND h.ended = 0 GROUP BY w.hook, w.area) first
		ON first.hook = d.hook AND first.seq = d.seq
		WHERE d.due <= $1 AND d.claimed <= $1`, int64(now))
	due, err := collect(rows, err, scanDelivery)
	if err != nil {
		return nil, fmt.Errorf("store: deliveries that are due: %w", err)
	}
	slices.SortFunc(due, func(a, b hook.Delivery) int {
		return cmp.Or(cmp.Compare(a.Due, b.Due), bytes.Compare(a.Hook[:], b.Hook[:]), cmp.Compare(a.Alert.Seq, b.Alert.Seq))
	})
	taken := make(map[uuid.UUID]int)
	return slices.DeleteFunc(due, func(d hook.Delivery) bool {
		taken[d.Hook]++
		return taken[d.Hook] > each
	}), nil
}

// Claim implements hook.Store.
func (s *Store) Claim(ctx context.Context, d *hook.Delivery, now, until syncproto.Instant) (mine bool, err error) {
	err = s.transact(ctx, func(t *tx) error {
		n, err := t.changes(`UPDATE delivery SET claimed = $1 WHERE hook = $2 AND seq = $3 AND state = 'waiting'
			AND attempts = $4 AND claimed <= $5 RETURNING seq`, int64(until), d.Hook[:], d.Alert.Seq, d.Attempts, int64(now))
		mine = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store: delivery: %w", err)
	}
	return mine, nil
}

// Settle implements hook.Store.
func (s *Store) Settle(ctx context.Context, d *hook.Delivery) error {
	err := s.transact(ctx, func(t *tx) error {
		return t.w.exec(t.ctx, `UPDATE delivery SET state = $1, attempts = $2, due = $3, claimed = 0, tried = $4, status = $5, failure = $6
			WHERE hook = $7 AND seq = $8 AND claimed = $9`,
			string(d.State), d.Attempts, int64(d.Due), int64(d.Tried), d.Status, d.Failure, d.Hook[:], d.Alert.Seq, int64(d.Claimed))
	})
	if err != nil {
		return fmt.Errorf("store: delivery: %w", err)
	}
	return nil
}

// Deliveries implements hook.Store.
func (s *Store) Deliveries(ctx context.Context, id uuid.UUID, state hook.State, before int64, limit int) ([]hook.Delivery, error) {
	rows, err := s.read.query(ctx, deliverySelect+`WHERE d.hook = $1 AND ($2 = '' OR d.state = $2) AND (CAST($3 AS BIGINT) = 0 OR d.seq < $3)
		ORDER BY d.seq DESC LIMIT $4`, id[:], string(state), before, limit)
	found, err := collect(rows, err, scanDelivery)
	if err != nil {
		return nil, fmt.Errorf("store: deliveries: %w", err)
	}
	return found, nil
}

// Retry implements hook.Store.
func (s *Store) Retry(ctx context.Context, id uuid.UUID, seq int64, now syncproto.Instant) (n int, err error) {
	err = s.transact(ctx, func(t *tx) error {
		n, err = t.changes(`UPDATE delivery SET state = 'waiting', attempts = 0, due = $1, claimed = 0
			WHERE hook = $2 AND state = 'given_up' AND (CAST($3 AS BIGINT) = 0 OR seq = $3) RETURNING seq`, int64(now), id[:], seq)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store: deliveries: %w", err)
	}
	return n, nil
}
