package demo

import (
	"strings"
	"testing"

	"gridsync/server/internal/demo/world"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// What is missing and what is there too much is named one by one: a count that happens to
// be right hides nothing.
func TestQuestionsAreHeldAgainstWhatWasPlantedOneByOne(t *testing.T) {
	one, other, stranger := syncproto.RecordID{15: 1}, syncproto.RecordID{15: 2}, syncproto.RecordID{15: 3}
	key := func(id syncproto.RecordID) review.Key {
		return review.Key{Kind: review.Conflict, Record: id, Field: "mobile"}
	}
	d := &docket{
		w: &world.World{Planted: []world.Planted{
			{Why: "mobile", Question: review.Conflict, Record: one, Field: "mobile"},
			{Why: "mobile", Question: review.Conflict, Record: other, Field: "mobile"},
		}},
		names: []string{key(one).ID().String(), key(other).ID().String()},
		lines: map[int]*desk.Line{},
	}
	asked := func(ids ...syncproto.RecordID) (lines []desk.Line) {
		for _, id := range ids {
			lines = append(lines, desk.Line{ID: key(id).ID(), Kind: review.Conflict, Field: "mobile"})
		}
		return lines
	}
	all := func(int) bool { return true }
	if differ := d.compare(asked(other, one), all); len(differ) != 0 {
		t.Errorf("what was planted and asked differs: %v", differ)
	}
	if l := d.lines[1]; l == nil || l.ID != key(other).ID() {
		t.Errorf("the second is known as %v", l)
	}
	differ := strings.Join(d.compare(asked(one, stranger), all), "\n")
	if !strings.Contains(differ, "not planted: conflict "+key(stranger).ID().String()) || !strings.Contains(differ, "not asked: conflict mobile of "+other.String()) {
		t.Errorf("of the same number, others: %s", differ)
	}
	if differ := d.compare(asked(one, one, other), all); len(differ) != 1 {
		t.Errorf("asked twice: %v", differ)
	}
	if differ := d.compare(asked(one, other), func(i int) bool { return i == 0 }); len(differ) != 1 {
		t.Errorf("one that was settled is asked: %v", differ)
	}
}
