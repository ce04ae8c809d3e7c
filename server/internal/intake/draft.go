package intake

import (
	"slices"
	"strings"

	"gridsync/server/internal/match"
	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// draft is a row that was read.
type draft struct {
	Line
	fields syncproto.Fields
	// said says that the row names its area.
	said bool
	// named is the record that the row names by id.
	named syncproto.RecordID
	// address and head are of a person's household; home is its place among those that the
	// file speaks of, -1 for none.
	address, head string
	tenure        syncproto.Value
	home          int
	profile       match.Profile
}

// reading is a file of records on its way to a plan.
type reading struct {
	plan *Plan
	form *form.Form
	// household is the form of those that people's rows speak of.
	household *form.Form
	layout    layout
	places    *places
	drafts    []draft
	homes     []home
	// otherTenures counts the households that are there and of which the file says otherwise,
	// or more, about their tenure.
	otherTenures int
}

// read reads every row.
func (r *reading) read(table *sheet.Table) {
	unreadable := problemsByRow(table)
	r.drafts = make([]draft, 0, len(table.Rows))
	for i := range table.Rows {
		row := &table.Rows[i]
		d := draft{Line: Line{Row: row.N, Area: r.places.root}, fields: make(syncproto.Fields, len(r.layout.targets)), home: -1}
		d.Problems = unreadable[row.N]
		for col, t := range r.layout.targets {
			c := row.Cell(col)
			if unread(&d.Line, t, c, row.Ref(col), table.Headers[col]) || t.name == "" || strings.TrimSpace(c.Text) == "" {
				continue
			}
			if wrong := r.take(&d, t, c); wrong != nil {
				d.Problems = append(d.Problems, Problem{Row: row.N, Cell: row.Ref(col), Column: table.Headers[col], Text: *wrong})
			}
		}
		r.complete(&d)
		if len(d.Problems) > 0 {
			d.Status = Bad
		}
		r.drafts = append(r.drafts, d)
	}
}

// problemsByRow are the cells that couldn't be read, by their rows.
func problemsByRow(table *sheet.Table) map[int][]Problem {
	byRow := make(map[int][]Problem)
	for _, p := range table.Problems {
		if p.Row > 0 {
			byRow[p.Row] = append(byRow[p.Row], problemOf(p))
		}
	}
	return byRow
}

// unread notes a cell of a column that is taken and can't be read. The reader of files lists
// so many of them and no more, and of merged cells only the first: without this the row
// would go in without what stands there.
func unread(line *Line, t target, c sheet.Cell, ref, column string) bool {
	if c.Kind != sheet.Unreadable {
		return false
	}
	if t.name != "" && t.name != colIgnored && !slices.ContainsFunc(line.Problems, func(p Problem) bool { return p.Cell == ref }) {
		line.Problems = append(line.Problems, Problem{Row: line.Row, Cell: ref, Column: column, Text: textUnread})
	}
	return true
}

func problemOf(p sheet.Problem) Problem {
	return Problem{Row: p.Row, Cell: p.Cell, Column: p.Column, Text: p.Text}
}

// take reads one cell into a draft.
func (r *reading) take(d *draft, t target, c sheet.Cell) *syncproto.Text {
	text := strings.TrimSpace(c.Text)
	switch t.name {
	case colIgnored:
	case colRecord:
		id, err := syncproto.ParseID[syncproto.RecordID](text)
		if err != nil {
			wrong := sayf(textNoRecord, text)
			return &wrong
		}
		d.named = id
	case colArea, colAreaName:
		if d.said && t.name == colAreaName { // beside a code the name only explains it
			return nil
		}
		id, wrong := r.places.find(text)
		if wrong != nil {
			return wrong
		}
		d.Area, d.said = id, true
	case colAddress:
		d.address = text
	case colHead:
		d.head = text
	case colTenure:
		field, _ := r.household.Field(tenure)
		v, wrong := valueOf(field, c)
		if wrong != nil {
			return wrong
		}
		d.tenure = v
	default:
		v, wrong := valueOf(t.field, c)
		if wrong == nil && !v.IsNull() {
			wrong = fit(r.form, t.name, v)
		}
		if wrong != nil {
			return wrong
		}
		if !v.IsNull() {
			d.fields[t.name] = v
		}
	}
	return nil
}

// complete gives a draft its name and its profile, and says what it lacks.
func (r *reading) complete(d *draft) {
	for _, name := range []string{"name", "address"} {
		if text, ok := d.fields[name].Text(); ok && d.Name == "" {
			d.Name = text
		}
	}
	for i := range r.form.Fields {
		field := &r.form.Fields[i]
		if !field.Required || !d.fields[field.Name].IsNull() || field.Name == foundOn {
			continue
		}
		if d.named.IsZero() {
			d.Problems = append(d.Problems, Problem{Row: d.Row, Column: field.Label.ZH, Text: sayf2(textRequired, field.Label)})
		}
	}
	d.profile = match.ProfileOf(r.form, d.fields, nil)
}

// foundOn is the day on which a record was first registered: today, for one that a file
// makes and of which it doesn't say.
const foundOn = "found_on"

// sayf2 fills a label into both texts.
func sayf2(t, label syncproto.Text) syncproto.Text {
	return syncproto.Text{ZH: sayf(t, label.ZH).ZH, EN: sayf(t, label.EN).EN}
}
