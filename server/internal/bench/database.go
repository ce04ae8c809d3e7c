package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// databases makes databases for single measurements in somebody's PostgreSQL, and takes them
// away. It touches nothing else there.
type databases struct {
	url   string
	admin *pgx.Conn
	// made are those that are there now.
	made map[string]bool
}

// ErrNotDurable says that a database doesn't wait for its disk.
var ErrNotDurable = errors.New("fsync, full_page_writes or synchronous_commit is off, and what would be measured is no durable commit")

// connectDatabases connects to a PostgreSQL, as somebody who may create databases.
func connectDatabases(ctx context.Context, url string) (*databases, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	d := &databases{url: url, admin: conn, made: map[string]bool{}}
	var durable bool
	err = conn.QueryRow(ctx, `SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
		AND current_setting('synchronous_commit') <> 'off'`).Scan(&durable)
	if err == nil && !durable {
		err = ErrNotDurable
	}
	if err != nil {
		return nil, errors.Join(err, d.close(ctx))
	}
	return d, nil
}

// of is the address of a database there.
func (d *databases) of(name string) string {
	sign := "?"
	if strings.Contains(d.url, "?") {
		sign = "&"
	}
	return d.url + sign + "dbname=" + name
}

// create makes a database, as a copy of another one if that has a name.
func (d *databases) create(ctx context.Context, template string) (name string, err error) {
	name = "gridsync_bench_" + strings.ToLower(rand.Text())[:12]
	text := "CREATE DATABASE " + name
	if template != "" {
		text += " TEMPLATE " + template
	}
	if _, err := d.admin.Exec(ctx, text); err != nil {
		return "", fmt.Errorf("making a database: %w", err)
	}
	d.made[name] = true
	return name, nil
}

// drop takes a database away that create has made.
func (d *databases) drop(ctx context.Context, name string) error {
	if _, err := d.admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("dropping the database %s: %w", name, err)
	}
	delete(d.made, name)
	return nil
}

// close takes away what was made and is still there.
func (d *databases) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for name := range d.made {
		errs = append(errs, d.drop(ctx, name))
	}
	return errors.Join(append(errs, d.admin.Close(ctx))...)
}

// settle writes to disk what was written before, so that it isn't written while the next is
// measured.
func (d *databases) settle(ctx context.Context) error {
	if _, err := d.admin.Exec(ctx, "CHECKPOINT"); err != nil {
		return fmt.Errorf("a checkpoint before measuring: %w", err)
	}
	return nil
}
