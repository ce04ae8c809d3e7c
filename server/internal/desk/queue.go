// Package desk is where secretaries settle what disagrees: the queue of questions, what
// a decider needs to know of one, and the decisions.
//
// It refuses to decide anything itself, and to write past merge: a decision becomes
// changes, which the exchange takes together or not at all.
package desk

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

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
	Ending   review.Ending      `json:"ending,omitempty"`
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

// Due is how long each kind of question may lie, unless Config says otherwise:
// problems are meant to close the same day.
var Due = map[review.Kind]time.Duration{
	review.Conflict: 24 * time.Hour, review.Exit: 24 * time.Hour, review.Duplicate: 72 * time.Hour,
	review.DoubleVisit: 72 * time.Hour, review.Parked: 24 * time.Hour, review.Implausible: 72 * time.Hour,
	review.Restated: 24 * time.Hour,
}

// Config is what an installation may set.
type Config struct {
	// Due is how long questions may lie where an area's setting doesn't say it; what is left
	// out is as in Due.
	Due map[review.Kind]time.Duration
}

// Service reads the queue and takes decisions.
type Service struct {
	store    Store
	decider  Decider
	registry *registry.Registry
	due      map[review.Kind]time.Duration
}

// Decider takes a decision's changes together, or none of them.
type Decider interface {
	Decide(ctx context.Context, d exchange.Decision) (exchange.Decided, error)
}

// NewService wires the service.
func NewService(store Store, decider Decider, r *registry.Registry, cfg Config) *Service {
	due := maps.Clone(Due)
	maps.Copy(due, cfg.Due)
	return &Service{store: store, decider: decider, registry: r, due: due}
}

// Open returns a page of the open questions of an area and all below it, the oldest
// first. It fails with code not_found for an area that isn't there, and bad_request for
// a kind that is none and a place that it didn't give out.
func (s *Service) Open(ctx context.Context, id syncproto.AreaID, want Want, after string, limit int) (*Page, error) {
	snap := s.registry.Current()
	keys := keysBelow(snap.Areas, id)
	if len(keys) == 0 {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	if want.Kind != "" && !slices.Contains(review.Kinds, want.Kind) {
		return nil, bad("kind", "a kind of question")
	}
	place, err := parsePlace(after)
	if err != nil {
		return nil, err
	}
	limit = clamp(limit)
	items, err := s.store.Questions(ctx, keys, want, place, limit)
	if err != nil {
		return nil, fmt.Errorf("questions of %s: %w", id, err)
	}
	counts, err := s.store.CountQuestions(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("questions of %s: %w", id, err)
	}
	lines, err := s.lines(ctx, snap, items)
	if err != nil {
		return nil, fmt.Errorf("questions of %s: %w", id, err)
	}
	page := &Page{Items: lines, Counts: counts}
	if len(items) == limit {
		last := &items[limit-1]
		page.Next = fmt.Sprintf("%d.%s", last.Opened, last.ID())
	}
	return page, nil
}

// lines shows questions with the records that they are about.
func (s *Service) lines(ctx context.Context, snap *registry.Snapshot, items []review.Item) ([]Line, error) {
	var ids []syncproto.RecordID
	for i := range items {
		ids = append(ids, about(items[i].Key)...)
	}
	groups, err := s.groups(ctx, snap, ids)
	if err != nil {
		return nil, err
	}
	lines := make([]Line, 0, len(items))
	for i := range items {
		lines = append(lines, s.line(snap, &items[i], groups))
	}
	return lines, nil
}

// dueIn is how long a question may lie in an area: as it was set there for the day on which
// the question arose, or else as configured.
func (s *Service) dueIn(snap *registry.Snapshot, id syncproto.AreaID, item *review.Item) time.Duration {
	set := snap.Settings.Of(id).Setting("due_hours."+string(item.Kind), form.DayOf(item.At))
	if hours, err := strconv.Atoi(string(set)); err == nil {
		return time.Duration(hours) * time.Hour
	}
	return s.due[item.Kind]
}

func (s *Service) line(snap *registry.Snapshot, item *review.Item, groups map[syncproto.RecordID]*group) Line {
	l := Line{
		ID: item.ID(), Kind: item.Kind, Field: item.Field, State: item.State, Ending: item.Ending, Opened: item.Opened,
		At: item.At, Score: item.Score,
	}
	if item.Kind == review.Duplicate || item.Kind == review.DoubleVisit {
		l.Field = "" // the other record stands in Other
	}
	if n, ok := snap.Areas.ByKey(item.Area); ok {
		l.Area = n.ID
	}
	l.Due = item.At + syncproto.Instant(s.dueIn(snap, l.Area, item).Milliseconds())
	if !item.Assignee.IsZero() {
		l.Assignee = personOf(snap, item.Assignee)
	}
	if g := groups[item.Record]; g != nil {
		l.Record = g.row(snap)
	}
	if g := groups[item.Other()]; g != nil {
		l.Other = g.row(snap)
	}
	return l
}

// about returns the records that a question is about.
func about(key review.Key) []syncproto.RecordID {
	var ids []syncproto.RecordID
	for _, id := range []syncproto.RecordID{key.Record, key.Other()} {
		if !id.IsZero() {
			ids = append(ids, id)
		}
	}
	return ids
}

func personOf(snap *registry.Snapshot, id syncproto.AuthorID) *Person {
	author, _ := snap.People.Author(id)
	return &Person{ID: id, Name: author.Name}
}

func keysBelow(tree *area.Tree, id syncproto.AreaID) []area.Key {
	nodes := tree.Subtree(id)
	keys := make([]area.Key, len(nodes))
	for i, n := range nodes {
		keys[i] = n.Key
	}
	return keys
}

func clamp(limit int) int {
	if limit <= 0 {
		return roster.DefaultRows
	}
	return min(limit, roster.MaxRows)
}

func parsePlace(s string) (Place, error) {
	if s == "" {
		return Place{}, nil
	}
	version, id, _ := strings.Cut(s, ".")
	v, err := strconv.ParseInt(version, 10, 64)
	item, err2 := syncproto.ParseID[syncproto.RecordID](id)
	if err != nil || err2 != nil || v < 0 {
		return Place{}, bad("after", "the next of a page before")
	}
	return Place{Opened: syncproto.Version(v), ID: item}, nil
}

func bad(field, detail string) error {
	return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: field, Detail: detail}
}
