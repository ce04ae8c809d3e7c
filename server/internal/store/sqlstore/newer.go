package sqlstore

import (
	"errors"
	"fmt"
)

// ErrServed says that servers work on a database whose tables are older than the program:
// they would go on by what they know of them. Nothing is altered before they have stopped.
var ErrServed = errors.New("servers of an older release work on the database")

// NewerError says that a program is older than a database: it doesn't know all of its tables
// and columns, and whatever it wrote would lack something.
type NewerError struct {
	// Database is the last step that the tables took, Program the last one that is known here.
	Database, Program int64
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the tables are of step %d, and this program knows those up to %d", e.Database, e.Program)
}

// Is lets errors.Is find any newer database by an error without numbers.
func (e *NewerError) Is(target error) bool {
	t, ok := target.(*NewerError)
	return ok && (*t == NewerError{} || *t == *e)
}

// NotNewer fails with *NewerError where a database has taken a step that a program doesn't
// know, before that one alters anything.
func NotNewer(database, program int64, err error) error {
	if err == nil && database > program {
		err = &NewerError{Database: database, Program: program}
	}
	return err
}
