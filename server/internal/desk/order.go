package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// MaxOrders bounds the orders of one request.
const MaxOrders = 200

// Order is what a decider orders about one question.
type Order struct {
	Item syncproto.RecordID `json:"item"`
	Act  Act                `json:"act"`
	// Seen is the Case's; an order without it decides on what stands now, which only an
	// order about several questions of one kind may do.
	Seen *Seen `json:"seen,omitempty"`
	// Fields are values for Choose, corrections for Accept.
	Fields   syncproto.Fields   `json:"fields,omitempty"`
	Survivor syncproto.RecordID `json:"survivor,omitzero"`
	// Left is the day, 2020-01-31, on which a person who moved left the absorbed record's
	// area: the two are then two residences of one person.
	Left string `json:"left,omitempty"`
	// Area is whose desk it is, for Route; for Accept, where the change belongs.
	Area     syncproto.AreaID   `json:"area,omitempty"`
	Without  []string           `json:"without,omitempty"`
	Assignee syncproto.AuthorID `json:"assignee,omitzero"`
	// Reason is kept with the question, whatever the act, and told to those concerned.
	Reason string `json:"reason,omitempty"`
}

// Result is what became of one order.
type Result struct {
	Item syncproto.RecordID `json:"item"`
	// Version is that of the decision; 0 if it was refused, Error then says why.
	Version syncproto.Version `json:"version,omitempty"`
	Error   *syncproto.Error  `json:"error,omitempty"`
	// Now is the question as it stands; given with code moved_on so that the decider sees
	// what has changed.
	Now *Line `json:"now,omitempty"`
}

// Order takes orders of one author, each by itself: what is wrong with one stops no
// other. There is a result for each order, in their order. The error tells of what went
// wrong inside; the orders concerned have code internal.
func (s *Service) Order(ctx context.Context, author syncproto.AuthorID, orders []Order, caller Caller) ([]Result, error) {
	bulk, err := s.isBulk(ctx, orders)
	if err != nil {
		return nil, err
	}
	results := make([]Result, 0, len(orders))
	var failures []error
	for i := range orders {
		result, err := s.order(ctx, author, &orders[i], bulk, caller)
		result.Item = orders[i].Item
		if err != nil && !errors.As(err, &result.Error) {
			result.Error = &syncproto.Error{Code: syncproto.CodeInternal}
			failures = append(failures, err)
		}
		results = append(results, result)
	}
	return results, errors.Join(failures...)
}

// isBulk reports whether orders may go without what was seen: several of one act about
// questions of one kind.
func (s *Service) isBulk(ctx context.Context, orders []Order) (bool, error) {
	blind := func(o Order) bool { return o.Seen == nil }
	if len(orders) < 2 || !slices.ContainsFunc(orders, blind) {
		return false, nil
	}
	var kind review.Kind
	for i := range orders {
		item, ok, err := s.store.Item(ctx, orders[i].Item)
		if err != nil {
			return false, fmt.Errorf("question %s: %w", orders[i].Item, err)
		}
		if orders[i].Act != orders[0].Act || ok && kind != "" && item.Kind != kind {
			return false, nil
		}
		if ok {
			kind = item.Kind
		}
	}
	return true, nil
}

// order takes one order.
func (s *Service) order(ctx context.Context, author syncproto.AuthorID, o *Order, bulk bool, caller Caller) (Result, error) {
	m, err := s.matter(ctx, o.Item, caller)
	if err != nil {
		return Result{}, err
	}
	switch {
	case m.purged(o.Act):
		return Result{}, &syncproto.Error{Code: syncproto.CodePurged, Field: "item"}
	case o.Seen == nil && !bulk:
		return Result{}, bad("seen", "what the decider was looking at")
	case o.Seen != nil && !m.same(*o.Seen):
		return s.movedOn(m)
	}
	steps, err := s.compose(ctx, m, o)
	if errors.Is(err, errMovedOn) {
		return s.movedOn(m)
	}
	if err != nil {
		return Result{}, err
	}
	seen := m.seen()
	decided, err := s.decider.Decide(ctx, exchange.Decision{Author: author, Steps: steps, Seen: seen.Records, Waits: seen.Waits})
	if errors.Is(err, errMovedOn) {
		if m, err = s.matter(ctx, o.Item, caller); err == nil {
			return s.movedOn(m)
		}
	}
	if err != nil {
		return Result{}, fmt.Errorf("decide %s: %w", o.Item, err)
	}
	return Result{Version: decided.Version}, nil
}

// errMovedOn says that the question is no longer what the decider saw.
var errMovedOn = &syncproto.Error{Code: syncproto.CodeMovedOn}

// movedOn refuses, and shows the question as it stands.
func (s *Service) movedOn(m *matter) (Result, error) {
	now := m.line(s)
	return Result{Now: &now}, errMovedOn
}
