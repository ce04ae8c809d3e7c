package fieldwork

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// DutyKind says what there is to do.
type DutyKind string

// The kinds, in the order in which they are listed.
const (
	// DutyCheck is a check of somebody under observation that was not made yet.
	DutyCheck DutyKind = "observation_check"
	// DutyRelease is an observation whose time is up and that nobody has ended or extended.
	DutyRelease DutyKind = "observation_release"
	DutyTask    DutyKind = "task"
	DutyLead    DutyKind = "lead"
	// DutyNotice is a notice that asks for a receipt which some have not given.
	DutyNotice DutyKind = "notice_unread"
	// DutyVisit is a household that no visit of a round in force speaks of.
	DutyVisit DutyKind = "household_unvisited"
)

// DutyKinds lists them.
var DutyKinds = []DutyKind{DutyCheck, DutyRelease, DutyTask, DutyLead, DutyNotice, DutyVisit}

// Duty is one thing to do. It opens to a record.
type Duty struct {
	Kind   DutyKind           `json:"kind"`
	Area   syncproto.AreaID   `json:"area"`
	Record syncproto.RecordID `json:"record"`
	// RecordKind is the kind of that record.
	RecordKind syncproto.Kind `json:"record_kind"`
	// Subject is whom or what it is about, with its name or address.
	Subject     *syncproto.RecordID `json:"subject,omitempty"`
	SubjectKind syncproto.Kind      `json:"subject_kind,omitempty"`
	Name        string              `json:"name,omitempty"`
	// where is the area of the subject, which decides who sees its name.
	where syncproto.AreaID
	// Title says what a task, a notice or a round is called.
	Title string `json:"title,omitempty"`
	// Due is the day by which it is to be done, if there is one. Overdue says that the time
	// is past; of checks, that more of them should have been made by now.
	Due     string `json:"due,omitempty"`
	Overdue bool   `json:"overdue"`
	// Checks is how many checks the day has, Done how many were made, Late how many more
	// should have been made by now.
	Checks int `json:"checks,omitempty"`
	Done   int `json:"done,omitempty"`
	Late   int `json:"late,omitempty"`
	// Extended is until when an observation was extended, Breaches how often it was broken.
	Extended string `json:"extended,omitempty"`
	Breaches int    `json:"breaches,omitempty"`
	// Unread is how many of those posted here have not read a notice, of Readers.
	Unread  int `json:"unread,omitempty"`
	Readers int `json:"readers,omitempty"`
}

// DutyCount counts duties of a kind.
type DutyCount struct {
	Kind    DutyKind `json:"kind"`
	Open    int      `json:"open"`
	Overdue int      `json:"overdue"`
}

// DutyChild counts the duties of an area directly below the one asked about; the area
// itself stands for what lies in none of them.
type DutyChild struct {
	Area   syncproto.AreaID `json:"area"`
	Name   string           `json:"name"`
	Direct bool             `json:"direct,omitempty"`
	Counts []DutyCount      `json:"counts"`
}

// Duties is what there is to do in an area on a day: how much, where, and one page of it.
type Duties struct {
	Area     syncproto.AreaID  `json:"area"`
	Day      string            `json:"day"`
	Counts   []DutyCount       `json:"counts"`
	Children []DutyChild       `json:"children,omitempty"`
	Duties   []Duty            `json:"duties"`
	Next     string            `json:"next,omitempty"`
	Version  syncproto.Version `json:"version"`
	At       syncproto.Instant `json:"at"`
}

// agenda is what one question about duties works with.
type agenda struct {
	s    *Service
	snap *registry.Snapshot
	// in is the area asked about, nodes it and all below it.
	in    syncproto.AreaID
	nodes []area.Node
	day   form.Day
	now   syncproto.Instant
	all   []Duty
	// visits count households to visit, which are too many to list all at once.
	visits []Reach
	rounds []*round
}

// Duties tells what there is to do in an area and below it on a day, of one kind or of
// every kind for "". What is recorded now decides, also of days that are past. It fails
// with code not_found for an area that isn't there, and bad_request for a kind that there
// is not or a place that it didn't give out.
func (s *Service) Duties(ctx context.Context, in syncproto.AreaID, day form.Day, now syncproto.Instant, kind DutyKind, after string, limit int) (*Duties, error) {
	if kind != "" && !slices.Contains(DutyKinds, kind) {
		return nil, badRequest("kind", "a kind of duty")
	}
	snap := s.registry.Current()
	a := &agenda{s: s, snap: snap, in: in, nodes: snap.Areas.Subtree(in), day: day, now: now}
	if len(a.nodes) == 0 {
		return nil, notFound("area")
	}
	answer := &Duties{Area: in, Day: day.String(), Counts: []DutyCount{}, Duties: []Duty{}}
	var err error
	if answer.Version, answer.At, err = s.store.AsOf(ctx); err != nil {
		return nil, fmt.Errorf("duties of %s: %w", in, err)
	}
	for _, part := range []struct {
		kinds []DutyKind
		add   func(context.Context, DutyKind) error
	}{
		{[]DutyKind{DutyCheck, DutyRelease}, a.observations},
		{[]DutyKind{DutyTask}, a.tasks},
		{[]DutyKind{DutyLead}, a.leads},
		{[]DutyKind{DutyNotice}, a.notices},
		{[]DutyKind{DutyVisit}, a.unvisited},
	} {
		if kind != "" && !slices.Contains(part.kinds, kind) {
			continue
		}
		if err := part.add(ctx, kind); err != nil {
			return nil, fmt.Errorf("duties of %s: %w", in, err)
		}
	}
	a.count(answer)
	if err := a.page(ctx, answer, after, clamp(limit)); err != nil {
		return nil, err
	}
	return answer, nil
}

// add adds a duty, if its kind was asked for.
func (a *agenda) add(asked DutyKind, d *Duty) {
	if asked == "" || asked == d.Kind {
		a.all = append(a.all, *d)
	}
}

// tasks are those without a result that were not withdrawn.
func (a *agenda) tasks(ctx context.Context, asked DutyKind) error {
	tasks, err := a.s.list(ctx, a.snap, keysOf(a.nodes), KindTask)
	if err != nil {
		return err
	}
	for i := range tasks {
		t := &tasks[i]
		if !t.Fields["result"].IsNull() || t.day("withdrawn_on") != 0 || t.day("issued_on") > a.day || t.left() <= a.day {
			continue
		}
		d := Duty{Kind: DutyTask, Area: t.Area, Record: t.ID, RecordKind: KindTask, Name: t.text("name"), Title: t.text("title"), Due: t.text("deadline")}
		d.about(t, "person", "household")
		due := t.day("deadline")
		d.Overdue = due != 0 && due < a.day
		a.add(asked, &d)
	}
	return nil
}

// about says whom a duty is about: the first of the fields that names somebody.
func (d *Duty) about(e *entry, fields ...string) {
	for _, name := range fields {
		if id := e.ref(name); !id.IsZero() {
			d.Subject, d.SubjectKind = &id, syncproto.Kind(name)
			return
		}
	}
}

// hour is an hour in milliseconds.
const hour = syncproto.Instant(60 * 60 * 1000)

// leads are those that nobody has verified.
func (a *agenda) leads(ctx context.Context, asked DutyKind) error {
	leads, err := a.s.list(ctx, a.snap, keysOf(a.nodes), KindLead)
	if err != nil {
		return err
	}
	for i := range leads {
		l := &leads[i]
		outcome := l.text("outcome")
		at, _ := l.instant("received_at")
		if outcome != "" && outcome != "open" || form.DayOf(at) > a.day || l.left() <= a.day {
			continue
		}
		due := at + syncproto.Instant(a.number("due_hours.lead", l.Area))*hour
		a.add(asked, &Duty{
			Kind: DutyLead, Area: l.Area, Record: l.ID, RecordKind: KindLead, Name: l.text("about"),
			Due: form.DayOf(due).String(), Overdue: due < a.moment(),
		})
	}
	return nil
}

// moment is when the question is asked about: now, or the end of a day that is past.
func (a *agenda) moment() syncproto.Instant { return min(a.now, dayStart(nextDay(a.day))) }

// setting is what is set in an area on the day.
func (a *agenda) setting(name string, in syncproto.AreaID) syncproto.Value {
	def, ok := form.SettingOf(name)
	if !ok {
		return syncproto.Null
	}
	return def.Set(a.snap.Settings.Of(in), name, a.day)
}

// number is a whole number that is set.
func (a *agenda) number(name string, in syncproto.AreaID) int {
	e := entry{Row: roster.Row{Fields: syncproto.Fields{name: a.setting(name, in)}}}
	n, _ := e.whole(name)
	return int(n)
}

// unvisited counts the households that no visit of a round in force speaks of.
func (a *agenda) unvisited(ctx context.Context, _ DutyKind) error {
	rounds, err := a.s.about(ctx, a.snap, a.in, roster.KindRound)
	if err != nil {
		return err
	}
	for i := range rounds {
		r := &round{entry: rounds[i], day: a.day}
		ends := r.entry.day("ends")
		r.nodes = within(a.snap.Areas, a.in, r.Area)
		if r.entry.day("starts") > a.day || ends != 0 && ends < a.day || len(r.nodes) == 0 {
			continue
		}
		reached, err := a.s.store.Reached(ctx, r.ID, keysOf(r.nodes), r.day, r.tenures())
		if err != nil {
			return err
		}
		a.rounds = append(a.rounds, r)
		for _, one := range reached {
			if one.Way == Never {
				a.visits = append(a.visits, one)
			}
		}
	}
	slices.SortFunc(a.rounds, func(x, y *round) int { return bytes.Compare(x.ID[:], y.ID[:]) })
	return nil
}

// count counts what was found, for the area and for each directly below it.
func (a *agenda) count(answer *Duties) {
	children, of := childOf(a.snap.Areas, a.in)
	total := make(map[DutyKind]*DutyCount)
	parts := make([]map[DutyKind]*DutyCount, len(children)+1)
	for i := range parts {
		parts[i] = make(map[DutyKind]*DutyCount)
	}
	tell := func(kind DutyKind, in syncproto.AreaID, open, overdue int) {
		i, below := of[in]
		if !below {
			i = len(children)
		}
		for _, counts := range []map[DutyKind]*DutyCount{total, parts[i]} {
			c := counts[kind]
			if c == nil {
				c = &DutyCount{Kind: kind}
				counts[kind] = c
			}
			c.Open += open
			c.Overdue += overdue
		}
	}
	for i := range a.all {
		overdue := 0
		if a.all[i].Overdue {
			overdue = 1
		}
		tell(a.all[i].Kind, a.all[i].Area, 1, overdue)
	}
	for _, v := range a.visits {
		n, _ := a.snap.Areas.ByKey(v.Area)
		tell(DutyVisit, n.ID, v.N, 0)
	}
	answer.Counts = inOrder(total)
	for i, child := range children {
		answer.Children = append(answer.Children, DutyChild{Area: child.ID, Name: child.Name, Counts: inOrder(parts[i])})
	}
	if own := inOrder(parts[len(children)]); len(own) > 0 && len(children) > 0 {
		answer.Children = append(answer.Children, DutyChild{Area: a.in, Name: a.nodes[0].Name, Direct: true, Counts: own})
	}
}

func inOrder(counts map[DutyKind]*DutyCount) []DutyCount {
	all := []DutyCount{}
	for _, kind := range DutyKinds {
		if c := counts[kind]; c != nil {
			all = append(all, *c)
		}
	}
	return all
}

// page cuts a page out of what was found: first whatever is listed, then households to
// visit, round by round.
func (a *agenda) page(ctx context.Context, answer *Duties, after string, limit int) error {
	at := make(map[syncproto.AreaID]int, len(a.nodes))
	for i, n := range a.nodes {
		at[n.ID] = i
	}
	slices.SortFunc(a.all, func(x, y Duty) int {
		return cmp.Or(cmp.Compare(slices.Index(DutyKinds, x.Kind), slices.Index(DutyKinds, y.Kind)),
			cmp.Compare(at[x.Area], at[y.Area]), bytes.Compare(x.Record[:], y.Record[:]))
	})
	visiting, place, listed := -1, HouseholdPlace{}, 0
	if after != "" {
		var err error
		if visiting, place, listed, err = a.place(after); err != nil {
			return err
		}
	}
	if visiting < 0 {
		answer.Duties = append(answer.Duties, a.all[listed:min(len(a.all), listed+limit)]...)
		if len(answer.Duties) == limit {
			answer.Next = answer.Duties[limit-1].place()
		}
		visiting = 0
	}
	for ; visiting < len(a.rounds) && len(answer.Duties) < limit; visiting++ {
		if err := a.visitsOf(ctx, answer, a.rounds[visiting], place, limit-len(answer.Duties)); err != nil {
			return err
		}
		place = HouseholdPlace{}
	}
	if err := a.name(ctx, answer.Duties); err != nil {
		return err
	}
	if answer.Next == "" && len(answer.Duties) == limit {
		answer.Next = a.visited(&answer.Duties[limit-1])
	}
	return nil
}

// visitsOf adds the households that a round has not reached.
func (a *agenda) visitsOf(ctx context.Context, answer *Duties, r *round, after HouseholdPlace, limit int) error {
	found, err := a.s.store.Households(ctx, HouseholdsWanted{
		Round: r.ID, Areas: keysOf(r.nodes), Day: r.day, Tenures: r.tenures(), Ways: []Way{Never}, After: after, Limit: limit,
	})
	if err != nil {
		return fmt.Errorf("households to visit in round %s: %w", r.ID, err)
	}
	for _, h := range found {
		n, _ := a.snap.Areas.ByKey(h.Area)
		answer.Duties = append(answer.Duties, Duty{
			Kind: DutyVisit, Area: n.ID, Record: r.ID, RecordKind: roster.KindRound, Title: r.text("name"),
			Subject: &h.Household, SubjectKind: kindHousehold, Due: r.text("ends"),
		})
	}
	return nil
}

// place is where a page that ends with a listed duty ended.
func (d *Duty) place() string { return string(d.Kind) + "." + d.Record.String() }

// visited is where a page that ends with a household to visit ended.
func (a *agenda) visited(d *Duty) string {
	n, _ := a.snap.Areas.Find(d.Area)
	return "visit." + d.Record.String() + "." + HouseholdPlace{Area: n.Key, Household: *d.Subject}.String()
}

// place reads where a page ended: at which round and after which household, or, with -1,
// after how many of those listed. One whose last duty is done meanwhile begins again: it
// may be seen twice and is never missed.
func (a *agenda) place(after string) (visiting int, place HouseholdPlace, listed int, err error) {
	wrong := badRequest("after", "the next of the page before")
	kind, rest, _ := strings.Cut(after, ".")
	name, rest, _ := strings.Cut(rest, ".")
	id, failed := syncproto.ParseID[syncproto.RecordID](name)
	if failed != nil {
		return 0, place, 0, wrong
	}
	if kind == "visit" {
		if place, err = parseHouseholdPlace(rest); err != nil {
			return 0, place, 0, wrong
		}
		visiting = slices.IndexFunc(a.rounds, func(r *round) bool { return r.ID == id })
		if visiting < 0 {
			visiting, place = 0, HouseholdPlace{}
		}
		return visiting, place, 0, nil
	}
	if !slices.Contains(DutyKinds, DutyKind(kind)) {
		return 0, place, 0, wrong
	}
	last := slices.IndexFunc(a.all, func(d Duty) bool { return string(d.Kind) == kind && d.Record == id })
	return -1, place, last + 1, nil
}

// name fills in whom the duties of a page are about.
func (a *agenda) name(ctx context.Context, duties []Duty) error {
	var ids []syncproto.RecordID
	for i := range duties {
		if duties[i].Subject != nil && duties[i].Name == "" {
			ids = append(ids, *duties[i].Subject)
		}
	}
	subjects, err := a.s.find(ctx, a.snap, ids)
	if err != nil {
		return err
	}
	for i := range duties {
		d := &duties[i]
		if d.Subject == nil || d.Name != "" {
			continue
		}
		e := subjects[*d.Subject]
		d.Name, d.where = e.text(nameOf[d.SubjectKind]), e.Area
	}
	return nil
}

// kindHousehold is the kind of household records.
const kindHousehold syncproto.Kind = "household"

// nameOf is the field by which people know a record of a kind.
var nameOf = map[syncproto.Kind]string{roster.KindPerson: "name", kindHousehold: "address", KindTask: "name", KindLead: "about"}
