package seal

import (
	"encoding/binary"
	"fmt"
)

// Place is where a sealed text stands: a column, and what tells its row from all
// others. A text opens at its own place only, so that nobody can put what one person
// said into another's row.
type Place struct {
	column string
	row    [maxRow]byte
	n      int
}

// maxRow is the room for what tells a row: three numbers, or an id and two.
const maxRow = 32

// In is a place in a column, whose row is still to be told.
func In(column string) Place { return Place{column: column} }

// Number is the place with one more number of its row.
func (p Place) Number(n int64) Place {
	binary.BigEndian.PutUint64(p.row[p.n:p.n+8], uint64(n))
	p.n += 8
	return p
}

// ID is the place with one more id of its row.
func (p Place) ID(id [16]byte) Place {
	copy(p.row[p.n:p.n+16], id[:])
	p.n += 16
	return p
}

// String names the place in errors.
func (p Place) String() string { return fmt.Sprintf("%s of row %x", p.column, p.row[:p.n]) }
