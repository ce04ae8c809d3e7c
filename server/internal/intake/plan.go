package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// Status is what a row would do.
type Status string

// The statuses.
const (
	// New: a record that isn't there yet.
	New Status = "new"
	// Same: it is there and says the same, or what differs is asked about already.
	Same Status = "same"
	// Differs: it is there and says otherwise. The file's value is entered beside it, for a
	// person to settle, unless the plan says that it is left out.
	Differs Status = "differs"
	// Bad: the row can't be read. Nothing of it is entered.
	Bad Status = "bad"
	// Unsure: it may be more than one record, or another row of the file speaks of it and
	// says otherwise. Nothing of it is entered.
	Unsure Status = "unsure"
)

// Statuses lists them in the order in which people look at them.
var Statuses = []Status{New, Same, Differs, Bad, Unsure}

// Column is a column of the file and what it was taken for.
type Column struct {
	Header string         `json:"header"`
	Field  string         `json:"field"`
	Label  syncproto.Text `json:"label"`
}

// Problem is what is wrong with a file, a row or a cell, for whoever must mend it.
type Problem struct {
	Row    int    `json:"row,omitempty"`
	Cell   string `json:"cell,omitempty"`
	Column string `json:"column,omitempty"`
	syncproto.Text
}

// Difference is a field about which file and roster disagree.
type Difference struct {
	Field  string          `json:"field"`
	Label  syncproto.Text  `json:"label"`
	File   syncproto.Value `json:"file"`
	Roster syncproto.Value `json:"roster,omitempty"`
	// Kept says that the file's value is left out: where the newest word simply shows, it
	// would stand over the roster's without anybody being asked.
	Kept bool `json:"kept,omitempty"`
}

// Line is what one row of the file would do.
type Line struct {
	Row    int    `json:"row"`
	Status Status `json:"status"`
	// Name is by what people know the row: a name, an address, a code.
	Name   string             `json:"name,omitempty"`
	Area   syncproto.AreaID   `json:"area,omitempty"`
	Record syncproto.RecordID `json:"record,omitzero"`
	// Household is the household that a person belongs to; NewHousehold says that it isn't
	// there yet and would be made.
	Household    syncproto.RecordID   `json:"household,omitzero"`
	NewHousehold bool                 `json:"new_household,omitempty"`
	Differs      []Difference         `json:"differs,omitempty"`
	Problems     []Problem            `json:"problems,omitempty"`
	Matches      []syncproto.RecordID `json:"matches,omitempty"`
	// Twin is the row of the file that speaks of the same record.
	Twin int `json:"twin,omitempty"`

	version syncproto.Version // of the record, as it was compared
	where   syncproto.AreaID  // where the record lies
}

// Counts says how many rows have each status, and how many households would be made for
// people.
type Counts struct {
	Rows       int `json:"rows"`
	New        int `json:"new"`
	Same       int `json:"same"`
	Differs    int `json:"differs"`
	Bad        int `json:"bad"`
	Unsure     int `json:"unsure"`
	Households int `json:"households,omitempty"`
}

// Plan says what a file would do.
type Plan struct {
	Kind syncproto.Kind   `json:"kind"`
	Area syncproto.AreaID `json:"area"`
	File string           `json:"file"`
	// Digest is the SHA-256 of the file.
	Digest string `json:"digest"`
	// Token stands for all that the plan says: whoever gives it back gets exactly this
	// done, or nothing. Empty where nothing can be done.
	Token string `json:"token,omitempty"`
	Sheet string `json:"sheet,omitempty"`
	// Columns were recognised, Ignored weren't, and Missing are needed and aren't there.
	Columns []Column         `json:"columns"`
	Ignored []string         `json:"ignored,omitempty"`
	Missing []syncproto.Text `json:"missing,omitempty"`
	Counts  Counts           `json:"counts"`
	// List is there for a list that comes down.
	List *ListPlan `json:"list,omitempty"`
	// Problems are those of the file as a whole, Remarks what else is to be known of it.
	Problems []Problem `json:"problems,omitempty"`
	Remarks  []Problem `json:"remarks,omitempty"`
	Lines    []Line    `json:"lines"`
	// Next is the row after which to go on; 0 at the end.
	Next int `json:"next,omitempty"`
	// Applied says what was done; absent from a plan that only says what would be.
	Applied *Applied `json:"applied,omitempty"`

	all   []Line
	steps []step
	homes []step      // the households that people's rows speak of
	nodes []area.Node // of an import of areas
	byRow map[int]Status
}

// Applied is what became of a plan.
type Applied struct {
	Version syncproto.Version `json:"version"`
	// Changes counts what was entered; New, Differs and Households the rows and households
	// that it came from; Left those that were left out.
	Changes    int `json:"changes"`
	New        int `json:"new"`
	Differs    int `json:"differs"`
	Households int `json:"households,omitempty"`
	Left       int `json:"left"`
	// Disputed counts the changes after which a person must look.
	Disputed int `json:"disputed"`
}

// All returns every line of the plan.
func (p *Plan) All() []Line { return p.all }

// sum counts the lines.
func (p *Plan) sum() {
	c := Counts{Rows: len(p.all), Households: p.Counts.Households}
	for i := range p.all {
		*c.of(p.all[i].Status)++
	}
	p.Counts = c
}

func (c *Counts) of(s Status) *int {
	switch s {
	case New:
		return &c.New
	case Same:
		return &c.Same
	case Differs:
		return &c.Differs
	case Unsure:
		return &c.Unsure
	}
	return &c.Bad
}

// mostShown bounds the lines of one answer.
const mostShown = 500

// show picks the lines that are wanted.
func (p *Plan) show(want Show) {
	limit := want.Limit
	if limit <= 0 || limit > mostShown {
		limit = mostShown
	}
	p.Lines, p.Next = []Line{}, 0
	for i := range p.all {
		l := &p.all[i]
		if l.Row <= want.After || want.Status != "" && l.Status != want.Status {
			continue
		}
		if len(p.Lines) == limit {
			p.Next = p.Lines[limit-1].Row
			return
		}
		p.Lines = append(p.Lines, *l)
	}
}

// seal gives the plan its token: a fingerprint of what was asked and of everything that
// would be entered, with the versions of the records that it was held against.
func (p *Plan) seal(o *Order) {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %s %s %q\n", o.Kind, o.Area, o.Author, p.Digest, o.Sheet)
	for i := range p.all {
		l := &p.all[i]
		fmt.Fprintf(h, "%d %s %s %d\n", l.Row, l.Status, l.Record, l.version)
	}
	for _, steps := range [][]step{p.homes, p.steps} {
		for i := range steps {
			s := &steps[i]
			fmt.Fprintf(h, "%d %d %s %s %s %d %s\n", s.row, s.home, s.Kind, s.Record, s.Area, s.Base, s.Fields.Encode())
		}
	}
	if p.List != nil {
		fmt.Fprintf(h, "%+v\n", *p.List)
	}
	for _, n := range p.nodes {
		fmt.Fprintf(h, "%s %q %s\n", n.ID, n.Name, n.Parent)
	}
	p.Token = hex.EncodeToString(h.Sum(nil)[:16])
}

// digestOf is the SHA-256 of a file.
func digestOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}
