//go:build !race

package simtest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/review"
	"gridsync/server/internal/simtest"
)

// A seed is a story: told again it is the same, line by line and on every engine, or no failure
// could be looked at twice.
func TestASeedIsAlwaysTheSameStory(t *testing.T) {
	simulate := func(e engine, seed uint64) simtest.Played { return simtest.Simulate(t.Context(), e.place(t), seed) }
	one, again := simulate(engines[0], 2), simulate(engines[1], 2)
	if !slices.Equal(one.Script, again.Script) || !maps.Equal(one.Counted, again.Counted) {
		t.Errorf("two stories:\n%s\n\n%s", strings.Join(one.Script, "\n"), strings.Join(again.Script, "\n"))
	}
	if other := simulate(engines[0], 3); slices.Equal(one.Script, other.Script) {
		t.Error("another seed tells the same")
	}
}

// A fault is planted: the slow reading doesn't see who disputes the head of a household.
// Of a day's work no more is left than the lines that it takes to show that.
func TestAFaultIsFoundAndItsScriptMadeShort(t *testing.T) {
	blind := func(w *simtest.World) {
		w.Overlook(func(k review.Key) bool { return k.Kind == review.Conflict && k.Field == "head" })
	}
	script := strings.Split(`device a grid-1
device b grid-1
device c grid-2
device s community secretary
a put household/1 ; a put person/1 household=household/1
c put household/2 in grid-2 ; c put person/2 in grid-2
a sync ; b sync ; c sync
a put temperature/1 person=person/1 value=36.5 taken_at=1580083200000
b put household/1 note=moved
wait 3h
a put household/1 head=甲
b put person/1 employer=工厂
b put household/1 head=乙
c exit person/2 left 2020-01-27
a link drop-answer
a sync ; b sync
restart
c sync ; s sync
a put person/3 ; a sync`, "\n")
	broken := func(script []string) string {
		return simtest.Kind(simtest.Replay(t.Context(), engines[0].place(t), script, blind))
	}
	if got := broken(script); got != "queue" {
		t.Fatalf("the fault broke %q", got)
	}
	short := simtest.Shrink(script, 200, func(s []string) bool { return broken(s) == "queue" })
	if got := broken(short); got != "queue" {
		t.Fatalf("the short script breaks %q", got)
	}
	for _, line := range []string{"a put household/1 head=甲", "b put household/1 head=乙"} {
		if !slices.Contains(short, line) {
			t.Errorf("%q is not in it", line)
		}
	}
	if len(short) > 4 { // who they are, and what each of the two wrote
		t.Errorf("%d lines are left:\n%s", len(short), strings.Join(short, "\n"))
	}
	if err := simtest.Replay(t.Context(), engines[0].place(t), short); err != nil {
		t.Errorf("without the fault: %v", err)
	}
}
