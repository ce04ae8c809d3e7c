package sqlstore

import (
	"context"
	"fmt"
	"math"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// logBy walks through an author's runs from the newest, and through the rows of each.
const logBy = logSelect + `FROM author_run u CROSS JOIN change_log c
		JOIN device d ON d.key = c.device
		JOIN author a ON a.key = c.author
		JOIN kind k ON k.key = c.kind
		JOIN record r ON r.key = c.record
		JOIN place p ON p.key = c.area
	WHERE u.author = (SELECT key FROM author WHERE id = $1) AND u.first < $2
		AND c.seq BETWEEN u.first AND u.last AND c.seq < $2
	ORDER BY u.first DESC, c.seq DESC LIMIT $3`

// LogBy implements desk.Store.
func (s *Store) LogBy(ctx context.Context, author syncproto.AuthorID, before syncproto.Version, limit int) ([]exchange.Logged, error) {
	if limit <= 0 {
		return nil, nil
	}
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := s.read.query(ctx, logBy, author[:], int64(before), limit)
	logged, err := collect(rows, err, scanLogged(s.read))
	if err != nil {
		return nil, fmt.Errorf("store: log of author %s: %w", author, err)
	}
	return logged, nil
}

var insertRuns = insertion{head: "INSERT INTO author_run (author, first, last) VALUES ", columns: 3, types: "nnn"}

// saveRuns says whose the new rows of the log are: one run for those of one author that
// follow on each other. A run that went on over rows in another order would claim what is
// between them, so that it ends there.
func (t *tx) saveRuns(b *exchange.Batch) error {
	var args []any
	for i := 0; i < len(b.Log); {
		first, next := &b.Log[i], i+1
		for next < len(b.Log) && b.Log[next].Change.Author == first.Change.Author && b.Log[next].Seq > b.Log[next-1].Seq {
			next++
		}
		args = append(args, t.author(first.Change.Author), int64(first.Seq), int64(b.Log[next-1].Seq))
		i = next
	}
	return t.put(&insertRuns, args)
}
