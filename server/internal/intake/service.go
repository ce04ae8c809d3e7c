package intake

import (
	"context"
	"errors"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
)

// Plan says what a file would do and does nothing. It fails with codes bad_request (kind),
// not_found (area) and bad_file. Headings that are missing and cells that can't be read are
// no failure: the plan names them, and has no token where nothing of it can be done.
func (s *Service) Plan(ctx context.Context, o Order) (*Plan, error) {
	p, err := s.plan(ctx, &o)
	if err != nil {
		return nil, err
	}
	p.show(o.Show)
	return p, nil
}

func (s *Service) plan(ctx context.Context, o *Order) (*Plan, error) {
	snap := s.registry.Current()
	if o.Kind != KindArea && o.Kind != kindHousehold && o.Kind != kindPerson {
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "kind"}
	}
	if _, ok := snap.Areas.Find(o.Area); !ok {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	table, err := readTable(ctx, o, vocabularyOf(o.Kind, snap.Forms.Newest(o.Kind)))
	if err != nil {
		return nil, err
	}
	p := newPlan(o, table)
	switch {
	case len(p.Problems) > 0:
	case o.Kind == KindArea:
		s.planAreas(o, p, table)
	default:
		if err := s.planRecords(ctx, o, p, table); err != nil {
			return nil, err
		}
	}
	if len(p.Missing) > 0 {
		p.Problems = append(p.Problems, Problem{Row: table.HeaderRow, Text: missing(p.Missing)})
	}
	p.sum()
	if len(p.Problems) == 0 {
		p.seal(o)
	}
	return p, nil
}

// readTable reads a file. Its headings are known by the words of the kind.
func readTable(ctx context.Context, o *Order, words *vocabulary) (*sheet.Table, error) {
	known := make([]string, 0, len(words.byHeading))
	for h := range words.byHeading {
		known = append(known, h)
	}
	for h := range o.Mapping {
		known = append(known, h)
	}
	return sheet.Read(ctx, o.Name, o.File, sheet.Options{Sheet: o.Sheet, Known: known, FillMerged: true})
}

// newPlan begins a plan with what is to be said of the file as a whole.
func newPlan(o *Order, table *sheet.Table) *Plan {
	p := &Plan{
		Kind: o.Kind, Area: o.Area, File: o.Name, Digest: digestOf(o.File), Sheet: table.Sheet,
		Columns: []Column{}, Lines: []Line{},
	}
	for _, problem := range table.Problems {
		if problem.Row == 0 || problem.Row == table.HeaderRow {
			p.Remarks = append(p.Remarks, problemOf(problem))
		}
	}
	for _, remark := range table.Remarks {
		p.Remarks = append(p.Remarks, problemOf(remark))
	}
	switch {
	case len(table.Rows) == 0:
		p.Problems = append(p.Problems, Problem{Text: textNoRows})
	case len(table.Rows) > MaxRows:
		p.Problems = append(p.Problems, Problem{Text: sayf(textTooMany, MaxRows)})
	}
	return p
}

// Apply does what a plan said, whose token is given: all of it in one transaction, or
// nothing. Rows that are bad or unsure stand in the way unless they are to be left out. It
// fails as Plan does, and with codes
//
//   - moved_on (token): the file, or what it is held against, is no longer what was shown;
//   - bad_request (file): nothing can be done with this file; (leave_out): there are rows
//     that can't be entered;
//   - forbidden (author), where whoever brings the file may not write what a row says, and
//     bad_request (file) where the server can't take a row for another reason, with the row
//     and the reason in the detail.
func (s *Service) Apply(ctx context.Context, o Order, token string, leaveOut bool) (*Plan, error) {
	p, err := s.plan(ctx, &o)
	if err != nil {
		return nil, err
	}
	if err := p.allows(token, leaveOut); err != nil {
		return nil, err
	}
	if o.Kind == KindArea {
		err = s.enterAreas(ctx, p)
	} else {
		err = s.enter(ctx, &o, p)
	}
	if err != nil {
		return nil, err
	}
	p.show(o.Show)
	return p, nil
}

// allows says whether a plan may be done.
func (p *Plan) allows(token string, leaveOut bool) error {
	switch {
	case p.Token == "":
		return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "file", Detail: "nothing can be done with it as it is"}
	case p.Token != token:
		return &syncproto.Error{Code: syncproto.CodeMovedOn, Field: "token"}
	case p.Counts.Bad+p.Counts.Unsure > 0 && !leaveOut:
		return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "leave_out", Detail: "there are rows that can't be entered"}
	}
	return nil
}

// enter makes a plan's changes.
func (s *Service) enter(ctx context.Context, o *Order, p *Plan) error {
	steps, rows := p.order()
	p.Applied = &Applied{Left: p.Counts.Bad + p.Counts.Unsure}
	for i := range p.steps {
		switch p.statusOf(p.steps[i].row) {
		case New:
			p.Applied.New++
		case Differs:
			p.Applied.Differs++
		case Same, Bad, Unsure: // a list notes on a task that is the same that it is in this version, too
		}
	}
	p.Applied.Households = len(steps) - len(p.steps)
	if len(steps) == 0 {
		return nil
	}
	entered, err := s.desk.Enter(ctx, exchange.Entry{Author: o.Author, Steps: steps})
	if err != nil {
		return misstep(err, rows)
	}
	p.Applied.Changes, p.Applied.Version = len(entered.Changes), entered.Version
	for _, outcome := range entered.Outcomes {
		if outcome == syncproto.Disputed {
			p.Applied.Disputed++
		}
	}
	return nil
}

// misstep says which row the server can't take.
func misstep(err error, rows []int) error {
	var m *exchange.Misstep
	if !errors.As(err, &m) || m.Step >= len(rows) {
		return fmt.Errorf("enter a file: %w", err)
	}
	turned := &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "file"}
	switch m.Why.Code {
	case syncproto.CodeOutOfArea, syncproto.CodeNotEntitled, syncproto.CodeGrantExpired, syncproto.CodeUnknownAuthor:
		turned = &syncproto.Error{Code: syncproto.CodeForbidden, Field: "author"}
	default:
	}
	turned.Detail = fmt.Sprintf("row %d: %v", rows[m.Step], m.Why)
	said := m.Why.Message()
	return turned.Because(syncproto.Text{
		ZH: fmt.Sprintf(textRowRefused.ZH, rows[m.Step], said.ZH), EN: fmt.Sprintf(textRowRefused.EN, rows[m.Step], said.EN),
	})
}

// order puts the households that are needed before the people in them; rows are those that
// the steps come from.
func (p *Plan) order() (steps []exchange.Step, rows []int) {
	made := make(map[int]bool)
	for i := range p.steps {
		one := &p.steps[i]
		if one.home >= 0 && !made[one.home] {
			made[one.home] = true
			steps, rows = append(steps, p.homes[one.home].Step), append(rows, one.row)
		}
		steps, rows = append(steps, one.Step), append(rows, one.row)
	}
	return steps, rows
}

// statusOf is the status of a row.
func (p *Plan) statusOf(row int) Status {
	if p.byRow == nil {
		p.byRow = make(map[int]Status, len(p.all))
		for i := range p.all {
			p.byRow[p.all[i].Row] = p.all[i].Status
		}
	}
	return p.byRow[row]
}
