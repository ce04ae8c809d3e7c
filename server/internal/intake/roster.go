package intake

import (
	"context"
	"fmt"
	"strings"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
)

// chunk is how many rows are held against the roster at a time: that is what memory
// follows, not the size of the file.
const chunk = 2000

// step is a change that a row would make.
type step struct {
	exchange.Step
	row  int
	home int // the household that must be made before it; -1 for none
}

// planRecords plans an import of records.
func (s *Service) planRecords(ctx context.Context, o *Order, p *Plan, table *sheet.Table) error {
	snap := s.registry.Current()
	r := &reading{plan: p, form: snap.Forms.Newest(o.Kind), household: snap.Forms.Newest(kindHousehold), places: newPlaces(snap, o.Area)}
	words := vocabularyOf(o.Kind, r.form)
	r.layout = words.layOut(p, table.Headers, o.Mapping)
	if o.Kind == kindPerson {
		r.layout.need(p, words, []string{"name", colRecord})
	} else {
		r.layout.need(p, words, []string{"address", colRecord})
	}
	if len(p.Missing) > 0 || len(p.Problems) > 0 {
		return nil
	}
	r.read(table)
	if o.Kind == kindPerson {
		r.gatherHomes()
		if err := s.findHomes(ctx, r); err != nil {
			return err
		}
		r.moveIn()
	}
	twins := &twins{s: s, r: r, byKey: make(map[match.Key][]int), byRecord: make(map[syncproto.RecordID]int)}
	for from := 0; from < len(r.drafts); from += chunk {
		if err := s.match(ctx, r, o, twins, from, min(from+chunk, len(r.drafts))); err != nil {
			return err
		}
	}
	r.finish(o)
	return nil
}

// moveIn gives each person's row its household.
func (r *reading) moveIn() {
	for i := range r.drafts {
		d := &r.drafts[i]
		if d.home < 0 {
			d.Household, _ = syncproto.ParseID[syncproto.RecordID](textOf(d.fields["household"]))
			continue
		}
		h := &r.homes[d.home]
		d.Household, d.NewHousehold = h.record, !h.there
		d.fields["household"] = syncproto.TextValue(h.record.String())
		d.profile = match.ProfileOf(r.form, d.fields, nil)
	}
}

func textOf(v syncproto.Value) string {
	s, _ := v.Text()
	return s
}

// match holds some of the rows against the roster, and against the rows before them.
func (s *Service) match(ctx context.Context, r *reading, o *Order, twins *twins, from, to int) error {
	part := r.drafts[from:to]
	profiles, named := make([]match.Profile, len(part)), make([]syncproto.RecordID, 0, 2*len(part))
	for i := range part {
		d := &part[i]
		if d.Status == Bad {
			continue
		}
		profiles[i] = d.profile
		d.Record = s.idOf(append([]string{string(o.Kind), string(d.Area)}, keyOf(d)...)...)
		named = append(named, d.Record, d.named)
	}
	find, candidates, err := s.candidates(ctx, profiles, named)
	if err != nil {
		return err
	}
	for i := range part {
		d := &part[i]
		if d.Status == Bad {
			continue
		}
		enter := r.settle(find, d, candidates[i])
		if d.Status != Bad && d.Status != Unsure {
			twins.look(from+i, enter)
		}
		if len(enter) > 0 && (d.Status == New || d.Status == Differs) {
			r.plan.steps = append(r.plan.steps, step{
				Step: exchange.Step{Record: d.Record, Kind: o.Kind, Area: d.Area, Fields: enter}, row: d.Row, home: d.home,
			})
		}
	}
	return nil
}

// settle says what a row would do, and what would be entered for it.
func (r *reading) settle(find *finder, d *draft, candidates []syncproto.RecordID) syncproto.Fields {
	if !d.named.IsZero() {
		row := find.row(d.named)
		if row == nil || row.Kind != r.form.Kind || !r.places.holds(row.Area) {
			d.Status = Bad
			d.Problems = append(d.Problems, Problem{Row: d.Row, Text: sayf(textNoRecord, d.named.String())})
			return nil
		}
		return r.compare(d, row)
	}
	if row := find.row(d.Record); row != nil {
		if r.places.holds(row.Area) {
			return r.compare(d, row)
		}
		d.Status = Unsure
		d.Problems = append(d.Problems, Problem{Row: d.Row, Text: textElsewhere})
		return nil
	}
	switch all := decisive(d.profile, find.alike(d.profile, candidates, r.places), r.places); len(all) {
	case 0:
		d.Status = New
		return d.fields
	case 1:
		return r.compare(d, all[0].row)
	default:
		d.Status = Unsure
		for _, one := range all {
			d.Matches = append(d.Matches, one.row.ID)
		}
		d.Problems = append(d.Problems, Problem{Row: d.Row, Text: sayf(textManyAlike, len(all))})
		return nil
	}
}

// finish closes the plan: what the file makes anew has a day, and households that nobody
// needs are left out.
func (r *reading) finish(o *Order) {
	p := r.plan
	today := syncproto.TextValue(o.Today.String())
	dated := func(fields syncproto.Fields) {
		if _, said := fields[foundOn]; !said {
			fields[foundOn] = today
		}
	}
	needed := make(map[int]bool)
	for i := range p.steps {
		s := &p.steps[i]
		if s.home >= 0 && !r.homes[s.home].there {
			needed[s.home] = true
		} else {
			s.home = -1
		}
	}
	for i := range r.drafts {
		if d := &r.drafts[i]; d.Status == New {
			dated(d.fields)
		}
	}
	for i := range r.homes {
		h := &r.homes[i]
		dated(h.fields)
		p.homes = append(p.homes, step{
			Step: exchange.Step{Record: h.record, Kind: kindHousehold, Area: h.area, Fields: h.fields}, home: -1,
		})
	}
	p.Counts.Households = len(needed)
	r.remarkTenures(needed)
	p.all = make([]Line, len(r.drafts))
	for i := range r.drafts {
		p.all[i] = r.drafts[i].Line
	}
}

// remarkTenures says of how many households it stays open whether they count as such.
func (r *reading) remarkTenures(needed map[int]bool) {
	untold := 0
	for i := range needed {
		if r.homes[i].fields[tenure].IsNull() {
			untold++
		}
	}
	if untold > 0 {
		r.plan.Remarks = append(r.plan.Remarks, Problem{Text: sayf(textNoTenure, untold)})
	}
	if r.otherTenures > 0 {
		r.plan.Remarks = append(r.plan.Remarks, Problem{Text: sayf(textOtherTenures, r.otherTenures)})
	}
}

// twins finds rows of one file that speak of the same record.
type twins struct {
	s        *Service
	r        *reading
	byKey    map[match.Key][]int
	byRecord map[syncproto.RecordID]int
}

// look finds the row before i that speaks of the same record. If the two agree, the second
// does nothing; if they don't, or it would enter what the first doesn't say, a person must
// say which is right.
func (t *twins) look(i int, enter syncproto.Fields) {
	d := &t.r.drafts[i]
	first, known := t.byRecord[d.Record]
	if !known && d.Status == New {
		first, known = t.alike(d)
	}
	if !known {
		t.byRecord[d.Record] = i
		for _, key := range d.profile.Keys(t.s.digester) {
			if len(t.byKey[key]) <= match.Block {
				t.byKey[key] = append(t.byKey[key], i)
			}
		}
		return
	}
	other := &t.r.drafts[first]
	d.Twin, d.Record = other.Row, other.Record
	t.r.second(d, other, enter)
}

// alike finds a row before that scores as one with it.
func (t *twins) alike(d *draft) (int, bool) {
	for _, key := range d.profile.Keys(t.s.digester) {
		if len(t.byKey[key]) > match.Block {
			continue
		}
		for _, i := range t.byKey[key] {
			if score, _ := match.Score(d.profile, t.r.drafts[i].profile); score >= match.Threshold {
				return i, true
			}
		}
	}
	return 0, false
}

// missing says in one text which columns a file lacks.
func missing(labels []syncproto.Text) syncproto.Text {
	var zh, en []string
	for _, l := range labels {
		zh, en = append(zh, l.ZH), append(en, l.EN)
	}
	return syncproto.Text{
		ZH: fmt.Sprintf(textMissing.ZH, strings.Join(zh, "、")), EN: fmt.Sprintf(textMissing.EN, strings.Join(en, ", ")),
	}
}
