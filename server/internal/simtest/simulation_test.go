package simtest_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/review"
	"gridsync/server/internal/simtest"
)

var (
	seeds   = flag.Int("seeds", defaultSeeds, "how many seeds the simulation plays, from -first on")
	first   = flag.Uint64("first", 1, "the first of them")
	tries   = flag.Int("tries", 150, "how often a script that fails is played to make it shorter")
	oneSeed = flag.Uint64("seed", 0, "the one seed to play")
)

// chunk is how many seeds one subtest plays.
const chunk = 10

// Whatever a fleet of phones and its secretaries do, once nothing moves any more all
// replicas agree with each other and with the slow reading of the server's log, nothing
// is lost, and every disagreement is in the queue, and nothing else.
func TestSimulation(t *testing.T) {
	from, to := *first, *first+uint64(*seeds)
	if *oneSeed != 0 {
		from, to = *oneSeed, *oneSeed+1
	}
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			counted := make(chan simtest.Counted, to-from)
			t.Run("seeds", func(t *testing.T) {
				for begin := from; begin < to; begin += chunk {
					end := min(begin+chunk, to)
					t.Run(fmt.Sprintf("%d-%d", begin, end-1), func(t *testing.T) {
						t.Parallel()
						for seed := begin; seed < end; seed++ {
							counted <- simulate(t, e, seed)
						}
					})
				}
			})
			close(counted)
			all := simtest.Counted{}
			for c := range counted {
				all.Add(c)
			}
			t.Logf("%s, seeds %d to %d: %s", e.name, from, to-1, all)
		})
	}
}

// simulate plays one seed, and prints the shortest script that breaks the same promise
// if one is broken.
func simulate(t *testing.T, e engine, seed uint64) simtest.Counted {
	t.Helper()
	played := simtest.Simulate(t.Context(), e.place(t), seed)
	if played.Err == nil {
		return played.Counted
	}
	t.Errorf("seed %d: %v", seed, played.Err)
	short := simtest.Shrink(played.Script, *tries, func(script []string) bool {
		return simtest.Kind(simtest.Replay(t.Context(), e.place(t), script)) == simtest.Kind(played.Err)
	})
	err := simtest.Replay(t.Context(), e.place(t), short)
	t.Logf("the shortest script found, for testdata/scenarios:\n# Seed %d: %v\n%s", seed, err, strings.Join(short, "\n"))
	return played.Counted
}

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
