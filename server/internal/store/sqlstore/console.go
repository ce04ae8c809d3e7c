package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gridsync/server/internal/console"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

var _ console.Store = (*Store)(nil)

// digestColumn scans 32 bytes into a digest of any kind.
type digestColumn[T ~[32]byte] struct{ into *T }

// Scan implements sql.Scanner.
func (c digestColumn[T]) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok || len(b) != 32 {
		return fmt.Errorf("a digest of 32 bytes is stored as %T", src)
	}
	*c.into = T(b)
	return nil
}

const sessionSelect = `SELECT s.id, a.id, s.made, s.seen, s.expires, s.agent
	FROM session s JOIN author a ON a.key = s.author `

func scanSession(rows *sql.Rows, s *console.Session) error {
	return rows.Scan(digestColumn[identity.Session]{&s.ID}, intoID(&s.Author), &s.Made, &s.Seen, &s.Expires, &s.Agent)
}

// Session implements console.Store.
func (s *Store) Session(ctx context.Context, id identity.Session) (console.Session, bool, error) {
	rows, err := s.read.query(ctx, sessionSelect+"WHERE s.id = $1", id[:])
	return first(rows, err, "session", scanSession)
}

// SessionsOf implements console.Store.
func (s *Store) SessionsOf(ctx context.Context, author syncproto.AuthorID) ([]console.Session, error) {
	rows, err := s.read.query(ctx, sessionSelect+"WHERE a.id = $1 ORDER BY s.made DESC, s.id", author[:])
	sessions, err := collect(rows, err, scanSession)
	if err != nil {
		return nil, fmt.Errorf("store: sessions: %w", err)
	}
	return sessions, nil
}

// first reads the row of a query that finds one or none.
func first[T any](rows *sql.Rows, err error, what string, scan func(*sql.Rows, *T) error) (T, bool, error) {
	found, err := collect(rows, err, scan)
	var none T
	if err != nil {
		return none, false, fmt.Errorf("store: %s: %w", what, err)
	}
	if len(found) == 0 {
		return none, false, nil
	}
	return found[0], true, nil
}

// Console implements console.Store.
func (s *Store) Console(ctx context.Context, fn func(console.Tx) error) error {
	if err := s.transact(ctx, func(t *tx) error { return fn(consoleTx{t}) }); err != nil {
		return fmt.Errorf("store: console: %w", err)
	}
	return nil
}

// consoleTx is a write transaction as the console knows it.
type consoleTx struct{ t *tx }

const accountSelect = `SELECT a.id, c.login, c.password, c.totp, c.step, c.failures, c.locked, c.made
	FROM account c JOIN author a ON a.key = c.author `

func scanAccount(rows *sql.Rows, c *console.Account) error {
	return rows.Scan(intoID(&c.Author), &c.Login, &c.Password, &c.TOTP, &c.Step, &c.Failures, &c.Locked, &c.Made)
}

// Account implements console.Accounts.
func (c consoleTx) Account(login string) (console.Account, bool, error) {
	rows, err := c.t.w.query(c.t.ctx, accountSelect+"WHERE c.login = $1", login)
	return first(rows, err, "account", scanAccount)
}

// AccountOf implements console.Accounts.
func (c consoleTx) AccountOf(author syncproto.AuthorID) (console.Account, bool, error) {
	rows, err := c.t.w.query(c.t.ctx, accountSelect+"WHERE a.id = $1", author[:])
	return first(rows, err, "account", scanAccount)
}

// errNobody says that something was to be kept for a person whom nobody has added.
var errNobody = errors.New("there is no such person")

// person returns the key of a person who is there: a console lets in whom identity knows.
func (c consoleTx) person(author syncproto.AuthorID) (key int64, err error) {
	rows, err := c.t.w.query(c.t.ctx, "SELECT key FROM author WHERE id = $1 AND name IS NOT NULL", author[:])
	if err = one(rows, err, &key); errors.Is(err, sql.ErrNoRows) {
		err = errNobody
	}
	return key, err
}

// PutAccount implements console.Accounts.
func (c consoleTx) PutAccount(a *console.Account) error {
	key, err := c.person(a.Author)
	if err != nil {
		return err
	}
	return c.t.w.exec(c.t.ctx, `INSERT INTO account (author, login, password, totp, step, failures, locked, made)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (author) DO UPDATE SET login = excluded.login, password = excluded.password, totp = excluded.totp,
		step = excluded.step, failures = excluded.failures, locked = excluded.locked`,
		key, a.Login, a.Password, blobOrNull(a.TOTP), a.Step, int64(a.Failures), int64(a.Locked), int64(a.Made))
}

// blobOrNull is NULL for no bytes.
func blobOrNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// Link implements console.Links.
func (c consoleTx) Link(id console.Digest) (console.Link, bool, error) {
	rows, err := c.t.w.query(c.t.ctx,
		"SELECT l.id, a.id, l.by, l.expires, l.used FROM link_once l JOIN author a ON a.key = l.author WHERE l.id = $1", id[:])
	return first(rows, err, "link", func(rows *sql.Rows, l *console.Link) error {
		return rows.Scan(digestColumn[console.Digest]{&l.ID}, intoID(&l.Author), intoID(&l.By), &l.Expires, &l.Used)
	})
}

// PutLink implements console.Links.
func (c consoleTx) PutLink(l console.Link) error {
	key, err := c.person(l.Author)
	if err != nil {
		return err
	}
	if err := c.t.w.exec(c.t.ctx, "DELETE FROM link_once WHERE author = $1", key); err != nil {
		return err
	}
	return c.t.w.exec(c.t.ctx, "INSERT INTO link_once (id, author, by, expires, used) VALUES ($1, $2, $3, $4, $5)",
		l.ID[:], key, idOrNull(l.By), int64(l.Expires), int64(l.Used))
}

// UseLink implements console.Links.
func (c consoleTx) UseLink(id console.Digest, at syncproto.Instant) error {
	return c.t.w.exec(c.t.ctx, "UPDATE link_once SET used = $1 WHERE id = $2", int64(at), id[:])
}

// AddSession implements console.Sessions.
func (c consoleTx) AddSession(s *console.Session) error {
	key, err := c.person(s.Author)
	if err != nil {
		return err
	}
	if err := c.t.w.exec(c.t.ctx, "DELETE FROM session WHERE author = $1 AND expires <= $2", key, int64(s.Made)); err != nil {
		return err
	}
	return c.t.w.exec(c.t.ctx, "INSERT INTO session (id, author, made, seen, expires, agent) VALUES ($1, $2, $3, $4, $5, $6)",
		s.ID[:], key, int64(s.Made), int64(s.Seen), int64(s.Expires), s.Agent)
}

// SeenSession implements console.Sessions.
func (c consoleTx) SeenSession(id identity.Session, at syncproto.Instant) error {
	return c.t.w.exec(c.t.ctx, "UPDATE session SET seen = $1 WHERE id = $2", int64(at), id[:])
}

// EndSession implements console.Sessions.
func (c consoleTx) EndSession(id identity.Session) error {
	return c.t.w.exec(c.t.ctx, "DELETE FROM session WHERE id = $1", id[:])
}

// EndSessions implements console.Sessions.
func (c consoleTx) EndSessions(author syncproto.AuthorID, keep identity.Session) error {
	return c.t.w.exec(c.t.ctx, "DELETE FROM session WHERE author = (SELECT key FROM author WHERE id = $1) AND id <> $2", author[:], keep[:])
}

// AddIdentities implements console.Tx.
func (c consoleTx) AddIdentities(add identity.Everyone) error { return c.t.addIdentities(&add) }

// Tried implements console.Tries.
func (c consoleTx) Tried(id console.Try) (console.Attempts, bool, error) {
	rows, err := c.t.w.query(c.t.ctx, "SELECT failures, locked FROM sign_in_try WHERE id = $1", int64(id))
	return first(rows, err, "attempts", func(rows *sql.Rows, a *console.Attempts) error {
		return rows.Scan(&a.Failures, &a.Locked)
	})
}

// PutTried implements console.Tries.
func (c consoleTx) PutTried(id console.Try, a console.Attempts) error {
	return c.t.w.exec(c.t.ctx, `INSERT INTO sign_in_try (id, failures, locked) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET failures = excluded.failures, locked = excluded.locked`, int64(id), int64(a.Failures), int64(a.Locked))
}

// ForgetTried implements console.Tries.
func (c consoleTx) ForgetTried(id console.Try) error {
	return c.t.w.exec(c.t.ctx, "DELETE FROM sign_in_try WHERE id = $1", int64(id))
}

// CountTried implements console.Tries.
func (c consoleTx) CountTried() (n int, err error) {
	rows, err := c.t.w.query(c.t.ctx, "SELECT COUNT(*) FROM sign_in_try")
	err = one(rows, err, &n)
	return n, err
}

// KeepTried implements console.Tries.
func (c consoleTx) KeepTried(most int) error {
	return c.t.w.exec(c.t.ctx, "DELETE FROM sign_in_try WHERE id NOT IN (SELECT id FROM sign_in_try ORDER BY locked DESC, id DESC LIMIT $1)", int64(most))
}
