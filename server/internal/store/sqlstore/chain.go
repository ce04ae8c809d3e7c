package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// chainColumn scans 32 bytes into a link; NULL leaves it zero.
type chainColumn struct{ into *syncproto.Hash }

// Scan implements sql.Scanner.
func (c chainColumn) Scan(src any) error {
	switch b := src.(type) {
	case nil:
		return nil
	case []byte:
		if len(b) == len(c.into) {
			copy(c.into[:], b)
			return nil
		}
	}
	return fmt.Errorf("a link of the chain is stored as %T", src)
}

// chainArg is NULL for a row that has no link.
func chainArg(link *syncproto.Hash) any {
	if *link == (syncproto.Hash{}) {
		return nil
	}
	return link[:]
}

// lastLink returns the link of the log's last row; zero if it has none.
func lastLink(ctx context.Context, q querier) (syncproto.Hash, error) {
	var link syncproto.Hash
	rows, err := q.query(ctx, "SELECT chain FROM change_log ORDER BY seq DESC LIMIT 1")
	if err := one(rows, err, chainColumn{&link}); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return link, fmt.Errorf("the last link of the chain: %w", err)
	}
	return link, nil
}

var linkRows = insertion{
	head: "WITH given (seq, chain) AS (VALUES ", columns: 2, types: "nb",
	tail: `) UPDATE change_log SET chain = given.chain FROM given
		WHERE change_log.seq = given.seq AND change_log.chain IS NULL`,
}

// SetChain implements exchange.Tx. A link that is there stays as it is.
func (t *tx) SetChain(rows []exchange.Chained) error {
	args := make([]any, 0, len(rows)*linkRows.columns)
	for i := range rows {
		args = append(args, int64(rows[i].Seq), rows[i].Chain[:])
	}
	if err := t.put(&linkRows, args); err != nil {
		return fmt.Errorf("chain of the log: %w", err)
	}
	return nil
}

// logSpan is how many rows of the log are held in memory at a time.
const logSpan = 1000

const logAfter = logSelect + logFrom + "WHERE c.seq > $1 ORDER BY c.seq LIMIT $2"

// EachLogged implements exchange.Store: a span of rows at a time, all in one read
// transaction.
func (s *Store) EachLogged(ctx context.Context, fn func(*exchange.Logged) error) error {
	err := s.read.moment(ctx, func(q querier) error {
		for after := syncproto.Version(0); ; {
			rows, err := q.query(ctx, logAfter, int64(after), logSpan)
			span, err := collect(rows, err, scanLogged(q))
			if err != nil || len(span) == 0 {
				return err
			}
			for i := range span {
				if err := fn(&span[i]); err != nil {
					return err
				}
			}
			after = span[len(span)-1].Seq
		}
	})
	if err != nil {
		return fmt.Errorf("store: the log: %w", err)
	}
	return nil
}
