package roster

import (
	"context"
	"errors"
	"slices"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// world is a registry's store of a town with two grids and three people.
type world struct{}

func (world) Revision(context.Context) (int64, error) { return 1, nil }

func (world) Areas(context.Context) ([]area.Node, error) {
	return []area.Node{{Key: 7, ID: "town"}, {Key: 3, ID: "grid-1", Parent: "town"}, {Key: 5, ID: "grid-2", Parent: "town"}}, nil
}

func (world) Identities(context.Context) (identity.Everyone, error) {
	return identity.Everyone{Authors: []identity.Author{{ID: author(1), Name: "甲"}, {ID: author(2), Name: "乙"}, {ID: author(3), Name: "丙"}}}, nil
}

func (world) Published(context.Context) ([]registry.Published, error) { return nil, nil }

func (world) Settings(context.Context) ([]registry.Setting, error) { return nil, nil }

func (world) PutAreas(context.Context, []area.Node) error { return errors.ErrUnsupported }

func (world) AddIdentities(context.Context, identity.Everyone) error { return errors.ErrUnsupported }

// shelf is a roster's store that always has one record more, and notes what it was
// asked for.
type shelf struct {
	Store
	areas []area.Key
	after Place
}

func (s *shelf) Roster(_ context.Context, areas []area.Key, kind syncproto.Kind, after Place, limit int) ([]syncproto.Record, Place, error) {
	s.areas, s.after = areas, after
	return slices.Repeat([]syncproto.Record{{Kind: kind, Area: "grid-2", Live: []syncproto.Part{part(1, 1, 0, syncproto.Fields{"note": `"x"`})}}}, limit), Place{Area: 5, Version: after.Version + 1}, nil
}

func (s *shelf) Absorbed(context.Context, []syncproto.RecordID) ([]exchange.Link, error) {
	return nil, nil
}

func author(n byte) syncproto.AuthorID { return syncproto.AuthorID{15: n} }

func open(t *testing.T) *registry.Registry {
	t.Helper()
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	r, err := registry.Open(t.Context(), world{}, forms)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// part is a change by the nth author, on a phone of their own.
func part(n byte, version, base syncproto.Version, fields syncproto.Fields) syncproto.Part {
	return syncproto.Part{Version: version, Device: syncproto.DeviceID{15: n}, N: 1, Author: author(n), Base: base, Fields: fields}
}

const moved = syncproto.Value(`{"reason":"moved","date":"2020-02-01"}`)

func TestADisputedExitNamesOnlyThoseWhoDidNotKnowOfIt(t *testing.T) {
	record := syncproto.Record{Kind: "household", Area: "grid-1", Live: []syncproto.Part{
		part(1, 1, 0, syncproto.Fields{"address": `"一号"`, "found_on": `"2020-01-27"`}),
		part(2, 2, 1, syncproto.Fields{"exit": moved}),
		part(3, 3, 1, syncproto.Fields{"note": `"有狗"`}),
	}}
	row := NewRow(open(t).Current(), &record)
	if row.Exit != nil {
		t.Errorf("it has left, although that is disputed: %+v", row.Exit)
	}
	claims := row.Disputed["exit"]
	if len(claims) != 2 {
		t.Fatalf("claims: %+v", claims)
	}
	if claims[0].Name != "乙" || claims[0].Value != moved {
		t.Errorf("whoever says that it left: %+v", claims[0])
	}
	if claims[1].Name != "丙" || !claims[1].Value.IsNull() {
		t.Errorf("whoever says that it is there: %+v", claims[1])
	}
}

func TestTwoExitsThatDifferAreNobodysClaimThatItIsThere(t *testing.T) {
	record := syncproto.Record{Kind: "household", Area: "grid-1", Live: []syncproto.Part{
		part(1, 1, 0, syncproto.Fields{"address": `"一号"`}),
		part(2, 2, 1, syncproto.Fields{"exit": moved}),
		part(3, 3, 1, syncproto.Fields{"exit": `{"reason":"died","date":"2020-02-01"}`}),
	}}
	claims := NewRow(open(t).Current(), &record).Disputed["exit"]
	if len(claims) != 2 || claims[0].Name != "乙" || claims[1].Name != "丙" || claims[1].Value.IsNull() {
		t.Errorf("claims: %+v", claims)
	}
}

func TestASurvivorShowsWhatItAbsorbedAndTheAbsorbedPointsToIt(t *testing.T) {
	survivor := syncproto.Record{ID: syncproto.RecordID{15: 1}, Kind: "person", Area: "grid-1", Live: []syncproto.Part{
		part(1, 1, 0, syncproto.Fields{"name": `"王芳"`, "area": `"grid-1"`}),
	}}
	absorbed := syncproto.Record{ID: syncproto.RecordID{15: 2}, Kind: "person", Area: "grid-2", Live: []syncproto.Part{
		part(2, 2, 0, syncproto.Fields{"employer": `"工厂"`, "area": `"grid-2"`}),
		part(3, 3, 2, syncproto.Fields{"same_as": syncproto.TextValue(survivor.ID.String())}),
	}}
	snap := open(t).Current()
	row := NewRow(snap, &survivor, &absorbed)
	if row.Fields["name"] != `"王芳"` || row.Fields["employer"] != `"工厂"` || row.Fields["area"] != `"grid-1"` || row.SameAs != nil {
		t.Errorf("the survivor: %+v", row)
	}
	if !slices.Equal(row.Absorbed, []syncproto.RecordID{absorbed.ID}) {
		t.Errorf("absorbed: %v", row.Absorbed)
	}
	row = NewRow(snap, &absorbed)
	if row.SameAs == nil || *row.SameAs != survivor.ID || row.Fields["name"] != "" {
		t.Errorf("the absorbed: %+v", row)
	}
}

func TestThePageAfterStartsAtTheAreaWhereTheLastEnded(t *testing.T) {
	store := &shelf{}
	s := NewService(store, open(t))
	first, err := s.List(t.Context(), "town", "household", "", 2)
	if err != nil || len(first.Rows) != 2 || !slices.Equal(store.areas, []area.Key{7, 3, 5}) || store.after != (Place{}) {
		t.Fatalf("%+v, %v; asked for %v after %v", first, err, store.areas, store.after)
	}
	second, err := s.List(t.Context(), "town", "household", first.Next, 2)
	if err != nil || !slices.Equal(store.areas, []area.Key{5}) || store.after != (Place{Area: 5, Version: 1}) {
		t.Fatalf("%+v, %v; asked for %v after %v", second, err, store.areas, store.after)
	}
}

func TestAPlaceThatNoPageGaveIsABadRequest(t *testing.T) {
	s := NewService(&shelf{}, open(t))
	for _, after := range []string{"5", "5.", ".5", "a.5", "5.a", "5.-1", "-5.1", "4294967296.1", "5.1.1", "5.9223372036854775808", " 5.1"} {
		var refused *syncproto.Error
		if _, err := s.List(t.Context(), "town", "", after, 2); !errors.As(err, &refused) || refused.Code != syncproto.CodeBadRequest || refused.Field != "after" {
			t.Errorf("%q: %v", after, err)
		}
	}
	var refused *syncproto.Error
	if _, err := s.List(t.Context(), "nowhere", "", "", 2); !errors.As(err, &refused) || refused.Code != syncproto.CodeNotFound {
		t.Errorf("an area that isn't there: %v", err)
	}
}

func TestAPageIsNeverLargerThanItMayBe(t *testing.T) {
	s := NewService(&shelf{}, open(t))
	for limit, want := range map[int]int{-1: DefaultRows, 0: DefaultRows, 1: 1, MaxRows: MaxRows, MaxRows + 1: MaxRows} {
		if page, err := s.List(t.Context(), "town", "", "", limit); err != nil || len(page.Rows) != want {
			t.Errorf("%d: %d rows, %v", limit, len(page.Rows), err)
		}
	}
}
