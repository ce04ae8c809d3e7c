package exchange

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// PurgeOrder says which records are to lose their content.
type PurgeOrder struct {
	Kind syncproto.Kind
	// Area bounds it to an area and all below; everywhere if empty.
	Area syncproto.AreaID
	// Days is the age: what was received or happened less than so many days ago stays.
	Days int
	// By ordered it; zero for a schedule.
	By syncproto.AuthorID
	// Dry only counts what would go.
	Dry bool
}

// Purge is what came of an order, without any content: a line that is kept for good.
type Purge struct {
	// Began and Version are the versions of the first and of the last record that it took,
	// At is when it took the last.
	Began   syncproto.Version  `json:"began"`
	Version syncproto.Version  `json:"version"`
	At      syncproto.Instant  `json:"at"`
	By      syncproto.AuthorID `json:"by,omitzero"`
	Kind    syncproto.Kind     `json:"kind"`
	Area    syncproto.AreaID   `json:"area,omitempty"`
	// Older is the day before which all of it was received and happened.
	Older   form.Day `json:"older"`
	Records int      `json:"records"`
	Changes int      `json:"changes"`
}

// Purged is a Purge, and how many records were old enough and stay all the same: somebody
// is still asked about them, something about them waits, they turned out to be one with a
// record that stays, or have not left.
type Purged struct {
	Purge
	Kept int `json:"kept"`
}

// PurgeStore is what a purge asks of a Store.
type PurgeStore interface {
	// Aged returns records of a kind that stand in feeds and have not changed since an
	// instant, in order of feeds and versions, after one of them (zero: from the start), at
	// most limit. Some of what it returns may have changed since, as what waits has an older
	// row than its version.
	Aged(ctx context.Context, feeds []Feed, kind syncproto.Kind, before syncproto.Instant, after AgedPlace, limit int) ([]syncproto.Record, AgedPlace, error)
	// Purges returns the lines of all purges, the oldest first.
	Purges(ctx context.Context) ([]Purge, error)
}

// AgedPlace is where a page of Aged ended.
type AgedPlace struct {
	Feed    Feed
	Version syncproto.Version
}

// PurgeTx is what a purge asks of a Tx.
type PurgeTx interface {
	// Purged returns those of the records that were purged.
	Purged(ids []syncproto.RecordID) ([]syncproto.RecordID, error)
	// ItemsOf returns the questions, open or not, that were ever about one of the records,
	// each once.
	ItemsOf(ids []syncproto.RecordID) ([]review.Item, error)
	// OpenWindows returns the open questions about no record.
	OpenWindows() ([]review.Item, error)
	// Purge takes content away and keeps what has to be kept of it.
	Purge(p *Purging) error
}

// Purging is what one group takes away.
type Purging struct {
	// Records leave their feeds, each under a version of its own, and are names from then on.
	Records []PurgedRecord
	// Log are rows whose content goes; their hashes stay.
	Log []PurgedRow
	// Items are questions whose evidence goes.
	Items []syncproto.RecordID
	// Carried is what the records counted: counters do not move.
	Carried []rollup.Count
	// Visits are records gone that said whom a round met.
	Visits []PurgedVisits
	// Line is to be added to the line with the same Began.
	Line Purge
}

// PurgedRecord is a record that left its feed for good.
type PurgedRecord struct {
	ID      syncproto.RecordID
	Feed    Feed
	Version syncproto.Version
}

// PurgedRow is what is left of a row of the log, besides who wrote it about what and when.
type PurgedRow struct {
	Seq  syncproto.Version
	Hash syncproto.Hash
}

// PurgedVisits counts records gone that said whom a round met in an area.
type PurgedVisits struct {
	Round syncproto.RecordID
	Area  area.Key
	N     int64
}

// purgeJob is one group's share of an order.
type purgeJob struct {
	order  PurgeOrder
	older  form.Day
	before syncproto.Instant
	ids    []syncproto.RecordID
	// began is the version of the first record that the order took; 0 before that.
	began syncproto.Version
	// done is what the group did.
	done Purged
}

// How many records are looked for at a time, and how many at most one group purges: a push
// never waits for more.
const (
	agedPage   = 1000
	purgeGroup = 200
)

// Purge takes away the content of records, in small groups, each whole or not at all and
// durable when it ends: whatever breaks off in between, the next order goes on. It fails
// with code bad_request for a kind that is not there or is never purged, and with code
// not_found for an area that is not there.
func (s *Service) Purge(ctx context.Context, o PurgeOrder) (Purged, error) {
	snap := s.registry.Current()
	feeds, err := purgeable(snap, &o)
	if err != nil {
		return Purged{}, err
	}
	older := form.DayOf(s.instant() - syncproto.Instant(o.Days)*day)
	before, err := startOf(older)
	if err != nil {
		return Purged{}, err
	}
	total := Purged{Purge: Purge{By: o.By, Kind: o.Kind, Area: o.Area, Older: older}}
	for place := (AgedPlace{}); ; {
		aged, next, err := s.store.Aged(ctx, feeds, o.Kind, before, place, agedPage)
		if err != nil {
			return total, fmt.Errorf("purge: %w", err)
		}
		for ids := range slices.Chunk(s.leaving(snap, o.Kind, aged, &total), purgeGroup) {
			p := &purgeJob{order: o, older: older, before: before, ids: ids, began: total.Began}
			if err := s.writer.submit(ctx, &job{purge: p, done: make(chan error, 1)}); err != nil {
				return total, fmt.Errorf("purge: %w", err)
			}
			total.add(&p.done)
		}
		if place = next; len(aged) < agedPage {
			return total, nil
		}
	}
}

// day is one in milliseconds.
const day = syncproto.Instant(24 * time.Hour / time.Millisecond)

// startOf is when a day begins.
func startOf(d form.Day) (syncproto.Instant, error) {
	at, err := time.ParseInLocation(time.DateOnly, d.String(), form.Zone)
	if err != nil {
		return 0, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "older"}
	}
	return syncproto.Instant(at.UnixMilli()), nil
}

// NeverPurged reports whether records of a kind prove something about others, and stay.
// What people said about a question goes with the record that it is about.
func NeverPurged(kind syncproto.Kind) bool {
	return kind == review.RecordKind || kind == review.DayCloseKind
}

// purgeable returns the feeds in which an order's records stand.
func purgeable(snap *registry.Snapshot, o *PurgeOrder) ([]Feed, error) {
	f := snap.Forms.Newest(o.Kind)
	switch {
	case f == nil || NeverPurged(o.Kind):
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "kind"}
	case o.Days < 1:
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "older"}
	}
	roots := snap.Areas.Children("")
	if o.Area != "" {
		root, ok := snap.Areas.Find(o.Area)
		if !ok {
			return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
		}
		roots = append(roots[:0], root)
	}
	var feeds []Feed
	for i := range roots {
		for _, n := range snap.Areas.Subtree(roots[i].ID) {
			feeds = append(feeds, Feed{Area: n.Key, Stream: f.Stream})
		}
	}
	return feeds, nil
}

// leaving leaves out of aged records, outside the writer's goroutine, those of a roster
// that have not left. What turned out to be another record goes with that one.
func (s *Service) leaving(snap *registry.Snapshot, kind syncproto.Kind, aged []syncproto.Record, total *Purged) []syncproto.RecordID {
	f := snap.Forms.Newest(kind)
	ids := make([]syncproto.RecordID, 0, len(aged))
	for i := range aged {
		if f.Stream != form.Roster {
			ids = append(ids, aged[i].ID)
			continue
		}
		switch shown := look(snap.Settings, f, aged[i].Live); {
		case shown.Exit != nil:
			ids = append(ids, aged[i].ID)
		case shown.SameAs.IsZero():
			total.Kept++
		}
	}
	return ids
}

// add adds what a group did.
func (p *Purged) add(done *Purged) {
	p.Records += done.Records
	p.Changes += done.Changes
	p.Kept += done.Kept
	if done.Version != 0 {
		p.Version, p.At = done.Version, done.At
	}
	if p.Began == 0 {
		p.Began = done.Began
	}
}
