package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// EpochStep is what a new epoch adds to the counter of versions. The lost end of
// the history before it gave out numbers that this database knows nothing of, and
// phones still hold; no history gives out 2^40 of them between two backups.
const EpochStep = 1 << 40

// Begin gives a new database its epoch; one that has an epoch keeps it, and nothing is written
// there: whoever opens it to look at something waits for nobody who writes.
func (s *Store) Begin(ctx context.Context, epoch syncproto.Epoch) error {
	_, _, err := asOf(ctx, s.read)
	if errors.Is(err, errNoMeta) {
		err = s.unchecked(ctx, func(t *tx) error {
			return t.w.exec(t.ctx, `INSERT INTO meta (one, epoch, last_number, as_of, revision, derivation)
				VALUES (1, $1, 0, 0, 1, $2) ON CONFLICT (one) DO NOTHING`, epoch[:], exchange.Derivation)
		})
	}
	if err != nil {
		return fmt.Errorf("store: give the database an epoch: %w", err)
	}
	return nil
}

// NewEpoch starts a new history on top of what is there, as after a backup was
// restored: phones see it and offer again what the receipts lack. The counter
// rises by EpochStep, so that no number of the lost history is given out twice. What lets
// somebody in once may have done so in the history that was lost: invitations end (as of
// when they would have anyway), links and sessions go. A server that is running doesn't
// hear of it: stop it first. Where the history had gone to another database, another one
// begins here; a copy that isn't whole has none to begin.
func (s *Store) NewEpoch(ctx context.Context, epoch syncproto.Epoch) error {
	err := s.unchecked(ctx, func(t *tx) error {
		if moved := (*MovedError)(nil); errors.As(t.here(), &moved) && moved.State == Arriving {
			return moved
		}
		for _, text := range []string{
			"UPDATE invite SET ended = expires WHERE ended = 0 AND uses > 0", "DELETE FROM link_once", "DELETE FROM session",
		} {
			if err := t.w.exec(t.ctx, text); err != nil {
				return err
			}
		}
		return t.w.exec(t.ctx, `UPDATE meta SET epoch = $1, last_number = last_number + $2, last_turn = last_turn + 1, turn_name = $3,
			moved = 0, moved_with = ''`, epoch[:], int64(EpochStep), newName())
	})
	if err != nil {
		return fmt.Errorf("store: new epoch: %w", err)
	}
	return nil
}

// Boot implements exchange.Store.
func (s *Store) Boot(ctx context.Context) (exchange.Boot, error) {
	var b exchange.Boot
	err := s.read.moment(ctx, func(q querier) (err error) {
		b, err = bootFrom(ctx, q)
		return err
	})
	if err != nil {
		return exchange.Boot{}, fmt.Errorf("store: boot: %w", err)
	}
	return b, nil
}

func bootFrom(ctx context.Context, q querier) (b exchange.Boot, err error) {
	var digest, rules int64
	rows, err := q.query(ctx, "SELECT epoch, last_number, as_of, derivation, digest, rules, last_turn, turn_name FROM meta")
	if err := noMeta(one(rows, err, intoID(&b.Epoch), &b.Last, &b.Now, &b.Derivation, &digest, &rules, &b.Turn.Number, &b.Turn.Name)); err != nil {
		return b, err
	}
	b.Digest, b.Rules = uint64(digest), uint64(rules)
	if b.Heads, err = headsFrom(ctx, q); err != nil {
		return b, err
	}
	if b.Chain, err = lastLink(ctx, q); err != nil {
		return b, err
	}
	if b.Links, err = linksFrom(ctx, q); err != nil {
		return b, err
	}
	if b.Signatures, err = signaturesFrom(ctx, q); err != nil {
		return b, err
	}
	if b.Twins, err = twinsFrom(ctx, q); err != nil {
		return b, err
	}
	rows, err = q.query(ctx, `SELECT DISTINCT r.id FROM change_log c JOIN record r ON r.key = c.record
		WHERE c.released = 0 AND c.county = 0`)
	b.WaitingFor, err = collect(rows, err, func(rows *sql.Rows, id *syncproto.RecordID) error {
		return rows.Scan(intoID(id))
	})
	if err != nil {
		return b, fmt.Errorf("records waited for: %w", err)
	}
	rows, err = q.query(ctx, "SELECT COUNT(*) FROM change_log WHERE released = 0 AND county = 0")
	return b, one(rows, err, &b.Parked)
}

func noMeta(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errNoMeta
	}
	return err
}

// AsOf implements rollup.Store.
func (s *Store) AsOf(ctx context.Context) (syncproto.Version, syncproto.Instant, error) {
	last, now, err := asOf(ctx, s.read)
	if err != nil {
		return 0, 0, fmt.Errorf("store: %w", err)
	}
	return last, now, nil
}

func asOf(ctx context.Context, q querier) (last syncproto.Version, now syncproto.Instant, err error) {
	rows, err := q.query(ctx, "SELECT last_number, as_of FROM meta")
	if err := noMeta(one(rows, err, &last, &now)); err != nil {
		return 0, 0, fmt.Errorf("as of: %w", err)
	}
	return last, now, nil
}

// Revision implements registry.Store.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	var revision int64
	rows, err := s.read.query(ctx, "SELECT revision FROM meta")
	if err := noMeta(one(rows, err, &revision)); err != nil {
		return 0, fmt.Errorf("store: revision: %w", err)
	}
	return revision, nil
}

// maxStride bounds by how much a revision rises. 2^53 of which are some 16 million changes.
const maxStride = 1 << 30

// revise says that areas or identities have changed. By how much the number rises is chance:
// where a change was lost with a machine, and another one made in its place, the two have
// different numbers, so that whoever has read the one reads the other.
func (t *tx) revise() error {
	t.stirs = true
	return t.w.exec(t.ctx, "UPDATE meta SET revision = revision + $1", 1+int64(uint64(newName())%maxStride))
}

// saveLast writes the counter and the group's instant. Neither goes back, whatever
// a group says. Every batch takes the next number of a turn, and a name for it.
func (t *tx) saveLast(b *exchange.Batch) error {
	name := newName()
	if b.Turn != nil {
		b.Turn.Name = name
	}
	return t.w.exec(t.ctx, `UPDATE meta SET
		last_number = CASE WHEN last_number < $1 THEN $1 ELSE last_number END,
		as_of = CASE WHEN as_of < $2 THEN $2 ELSE as_of END, last_turn = last_turn + 1, turn_name = $3`, int64(b.Last), int64(b.Now), name)
}

// SetRules implements exchange.Tx.
func (t *tx) SetRules(print uint64) error {
	return t.w.exec(t.ctx, "UPDATE meta SET rules = $1", int64(print))
}

func headsFrom(ctx context.Context, q querier) ([]exchange.Head, error) {
	rows, err := q.query(ctx, "SELECT feed, last, sum, records FROM head ORDER BY feed")
	heads, err := collect(rows, err, func(rows *sql.Rows, h *exchange.Head) error {
		var feed, sum int64
		err := rows.Scan(&feed, &h.Last, &sum, &h.Records)
		h.Feed, h.Sum = feedOf(feed), syncproto.Sum(sum)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("heads: %w", err)
	}
	return heads, nil
}

var putHead = insertion{
	head: "INSERT INTO head (feed, last, sum, records) VALUES ", columns: 4, types: "nnnn",
	tail: " ON CONFLICT (feed) DO UPDATE SET last = excluded.last, sum = excluded.sum, records = excluded.records",
}

func (t *tx) saveHeads(b *exchange.Batch) error {
	args := make([]any, 0, len(b.Heads)*putHead.columns)
	for _, h := range lastOf(b.Heads, func(h *exchange.Head) exchange.Feed { return h.Feed }) {
		feed, err := feedNumber(h.Feed)
		if err != nil {
			return err
		}
		args = append(args, feed, int64(h.Last), int64(h.Sum), h.Records)
	}
	return t.put(&putHead, args)
}
