package sqlite

import "strconv"

// dialect is SQLite's way to say what differs between engines.
type dialect struct{}

// Begin takes the write lock at once: a transaction that reads first and writes
// later could find that somebody else has written in between.
func (dialect) Begin() string { return "BEGIN IMMEDIATE" }

// Placeholder has no number: SQLite looks a numbered place up by its name, one by
// one, which takes a second for a list of ten thousand.
func (dialect) Placeholder(int) string { return "?" }

func (dialect) AmongNumbers(column string, i int) string { return among(column, i) }
func (dialect) AmongTexts(column string, i int) string   { return among(column, i) }

func among(column string, i int) string {
	return column + " IN (SELECT value FROM json_each($" + strconv.Itoa(i) + "))"
}
