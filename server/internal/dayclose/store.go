package dayclose

import (
	"context"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Store is what days are read from.
type Store interface {
	Signatures
	Records
	Figures
}

// Signatures are the days signed, and what has restated them.
type Signatures interface {
	// Signed returns the signatures of areas for a day, those that were sent back
	// included, in order of areas and records.
	Signed(ctx context.Context, areas []area.Key, day form.Day) ([]exchange.Signature, error)
	// Restatings returns what records did to the figures of a day signed after a version,
	// in order of (version, record, measure): at most limit.
	Restatings(ctx context.Context, signature syncproto.RecordID, after syncproto.Version, limit int) ([]exchange.Restating, error)
}

// Records are the records with which days are signed.
type Records interface {
	// RecordsByID returns the records that exist.
	RecordsByID(ctx context.Context, ids []syncproto.RecordID) ([]syncproto.Record, error)
	// LogOf returns everything that was ever said about records, in order of Seq.
	LogOf(ctx context.Context, ids []syncproto.RecordID) ([]exchange.Logged, error)
}

// Figures are what is counted.
type Figures interface {
	// Totals is rollup.Store's.
	Totals(ctx context.Context, areas []area.Key, day form.Day, standing map[string]bool) ([]rollup.Count, error)
}

// Summaries say how fresh figures are. Code not_found: no such area.
type Summaries interface {
	Summary(ctx context.Context, area syncproto.AreaID, days rollup.Days, now syncproto.Instant) (*rollup.Summary, error)
}

// Decider takes a decision whole or not at all: exchange.Service.
type Decider interface {
	// Decide fails with code moved_on if something that was seen has changed, and with the
	// code of whatever would park one of the changes.
	Decide(ctx context.Context, d exchange.Decision) (exchange.Decided, error)
}
