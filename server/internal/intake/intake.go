// Package intake brings files in: areas, households and people, and the lists of people
// that come down from above. It says first what a file would do, row by row, and does
// exactly that, all of it or nothing.
//
// It refuses to overwrite: what a file says is one more author's word, entered by whoever
// brings it, and merges and disputes like anybody's.
package intake

import (
	"context"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Store finds what is there already.
type Store interface {
	// Alike returns, for each range of keys, the records that stand in it: at most limit. A
	// range is one key, or all that have one upper half.
	Alike(ctx context.Context, ranges []match.Range, limit int) ([][]syncproto.RecordID, error)
	// RecordsByID returns the records that exist.
	RecordsByID(ctx context.Context, ids []syncproto.RecordID) ([]syncproto.Record, error)
	// Referring returns which records of a kind name one in an indexed field, in order of
	// records, after one: at most limit.
	Referring(ctx context.Context, target syncproto.RecordID, kind syncproto.Kind, after syncproto.RecordID, limit int) ([]exchange.Reference, error)
	// Roster returns records of a kind of areas, as roster.Store says.
	Roster(ctx context.Context, areas []area.Key, kind syncproto.Kind, after roster.Place, limit int) ([]syncproto.Record, roster.Place, error)
	// PutAreas adds areas and updates the others by their code, all or nothing.
	PutAreas(ctx context.Context, nodes []area.Node) error
}

// Desk enters changes on behalf of a person.
type Desk interface {
	// Enter makes the changes durably, all or none; see exchange.Service.Enter.
	Enter(ctx context.Context, e exchange.Entry) (exchange.Entered, error)
}

// Rosters shows records as their readers see them.
type Rosters interface {
	// Shown returns the records that exist, in order of the ids, each together with those
	// that turned out to be it.
	Shown(ctx context.Context, ids []syncproto.RecordID) ([]roster.Row, error)
}

// Registry holds areas, people and forms in memory.
type Registry interface {
	Current() *registry.Snapshot
	// Refresh looks whether there is something newer.
	Refresh(ctx context.Context) (bool, error)
}

// Service brings files in.
type Service struct {
	store    Store
	desk     Desk
	rosters  Rosters
	registry Registry
	digester match.Digester
	watch    watchCache
}

// NewService wires the service. digester must be the one by which the store's index was
// made.
func NewService(store Store, desk Desk, rosters Rosters, reg Registry, digester match.Digester) *Service {
	return &Service{store: store, desk: desk, rosters: rosters, registry: reg, digester: digester}
}

// KindArea is what an import of areas is asked for by; areas are no records.
const KindArea syncproto.Kind = "area"

// The kinds of records that rosters are made of.
const (
	kindHousehold syncproto.Kind = "household"
	kindPerson    syncproto.Kind = "person"
)

// Kinds are what can be brought in by files.
var Kinds = []syncproto.Kind{KindArea, kindHousehold, kindPerson}

// MaxRows bounds one file: all of it becomes one transaction, and phones wait for that.
const MaxRows = 50_000

// Order is a file that somebody brings.
type Order struct {
	// Author brings it, and is the author of what it says.
	Author syncproto.AuthorID
	Kind   syncproto.Kind
	// Area is where the rows belong that don't say where, and the bound of those that do.
	Area syncproto.AreaID
	// Name and File are the file; Sheet names one of several sheets.
	Name  string
	File  []byte
	Sheet string
	// Mapping says of columns, by their headings, which field they hold, where that is not
	// what we would take them for; "" for none.
	Mapping map[string]string
	// At is the moment, and Today its day.
	At    syncproto.Instant
	Today form.Day
	// Show says which lines of the plan are wanted.
	Show Show
}

// Show is a part of a plan's lines: those with a status (any for ""), after a row.
type Show struct {
	Status Status
	After  int
	Limit  int
}
