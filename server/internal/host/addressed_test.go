package host

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// What stands in the way of a database is told apart: whoever has too many connections need
// not look at addresses.
func TestWhatStandsInTheWayIsToldApart(t *testing.T) {
	bug := errors.New("a bug")
	for code, want := range map[string]error{
		"3D000": ErrNoDatabase, "28P01": ErrNotLetIn, "28000": ErrNotLetIn, "57P03": ErrUnreached,
		"53300": ErrExhausted, "53100": ErrExhausted, "53200": ErrExhausted,
	} {
		said := &pgconn.PgError{Code: code}
		if err := Addressed(fmt.Errorf("open: %w", said)); !errors.Is(err, want) || !errors.Is(err, said) {
			t.Errorf("%s: %v", code, err)
		}
	}
	if Addressed(nil) != nil || Addressed(bug) != bug {
		t.Errorf("%v, %v", Addressed(nil), Addressed(bug))
	}
}
