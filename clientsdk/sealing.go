package clientsdk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gridsync/syncproto"
)

// Seal seals the file under a PIN: what it holds, and whatever is recorded or comes
// from then on. It needs Options.Keys. Nothing that is unsent is touched: it is sealed
// for the server, too, so that Deliver sends it while the file is locked.
//
// Errors: ErrWeakPIN; ErrNoKeys; ErrSealed.
func (c *Client) Seal(ctx context.Context, pin string) error {
	if err := c.seal(ctx, pin); err != nil {
		return fmt.Errorf("sealing the file: %w", err)
	}
	return nil
}

func (c *Client) seal(ctx context.Context, pin string) error {
	if c.opt.Keys == nil {
		return ErrNoKeys
	}
	if err := CheckPIN(pin); err != nil {
		return err
	}
	secret := c.secret()
	l, inner, err := newLock(secret, pin)
	if err != nil {
		return err
	}
	outer, err := outerOf(secret)
	if err != nil {
		return err
	}
	l.Unclean = true
	if err := c.reshape(ctx, vault{outer, inner}, func(tx *sql.Tx, to vault) error {
		switch _, sealed, err := readLock(tx); {
		case err != nil:
			return err
		case sealed:
			return ErrSealed
		}
		if err := sealRows(newStatements(tx), to); err != nil {
			return err
		}
		return l.write(tx)
	}); err != nil {
		return err
	}
	return errors.Join(c.boxRest(ctx), c.clean(ctx))
}

// reshape rewrites the file for another vault while nobody reads it.
func (c *Client) reshape(ctx context.Context, to vault, rewrite func(*sql.Tx, vault) error) error {
	if err := lock(ctx, c.writing); err != nil {
		return err
	}
	defer func() { <-c.writing }()
	c.shape.Lock()
	defer c.shape.Unlock()
	if err := inTx(ctx, c.db, nil, func(tx *sql.Tx) error { return rewrite(tx, to) }); err != nil {
		return err
	}
	c.setVault(to)
	return nil
}

// sealRows seals every row that holds contents.
func sealRows(s *statements, to vault) error {
	if err := s.exec("DELETE FROM watch"); err != nil { // it is fetched again, and then sealed
		return err
	}
	for _, seal := range []func(*statements, vault) error{sealOutbox, sealRecords, sealTold} {
		if err := seal(s, to); err != nil {
			return err
		}
	}
	return nil
}

func sealOutbox(s *statements, to vault) error {
	numbers, err := column[int64](s.tx, "SELECT n FROM outbox")
	if err != nil {
		return err
	}
	for _, n := range numbers {
		var body, hash []byte
		if err := s.row("SELECT body, hash FROM outbox WHERE n = ?", []any{n}, &body, &hash); err != nil {
			return err
		}
		sealed, err := to.shut(outboxRow(uint64(n)), body)
		if err != nil {
			return err
		}
		sealedHash := to.shutHash(uint64(n), syncproto.Hash(hash))
		if err := s.exec("UPDATE outbox SET body = ?, hash = ? WHERE n = ?", sealed, sealedHash, n); err != nil {
			return err
		}
	}
	return nil
}

func sealRecords(s *statements, to vault) error {
	ids, err := column[[]byte](s.tx, "SELECT id FROM records")
	if err != nil {
		return err
	}
	for _, id := range ids {
		var live []byte
		if err := s.row("SELECT live FROM records WHERE id = ?", []any{id}, &live); err != nil {
			return err
		}
		sealed, err := to.shut(recordRow(syncproto.RecordID(id)), live)
		if err != nil {
			return err
		}
		if err := s.exec("UPDATE records SET live = ? WHERE id = ?", sealed, id); err != nil {
			return err
		}
	}
	return nil
}

func sealTold(s *statements, to vault) error {
	heard, err := vault{}.queryTold(s.tx, "true")
	if err != nil {
		return err
	}
	for i := range heard {
		if err := to.writeTold(s, &heard[i].Told, heard[i].Read); err != nil {
			return err
		}
	}
	return nil
}

// column reads the values of one column.
func column[T any](tx *sql.Tx, query string) ([]T, error) {
	rows, err := tx.Query(query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var x T
		if err := rows.Scan(&x); err != nil {
			return nil, fmt.Errorf("%s: %w", query, err)
		}
		all = append(all, x)
	}
	return all, rows.Err()
}

// Unlock opens the file for reading and recording. Of a file that isn't sealed it asks
// nothing.
//
// A wrong PIN gives a *PINError, which says how long to wait. Whatever is tried, nothing
// is ever wiped: what was recorded is worth more than the secrecy of one phone.
func (c *Client) Unlock(ctx context.Context, pin string) error {
	if !c.box().sealed() {
		return nil
	}
	key, l, err := c.tryPIN(ctx, pin)
	if err != nil {
		return fmt.Errorf("unlocking the file: %w", err)
	}
	if err := c.unlock(ctx, &l, key); err != nil {
		return fmt.Errorf("unlocking the file: %w", err)
	}
	return nil
}

func (c *Client) unlock(ctx context.Context, l *lockRow, key []byte) error {
	inner, err := sealer(key)
	if err != nil {
		return err
	}
	err = c.reshape(ctx, vault{c.box().outer, inner}, func(tx *sql.Tx, _ vault) error {
		now, err := l.still(tx)
		if err != nil {
			return err
		}
		now.Failures, now.From = 0, 0
		return now.write(tx)
	})
	if err != nil {
		return err
	}
	err = c.update(ctx, func(tx *sql.Tx) error { // what was delivered while it was locked may have moved links
		m, err := readMeta(tx)
		if err != nil {
			return err
		}
		return c.relinkAll(tx, &m)
	})
	return errors.Join(err, c.boxRest(ctx))
}

// tryPIN tries a PIN and gives the data key. The try is kept before the PIN is looked at.
func (c *Client) tryPIN(ctx context.Context, pin string) (key []byte, l lockRow, err error) {
	var early error
	err = c.update(ctx, func(tx *sql.Tx) error {
		var sealed bool
		if l, sealed, err = readLock(tx); err != nil || !sealed {
			return errors.Join(err, ErrClosed)
		}
		early = l.try(c.now())
		return l.write(tx)
	})
	if err := errors.Join(err, early); err != nil {
		return nil, l, err
	}
	if key, err = l.unwrap(c.secret(), pin); err != nil {
		err = l.wrong()
		return nil, l, err
	}
	return key, l, nil
}

// Lock locks a sealed file: nothing can be read or recorded until it is unlocked, and
// Deliver goes on.
func (c *Client) Lock() {
	c.setVault(vault{outer: c.box().outer})
}

// ChangePIN puts another PIN in the place of the one that opens the file. The data stays
// sealed as it is.
//
// Errors: ErrWeakPIN; ErrNotSealed; *PINError, as for Unlock.
func (c *Client) ChangePIN(ctx context.Context, old, pin string) error {
	if err := c.changePIN(ctx, old, pin); err != nil {
		return fmt.Errorf("changing the PIN: %w", err)
	}
	return nil
}

func (c *Client) changePIN(ctx context.Context, old, pin string) error {
	if err := CheckPIN(pin); err != nil {
		return err
	}
	if !c.box().sealed() {
		return ErrNotSealed
	}
	key, l, err := c.tryPIN(ctx, old)
	if err != nil {
		return err
	}
	next := l
	if err := next.wrap(c.secret(), pin, key); err != nil {
		return err
	}
	next.Failures, next.From, next.Unclean = 0, 0, true // the key under the old PIN is to go, too
	err = c.update(ctx, func(tx *sql.Tx) error {
		if _, err := l.still(tx); err != nil {
			return err
		}
		return next.write(tx)
	})
	if err != nil {
		return err
	}
	return c.clean(ctx)
}

// clean takes out of the file what no row holds any more. A file system, and flash even
// more so, may keep what was overwritten; that is the phone's own encryption to see to.
func (c *Client) clean(ctx context.Context) error {
	if err := lock(ctx, c.writing); err != nil {
		return err
	}
	defer func() { <-c.writing }()
	c.shape.Lock()
	defer c.shape.Unlock()
	if err := c.shrink(ctx); err != nil {
		return fmt.Errorf("cleaning the file: %w", err)
	}
	err := inTx(ctx, c.db, nil, func(tx *sql.Tx) error {
		l, sealed, err := readLock(tx)
		if err != nil || !sealed {
			return err
		}
		l.Unclean = false
		return l.write(tx)
	})
	if err != nil {
		return fmt.Errorf("cleaning the file: %w", err)
	}
	return nil
}

// shrink writes the file anew without unused pages, and empties its log.
func (c *Client) shrink(ctx context.Context) error {
	if _, err := c.db.ExecContext(ctx, "VACUUM"); err != nil {
		return err
	}
	var busy, logged, moved int
	if err := c.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &logged, &moved); err != nil {
		return err
	}
	if busy != 0 {
		return errors.New("another process reads the file")
	}
	return nil
}

// Locked reports whether the file is sealed and has not been unlocked.
func (c *Client) Locked() bool { return c.box().locked() }

// box is the vault as it is now.
func (c *Client) box() vault {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.vault
}

func (c *Client) setVault(v vault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.vault = v
}

func (c *Client) secret() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.creds.Secret
}
