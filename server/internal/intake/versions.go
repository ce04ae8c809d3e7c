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
	"gridsync/syncproto"
)

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
