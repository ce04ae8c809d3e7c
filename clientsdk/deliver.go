package clientsdk

import (
	"context"
	"database/sql"
	"fmt"

	"gridsync/syncproto"
)

// Deliver sends what is unsent and takes the receipt for it, and nothing else: what is
// new stays at the server until Sync. A locked file delivers, too: what was recorded
// while it was unlocked lies in it sealed for the server.
//
// Errors are those of Sync.
func (c *Client) Deliver(ctx context.Context) (Report, error) { return c.exchange(ctx, true) }

// delivered applies an answer that holds verdicts and a receipt. Cursor and epoch stay, as
// nothing came down: the next Sync meets whatever has happened to them.
func (a *applying) delivered() (applied, error) {
	steps := []func() error{a.verdicts, a.receipt, a.settleAnswered, a.prune}
	if !a.c.Locked() {
		steps = append(steps, a.join)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return applied{}, err
		}
	}
	a.m.Offset = a.answer.Now - (a.out.request.Clock+a.c.now())/2
	a.m.Notice = a.answer.Notice
	waiting, err := a.count("SELECT count(*) FROM outbox WHERE " + a.c.sendable())
	if err != nil {
		return applied{}, err
	}
	all, err := a.count("SELECT count(*) FROM outbox WHERE state = 0")
	a.report.Withheld = int(all - waiting)
	return applied{more: int(waiting) > len(a.report.Skipped), progress: a.progress}, err
}

// sendable is the condition on what can be sent as the file stands.
func (c *Client) sendable() string {
	if c.Locked() {
		return "state = 0 AND boxed IS NOT NULL"
	}
	return "state = 0"
}

// next returns the changes that are to be sent next, each with the text that is sent.
func (c *Client) next(tx *sql.Tx, most int) ([]own, error) {
	if !c.Locked() {
		return c.queryOwn(tx, "state = 0 ORDER BY n LIMIT ?", most)
	}
	found, err := c.queryOutlines(tx, c.sendable()+" ORDER BY n LIMIT ?", most)
	if err != nil {
		return nil, err
	}
	for i := range found {
		o := &found[i]
		if err := tx.QueryRow("SELECT boxed FROM outbox WHERE n = ?", int64(o.N)).Scan(&o.body); err != nil {
			return nil, fmt.Errorf("reading change %d as it is sealed for the server: %w", o.N, err)
		}
	}
	return found, nil
}

// boxed is a change's text sealed for the server, for a file that can be locked; nil
// while the server's key isn't known, or isn't one. The change then waits until the file
// is unlocked, as recording must not hang on it.
func (c *Client) boxed(n uint64, body []byte) any {
	c.mu.Lock()
	key, sealed := c.creds.Tokens.Box, c.vault.sealed()
	c.mu.Unlock()
	if !sealed || len(key) == 0 {
		return nil
	}
	if raw, err := syncproto.Seal(key, c.device, n, body); err == nil {
		return []byte(raw)
	}
	return nil
}

// boxRest seals for the server what was recorded before its key was known or before the
// file was sealed.
func (c *Client) boxRest(ctx context.Context) error {
	if v := c.box(); !v.sealed() || v.locked() {
		return nil
	}
	return c.update(ctx, func(tx *sql.Tx) error {
		rest, err := c.queryOwn(tx, "state = 0 AND boxed IS NULL")
		if err != nil {
			return err
		}
		s := newStatements(tx)
		for i := range rest {
			o := &rest[i]
			if err := s.exec("UPDATE outbox SET boxed = ? WHERE n = ?", c.boxed(o.N, []byte(o.body)), int64(o.N)); err != nil {
				return fmt.Errorf("sealing change %d for the server: %w", o.N, err)
			}
		}
		return nil
	})
}

// sealedBody reports whether a change was read without what it says.
func (o *own) sealedBody() bool { return len(o.Fields) == 0 }

// unsealable notes that the server could not open what was sealed for it: the change
// waits until the file is unlocked, and goes as it is.
func (a *applying) unsealable(o *own) error {
	return a.exec("UPDATE outbox SET boxed = NULL WHERE n = ?", int64(o.N))
}
