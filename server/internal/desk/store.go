package desk

import (
	"context"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Store reads questions and what stands behind them.
type Store interface {
	Questions
	Records
	Logs
	Figures
}

// Questions are what people are asked.
type Questions interface {
	// Questions returns the open items of areas in order of (Opened, ID), after one of
	// them (zero values: from the start), at most limit.
	Questions(ctx context.Context, areas []area.Key, want Want, after Place, limit int) ([]review.Item, error)
	// CountQuestions counts the open items of areas by kind.
	CountQuestions(ctx context.Context, areas []area.Key) (map[review.Kind]int, error)
	// Item returns a question, open or not.
	Item(ctx context.Context, id syncproto.RecordID) (review.Item, bool, error)
	// Events returns what happened to a question, in order.
	Events(ctx context.Context, id syncproto.RecordID) ([]review.Event, error)
}

// Records are what the questions are about.
type Records interface {
	// RecordsByID returns the records that exist.
	RecordsByID(ctx context.Context, ids []syncproto.RecordID) ([]syncproto.Record, error)
	// Absorbed returns the records that turned out to be one of these, by survivor.
	Absorbed(ctx context.Context, survivors []syncproto.RecordID) ([]exchange.Link, error)
	// Roster is roster.Store's.
	Roster(ctx context.Context, areas []area.Key, kind syncproto.Kind, after roster.Place, limit int) ([]syncproto.Record, roster.Place, error)
}

// Logs are what has been said.
type Logs interface {
	// LogOf returns everything that was ever said about records, parked changes
	// included, in order of Seq.
	LogOf(ctx context.Context, ids []syncproto.RecordID) ([]exchange.Logged, error)
	// ChangesOf returns changes of one device with numbers from first to last.
	ChangesOf(ctx context.Context, device syncproto.DeviceID, first, last uint64) ([]exchange.Logged, error)
	// LogBy returns an author's changes with Seq below before (0: from the newest), the
	// newest first.
	LogBy(ctx context.Context, author syncproto.AuthorID, before syncproto.Version, limit int) ([]exchange.Logged, error)
}

// Figures are what is counted.
type Figures interface {
	// CountOpen counts the open items of areas.
	CountOpen(ctx context.Context, areas []area.Key) (int, error)
	// Totals is rollup.Store's.
	Totals(ctx context.Context, areas []area.Key, day form.Day, standing map[string]bool) ([]rollup.Count, error)
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
