// Package desk is where secretaries settle what disagrees: the queue of questions, what
// a decider needs to know of one, and the decisions.
//
// It refuses to decide anything itself, and to write past merge: a decision becomes
// changes, which the exchange takes together or not at all.
package desk

import (
	"context"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// Store reads questions and what stands behind them.
type Store interface {
	// Questions returns the open items of areas in order of (Opened, ID), after one of
	// them (zero values: from the start), at most limit.
	Questions(ctx context.Context, areas []area.Key, want Want, after Place, limit int) ([]review.Item, error)
	// CountQuestions counts the open items of areas by kind.
	CountQuestions(ctx context.Context, areas []area.Key) (map[review.Kind]int, error)
	// Item returns a question, open or not.
	Item(ctx context.Context, id syncproto.RecordID) (review.Item, bool, error)
	// Events returns what happened to a question, in order.
	Events(ctx context.Context, id syncproto.RecordID) ([]review.Event, error)
	// RecordsByID returns the records that exist.
	RecordsByID(ctx context.Context, ids []syncproto.RecordID) ([]syncproto.Record, error)
	// LogOf returns everything that was ever said about records, parked changes
	// included, in order of Seq.
	LogOf(ctx context.Context, ids []syncproto.RecordID) ([]exchange.Logged, error)
	// ChangesOf returns changes of one device with numbers from first to last.
	ChangesOf(ctx context.Context, device syncproto.DeviceID, first, last uint64) ([]exchange.Logged, error)
	// LogBy returns an author's changes with Seq below before (0: from the newest), the
	// newest first.
	LogBy(ctx context.Context, author syncproto.AuthorID, before syncproto.Version, limit int) ([]exchange.Logged, error)
	// Absorbed returns the records that turned out to be one of these, by survivor.
	Absorbed(ctx context.Context, survivors []syncproto.RecordID) ([]exchange.Link, error)
	// CountOpen counts the open items of areas.
	CountOpen(ctx context.Context, areas []area.Key) (int, error)
}

// Want says which questions are asked for; zero values ask for all.
type Want struct {
	Kind     review.Kind
	Assignee syncproto.AuthorID
}

// Place is where a page ended.
type Place struct {
	Opened syncproto.Version
	ID     syncproto.RecordID
}

// Page is one page of an area's open questions.
type Page struct {
	Items []Line `json:"items"`
	// Counts are the open questions of the area by kind, whatever the page shows.
	Counts map[review.Kind]int `json:"counts"`
	// Next is what to give as after for the next page; empty at the end.
	Next string `json:"next,omitempty"`
}

// Line is a question in a list.
type Line struct {
	ID       syncproto.RecordID `json:"id"`
	Kind     review.Kind        `json:"kind"`
	Field    string             `json:"field,omitempty"`
	State    review.State       `json:"state"`
	Area     syncproto.AreaID   `json:"area"`
	Opened   syncproto.Version  `json:"opened"`
	At       syncproto.Instant  `json:"at"`
	Due      syncproto.Instant  `json:"due"`
	Assignee *Person            `json:"assignee,omitempty"`
	Score    int                `json:"score,omitempty"`
	// Record and Other are the records asked about as they stand; absent where there is none.
	Record *roster.Row `json:"record,omitempty"`
	Other  *roster.Row `json:"other,omitempty"`
}

// Person is an author by name.
type Person struct {
	ID   syncproto.AuthorID `json:"id"`
	Name string             `json:"name"`
}

// Due is how long each kind of question may lie, unless a setting "due.<kind>" says
// otherwise: problems are meant to close the same day.
var Due = map[review.Kind]time.Duration{
	review.Conflict: 24 * time.Hour, review.Exit: 24 * time.Hour, review.Duplicate: 72 * time.Hour,
	review.DoubleVisit: 72 * time.Hour, review.Parked: 24 * time.Hour, review.Implausible: 72 * time.Hour,
	review.Restated: 24 * time.Hour,
}

// Service reads the queue and takes decisions.
type Service struct {
	store    Store
	decider  Decider
	registry *registry.Registry
}

// Decider takes a decision's changes together, or none of them.
type Decider interface {
	Decide(ctx context.Context, d exchange.Decision) (exchange.Decided, error)
}

// NewService wires the service.
func NewService(store Store, decider Decider, r *registry.Registry) *Service {
	return &Service{store: store, decider: decider, registry: r}
}

// Open returns a page of the open questions of an area and all below it.
func (s *Service) Open(ctx context.Context, id syncproto.AreaID, want Want, after string, limit int) (*Page, error) {
	return &Page{}, nil
}
