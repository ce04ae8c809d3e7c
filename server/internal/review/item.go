// Package review keeps the questions that a person must settle.
//
// It refuses to settle any: a decision is a change like any other and goes
// through merge.
package review

import (
	"context"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// Kind is the kind of a question.
type Kind string

// The kinds that merging itself raises.
const (
	// Conflict: live writes of a field differ.
	Conflict Kind = "conflict"
	// Exit: somebody says that the record left while somebody else was working on it.
	Exit Kind = "exit"
)

// Item is one question: one field of one record. A question that ends and arises
// again is the same item, opened again.
type Item struct {
	Kind   Kind
	Record syncproto.RecordID
	Field  string
	// Area is the desk: where the record belonged when the question arose.
	Area area.Key
	// Opened is the version that raised it; Closed the one that ended it, 0 while open.
	Opened, Closed syncproto.Version
	// At is when the version was committed.
	At syncproto.Instant
}

// Store reads items.
type Store interface {
	// OpenItems returns the open items of areas in order of (Opened, Record, Field),
	// after a version, with their records: limit of them, and besides those that
	// share the last one's version, so that no page ends amid a version.
	OpenItems(ctx context.Context, areas []area.Key, after syncproto.Version, limit int) ([]Item, []syncproto.Record, error)
	// CountOpen counts the open items of areas.
	CountOpen(ctx context.Context, areas []area.Key) (int, error)
}
