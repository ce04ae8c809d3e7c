package simtest_test

import (
	"context"
	"errors"
	"net/url"
	"path"
	"testing"

	"gridsync/server/internal/simtest"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
)

// engine is what keeps a world's data.
type engine struct {
	name string
	// place is where a new world may live until the test ends.
	place func(t *testing.T) simtest.Place
}

var engines = []engine{
	{"sqlite", func(t *testing.T) simtest.Place {
		t.Helper()
		return simtest.Place{Dir: t.TempDir()}
	}},
	{"postgres", func(t *testing.T) simtest.Place {
		t.Helper()
		return simtest.Place{Dir: t.TempDir(), DB: databaseOf(t)}
	}},
}

// database is one that is copied whole, as a cluster's own tools do it.
type database struct {
	address, name string
	// master is another database, as nobody may be in one that is copied or dropped.
	master string
}

func databaseOf(t *testing.T) database {
	t.Helper()
	address := pgtest.Database(t)
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	master, err := postgres.Beside(address, "postgres")
	if err != nil {
		t.Fatal(err)
	}
	d := database{address: address, name: path.Base(parsed.Path), master: master}
	t.Cleanup(func() {
		if err := postgres.Drop(context.WithoutCancel(t.Context()), d.master, d.aside()); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d database) aside() string { return d.name + "_backup" }

func (d database) Address() string { return d.address }

func (d database) Backup(ctx context.Context) error { return d.replace(ctx, d.aside(), d.name) }

func (d database) Restore(ctx context.Context) error { return d.replace(ctx, d.name, d.aside()) }

func (d database) replace(ctx context.Context, name, by string) error {
	return errors.Join(postgres.Drop(ctx, d.master, name), postgres.Create(ctx, d.master, name, by))
}
