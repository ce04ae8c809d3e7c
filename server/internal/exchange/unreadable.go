package exchange

import (
	"errors"
	"fmt"

	"gridsync/syncproto"
)

// UnreadableRow is a row of the log whose words are there and no longer what was written.
type UnreadableRow struct {
	Seq syncproto.Version
	Err error
}

func (e *UnreadableRow) Error() string { return fmt.Sprintf("row %d of the log: %v", e.Seq, e.Err) }

// Unwrap returns what is wrong with it.
func (e *UnreadableRow) Unwrap() error { return e.Err }

// unreadable notes a row that could not be read, if that is the error: then nothing
// beyond it can be proved.
func (d *Difference) unreadable(err error) bool {
	var row *UnreadableRow
	if !errors.As(err, &row) {
		return false
	}
	d.BadRow = fmt.Sprintf("%d (what it says was altered)", row.Seq)
	d.add("row %d of the log can't be read: %v", row.Seq, row.Err)
	return true
}
