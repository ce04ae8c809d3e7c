package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Vacuum writes every table anew, without what was once in its pages. Nobody else can read
// or write a table meanwhile.
func (s *Store) Vacuum(ctx context.Context) error { return s.vacuum(ctx, "VACUUM (FULL, ANALYZE)") }

// Sweep takes out of the tables what was deleted and replaced, while others read and write.
// Bytes may stay in the free room of a page until something else is written there.
func (s *Store) Sweep(ctx context.Context) error { return s.vacuum(ctx, "VACUUM (ANALYZE)") }

// vacuum has a connection of its own: it may take hours, or wait for somebody who reads, and
// meanwhile this store takes in what it is sent and its lease is renewed.
func (s *Store) vacuum(ctx context.Context, text string) error {
	conn, err := pgx.ConnectConfig(ctx, s.config.Copy())
	if err == nil {
		// As one text and nothing else: no transaction may be around it, nor a prepared statement.
		_, err = conn.PgConn().Exec(ctx, text).ReadAll()
		err = errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
		<-conn.PgConn().CleanupDone() // whoever has no more time tells the database, which would go on
	}
	if err != nil {
		return fmt.Errorf("postgres: vacuum: %w", err)
	}
	return nil
}
