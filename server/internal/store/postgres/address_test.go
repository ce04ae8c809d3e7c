package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"gridsync/server/internal/store/postgres"
)

func TestNoErrorAndNoNameShowsAPassword(t *testing.T) {
	const secret = "hunter2"
	for _, url := range []string{
		"postgres://me:hunter2@127.0.0.1:1/db",
		"postgres://me:hunter2@127.0.0.1:1,127.0.0.1:2/db?target_session_attrs=read-write",
		"postgres://127.0.0.1:1/db?user=me&password=hunter2",
		"postgres://me:hunter2@127.0.0.1:port/db",
		"postgres://me:hun/hunter2@127.0.0.1/db",
		"postgres://me:%zzhunter2@127.0.0.1/db",
		"postgres://me:hunter2@[::1/db",
		"postgres://me:hunter2@127.0.0.1:1/db?sslmode=never",
		"postgres://me:a@hunter2@127.0.0.1:1/db?connect_timeout=x",
		"postgres://me:hunter2@127.0.0.1:1/db?target_session_attrs=hunter2",
		"postgres:/me:hunter2@127.0.0.1/db",
	} {
		name, err := postgres.Name(url)
		if err != nil && !errors.Is(err, postgres.ErrAddress) {
			t.Errorf("%s: %v", url, err)
		}
		_, opening := postgres.Sealed(t.Context(), url)
		if opening == nil {
			t.Errorf("%s: somebody answers", url)
			continue
		}
		for _, said := range []string{name, opening.Error()} {
			if strings.Contains(said, secret) {
				t.Errorf("%s is told as %q", url, said)
			}
		}
	}
}

func TestADatabaseIsToldByWhereItIs(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://me:x@db.example:5433/grid":                 "postgres://db.example:5433/grid",
		"postgres://me@a:1,b:2/grid?sslmode=disable":           "postgres://a:1,b:2/grid",
		"postgresql:///grid?host=/run/postgresql&user=me":      "postgres:///run/postgresql:5432/grid",
		"postgres://me@[2001:db8::1]:6432/grid?sslmode=prefer": "postgres://[2001:db8::1]:6432/grid",
	} {
		if got, err := postgres.Name(url); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", url, got, err, want)
		}
	}
}
