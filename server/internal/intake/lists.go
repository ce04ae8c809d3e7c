package intake

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/server/internal/roster"
	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// The kinds of records that a list that comes down is made of.
const (
	kindList syncproto.Kind = "list"
	kindTask syncproto.Kind = "task"
)

// ListOrder is a list of people that comes down: each row becomes a task, at the grid where
// somebody can find out.
type ListOrder struct {
	// Order brings the file; its kind is passed over, its area is the list's scope and the
	// desk of the rows that nobody knows where to send.
	Order
	Name, Source, Note string
	// Purpose and What are choices of the forms list and task; "" is other, and check_person.
	Purpose, What string
	// Deadline may be 0.
	Deadline form.Day
	// Family is the first version of the list that this is a new version of; zero for a new
	// list.
	Family syncproto.RecordID
}

// ListPlan is what a plan says of a list besides its rows.
type ListPlan struct {
	// ID is the version's own, Family the first version's, Number counts them from 1.
	ID     syncproto.RecordID `json:"id"`
	Family syncproto.RecordID `json:"family"`
	Number int                `json:"number"`
	// Known says that this very version is there already: nothing would be done.
	Known bool `json:"known,omitempty"`
	// Gone counts the tasks of the version before whose rows aren't in the file: they are
	// withdrawn.
	Gone int `json:"gone"`
	// Where new tasks go: to the grid of the person found, to the area that the row names,
	// to the grid of the household at the address, or to the desk of the list's own area.
	ByPerson  int `json:"by_person"`
	ByArea    int `json:"by_area"`
	ByAddress int `json:"by_address"`
	Unrouted  int `json:"unrouted"`
}

// listFields are the fields of a task that a list's columns may hold.
var listFields = []string{"name", "id_number", "mobile", "address", "deadline", "title"}

// colBirth is a column that only helps to find a person.
const colBirth = "@birth"

func vocabularyOfLists(snap forms) *vocabulary {
	v := &vocabulary{byHeading: make(map[string]target), byName: make(map[string]target)}
	f := snap.Newest(kindTask)
	for pass := range 2 {
		for _, name := range listFields {
			field, known := f.Field(name)
			switch {
			case !known:
			case pass == 0:
				v.add(target{name, field.Label, field}, name, field.Label.ZH, field.Label.EN)
			default:
				v.add(target{name, field.Label, field}, append(aliases[name], listAliases[name]...)...)
			}
		}
	}
	birth, _ := snap.Newest(kindPerson).Field("birth")
	v.add(target{colBirth, birth.Label, birth}, append(aliases["birth"], "birth", birth.Label.ZH, birth.Label.EN)...)
	for _, c := range standingColumns {
		if c.target != colRecord {
			v.add(target{name: c.target, label: c.label}, c.aliases...)
		}
	}
	return v
}

var listAliases = map[string][]string{
	"deadline": {"期限", "截止日期", "完成时限", "办结期限", "due"},
	"title":    {"事项", "任务"},
}

// forms are those in force.
type forms interface {
	Newest(kind syncproto.Kind) *form.Form
}

// PlanList says what a list would do. It fails as Plan does, and with codes bad_request
// (name, purpose, what) and not_found (family).
func (s *Service) PlanList(ctx context.Context, o ListOrder) (*Plan, error) {
	p, err := s.planList(ctx, &o)
	if err != nil {
		return nil, err
	}
	p.show(o.Show)
	return p, nil
}

// ApplyList does what PlanList said; see Apply.
func (s *Service) ApplyList(ctx context.Context, o ListOrder, token string, leaveOut bool) (*Plan, error) {
	p, err := s.planList(ctx, &o)
	if err != nil {
		return nil, err
	}
	if err := p.allows(token, leaveOut); err != nil {
		return nil, err
	}
	if err := s.enter(ctx, &o.Order, p); err != nil {
		return nil, err
	}
	p.show(o.Show)
	return p, nil
}

func (s *Service) planList(ctx context.Context, o *ListOrder) (*Plan, error) {
	snap := s.registry.Current()
	if _, ok := snap.Areas.Find(o.Area); !ok {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	l := &listing{
		s: s, order: o, snap: snap.Forms,
		reading: reading{form: snap.Forms.Newest(kindTask), places: newPlaces(snap, o.Area)},
	}
	words := vocabularyOfLists(snap.Forms)
	table, err := readTable(ctx, &o.Order, words)
	if err != nil {
		return nil, err
	}
	o.Kind = kindTask
	p := newPlan(&o.Order, table)
	l.plan = p
	if err := l.identify(ctx, p); err != nil {
		return nil, err
	}
	if len(p.Problems) == 0 {
		l.layout = words.layOut(p, table.Headers, o.Mapping)
		l.layout.need(p, words, []string{"name", "id_number", "mobile"})
	}
	if len(p.Missing) > 0 {
		p.Problems = append(p.Problems, Problem{Row: table.HeaderRow, Text: missing(p.Missing)})
	}
	if len(p.Problems) > 0 {
		p.sum()
		return p, nil
	}
	if err := l.run(ctx, table); err != nil {
		return nil, err
	}
	p.sum()
	p.seal(&o.Order)
	return p, nil
}

// listing is a list on its way to a plan.
type listing struct {
	reading
	s     *Service
	order *ListOrder
	snap  forms
	list  syncproto.Fields
	// before are the tasks of the versions before, by id; last is the newest of those versions.
	before map[syncproto.RecordID]*roster.Row
	last   *roster.Row
}

// identify says which version of which list this is.
func (l *listing) identify(ctx context.Context, p *Plan) error {
	o := l.order
	purpose, what := o.Purpose, o.What
	if purpose == "" {
		purpose = "other"
	}
	if what == "" {
		o.What = "check_person"
	}
	l.list = syncproto.Fields{
		"name": syncproto.TextValue(strings.TrimSpace(o.Name)), "purpose": syncproto.TextValue(purpose),
		"issued_on": syncproto.TextValue(o.Today.String()),
	}
	for name, text := range map[string]string{"source": o.Source, "note": o.Note} {
		if text = strings.TrimSpace(text); text != "" {
			l.list[name] = syncproto.TextValue(text)
		}
	}
	if o.Deadline != 0 {
		l.list["deadline"] = syncproto.TextValue(o.Deadline.String())
	}
	if strings.TrimSpace(o.Name) == "" {
		return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "name", Detail: "required"}
	}
	for name, v := range l.list {
		if fit(l.snap.Newest(kindList), name, v) != nil {
			return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: name}
		}
	}
	if fit(l.form, "what", syncproto.TextValue(o.What)) != nil {
		return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "what"}
	}
	p.List = &ListPlan{Number: 1}
	if o.Family.IsZero() {
		p.List.ID = l.s.idOf(string(kindList), string(o.Area), foldText(o.Name), o.Today.String(), p.Digest)
		p.List.Family = p.List.ID
		there, err := l.s.rosters.Shown(ctx, []syncproto.RecordID{p.List.ID})
		if err != nil {
			return fmt.Errorf("look for a list: %w", err)
		}
		p.List.Known = len(there) > 0
		return nil
	}
	return l.follow(ctx, p)
}

// follow finds the versions that were before.
func (l *listing) follow(ctx context.Context, p *Plan) error {
	o := l.order
	versions, err := l.s.versions(ctx, o.Family)
	if err != nil {
		return err
	}
	if len(versions) == 0 || versions[0].Area != o.Area {
		return &syncproto.Error{Code: syncproto.CodeNotFound, Field: "family"}
	}
	l.last = versions[len(versions)-1]
	p.List.Family, p.List.Number = o.Family, numberOfList(l.last)+1
	idAfter := func(before syncproto.RecordID) syncproto.RecordID {
		return l.s.idOf(string(kindList), o.Family.String(), before.String(), p.Digest)
	}
	p.List.ID = idAfter(l.last.ID)
	for i := range versions[:len(versions)-1] {
		if idAfter(versions[i].ID) == l.last.ID { // the newest version is this very file
			p.List.ID, p.List.Number, p.List.Known = l.last.ID, numberOfList(l.last), true
		}
	}
	if first := versions[0]; len(versions) == 1 &&
		first.ID == l.s.idOf(string(kindList), string(o.Area), foldText(textOf(first.Fields["name"])), textOf(first.Fields["issued_on"]), p.Digest) {
		p.List.ID, p.List.Number, p.List.Known = first.ID, 1, true
	}
	tasks, err := l.s.tasksOf(ctx, versions)
	if err != nil {
		return err
	}
	l.before = tasks
	return nil
}

func numberOfList(row *roster.Row) int {
	n, err := strconv.Atoi(string(row.Fields["number"]))
	if err != nil {
		return 1
	}
	return n
}

// versions are those of a list, the first first.
func (s *Service) versions(ctx context.Context, family syncproto.RecordID) ([]*roster.Row, error) {
	ids, err := s.referring(ctx, []syncproto.RecordID{family}, kindList, "family")
	if err != nil {
		return nil, fmt.Errorf("versions of a list: %w", err)
	}
	rows, err := s.rosters.Shown(ctx, unique(append([]syncproto.RecordID{family}, ids...)))
	if err != nil {
		return nil, fmt.Errorf("versions of a list: %w", err)
	}
	var versions []*roster.Row
	for i := range rows {
		if rows[i].Kind == kindList && rows[i].SameAs == nil {
			versions = append(versions, &rows[i])
		}
	}
	slices.SortStableFunc(versions, func(a, b *roster.Row) int { return numberOfList(a) - numberOfList(b) })
	if len(versions) > 0 && versions[0].ID != family {
		return nil, nil
	}
	return versions, nil
}

// referring returns the records of a kind that name one of these in a field.
func (s *Service) referring(ctx context.Context, targets []syncproto.RecordID, kind syncproto.Kind, field string) ([]syncproto.RecordID, error) {
	var ids []syncproto.RecordID
	for _, target := range targets {
		var after syncproto.RecordID
		for {
			page, err := s.store.Referring(ctx, target, kind, after, chunk)
			if err != nil {
				return nil, err
			}
			for i := range page {
				if page[i].Field == field {
					ids = append(ids, page[i].Record)
				}
			}
			if len(page) < chunk {
				break
			}
			after = page[len(page)-1].Record
		}
	}
	return unique(ids), nil
}

// tasksOf are the tasks that came of some versions of a list.
func (s *Service) tasksOf(ctx context.Context, versions []*roster.Row) (map[syncproto.RecordID]*roster.Row, error) {
	targets := make([]syncproto.RecordID, len(versions))
	for i, v := range versions {
		targets[i] = v.ID
	}
	ids, err := s.referring(ctx, targets, kindTask, "list")
	if err != nil {
		return nil, fmt.Errorf("tasks of a list: %w", err)
	}
	tasks := make(map[syncproto.RecordID]*roster.Row, len(ids))
	for part := range slices.Chunk(unique(ids), chunk) {
		rows, err := s.rosters.Shown(ctx, part)
		if err != nil {
			return nil, fmt.Errorf("tasks of a list: %w", err)
		}
		for i := range rows {
			if rows[i].Kind == kindTask {
				tasks[rows[i].ID] = &rows[i]
			}
		}
	}
	return tasks, nil
}

// run reads the rows and makes their tasks.
func (l *listing) run(ctx context.Context, table *sheet.Table) error {
	l.readList(table)
	twins := make(map[syncproto.RecordID]int, len(l.drafts))
	for from := 0; from < len(l.drafts); from += chunk {
		part := l.drafts[from:min(from+chunk, len(l.drafts))]
		if err := l.routeAll(ctx, part, twins); err != nil {
			return err
		}
	}
	if l.plan.List.Known {
		l.plan.steps = nil
	} else {
		l.withdraw(twins)
		l.begin()
	}
	l.plan.all = make([]Line, len(l.drafts))
	for i := range l.drafts {
		l.plan.all[i] = l.drafts[i].Line
	}
	return nil
}

// readList reads every row; its profile is that of a person.
func (l *listing) readList(table *sheet.Table) {
	unreadable := problemsByRow(table)
	person := l.snap.Newest(kindPerson)
	for i := range table.Rows {
		row := &table.Rows[i]
		d := draft{Line: Line{Row: row.N, Area: l.places.root}, fields: make(syncproto.Fields), home: -1}
		d.Problems = unreadable[row.N]
		who := make(syncproto.Fields)
		for col, t := range l.layout.targets {
			c := row.Cell(col)
			if unread(&d.Line, t, c, row.Ref(col), table.Headers[col]) || t.name == "" || strings.TrimSpace(c.Text) == "" {
				continue
			}
			wrong := l.takeList(&d, who, t, c)
			if wrong != nil {
				d.Problems = append(d.Problems, Problem{Row: row.N, Cell: row.Ref(col), Column: table.Headers[col], Text: *wrong})
			}
		}
		for _, name := range []string{"name", "id_number", "mobile"} {
			if v, said := d.fields[name]; said {
				who[name] = v
			}
		}
		d.Name = textOf(d.fields["name"])
		d.profile = match.ProfileOf(person, who, nil)
		if len(who) == 0 && len(d.Problems) == 0 {
			d.Problems = append(d.Problems, Problem{Row: row.N, Text: textNobody})
		}
		if len(d.Problems) > 0 {
			d.Status = Bad
		}
		d.address = textOf(d.fields["address"])
		l.drafts = append(l.drafts, d)
	}
}

func (l *listing) takeList(d *draft, who syncproto.Fields, t target, c sheet.Cell) *syncproto.Text {
	if t.name != colBirth {
		return l.take(d, t, c)
	}
	v, wrong := valueOf(t.field, c)
	if !v.IsNull() {
		who["birth"] = v
	}
	return wrong
}

// routeAll finds the people and the places of some rows, and makes their tasks.
func (l *listing) routeAll(ctx context.Context, part []draft, twins map[syncproto.RecordID]int) error {
	household := l.snap.Newest(kindHousehold)
	people, homes := make([]match.Profile, len(part)), make([]match.Profile, len(part))
	for i := range part {
		if d := &part[i]; d.Status != Bad {
			people[i] = d.profile
			if d.address != "" {
				homes[i] = match.ProfileOf(household, syncproto.Fields{"address": d.fields["address"]}, nil)
			}
		}
	}
	findPeople, persons, err := l.s.candidates(ctx, people, nil)
	if err != nil {
		return err
	}
	findHomes, doors, err := l.s.candidates(ctx, homes, nil)
	if err != nil {
		return err
	}
	for i := range part {
		d := &part[i]
		if d.Status == Bad {
			continue
		}
		d.Record = l.s.idOf(append([]string{string(kindTask), l.plan.List.Family.String()}, keyOfTask(d)...)...)
		if first, twice := twins[d.Record]; twice {
			l.twin(d, first)
			continue
		}
		twins[d.Record] = d.Row
		if before := l.before[d.Record]; before != nil {
			l.again(d, before)
			continue
		}
		l.route(d, findPeople.alike(d.profile, persons[i], l.places), findHomes.alike(homes[i], doors[i], l.places))
		l.give(d)
	}
	return nil
}

// keyOfTask is what a row is known by from one version of a list to the next.
func keyOfTask(d *draft) []string {
	if d.profile.IDNumber == "" && d.profile.Mobile == "" && d.profile.Birth == "" && d.address != "" {
		return []string{"address", d.profile.Name, foldText(d.address)}
	}
	return keyOf(d)
}

// twin is a row that speaks of the same person as one before it.
func (l *listing) twin(d *draft, first int) {
	d.Twin = first
	i := slices.IndexFunc(l.drafts, func(o draft) bool { return o.Row == first })
	l.second(d, &l.drafts[i], d.fields)
}

// route finds where somebody can find out about a row.
func (l *listing) route(d *draft, people, doors []found) {
	people = decisive(d.profile, people, l.places)
	switch {
	case len(people) == 1:
		person := people[0].row
		d.fields["person"] = syncproto.TextValue(person.ID.String())
		if home := textOf(person.Fields["household"]); home != "" {
			d.fields["household"] = syncproto.TextValue(home)
		}
		d.Area, d.Matches = person.Area, []syncproto.RecordID{person.ID}
		l.plan.List.ByPerson++
		return
	case len(people) > 1:
		for _, one := range people {
			d.Matches = append(d.Matches, one.row.ID)
		}
	}
	if d.said {
		l.plan.List.ByArea++
		return
	}
	if area, home := oneDoor(doors); area != "" {
		if !home.IsZero() {
			d.fields["household"] = syncproto.TextValue(home.String())
			d.Household = home
		}
		d.Area = area
		l.plan.List.ByAddress++
		return
	}
	l.plan.List.Unrouted++
}

// oneDoor is the one area in which an address stands, and the household if there is one
// alone.
func oneDoor(doors []found) (area syncproto.AreaID, home syncproto.RecordID) {
	for i, door := range doors {
		if i > 0 && door.row.Area != area {
			return "", syncproto.RecordID{}
		}
		area, home = door.row.Area, door.row.ID
	}
	if len(doors) != 1 {
		home = syncproto.RecordID{}
	}
	return area, home
}

// give makes the task of a row that is new.
func (l *listing) give(d *draft) {
	o := l.order
	d.Status = New
	for name, v := range map[string]syncproto.Value{
		"title": l.list["name"], "what": syncproto.TextValue(o.What), "issued_on": l.list["issued_on"], "deadline": l.list["deadline"],
	} {
		if _, said := d.fields[name]; !said && !v.IsNull() {
			d.fields[name] = v
		}
	}
	l.enroll(d, d.fields)
	l.plan.steps = append(l.plan.steps, step{
		Step: exchange.Step{Record: d.Record, Kind: kindTask, Area: d.Area, Fields: d.fields}, row: d.Row, home: -1,
	})
}

// enroll notes on a task in which version of the list it is, and where.
func (l *listing) enroll(d *draft, fields syncproto.Fields) {
	id := l.plan.List.ID.String()
	fields["list"], fields["lists"] = syncproto.TextValue(id), form.Delta([]string{id}, nil)
	fields["row"] = syncproto.TextValue(strconv.Itoa(d.Row))
}

// again is a row that an earlier version had. What the list says otherwise now replaces
// what it said, for who says so has seen it; where the task went, and what came of it,
// stays.
func (l *listing) again(d *draft, before *roster.Row) {
	d.Area, d.version, d.where = before.Area, before.Version, before.Area
	enter := make(syncproto.Fields)
	if !l.list["deadline"].IsNull() {
		if _, said := d.fields["deadline"]; !said {
			d.fields["deadline"] = l.list["deadline"]
		}
	}
	for _, name := range listFields {
		v, said := d.fields[name]
		field, _ := l.form.Field(name)
		if !said || field.Fold(v) == field.Fold(before.Fields[name]) {
			continue
		}
		d.Differs = append(d.Differs, Difference{Field: name, Label: field.Label, File: v, Roster: before.Fields[name]})
		enter[name] = v
	}
	if !before.Fields["withdrawn_on"].IsNull() {
		enter["withdrawn_on"] = syncproto.Null
	}
	d.Status = Same
	if len(d.Differs) > 0 {
		d.Status = Differs
	}
	l.enroll(d, enter)
	l.plan.steps = append(l.plan.steps, step{
		Step: exchange.Step{Record: d.Record, Kind: kindTask, Area: before.Area, Base: before.Version, Fields: enter}, row: d.Row, home: -1,
	})
}

// withdraw takes back the tasks whose rows are gone. A row that is there and can't be read
// isn't gone: a task that may be its own stays.
func (l *listing) withdraw(there map[syncproto.RecordID]int) {
	gone, kept := make([]*roster.Row, 0), 0
	left := l.leftOut()
	for id, task := range l.before {
		if _, listed := there[id]; listed || !task.Fields["withdrawn_on"].IsNull() {
			continue
		}
		if left.mayBe(match.ProfileOf(l.snap.Newest(kindPerson), task.Fields, nil), task.Fields["address"]) {
			kept++
			continue
		}
		gone = append(gone, task)
	}
	if kept > 0 {
		l.plan.Remarks = append(l.plan.Remarks, Problem{Text: sayf(textKeptTasks, left.rows, kept)})
	}
	slices.SortFunc(gone, func(a, b *roster.Row) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	l.plan.List.Gone = len(gone)
	for _, task := range gone {
		l.plan.steps = append(l.plan.steps, step{
			Step: exchange.Step{
				Record: task.ID, Kind: kindTask, Area: task.Area, Base: task.Version,
				Fields: syncproto.Fields{"withdrawn_on": syncproto.TextValue(l.order.Today.String())},
			},
			home: -1,
		})
	}
}

// leftOut are the rows that can't be read, as far as they say who they are about. One that
// doesn't say at all may be about anybody.
type leftOut struct {
	rows    int
	anybody bool
	known   map[string]bool
}

func (l *listing) leftOut() *leftOut {
	left := &leftOut{known: make(map[string]bool)}
	for i := range l.drafts {
		d := &l.drafts[i]
		if d.Status != Bad {
			continue
		}
		left.rows++
		marks := marksOf(&d.profile, d.fields["address"])
		for _, mark := range marks {
			left.known[mark] = true
		}
		left.anybody = left.anybody || len(marks) == 0
	}
	return left
}

func (o *leftOut) mayBe(p match.Profile, address syncproto.Value) bool {
	return o.anybody || slices.ContainsFunc(marksOf(&p, address), func(mark string) bool { return o.known[mark] })
}

// marksOf are what somebody on a list may be known by.
func marksOf(p *match.Profile, address syncproto.Value) (marks []string) {
	for i, text := range []string{p.IDNumber, p.Mobile, p.Name, foldText(textOf(address))} {
		if text != "" {
			marks = append(marks, strconv.Itoa(i)+text)
		}
	}
	return marks
}

// begin puts the list itself before its tasks.
func (l *listing) begin() {
	p, list := l.plan, l.list
	list["number"] = syncproto.ValueOf(p.List.Number)
	list["rows"] = syncproto.ValueOf(len(l.drafts))
	list["family"] = syncproto.TextValue(p.List.Family.String())
	p.steps = slices.Insert(p.steps, 0, step{
		Step: exchange.Step{Record: p.List.ID, Kind: kindList, Area: l.order.Area, Fields: list}, home: -1,
	})
}
