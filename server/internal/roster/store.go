// Package roster lists the records of an area, page by page, and compares rounds.
//
// It refuses to decide what a record shows; merge does.
package roster

import (
	"context"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

// Place is where a page ended: the next one starts after it. A record that
// changes while somebody pages moves to the end: it may be seen twice and is
// never missed.
type Place struct {
	Area    area.Key
	Version syncproto.Version
}

// Store reads rosters.
type Store interface {
	// Roster returns records of a kind ("" for every kind) of areas, area by area in
	// the order given, and by version in an area, after a place; and the place where
	// the page ended.
	Roster(ctx context.Context, areas []area.Key, kind syncproto.Kind, after Place, limit int) ([]syncproto.Record, Place, error)
	// RecordsByID returns the records that exist.
	RecordsByID(ctx context.Context, ids []syncproto.RecordID) ([]syncproto.Record, error)
	// Absorbed returns the records that turned out to be one of these, through however
	// many others: each with the one of these that it is.
	Absorbed(ctx context.Context, survivors []syncproto.RecordID) ([]exchange.Link, error)
	// OnlyIn returns the sightings of round a within areas whose person was met in no
	// visit of round b, the earliest sighting of each person, in order of persons,
	// after one. Whoever is one person with another counts as the one that survives.
	OnlyIn(ctx context.Context, a, b syncproto.RecordID, areas []area.Key, after syncproto.RecordID, limit int) ([]rollup.Sighting, error)
	// CountMet counts the persons met in a round within areas, each once under whatever
	// id.
	CountMet(ctx context.Context, round syncproto.RecordID, areas []area.Key) (int, error)
	// CountPurged counts the records within areas that said whom a round met and were purged.
	CountPurged(ctx context.Context, round syncproto.RecordID, areas []area.Key) (int, error)
}
