package clientsdk

import (
	"database/sql"
	"fmt"
)

// statements runs what is repeated row by row in a transaction, parsing each text
// once. The transaction's end closes them.
type statements struct {
	tx   *sql.Tx
	kept map[string]*sql.Stmt
}

func newStatements(tx *sql.Tx) *statements {
	return &statements{tx: tx, kept: make(map[string]*sql.Stmt)}
}

func (s *statements) get(query string) (*sql.Stmt, error) {
	if stmt, ok := s.kept[query]; ok {
		return stmt, nil
	}
	stmt, err := s.tx.Prepare(query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	s.kept[query] = stmt
	return stmt, nil
}

func (s *statements) exec(query string, args ...any) error {
	stmt, err := s.get(query)
	if err != nil {
		return err
	}
	if _, err := stmt.Exec(args...); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	return nil
}

// row reads the one row of a query, or gives sql.ErrNoRows.
func (s *statements) row(query string, args []any, into ...any) error {
	stmt, err := s.get(query)
	if err != nil {
		return err
	}
	return stmt.QueryRow(args...).Scan(into...)
}
