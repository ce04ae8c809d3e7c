package intake

import (
	"context"
	"fmt"
	"slices"
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
