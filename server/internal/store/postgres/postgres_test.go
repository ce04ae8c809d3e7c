package postgres_test

import (
	"testing"

	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/storetest"
)

func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	store, err := postgres.Open(t.Context(), url, postgres.Options{Keys: storetest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// TestStore holds the engine against the contract.
func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Place {
		url := pgtest.Database(t)
		return func(t *testing.T) storetest.Engine { return open(t, url) }
	})
}
