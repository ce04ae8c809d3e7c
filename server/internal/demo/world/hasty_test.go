package world

import (
	"fmt"
	"testing"

	"gridsync/server/internal/plausible"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// doubted names everything that the server finds hard to believe: the rule, and of which
// record or on which phone.
func doubted(forms form.Set, w *World) map[string]bool {
	found := map[string]bool{}
	tallies, phones := map[plausible.Bucket]map[string]int64{}, map[plausible.Bucket]int{}
	for _, r := range records(w) {
		f := forms.Newest(r.kind)
		for _, check := range plausible.Flags(f, r.fields) {
			found[ruleOf(f, check)+" "+r.id.String()] = true
		}
		made := &syncproto.Part{
			Device: syncproto.DeviceID{1, 15: byte(r.phone)}, Author: r.authors[0], Stamp: syncproto.Stamp{Time: r.at},
		}
		for _, beat := range plausible.Beats(f, 0, made, r.fields) {
			if tallies[beat.Bucket] == nil {
				tallies[beat.Bucket] = map[string]int64{}
			}
			tallies[beat.Bucket][beat.Value]++
			phones[beat.Bucket] = r.phone
		}
	}
	for bucket, values := range tallies {
		var all plausible.Full
		for _, n := range values {
			all = all.With(n)
		}
		if f := forms.Newest(bucket.Kind); plausible.Raised(f, bucket, all) {
			found[fmt.Sprint(ruleOf(f, bucket.Rule), " ", phones[bucket])] = true
		}
	}
	return found
}

func ruleOf(f *form.Form, check string) string {
	for _, c := range f.Checks {
		if c.Name == check {
			return string(c.Rule)
		}
	}
	return check
}

// The server doubts what was planted and nothing else: nobody in the script is in a hurry
// by chance.
func TestNothingElseIsHardToBelieve(t *testing.T) {
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	for seed, size := range map[uint64]Size{2020: Whole, 7: Whole, 5: Whole.Divided(24), 3: Whole.Divided(100)} {
		w := New(seed, size)
		found := doubted(forms, w)
		for _, p := range w.Planted {
			if p.Question != review.Implausible {
				continue
			}
			name := p.Field + " " + p.Record.String()
			if p.Record.IsZero() {
				name = fmt.Sprint(p.Field, " ", p.By[0])
			}
			if !found[name] {
				t.Errorf("seed %d: %s (%s) is believed", seed, p.Why, name)
			}
			delete(found, name)
		}
		for name := range found {
			t.Errorf("seed %d: by chance: %s", seed, name)
		}
	}
}
