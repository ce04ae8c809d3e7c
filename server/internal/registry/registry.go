// Package registry holds in memory what changes seldom and is asked at every
// request: the tree of areas, the directory of people and devices, the forms and
// templates in force, the settings.
//
// It hands out snapshots that are never altered, and refuses to decide anything.
package registry

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/syncproto/form"
)

// Snapshot is everything at one moment.
type Snapshot struct {
	// Revision rises with every change of what is in here.
	Revision int64
	Areas    *area.Tree
	People   *identity.Directory
	// Forms are those that come with the program, and over them those that were published
	// here.
	Forms     form.Set
	Templates Templates
	// Published are the definitions that were published here, in order.
	Published []Published
	Settings  *Settings
	// Rules are those by which things are derived from records.
	Rules *Rules
}

// Store is where the registry reads from.
type Store interface {
	// Revision returns a number that rises whenever areas, identities, forms or settings
	// change.
	Revision(ctx context.Context) (int64, error)
	// Published returns every definition that was ever published, in that order.
	Published(ctx context.Context) ([]Published, error)
	// Settings returns everything that was ever set, in that order.
	Settings(ctx context.Context) ([]Setting, error)
	area.Store
	identity.Store
}

// Registry keeps the current snapshot.
type Registry struct {
	store   Store
	current atomic.Pointer[Snapshot]
	loading sync.Mutex
	shelf   shelf
}

// Open loads the first snapshot. forms are those that come with the program.
func Open(ctx context.Context, store Store, forms form.Set) (*Registry, error) {
	r := &Registry{store: store, shelf: shelf{forms: forms}}
	templates, err := form.BuiltInTemplates()
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	for _, t := range templates {
		r.shelf.templates = r.shelf.templates.with(t)
	}
	if _, err := r.Refresh(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Current returns the snapshot in force.
func (r *Registry) Current() *Snapshot { return r.current.Load() }

// Refresh loads a new snapshot if the store has a new revision, and reports
// whether it did.
func (r *Registry) Refresh(ctx context.Context) (bool, error) {
	r.loading.Lock()
	defer r.loading.Unlock()
	// The revision is read first: what changes while the rest is read is then
	// loaded again by the next call, and never missed.
	revision, err := r.store.Revision(ctx)
	if err != nil {
		return false, fmt.Errorf("registry: %w", err)
	}
	if now := r.current.Load(); now != nil && now.Revision == revision {
		return false, nil
	}
	next, err := r.load(ctx)
	if err != nil {
		return false, fmt.Errorf("registry: %w", err)
	}
	next.Revision = revision
	r.current.Store(next)
	return true, nil
}

func (r *Registry) load(ctx context.Context) (*Snapshot, error) {
	nodes, err := r.store.Areas(ctx)
	if err != nil {
		return nil, fmt.Errorf("areas: %w", err)
	}
	tree, err := area.NewTree(nodes)
	if err != nil {
		return nil, err
	}
	everyone, err := r.store.Identities(ctx)
	if err != nil {
		return nil, fmt.Errorf("identities: %w", err)
	}
	published, err := r.store.Published(ctx)
	if err != nil {
		return nil, fmt.Errorf("what was published: %w", err)
	}
	if err := r.shelf.lay(published); err != nil {
		return nil, err
	}
	said, err := r.store.Settings(ctx)
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	next := &Snapshot{
		Areas: tree, People: identity.NewDirectory(everyone),
		Forms: r.shelf.forms, Templates: r.shelf.templates, Published: r.shelf.laid, Settings: NewSettings(tree, said),
	}
	next.Rules, err = rulesOf(next.Forms, next.Settings)
	return next, err
}
