// Package fieldwork tells what is still to be done and how far it has come: rounds, checks
// of those under observation, tasks, notices, supplies.
//
// All of it is derived from records each time that somebody asks. The package refuses to
// keep anything, and to record anything: people do, on their phones.
package fieldwork

import (
	"context"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Store reads what field work is found by.
type Store interface {
	RoundStore
	// Roster is roster.Store's.
	Roster(ctx context.Context, areas []area.Key, kind syncproto.Kind, after roster.Place, limit int) ([]syncproto.Record, roster.Place, error)
	// RecordsByID returns the records that exist.
	RecordsByID(ctx context.Context, ids []syncproto.RecordID) ([]syncproto.Record, error)
	// Absorbed is roster.Store's.
	Absorbed(ctx context.Context, survivors []syncproto.RecordID) ([]exchange.Link, error)
	// Referring returns the records of a kind that name a target in an indexed field, in
	// order of their ids and of fields, after one.
	Referring(ctx context.Context, target syncproto.RecordID, kind syncproto.Kind, after syncproto.RecordID, limit int) ([]exchange.Reference, error)
	// Before returns the last place of the log that was taken before an instant, 0 if none
	// was: whatever was received since has a greater version.
	Before(ctx context.Context, t syncproto.Instant) (syncproto.Version, error)
	// AsOf returns the version up to which everything is told, and its instant.
	AsOf(ctx context.Context) (syncproto.Version, syncproto.Instant, error)
}

// RoundStore reads how rounds reached households. Households that turned out to be one are
// one, and what was said of any of them counts for it.
type RoundStore interface {
	// Reached counts the households that stand in areas on a day, by area and by how a
	// round reached them. tenures limits them to some; all are meant if it is empty.
	Reached(ctx context.Context, round syncproto.RecordID, areas []area.Key, day form.Day, tenures []string) ([]Reach, error)
	// Households returns those households that were reached in one of these ways, in order
	// of (area's key, household), after one.
	Households(ctx context.Context, want HouseholdsWanted) ([]Household, error)
	// Elsewhere counts households that visits of the round in areas speak of, and that don't
	// stand there on the day.
	Elsewhere(ctx context.Context, round syncproto.RecordID, areas []area.Key, day form.Day) (int, error)
	// Turned counts the households that stand in areas on a day by how two rounds reached
	// them.
	Turned(ctx context.Context, a, b syncproto.RecordID, areas []area.Key, day form.Day) ([]Turn, error)
	// CountMet and CountPurged are roster.Store's.
	CountMet(ctx context.Context, round syncproto.RecordID, areas []area.Key) (int, error)
	CountPurged(ctx context.Context, round syncproto.RecordID, areas []area.Key) (int, error)
}

// Way is how a round reached a household. Of several visits the best counts: somebody was
// met; somebody spoke and refused; nobody was there.
type Way int

// The ways, from the best on; Never says that no visit speaks of the household.
const (
	Never Way = iota
	Met
	Refused
	NotHome
	Other // a visit with an outcome that is none of these
)

// Reach counts households of an area.
type Reach struct {
	Area area.Key
	Way  Way
	N    int
}

// Turn counts households that one round reached in one way, and another in another.
type Turn struct {
	From, To Way
	N        int
}

// HouseholdsWanted says which households to list.
type HouseholdsWanted struct {
	Round   syncproto.RecordID
	Areas   []area.Key
	Day     form.Day
	Tenures []string
	Ways    []Way
	After   HouseholdPlace
	Limit   int
}

// HouseholdPlace is where a page ended.
type HouseholdPlace struct {
	Area      area.Key
	Household syncproto.RecordID
}

// Household is one of a list, with how often it was gone to.
type Household struct {
	HouseholdPlace
	Way    Way
	Visits int
}
