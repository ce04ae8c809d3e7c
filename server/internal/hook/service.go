package hook

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// Service lets people say who is told of what.
type Service struct {
	store    Store
	registry *registry.Registry
	policy   Policy
	draw     func() (Drawn, error)
}

// Policy says which addresses may be told.
type Policy interface {
	// Allows returns the machine of an address. It fails with code bad_request (field url)
	// for a text that is no address, and for one that may not be told.
	Allows(address string) (host string, err error)
}

// Drawn is what is drawn for a new hook.
type Drawn struct {
	ID     uuid.UUID
	Secret [32]byte
}

// NewService wires the service.
func NewService(store Store, r *registry.Registry, policy Policy, draw func() (Drawn, error)) *Service {
	return &Service{store: store, registry: r, policy: policy, draw: draw}
}

// Wish is what somebody asks for.
type Wish struct {
	// URL is where messages are posted.
	URL string `json:"url"`
	// Events are closed, returned, settled, or flags of forms, such as fever.
	Events []string `json:"events"`
}

// New is a hook with its secret, which is shown this once.
type New struct {
	Hook
	Secret string `json:"secret"`
}

// maxHooks bounds the hooks in use of one installation: each alert is looked at for each.
const maxHooks = 200

// Add makes a hook, which hears of what happens from now on. It fails with codes not_found
// (area) and bad_request (url, events; field hooks when there are too many).
func (s *Service) Add(ctx context.Context, id syncproto.AreaID, w Wish, by syncproto.AuthorID, now syncproto.Instant) (*New, error) {
	snap := s.registry.Current()
	if _, there := snap.Areas.Find(id); !there {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	if err := choose(snap, &w); err != nil {
		return nil, err
	}
	host, err := s.policy.Allows(w.URL)
	if err != nil {
		return nil, err
	}
	there, err := s.store.Hooks(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("hooks: %w", err)
	}
	if len(there) >= maxHooks {
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "hooks", Detail: "200 are in use: end one first"}
	}
	last, err := s.store.LastAlert(ctx)
	if err != nil {
		return nil, fmt.Errorf("hook: %w", err)
	}
	drawn, err := s.draw()
	if err != nil {
		return nil, fmt.Errorf("hook: %w", err)
	}
	h := Hook{
		ID: drawn.ID, Area: id, Events: w.Events, By: by, Made: now, Host: host, Position: last,
		Target: Target{URL: w.URL, Host: host, Secret: NewSecret(drawn.Secret[:])},
	}
	if err := s.store.AddHook(ctx, &h); err != nil {
		return nil, fmt.Errorf("hook: %w", err)
	}
	return &New{h, h.Target.Secret}, nil
}

// choose holds the events of a wish against those that there are, and leaves them in order,
// each once.
func choose(snap *registry.Snapshot, w *Wish) error {
	known := slices.Clone(events)
	for _, kind := range snap.Forms.Kinds() {
		for _, f := range snap.Forms.Newest(kind).Flags {
			known = append(known, f.Name)
		}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	slices.Sort(w.Events)
	w.Events = slices.Compact(w.Events)
	for _, e := range w.Events {
		if !slices.Contains(known, e) {
			return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "events", Detail: fmt.Sprintf("some of %v", known)}
		}
	}
	if len(w.Events) == 0 {
		return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "events", Detail: "missing"}
	}
	return nil
}

// List returns the hooks of an area and all below it, ended ones included. It fails with
// code not_found for an area that isn't there.
func (s *Service) List(ctx context.Context, id syncproto.AreaID) ([]Hook, error) {
	nodes := s.registry.Current().Areas.Subtree(id)
	if len(nodes) == 0 {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	areas := make([]syncproto.AreaID, len(nodes))
	for i, n := range nodes {
		areas[i] = n.ID
	}
	hooks, err := s.store.Hooks(ctx, areas)
	if err != nil {
		return nil, fmt.Errorf("hooks of %s: %w", id, err)
	}
	return hooks, nil
}

// find returns a hook of an area or below it: to all others there is none.
func (s *Service) find(ctx context.Context, id syncproto.AreaID, hook uuid.UUID) (Hook, error) {
	h, there, err := s.store.HookByID(ctx, hook)
	if err != nil {
		return h, fmt.Errorf("hook: %w", err)
	}
	if !there || !s.registry.Current().Areas.Within(h.Area, id) {
		return h, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "hook"}
	}
	return h, nil
}

// End ends a hook; what waits for it goes out no more. Code not_found: there is none there.
func (s *Service) End(ctx context.Context, id syncproto.AreaID, hook uuid.UUID, now syncproto.Instant) (*Hook, error) {
	if _, err := s.find(ctx, id, hook); err != nil {
		return nil, err
	}
	if err := s.store.EndHook(ctx, hook, now, Removed); err != nil {
		return nil, fmt.Errorf("hook: %w", err)
	}
	h, err := s.find(ctx, id, hook)
	return &h, err
}

// Sent is a delivery as it is shown.
type Sent struct {
	ID       uuid.UUID         `json:"id"`
	Seq      int64             `json:"seq"`
	Event    string            `json:"event"`
	Area     syncproto.AreaID  `json:"area"`
	At       syncproto.Instant `json:"at"`
	State    State             `json:"state"`
	Attempts int               `json:"attempts"`
	// Due is when it is tried next, Tried when it was last; Status is the answer then, 0 if
	// there was none, and Failure what was wrong.
	Due     syncproto.Instant `json:"due,omitempty"`
	Tried   syncproto.Instant `json:"tried,omitempty"`
	Status  int               `json:"status,omitempty"`
	Failure string            `json:"failure,omitempty"`
}

// Deliveries returns what was and is to be sent to a hook, the newest first. Codes not_found
// and bad_request (state).
func (s *Service) Deliveries(ctx context.Context, id syncproto.AreaID, hook uuid.UUID, state State, before int64, limit int) ([]Sent, error) {
	if _, err := s.find(ctx, id, hook); err != nil {
		return nil, err
	}
	if state != "" && state != Waiting && state != Delivered && state != GivenUp {
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "state", Detail: "waiting, delivered or given_up"}
	}
	found, err := s.store.Deliveries(ctx, hook, state, before, limit)
	if err != nil {
		return nil, fmt.Errorf("deliveries: %w", err)
	}
	tree := s.registry.Current().Areas
	sent := make([]Sent, len(found))
	for i := range found {
		d := &found[i]
		n, _ := tree.ByKey(d.Alert.Area)
		sent[i] = Sent{
			ID: d.ID(), Seq: d.Alert.Seq, Event: d.Alert.Event(), Area: n.ID, At: d.Alert.At, State: d.State,
			Attempts: d.Attempts, Tried: d.Tried, Status: d.Status, Failure: d.Failure,
		}
		if d.State == Waiting {
			sent[i].Due = d.Due
		}
	}
	return sent, nil
}

// Retry lets what was given up go out again: one delivery, or all if seq is 0. It returns how
// many. Code not_found: there is no such hook there.
func (s *Service) Retry(ctx context.Context, id syncproto.AreaID, hook uuid.UUID, seq int64, now syncproto.Instant) (int, error) {
	if _, err := s.find(ctx, id, hook); err != nil {
		return 0, err
	}
	n, err := s.store.Retry(ctx, hook, seq, now)
	if err != nil {
		return 0, fmt.Errorf("deliveries: %w", err)
	}
	return n, nil
}
