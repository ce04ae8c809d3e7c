package clientsdk

import (
	"context"
	"database/sql"
)

// Raw is the client's database, for tests that damage it.
func (c *Client) Raw() *sql.DB { return c.db }

// TryPIN is the first half of Unlock, for tests in which something comes between; it
// returns the second.
func (c *Client) TryPIN(ctx context.Context, pin string) func() error {
	key, l, err := c.tryPIN(ctx, pin)
	return func() error {
		if err != nil {
			return err
		}
		return c.unlock(ctx, &l, key)
	}
}
