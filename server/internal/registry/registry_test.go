package registry_test

import (
	"context"
	"errors"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto/form"
)

// folder is a store whose revision and areas a test sets.
type folder struct {
	revision  int64
	published []registry.Published
	said      []registry.Setting
	nodes     []area.Node
	failure   error
	// during is called amid a load, after the revision was read.
	during func()
	loads  int
}

func (s *folder) Revision(context.Context) (int64, error) { return s.revision, nil }

func (s *folder) Areas(context.Context) ([]area.Node, error) {
	s.loads++
	return s.nodes, nil
}

func (s *folder) Identities(context.Context) (identity.Everyone, error) {
	if s.during != nil {
		s.during()
	}
	return identity.Everyone{}, s.failure
}

func (s *folder) Published(context.Context) ([]registry.Published, error) { return s.published, nil }

func (s *folder) Settings(context.Context) ([]registry.Setting, error) { return s.said, nil }

func (s *folder) PutAreas(context.Context, []area.Node) error { return errors.ErrUnsupported }

func (s *folder) AddIdentities(context.Context, identity.Everyone) error {
	return errors.ErrUnsupported
}

// put changes the areas as the store would: under a new revision.
func (s *folder) put(nodes ...area.Node) { s.nodes, s.revision = nodes, s.revision+1 }

func open(t *testing.T, s *folder) *registry.Registry {
	t.Helper()
	r, err := registry.Open(t.Context(), s, form.Set{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func refresh(t *testing.T, r *registry.Registry) bool {
	t.Helper()
	changed, err := r.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func has(snap *registry.Snapshot, a area.Node) bool {
	_, ok := snap.Areas.Find(a.ID)
	return ok
}

var (
	town = area.Node{Key: 1, ID: "town"}
	grid = area.Node{Key: 2, ID: "grid", Parent: "town"}
)

func TestNothingIsLoadedAgainUntilSomethingChanges(t *testing.T) {
	s := &folder{revision: 1, nodes: []area.Node{town}}
	r := open(t, s)
	first := r.Current()
	if refresh(t, r) || r.Current() != first || s.loads != 1 {
		t.Errorf("loaded %d times", s.loads)
	}
	s.put(town, grid)
	if !refresh(t, r) || !has(r.Current(), grid) || r.Current().Revision != 2 {
		t.Errorf("the new area isn't there: %+v", r.Current())
	}
	if has(first, grid) {
		t.Error("a snapshot that somebody holds was altered")
	}
}

func TestAChangeAmidALoadIsLoadedByTheNext(t *testing.T) {
	s := &folder{revision: 1, nodes: []area.Node{town}}
	s.during = func() { s.during = nil; s.put(town, grid) }
	r := open(t, s)
	if has(r.Current(), grid) {
		t.Fatal("the areas were read before")
	}
	if !refresh(t, r) || !has(r.Current(), grid) {
		t.Error("the change was missed")
	}
}

func TestAFailedLoadKeepsTheOldSnapshotAndIsTriedAgain(t *testing.T) {
	s := &folder{revision: 1, nodes: []area.Node{town}}
	r := open(t, s)
	first := r.Current()
	s.put(town, grid)
	s.failure = errors.New("disk")
	if changed, err := r.Refresh(t.Context()); !errors.Is(err, s.failure) || changed || r.Current() != first {
		t.Errorf("changed %v, %v", changed, err)
	}
	s.failure = nil
	if !refresh(t, r) || !has(r.Current(), grid) {
		t.Error("not tried again")
	}
}

func TestAreasThatFormNoTreeAreNotTakenUp(t *testing.T) {
	s := &folder{revision: 1, nodes: []area.Node{town}}
	r := open(t, s)
	s.put(town, area.Node{Key: 2, ID: "grid", Parent: "nowhere"})
	if changed, err := r.Refresh(t.Context()); err == nil || changed || !has(r.Current(), town) {
		t.Errorf("changed %v, %v", changed, err)
	}
}

func TestARegistryDoesNotOpenOnNothing(t *testing.T) {
	s := &folder{revision: 1, failure: errors.New("disk")}
	if _, err := registry.Open(t.Context(), s, form.Set{}); !errors.Is(err, s.failure) {
		t.Error(err)
	}
}
