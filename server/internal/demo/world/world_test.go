package world

import (
	"cmp"
	"reflect"
	"strings"
	"testing"

	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func TestTheRealCaseHasItsPublishedSizes(t *testing.T) {
	w := New(1, Whole)
	tenures := map[string]int{}
	for _, h := range w.Households {
		tenures[h.Tenure]++
	}
	registered, migrants, returnees, late, lateReturnees := 0, 0, 0, 0, 0
	for _, p := range w.People {
		switch {
		case p.Late:
			late++
			if p.Returnee {
				lateReturnees++
			}
		case p.Migrant:
			migrants++
		default:
			registered++
		}
		if p.Returnee && !p.Late {
			returnees++
		}
	}
	want := map[string][2]int{
		"registered households": {tenures["registered"], 522}, "firms": {tenures["firm"], 88},
		"registered people": {registered, 1411}, "migrants": {migrants, 10411},
		"returnees": {returnees, 640}, "late": {late, 1111}, "late returnees": {lateReturnees, 111},
		"groups": {len(w.Groups), 6}, "staff": {len(w.phones(Staff, -1)), 15}, "cadres": {len(w.phones(Cadre, -1)), 30},
	}
	for name, n := range want {
		if n[0] != n[1] {
			t.Errorf("%s: %d, want %d", name, n[0], n[1])
		}
	}
	if n := w.Writes(); n < 30_000 || n > 45_000 {
		t.Errorf("the script has %d writes, which is no demo's size", n)
	}
}

// metIn follows the script and returns who is met in a round, whatever record was made
// of them.
func metIn(w *World, round int) (people map[string]bool) {
	people = map[string]bool{}
	first := map[string]string{}
	for _, p := range w.Planted {
		if p.Question == review.Duplicate {
			first[p.Other.String()] = p.Record.String()
		}
	}
	id := syncproto.TextValue(w.Rounds[round].ID.String())
	eachWrite(w, func(_ int, _ Act, write Write) {
		if write.Kind == "visit" && write.Fields["round"] == id {
			found, _ := write.Fields["found"].Texts()
			for _, f := range found {
				people[cmp.Or(first[f], f)] = true
			}
		}
	})
	return people
}

func eachWrite(w *World, do func(phone int, act Act, write Write)) {
	for _, phase := range w.Phases {
		for phone, acts := range phase.Acts {
			for _, act := range acts {
				for _, write := range act.Writes {
					do(phone, act, write)
				}
			}
		}
	}
}

func TestTheScriptMeetsEverybodyInTheirRound(t *testing.T) {
	for _, size := range []Size{Whole, Whole.Divided(20)} {
		w := New(7, size)
		first, second := metIn(w, 0), metIn(w, 1)
		wantFirst, wantSecond := size.Residents()
		if len(first) != wantFirst || len(second) != wantSecond {
			t.Errorf("met %d and %d, want %d and %d", len(first), len(second), wantFirst, wantSecond)
		}
		for _, p := range w.People {
			if first[p.ID.String()] == p.Late || !second[p.ID.String()] {
				t.Fatalf("%s (late %v) was met in the wrong round", p.ID, p.Late)
			}
		}
	}
}

// A world of any scale gets made, and whole: no door is too small for its people.
func TestEveryScaleMakesAWorld(t *testing.T) {
	for _, scale := range []int{0, 1, 3, 7, 24, 40, 77, 100, 640} {
		size := Whole.Divided(scale)
		w := New(1, size)
		if _, second := size.Residents(); len(w.People) != second {
			t.Errorf("scale %d: %d people, want %d", scale, len(w.People), second)
		}
	}
}

func TestOneSeedMakesOneWorld(t *testing.T) {
	size := Whole.Divided(20)
	if !reflect.DeepEqual(New(3, size), New(3, size)) {
		t.Error("the same seed made two worlds")
	}
	if reflect.DeepEqual(New(3, size).People, New(4, size).People) {
		t.Error("two seeds made the same people")
	}
}

func TestNobodyInItIsReal(t *testing.T) {
	w := New(1, Whole.Divided(10))
	seen := map[string]bool{}
	for _, p := range w.People {
		check, _ := form.IDCheck(p.IDNumber[:17])
		if !strings.HasPrefix(p.IDNumber, "999") || p.IDNumber[17] != check || seen[p.IDNumber] {
			t.Errorf("ID number %s", p.IDNumber)
		}
		if !strings.HasPrefix(p.Mobile, "100") || len(p.Mobile) != 11 || seen[p.Mobile] {
			t.Errorf("mobile %s", p.Mobile)
		}
		seen[p.IDNumber], seen[p.Mobile] = true, true
	}
}

// Every write passes its form, but for those planted to fail it; a record is made
// with all that is required of it; times never go back on a phone.
func TestTheScriptKeepsToTheForms(t *testing.T) {
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	w := New(2, Whole.Divided(10))
	bad := map[syncproto.RecordID]bool{}
	for _, p := range w.Planted {
		bad[p.Record] = p.Parked == syncproto.CodeFailsForm
	}
	made, last := map[syncproto.RecordID]bool{}, map[int]syncproto.Instant{}
	eachWrite(w, func(phone int, act Act, write Write) {
		if act.Signs != "" {
			write.Fields["figures"] = "\"{}\"" // filled in by whoever plays it
		}
		problem := forms.Newest(write.Kind).Check(write.Fields, !made[write.Record], form.Occasion{At: act.At})
		if problem != nil && !bad[write.Record] {
			t.Errorf("%s: %v", write.Kind, problem)
		}
		if made[write.Record] = true; act.At < last[phone] {
			t.Errorf("phone %d goes back in time", phone)
		}
		last[phone] = act.At
	})
}

func TestThePlantedDisagreementsAreOnRecordsOfTheirOwn(t *testing.T) {
	for _, size := range []Size{Whole, Whole.Divided(24), Whole.Divided(100)} {
		w := New(1, size)
		seen, sorts := map[syncproto.RecordID]string{}, map[string]int{}
		for _, p := range w.Planted {
			sorts[p.Why]++
			for _, id := range []syncproto.RecordID{p.Record, p.Other} {
				if before := seen[id]; !id.IsZero() && before != "" && (p.Why != "three_channels" || before != p.Why) {
					t.Errorf("%s is planted as %s and as %s", id, before, p.Why)
				}
				seen[id] = p.Why
			}
		}
		if len(sorts) != 25 {
			t.Errorf("%d sorts are planted: %v", len(sorts), sorts)
		}
	}
}

// Every kind of question comes up, and of each the phones are known that raise it.
func TestEveryKindOfQuestionIsPlanted(t *testing.T) {
	for seed := range uint64(8) {
		w := New(seed, Whole.Divided(20*int(seed)))
		for _, kind := range review.Kinds {
			if w.Questions(kind) == 0 {
				t.Errorf("no %s is planted", kind)
			}
		}
		for _, p := range w.Planted {
			two := map[int]bool{}
			for _, phone := range p.By {
				two[phone] = true
			}
			want := 1
			if !p.Other.IsZero() || p.Question == review.Conflict || p.Question == review.Exit {
				want = 2
			}
			if p.Question != "" && len(two) != want {
				t.Errorf("%s is by phones %v", p.Why, p.By)
			}
		}
	}
}

func TestEveryDividedWorldCanBeMade(t *testing.T) {
	for n := 1; n <= 60; n++ {
		size := Whole.Divided(n)
		if first, _ := size.Residents(); New(1, size) == nil || first < 1 {
			t.Errorf("a world divided by %d has nobody", n)
		}
	}
}
