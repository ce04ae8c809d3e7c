package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gridsync/server/internal/seal"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/syncproto/form"
)

// ErrUnfit says that a database can't hold what is kept.
var ErrUnfit = postgres.ErrUnfit

// cluster is a PostgreSQL database: any number of servers, each with a lease.
type cluster struct{ *postgres.Store }

func openCluster(ctx context.Context, url string, keys *seal.Ring) (engine, *sqlstore.Store, error) {
	store, err := postgres.Open(ctx, url, postgres.Options{Keys: keys})
	if err != nil {
		return nil, nil, Addressed(err)
	}
	return cluster{store}, store.Store, nil
}

func clusterSealed(ctx context.Context, url string) (bool, error) {
	sealed, err := postgres.Sealed(ctx, url)
	return sealed, Addressed(err)
}

func clusterName(url string) (string, error) {
	name, err := postgres.Name(url)
	if errors.Is(err, postgres.ErrAddress) {
		err = ErrDatabase // which says what one looks like
	}
	return name, err
}

// Addressed says of a PostgreSQL database that can't be had what stands in the way:
// ErrNoDatabase, ErrNotLetIn, ErrExhausted or ErrUnreached. Any other error stays as it is.
func Addressed(err error) error {
	var why error
	var said interface{ SQLState() string }
	switch {
	case errors.As(err, &said) && said.SQLState() == "3D000": // invalid_catalog_name
		why = ErrNoDatabase
	case errors.As(err, &said) && strings.HasPrefix(said.SQLState(), "28"): // of authorization
		why = ErrNotLetIn
	case errors.As(err, &said) && strings.HasPrefix(said.SQLState(), "53"): // insufficient_resources
		why = ErrExhausted
	case (cluster{}).Away(err): // which asks nothing of a store
		why = ErrUnreached
	default:
		return err
	}
	return fmt.Errorf("%w: %w", why, err)
}

// Enter implements engine.
func (c cluster) Enter(ctx context.Context, name string, keys func() Fingerprints, alone bool) (berth, error) {
	written := func() string { return keys().String() }
	lease, err := c.Store.Enter(ctx, postgres.Entrant{Name: name, Keys: written, Alone: alone}, func(others []postgres.Server) error {
		return admit(others, keys(), alone)
	})
	if err != nil {
		return nil, err
	}
	return lease, nil
}

// admit says what is against working on a database beside those who do, or alone.
func admit(others []postgres.Server, keys Fingerprints, alone bool) error {
	var inTheWay []string
	for _, other := range others {
		if alone || other.Alone {
			inTheWay = append(inTheWay, fmt.Sprintf("%s since %s", other.Name, other.Since.In(form.Zone).Format(time.DateTime)))
		}
	}
	if len(inTheWay) > 0 {
		return fmt.Errorf("%w: %s", ErrServing, strings.Join(inTheWay, ", "))
	}
	for _, other := range others {
		if differ := keys.disagree(other.Keys); len(differ) > 0 && !other.Lapsed {
			return fmt.Errorf("%w: %s differ from those of %s", ErrOtherKeys, strings.Join(differ, ", "), other.Name)
		}
	}
	return nil
}

// Serving implements engine.
func (c cluster) Serving(ctx context.Context) ([]Serving, error) {
	servers, err := c.Servers(ctx)
	if err != nil {
		return nil, err
	}
	var serving []Serving
	for _, s := range servers {
		if !s.Lapsed {
			serving = append(serving, Serving{Name: s.Name, Since: s.Since, Until: s.Until, Alone: s.Alone})
		}
	}
	return serving, nil
}

// Checkpoint implements files. Free room in the database's pages keeps the old bytes until
// something else is written there, sealed as they were.
func (c cluster) Checkpoint(ctx context.Context) error { return c.Sweep(ctx) }
