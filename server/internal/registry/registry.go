// Package registry holds in memory what changes seldom and is asked at every
// request: the tree of areas, the directory of people and devices, the forms.
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
	Forms    form.Set
}

// Store is where the registry reads from.
type Store interface {
	// Revision returns a number that rises whenever areas, identities or forms change.
	Revision(ctx context.Context) (int64, error)
	area.Store
	identity.Store
}

// Registry keeps the current snapshot.
type Registry struct {
	store   Store
	forms   form.Set
	current atomic.Pointer[Snapshot]
	loading sync.Mutex
}

// Open loads the first snapshot. forms are those that come with the program.
func Open(ctx context.Context, store Store, forms form.Set) (*Registry, error) {
	r := &Registry{store: store, forms: forms}
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
	nodes, err := r.store.Areas(ctx)
	if err != nil {
		return false, fmt.Errorf("registry: areas: %w", err)
	}
	tree, err := area.NewTree(nodes)
	if err != nil {
		return false, fmt.Errorf("registry: %w", err)
	}
	everyone, err := r.store.Identities(ctx)
	if err != nil {
		return false, fmt.Errorf("registry: identities: %w", err)
	}
	r.current.Store(&Snapshot{
		Revision: revision, Areas: tree, People: identity.NewDirectory(everyone), Forms: r.forms,
	})
	return true, nil
}
