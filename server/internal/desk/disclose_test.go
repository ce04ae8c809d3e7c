package desk

import (
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

var (
	secretaryOfOne = syncproto.AuthorID{1}
	volunteerOfOne = syncproto.AuthorID{2}
	townsman       = syncproto.AuthorID{3} // decides, and sees numbers masked
)

// reader is a lens of somebody in a town with two grids.
func reader(t *testing.T, who syncproto.AuthorID) *privacy.Lens {
	t.Helper()
	tree, err := area.NewTree([]area.Node{{Key: 1, ID: "town"}, {Key: 2, ID: "g1", Parent: "town"}, {Key: 3, ID: "g2", Parent: "town"}})
	if err != nil {
		t.Fatal(err)
	}
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	people := identity.NewDirectory(identity.Everyone{Grants: []identity.Grant{
		{Author: secretaryOfOne, Area: "g1", Role: identity.Secretary},
		{Author: volunteerOfOne, Area: "g1", Role: identity.Volunteer},
		{Author: townsman, Area: "town", Role: identity.Township},
	}})
	return privacy.NewMaker(nil)(&registry.Snapshot{Areas: tree, Forms: forms, People: people}, []syncproto.AuthorID{who}, 100)
}

const secret = "10012345678"

func numbered() syncproto.Fields {
	return syncproto.Fields{"name": `"王小芳"`, "mobile": syncproto.TextValue(secret)}
}

func personIn(id byte, area syncproto.AreaID) roster.Row {
	return roster.Row{ID: syncproto.RecordID{id}, Kind: "person", Area: area, Fields: numbered(), Disputed: map[string][]roster.Claim{
		"mobile": {{Value: syncproto.TextValue(secret)}},
	}}
}

func told(by syncproto.AuthorID, record byte, area syncproto.AreaID) Statement {
	return Statement{Witness: Witness{Author: Person{ID: by}, Record: syncproto.RecordID{record}}, Kind: "person", Area: area, Fields: numbered()}
}

// asked is a question about a person of g1, with everything that can hang on one.
func asked(kind review.Kind, field string) *Case {
	one, other, waiting := personIn(1, "g1"), personIn(2, "g2"), told(syncproto.AuthorID{9}, 3, "nowhere")
	c := &Case{
		Line: Line{Kind: kind, Field: field, Area: "g1", Record: &one, Other: &other},
		Records: []Asked{
			{Row: personIn(1, "g1"), Values: []Field{{Name: "mobile", Values: []Value{{Value: syncproto.TextValue(secret)}}}, {Name: "name", Values: []Value{{Value: `"王小芳"`}}}}},
			{Row: personIn(2, "g2"), Absorbed: []syncproto.RecordID{{4}}},
		},
		Waiting: &waiting, Earlier: []Statement{told(syncproto.AuthorID{9}, 4, "g1")},
		Window:     &Window{Entered: []Statement{told(syncproto.AuthorID{9}, 5, "g2")}},
		Neighbours: []roster.Row{personIn(6, "g1"), personIn(7, "g2")},
	}
	return c
}

// text is everything in an answer.
func text(answer any) string { return string(syncproto.ValueOf(answer)) }

func TestADeciderSeesWhatIsToBeDecidedAndNoMore(t *testing.T) {
	c, l := asked(review.Conflict, "mobile"), reader(t, townsman)
	c.Disclose(l)
	if got := c.Records[0].Values[0].Values[0].Value; got != syncproto.TextValue(secret) {
		t.Errorf("the value in question: %s", got)
	}
	if got := c.Record.Disputed["mobile"][0].Value; got != syncproto.TextValue(secret) {
		t.Errorf("a claim of it: %s", got)
	}
	for what, part := range map[string]any{"waiting": c.Waiting, "window": c.Window, "neighbours": c.Neighbours} {
		if strings.Contains(text(part), secret) {
			t.Errorf("%s: %s", what, text(part))
		}
	}
	c = asked(review.Conflict, "name")
	if c.Disclose(reader(t, townsman)); strings.Contains(text(c), secret) {
		t.Errorf("another field is asked about: %s", text(c))
	}
	c = asked(review.Duplicate, "mobile")
	if c.Disclose(reader(t, townsman)); strings.Contains(text(c), secret) {
		t.Errorf("no field is asked about: %s", text(c))
	}
}

func TestWhoeverMayNotDecideSeesAQuestionMasked(t *testing.T) {
	c := asked(review.Conflict, "mobile")
	c.Disclose(reader(t, volunteerOfOne))
	if got := text(c); strings.Contains(got, secret) || !strings.Contains(got, "100****5678") || !strings.Contains(got, "王小芳") {
		t.Error(got)
	}
}

func TestTheOtherSideOfAPairIsMaskedWhereItIsSomebodyElses(t *testing.T) {
	c, l := asked(review.Duplicate, ""), reader(t, secretaryOfOne)
	c.Disclose(l)
	if !strings.Contains(text(c.Record), secret) || !strings.Contains(text(c.Records[0]), secret) {
		t.Errorf("one's own: %s", text(c.Record))
	}
	for what, part := range map[string]any{"other": c.Other, "its record": c.Records[1], "a decision about it": c.Earlier, "the window": c.Window} {
		if got := text(part); strings.Contains(got, secret) || strings.Contains(got, "王小芳") {
			t.Errorf("%s: %s", what, got)
		}
	}
	if !strings.Contains(text(c.Other), "王*芳") {
		t.Errorf("nothing to compare: %s", text(c.Other))
	}
	if len(c.Neighbours) != 1 || c.Neighbours[0].Area != "g1" {
		t.Errorf("neighbours: %s", text(c.Neighbours))
	}
	if !strings.Contains(text(c.Waiting), secret) {
		t.Errorf("what waits at one's own desk, wherever it says it belongs: %s", text(c.Waiting))
	}
	seen, where := l.Shown()
	for _, id := range []byte{1, 2, 3, 4, 5, 6} {
		if !slices.Contains(seen, syncproto.RecordID{id}) {
			t.Errorf("record %d is shown, and isn't noted: %v", id, seen)
		}
	}
	if slices.Contains(seen, syncproto.RecordID{7}) || where != "g1" {
		t.Errorf("%v in %s", seen, where)
	}
}

func TestAHistoryIsSeenAsFarAsItsRecord(t *testing.T) {
	moved := func() *Statements {
		return &Statements{
			Statements: []Statement{told(syncproto.AuthorID{9}, 1, "g2"), told(syncproto.AuthorID{9}, 2, "g1")},
			stands:     map[syncproto.RecordID]syncproto.AreaID{{1}: "g1", {2}: "g2"},
		}
	}
	h := moved()
	h.Disclose(reader(t, secretaryOfOne))
	if got := h.Statements[0].Fields["mobile"]; got != syncproto.TextValue(secret) {
		t.Errorf("said elsewhere of what is here now: %s", got)
	}
	if got := h.Statements[1].Fields; got["mobile"] == syncproto.TextValue(secret) || got["name"] == `"王小芳"` {
		t.Errorf("said here of what is elsewhere now: %v", got)
	}
}

func TestEverybodySeesTheirOwnWords(t *testing.T) {
	log := &Statements{Statements: []Statement{told(volunteerOfOne, 1, "g2"), told(secretaryOfOne, 1, "g1")}}
	log.Disclose(reader(t, volunteerOfOne))
	if got := log.Statements[0].Fields["mobile"]; got != syncproto.TextValue(secret) {
		t.Errorf("one's own: %s", got)
	}
	if got := text(log.Statements[1]); strings.Contains(got, secret) {
		t.Errorf("another's: %s", got)
	}
}

func TestAQueueShowsMasks(t *testing.T) {
	page := &Page{Items: []Line{asked(review.Conflict, "mobile").Line}}
	page.Disclose(reader(t, townsman))
	if got := text(page); strings.Contains(got, secret) || !strings.Contains(got, "100****5678") {
		t.Error(got)
	}
	list := &Revisits{Households: []roster.Row{personIn(1, "g1"), personIn(2, "g2")}}
	list.Disclose(reader(t, secretaryOfOne))
	if got := text(list); strings.Count(got, "王小芳") != 1 || strings.Contains(got, "王*芳") {
		t.Errorf("rows of an area that isn't the reader's: %s", got)
	}
}
