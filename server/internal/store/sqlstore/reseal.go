package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"gridsync/server/internal/seal"
)

// WrongKeyError says that a key is another one than what was sealed here under its number.
type WrongKeyError struct{ ID seal.KeyID }

func (e *WrongKeyError) Error() string {
	return fmt.Sprintf("data key %d is not the one that this database was sealed with", e.ID)
}

// Is lets errors.Is find any wrong key by one without a number.
func (e *WrongKeyError) Is(target error) bool {
	t, ok := target.(*WrongKeyError)
	return ok && (t.ID == 0 || t.ID == e.ID)
}

// printOf is a key's fingerprint as it is stored.
func printOf(keys *seal.Ring, id seal.KeyID) int64 {
	print, _ := keys.Fingerprint(id)
	return int64(print)
}

// KnowKeys makes sure that there is a key for whatever is sealed, and notes the newest
// before anything is sealed with it. It fails with *seal.MissingKeyError or
// *WrongKeyError.
func (s *Store) KnowKeys(ctx context.Context) error {
	ids, err := s.SealedWith(ctx)
	if err != nil {
		return err
	}
	newest := s.write.keys.Newest()
	if slices.Contains(ids, newest) {
		return nil
	}
	err = s.transact(ctx, func(t *tx) error {
		return t.w.exec(t.ctx, "INSERT INTO seal_key (id, print) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
			int64(newest), printOf(t.w.keys, newest))
	})
	if err != nil {
		return fmt.Errorf("store: note data key %d: %w", newest, err)
	}
	// Of two who begin at the same time, each with a key of its own, one's is noted now.
	_, err = s.SealedWith(ctx)
	return err
}

// SealedWith returns the keys by which something is, or may be, sealed, in order. It fails
// as KnowKeys does when one isn't there.
func (s *Store) SealedWith(ctx context.Context) ([]seal.KeyID, error) {
	rows, err := s.read.query(ctx, sealKeys)
	ids, err := collect(rows, err, knownKey(s.read.keys))
	if err != nil {
		return nil, fmt.Errorf("store: data keys: %w", err)
	}
	return ids, nil
}

const sealKeys = "SELECT id, print FROM seal_key ORDER BY id"

// knownKey scans a row of sealKeys, and holds it against the keys that there are.
func knownKey(keys *seal.Ring) func(*sql.Rows, *seal.KeyID) error {
	return func(rows *sql.Rows, id *seal.KeyID) error {
		var print int64
		if err := rows.Scan(id, &print); err != nil {
			return err
		}
		switch mine, there := keys.Fingerprint(*id); {
		case !there:
			return &seal.MissingKeyError{ID: *id}
		case int64(mine) != print:
			return &WrongKeyError{ID: *id}
		}
		return nil
	}
}

// sealedText is a column of sealed texts: its table, and the columns that a text is sealed
// to, in their order, which are also the table's own order.
type sealedText struct {
	table, column string
	row           []string
}

var sealedTexts = []sealedText{
	{"change_log", "said", []string{"seq"}},
	{"record", "parts", []string{"id", "version"}},
	{"review_item", "proof", []string{"id"}},
	{"review_event", "said", []string{"item", "ordinal"}},
	{"told", "said", []string{"device", "version", "ordinal"}},
	{"device_state", "beats", []string{"device"}},
	{"enrolment", "phone", []string{"id"}},
	{"refresh", "secret", []string{"device"}},
	{"hook", "target", []string{"id"}},
	{"account", "totp", []string{"(SELECT id FROM author WHERE key = account.author)"}},
}

// resealSpan is how many rows are looked at in one transaction.
const resealSpan = 1000

// Reseal seals with the newest key whatever was sealed with an older one, some rows at a
// time, and returns how many there were. Broken off, it can be called again. When it
// returns no error the older keys open nothing any more, and the database forgets them.
// Nobody else may seal meanwhile: a server that runs would do so with the key that it
// knows.
func (s *Store) Reseal(ctx context.Context) (resealed int, err error) {
	for i := range sealedTexts {
		c := &sealedTexts[i]
		for after := []any(nil); ; {
			var n, span int
			var last []any
			err := s.transact(ctx, func(t *tx) (err error) {
				n, span, last, err = t.reseal(c, after)
				return err
			})
			if err != nil {
				return resealed, fmt.Errorf("store: seal %s anew: %w", c.table, err)
			}
			resealed, after = resealed+n, last
			if span < resealSpan {
				break
			}
		}
	}
	err = s.transact(ctx, func(t *tx) error {
		return t.w.exec(t.ctx, "DELETE FROM seal_key WHERE id <> $1", int64(t.w.keys.Newest()))
	})
	if err != nil {
		return resealed, fmt.Errorf("store: forget old data keys: %w", err)
	}
	return resealed, nil
}

// reseal looks at one span of rows after a row, and returns how many were sealed anew, how
// many there were, and the last.
func (t *tx) reseal(c *sealedText, after []any) (resealed, span int, last []any, err error) {
	rows, err := t.w.query(t.ctx, c.ask(len(after) > 0), append(after[:len(after):len(after)], resealSpan)...)
	s := sealer{ring: t.w.keys}
	var changed [][]any
	err = each(rows, err, func(rows *sql.Rows) error {
		var text []byte
		last = make([]any, len(c.row))
		into := make([]any, 0, len(c.row)+1)
		for i := range last {
			into = append(into, &last[i])
		}
		if err := rows.Scan(append(into, &text)...); err != nil {
			return err
		}
		span++
		at := c.place(last)
		id, err := seal.SealedWith(text)
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		if id == t.w.keys.Newest() {
			return nil
		}
		plain, err := t.w.keys.Open(at, text)
		changed = append(changed, append([]any{s.seal(at, plain)}, last...))
		return err
	})
	if err == nil {
		err = s.err
	}
	for _, args := range changed {
		if err == nil {
			err = t.w.exec(t.ctx, c.set(), args...)
		}
	}
	return len(changed), span, last, err
}

// ask is the question for a span of rows, from the start or after one.
func (c *sealedText) ask(after bool) string {
	text := "SELECT " + strings.Join(c.row, ", ") + ", " + c.column + " FROM " + c.table + " WHERE " + c.column + " IS NOT NULL"
	return spanOf(text, c.row, after)
}

// spanOf bounds a question to a span of rows, told apart by columns: from the start, or
// after one whose columns are its first arguments. The last argument is how many.
func spanOf(text string, columns []string, after bool) string {
	row := strings.Join(columns, ", ")
	places := make([]string, len(columns)+1)
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	limit := places[0]
	if after {
		limit = places[len(columns)]
		text += " AND (" + row + ") > (" + strings.Join(places[:len(columns)], ", ") + ")"
	}
	return text + " ORDER BY " + row + " LIMIT " + limit
}

// set writes one row.
func (c *sealedText) set() string {
	text := "UPDATE " + c.table + " SET " + c.column + " = $1 WHERE "
	for i, name := range c.row {
		if i > 0 {
			text += " AND "
		}
		text += fmt.Sprintf("%s = $%d", name, i+2)
	}
	return text
}

// place is where a text of this column stands.
func (c *sealedText) place(row []any) seal.Place {
	at := seal.In(c.table + "." + c.column)
	for _, value := range row {
		switch v := value.(type) {
		case int64:
			at = at.Number(v)
		case []byte:
			at = at.ID([16]byte(v))
		}
	}
	return at
}
