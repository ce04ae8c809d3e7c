package exchange

import (
	"slices"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

var (
	visitor   = syncproto.AuthorID{1} // a volunteer of g1 and, until 50, its secretary
	presiding = syncproto.AuthorID{2} // a secretary of the town
)

// town is two grids of a town.
func town(t *testing.T) *registry.Snapshot {
	t.Helper()
	tree, err := area.NewTree([]area.Node{{Key: 1, ID: "town"}, {Key: 2, ID: "g1", Parent: "town"}, {Key: 3, ID: "g2", Parent: "town"}})
	if err != nil {
		t.Fatal(err)
	}
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	return &registry.Snapshot{Areas: tree, Forms: forms, People: identity.NewDirectory(identity.Everyone{Grants: []identity.Grant{
		{Author: visitor, Area: "g1", Role: identity.Volunteer},
		{Author: visitor, Area: "g1", Role: identity.Secretary, To: 50},
		{Author: visitor, Area: "g2", Role: identity.Secretary},
		{Author: presiding, Area: "town", Role: identity.Secretary},
	}})}
}

// pulling is a puller of some authors at an instant, with positions in every feed.
func pulling(t *testing.T, s *Service, snap *registry.Snapshot, now syncproto.Instant, authors ...syncproto.AuthorID) (*puller, []syncproto.AreaID) {
	t.Helper()
	roots := snap.People.Reach(snap.Areas, authors, identity.Read, now)
	p := &puller{s: s, snap: snap, answer: &syncproto.Answer{Now: now}, scope: newScope(snap, roots), cursor: &cursor{positions: make(map[Feed]syncproto.Version)}}
	for _, f := range p.scope.feeds {
		p.cursor.positions[f] = 9
	}
	return p, roots
}

func TestWhoeverSeesAllTakesNoDetour(t *testing.T) {
	snap, s := town(t), &Service{lenses: privacy.NewMaker(nil)}
	authors := []syncproto.AuthorID{presiding}
	p, roots := pulling(t, s, snap, 100, authors...)
	if n := testing.AllocsPerRun(100, func() { p.look(roots, authors) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if p.sight != nil || p.lens != nil || len(p.answer.Restarted) > 0 || p.cursor.positions[Feed{2, form.Roster}] != 9 {
		t.Errorf("%+v", p)
	}
}

func TestOnlyAreasOfWhichMoreOrLessIsSeenStartAnew(t *testing.T) {
	snap, s := town(t), &Service{lenses: privacy.NewMaker(nil)}
	authors := []syncproto.AuthorID{visitor}
	before, roots := pulling(t, s, snap, 49, authors...)
	if before.look(roots, authors); before.sight != nil {
		t.Fatalf("a secretary: %v", before.sight)
	}
	p, roots := pulling(t, s, snap, 50, authors...)
	p.look(roots, authors)
	if !slices.Equal(p.answer.Restarted, []syncproto.AreaID{"g1"}) || p.sight[2] == 0 || p.sight[3] != 0 {
		t.Errorf("restarted %v, sight %v", p.answer.Restarted, p.sight)
	}
	if _, held := p.cursor.positions[Feed{2, form.History}]; held || p.cursor.positions[Feed{3, form.History}] != 9 {
		t.Errorf("positions %v", p.cursor.positions)
	}
	p.answer.Restarted = nil
	p.cursor.positions[Feed{2, form.Roster}] = 1
	if p.look(roots, authors); len(p.answer.Restarted) > 0 {
		t.Errorf("again: %v", p.answer.Restarted)
	}
	// An area that the device has nothing of yet isn't there to be dropped.
	empty, roots := pulling(t, s, snap, 50, authors...)
	clear(empty.cursor.positions)
	if empty.look(roots, authors); len(empty.answer.Restarted) > 0 || empty.cursor.sight[2] == 0 {
		t.Errorf("a first sync: %v", empty.answer.Restarted)
	}
}

func TestWhatAuthorsAreToldIsMaskedAsNarrowlyAsAnything(t *testing.T) {
	snap, s := town(t), &Service{lenses: privacy.NewMaker(nil)}
	const value = syncproto.Value(`"10012345678"`)
	tell := func(authors ...syncproto.AuthorID) []syncproto.Told {
		p, roots := pulling(t, s, snap, 100, authors...)
		p.look(roots, authors)
		told := []syncproto.Told{
			{Kind: "person", Field: "mobile", Said: syncproto.SaidOther, Shows: value},
			{Kind: "person", Field: "mobile", Said: syncproto.SaidKept, Shows: value},
			{Kind: "person", Field: "name", Said: syncproto.SaidOther, Shows: `"王小芳"`},
			{Kind: "person", Said: syncproto.SaidMerged},
		}
		p.maskTold(told)
		return told
	}
	told := tell(visitor)
	if m, ok := told[0].Shows.Masked(); !ok || m.Masked != "100****5678" {
		t.Errorf("somebody else's value: %s", told[0].Shows)
	}
	if told[1].Shows != value || told[2].Shows != `"王小芳"` || told[3].Shows != "" {
		t.Errorf("%+v", told)
	}
	if told := tell(presiding); told[0].Shows != value {
		t.Errorf("a secretary: %s", told[0].Shows)
	}
	if told := tell(syncproto.AuthorID{9}); told[0].Shows != "" || told[1].Shows != value || told[2].Shows != "" {
		t.Errorf("somebody without a grant: %+v", told)
	}
}
