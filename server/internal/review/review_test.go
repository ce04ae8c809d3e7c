package review

import (
	"context"
	"errors"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// desk is a store with one grid and a fixed number of open items, the first two of
// one version.
type desk struct {
	Store
	after syncproto.Version
	limit int
}

func (d *desk) OpenItems(_ context.Context, _ []area.Key, after syncproto.Version, limit int) ([]Item, []syncproto.Record, error) {
	d.after, d.limit = after, limit
	a, b := syncproto.RecordID{1}, syncproto.RecordID{2}
	items := []Item{
		{Kind: Conflict, Record: a, Field: "mobile", Opened: 7},
		{Kind: Exit, Record: b, Field: "exit", Opened: 7},
	}
	records := []syncproto.Record{{ID: b, Kind: "person", Area: "grid"}, {ID: a, Kind: "household", Area: "grid"}}
	return items, records, nil
}

// office is a registry's store of one grid.
type office struct{}

func (office) Revision(context.Context) (int64, error) { return 1, nil }

func (office) Areas(context.Context) ([]area.Node, error) {
	return []area.Node{{Key: 1, ID: "grid"}}, nil
}

func (office) PutAreas(context.Context, []area.Node) error { return errors.ErrUnsupported }

func (office) Identities(context.Context) (identity.Everyone, error) { return identity.Everyone{}, nil }

func (office) AddIdentities(context.Context, identity.Everyone) error { return errors.ErrUnsupported }

func open(t *testing.T, store Store) *Service {
	t.Helper()
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	r, err := registry.Open(t.Context(), office{}, forms)
	if err != nil {
		t.Fatal(err)
	}
	return NewService(store, r)
}

func TestEachQuestionStandsWithItsOwnRecord(t *testing.T) {
	page, err := open(t, &desk{}).Open(t.Context(), "grid", "", 10)
	if err != nil || len(page.Items) != 2 {
		t.Fatalf("%+v, %v", page, err)
	}
	for i, want := range []struct {
		field string
		kind  syncproto.Kind
	}{{"mobile", "household"}, {"exit", "person"}} {
		if q := page.Items[i]; q.Field != want.field || q.Record.Kind != want.kind {
			t.Errorf("%s stands with a %s", q.Field, q.Record.Kind)
		}
	}
	if page.Next != "" {
		t.Errorf("a page that isn't full says that %s follows", page.Next)
	}
}

func TestTheNextPageStartsAfterTheVersionOfTheLast(t *testing.T) {
	store := &desk{}
	s := open(t, store)
	page, err := s.Open(t.Context(), "grid", "", 1) // one asked for, two come: they share a version
	if err != nil || len(page.Items) != 2 || page.Next != "7" || store.after != 0 || store.limit != 1 {
		t.Fatalf("%+v, %v; asked for %d after %d", page, err, store.limit, store.after)
	}
	if _, err := s.Open(t.Context(), "grid", page.Next, 1); err != nil || store.after != 7 {
		t.Errorf("asked for what is after %d, %v", store.after, err)
	}
}

func TestAPlaceInTheQueueThatNoPageGaveIsABadRequest(t *testing.T) {
	s := open(t, &desk{})
	for _, after := range []string{"-1", "+1", "a", "1.0", "9223372036854775808"} {
		var refused *syncproto.Error
		if _, err := s.Open(t.Context(), "grid", after, 10); !errors.As(err, &refused) || refused.Code != syncproto.CodeBadRequest {
			t.Errorf("%q: %v", after, err)
		}
	}
	var refused *syncproto.Error
	if _, err := s.Open(t.Context(), "nowhere", "", 10); !errors.As(err, &refused) || refused.Code != syncproto.CodeNotFound {
		t.Errorf("an area that isn't there: %v", err)
	}
}
