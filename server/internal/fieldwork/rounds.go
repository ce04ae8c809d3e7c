package fieldwork

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// RoundStatus says how far a round has come in an area.
type RoundStatus struct {
	Round  syncproto.RecordID `json:"round"`
	Name   string             `json:"name"`
	Number int64              `json:"number,omitempty"`
	Starts string             `json:"starts"`
	Ends   string             `json:"ends,omitempty"`
	Area   syncproto.AreaID   `json:"area"`
	// Day is the day of which the households are counted: the round's last, or the one asked
	// about while it goes on.
	Day string `json:"day"`
	RoundNumbers
	PeopleMet int `json:"people_met"`
	// Elsewhere counts households that visits made here speak of and that are not among
	// those counted: they have left, lie elsewhere, or nobody registered them.
	Elsewhere int `json:"elsewhere,omitempty"`
	// Purged counts visits that are gone: whom they alone reached counts as never heard of.
	Purged   int               `json:"purged,omitempty"`
	Children []RoundChild      `json:"children,omitempty"`
	Version  syncproto.Version `json:"version"`
	At       syncproto.Instant `json:"at"`
}

// RoundNumbers are the four numbers of a round, and what they add up to: each household is
// in one of them, by the best of its visits.
type RoundNumbers struct {
	Households    int `json:"households"`
	Met           int `json:"met"`
	NotHome       int `json:"not_home"`
	Refused       int `json:"refused"`
	NeverHeardOf  int `json:"never_heard_of"`
	OtherOutcomes int `json:"other_outcomes,omitempty"`
	// MetShare is Met in percent of Households, to the nearest tenth; null where there are
	// none.
	MetShare *float64 `json:"met_share"`
}

// RoundChild is an area directly below the one asked about. The area itself stands for what
// lies in none of them.
type RoundChild struct {
	Area   syncproto.AreaID `json:"area"`
	Name   string           `json:"name"`
	Direct bool             `json:"direct,omitempty"`
	RoundNumbers
}

func (n *RoundNumbers) add(way Way, households int) {
	n.Households += households
	switch way {
	case Never:
		n.NeverHeardOf += households
	case Met:
		n.Met += households
	case Refused:
		n.Refused += households
	case NotHome:
		n.NotHome += households
	case Other:
		n.OtherOutcomes += households
	}
	n.MetShare = rollup.ShareOf(int64(n.Met), int64(n.Households))
}

// round is a round as it is set, and where and when it is looked at.
type round struct {
	entry
	nodes []area.Node
	day   form.Day
}

// round finds a round as far as it concerns an area on a day. It fails with code not_found
// for a round that isn't there or has nothing to do with the area.
func (s *Service) round(ctx context.Context, snap *registry.Snapshot, id syncproto.RecordID, in syncproto.AreaID, day form.Day) (*round, error) {
	if _, ok := snap.Areas.Find(in); !ok {
		return nil, notFound("area")
	}
	found, err := s.find(ctx, snap, []syncproto.RecordID{id})
	if err != nil {
		return nil, fmt.Errorf("round %s: %w", id, err)
	}
	e, ok := found[id]
	if !ok || e.Kind != roster.KindRound {
		return nil, notFound("round")
	}
	r := &round{entry: e, nodes: within(snap.Areas, in, e.Area), day: day}
	if len(r.nodes) == 0 {
		return nil, notFound("round")
	}
	if ends := e.day("ends"); ends != 0 {
		r.day = min(r.day, ends)
	}
	r.day = max(r.day, e.day("starts"))
	return r, nil
}

func (r *round) tenures() []string {
	list, _ := r.Fields["tenures"].Texts()
	return list
}

// Round says how far a round has come in an area by a day. It fails with code not_found
// for an area or a round that isn't there.
func (s *Service) Round(ctx context.Context, id syncproto.RecordID, in syncproto.AreaID, day form.Day) (*RoundStatus, error) {
	snap := s.registry.Current()
	r, err := s.round(ctx, snap, id, in, day)
	if err != nil {
		return nil, err
	}
	status := &RoundStatus{
		Round: id, Name: r.text("name"), Starts: r.text("starts"), Ends: r.text("ends"), Area: in, Day: r.day.String(),
	}
	status.Number, _ = r.whole("number")
	if status.Version, status.At, err = s.store.AsOf(ctx); err != nil {
		return nil, fmt.Errorf("round %s: %w", id, err)
	}
	keys := keysOf(r.nodes)
	reached, err := s.store.Reached(ctx, id, keys, r.day, r.tenures())
	if err != nil {
		return nil, fmt.Errorf("round %s: %w", id, err)
	}
	status.reached(snap.Areas, in, reached)
	for _, count := range []struct {
		into *int
		ask  func() (int, error)
	}{
		{&status.PeopleMet, func() (int, error) { return s.store.CountMet(ctx, id, keys) }},
		{&status.Elsewhere, func() (int, error) { return s.store.Elsewhere(ctx, id, keys, r.day) }},
		{&status.Purged, func() (int, error) { return s.store.CountPurged(ctx, id, keys) }},
	} {
		if *count.into, err = count.ask(); err != nil {
			return nil, fmt.Errorf("round %s: %w", id, err)
		}
	}
	return status, nil
}

// reached puts the numbers where they belong.
func (st *RoundStatus) reached(tree *area.Tree, in syncproto.AreaID, reached []Reach) {
	children, of := childOf(tree, in)
	direct := RoundChild{Area: in, Direct: true}
	for _, child := range children {
		st.Children = append(st.Children, RoundChild{Area: child.ID, Name: child.Name})
	}
	for _, r := range reached {
		st.add(r.Way, r.N)
		n, _ := tree.ByKey(r.Area)
		if i, below := of[n.ID]; below {
			st.Children[i].add(r.Way, r.N)
			continue
		}
		direct.Name = n.Name
		direct.add(r.Way, r.N)
	}
	if direct.Households > 0 && len(children) > 0 {
		st.Children = append(st.Children, direct)
	}
}

// HouseholdPage is one page of households of a round.
type HouseholdPage struct {
	Households []RoundHousehold `json:"households"`
	Next       string           `json:"next,omitempty"`
}

// RoundHousehold is one household and how the round reached it.
type RoundHousehold struct {
	Household syncproto.RecordID `json:"household"`
	Area      syncproto.AreaID   `json:"area"`
	AreaName  string             `json:"area_name"`
	Address   string             `json:"address,omitempty"`
	Head      string             `json:"head,omitempty"`
	Reached   string             `json:"reached"`
	Visits    int                `json:"visits,omitempty"`
}

// ways are how households are reached, by the names that travel.
var ways = map[string]Way{"never": Never, "met": Met, "refused": Refused, "not_home": NotHome, "other": Other}

// Ways reads names of ways, such as "never,not_home"; never alone if it is empty. It fails
// with code bad_request.
func Ways(text string) ([]Way, error) {
	if text == "" {
		return []Way{Never}, nil
	}
	var all []Way
	for _, name := range strings.Split(text, ",") {
		way, ok := ways[name]
		if !ok {
			return nil, badRequest("reached", "never, not_home, refused, met or other, with commas between")
		}
		all = append(all, way)
	}
	return all, nil
}

func (w Way) String() string {
	for name, way := range ways {
		if way == w {
			return name
		}
	}
	return ""
}

// Households returns a page of the households that a round reached in some ways, grid by
// grid. It fails as Round does, and with bad_request for a place that it didn't give out.
func (s *Service) Households(ctx context.Context, id syncproto.RecordID, in syncproto.AreaID, day form.Day, some []Way, after string, limit int) (*HouseholdPage, error) {
	snap := s.registry.Current()
	r, err := s.round(ctx, snap, id, in, day)
	if err != nil {
		return nil, err
	}
	place, err := parseHouseholdPlace(after)
	if err != nil {
		return nil, err
	}
	limit = clamp(limit)
	found, err := s.store.Households(ctx, HouseholdsWanted{
		Round: id, Areas: keysOf(r.nodes), Day: r.day, Tenures: r.tenures(), Ways: some, After: place, Limit: limit,
	})
	if err != nil {
		return nil, fmt.Errorf("households of round %s: %w", id, err)
	}
	page := &HouseholdPage{}
	if len(found) == limit {
		page.Next = found[limit-1].HouseholdPlace.String()
	}
	page.Households, err = s.named(ctx, snap, found)
	return page, err
}

// named shows households with where they are.
func (s *Service) named(ctx context.Context, snap *registry.Snapshot, found []Household) ([]RoundHousehold, error) {
	ids := make([]syncproto.RecordID, len(found))
	for i := range found {
		ids[i] = found[i].Household
	}
	records, err := s.find(ctx, snap, ids)
	if err != nil {
		return nil, err
	}
	all := make([]RoundHousehold, len(found))
	for i, h := range found {
		n, _ := snap.Areas.ByKey(h.Area)
		e := records[h.Household]
		all[i] = RoundHousehold{
			Household: h.Household, Area: n.ID, AreaName: n.Name, Address: e.text("address"), Head: e.text("head"),
			Reached: h.Way.String(), Visits: h.Visits,
		}
	}
	return all, nil
}

func (p HouseholdPlace) String() string {
	return strconv.FormatUint(uint64(p.Area), 10) + "." + p.Household.String()
}

func parseHouseholdPlace(s string) (HouseholdPlace, error) {
	if s == "" {
		return HouseholdPlace{}, nil
	}
	key, id, _ := strings.Cut(s, ".")
	n, err := strconv.ParseUint(key, 10, 32)
	household, err2 := syncproto.ParseID[syncproto.RecordID](id)
	if err != nil || err2 != nil {
		return HouseholdPlace{}, badRequest("after", "the next of the page before")
	}
	return HouseholdPlace{Area: area.Key(n), Household: household}, nil
}

// RoundsCompared says how households of an area fared in two rounds.
type RoundsCompared struct {
	A RoundStatus `json:"a"`
	B RoundStatus `json:"b"`
	// Turns count the households that stand on the later of the two days, by how each of the
	// rounds reached them: those that were met in the one and not in the other among them.
	Turns []RoundTurn `json:"turns"`
}

// RoundTurn counts households that round a reached in one way and round b in another.
type RoundTurn struct {
	A          string `json:"a"`
	B          string `json:"b"`
	Households int    `json:"households"`
}

// Compare compares two rounds in an area by households. It fails as Round does.
func (s *Service) Compare(ctx context.Context, a, b syncproto.RecordID, in syncproto.AreaID, day form.Day) (*RoundsCompared, error) {
	statusA, err := s.Round(ctx, a, in, day)
	if err != nil {
		return nil, err
	}
	statusB, err := s.Round(ctx, b, in, day)
	if err != nil {
		return nil, err
	}
	compared := &RoundsCompared{A: *statusA, B: *statusB, Turns: []RoundTurn{}}
	later, _ := form.ParseDay(max(statusA.Day, statusB.Day))
	turns, err := s.store.Turned(ctx, a, b, keysOf(s.registry.Current().Areas.Subtree(in)), later)
	if err != nil {
		return nil, fmt.Errorf("rounds %s and %s: %w", a, b, err)
	}
	for _, t := range turns {
		compared.Turns = append(compared.Turns, RoundTurn{A: t.From.String(), B: t.To.String(), Households: t.N})
	}
	return compared, nil
}

// Rounds returns the rounds that concern an area, those above it and those below it among
// them: the latest first. It fails with code not_found for an area that isn't there.
func (s *Service) Rounds(ctx context.Context, in syncproto.AreaID) (*RoundList, error) {
	snap := s.registry.Current()
	rounds, err := s.about(ctx, snap, in, roster.KindRound)
	if err != nil {
		return nil, err
	}
	list := &RoundList{Rounds: make([]RoundLine, 0, len(rounds))}
	for i := range rounds {
		r := &rounds[i]
		n, _ := snap.Areas.Find(r.Area)
		line := RoundLine{Round: r.ID, Name: r.text("name"), Area: r.Area, AreaName: n.Name, Starts: r.text("starts"), Ends: r.text("ends")}
		line.Number, _ = r.whole("number")
		list.Rounds = append(list.Rounds, line)
	}
	slices.SortStableFunc(list.Rounds, func(a, b RoundLine) int { return strings.Compare(b.Starts, a.Starts) })
	return list, nil
}

// RoundList is the rounds of an area.
type RoundList struct {
	Rounds []RoundLine `json:"rounds"`
}

// RoundLine is one of them.
type RoundLine struct {
	Round    syncproto.RecordID `json:"round"`
	Name     string             `json:"name"`
	Number   int64              `json:"number,omitempty"`
	Area     syncproto.AreaID   `json:"area"`
	AreaName string             `json:"area_name"`
	Starts   string             `json:"starts"`
	Ends     string             `json:"ends,omitempty"`
}

// about lists the records of a kind that concern an area: its own, those of all above it,
// and those of all below it. Those that have left are none of them.
func (s *Service) about(ctx context.Context, snap *registry.Snapshot, in syncproto.AreaID, kind syncproto.Kind) ([]entry, error) {
	path := snap.Areas.Path(in)
	if len(path) == 0 {
		return nil, notFound("area")
	}
	nodes := slices.Concat(path[:len(path)-1], snap.Areas.Subtree(in))
	all, err := s.list(ctx, snap, keysOf(nodes), kind)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(e entry) bool { return e.Exit != nil }), nil
}
