package simtest_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"gridsync/server/internal/simtest"
)

var (
	seeds   = flag.Int("seeds", defaultSeeds, "how many seeds the simulation plays, from -first on")
	first   = flag.Uint64("first", 1, "the first of them")
	tries   = flag.Int("tries", 150, "how often a script that fails is played to make it shorter")
	oneSeed = flag.Uint64("seed", 0, "the one seed to play")
)

// chunk is how many seeds one subtest plays at the most: few seeds are spread, too.
const chunk = 10

// playSeeds plays seeds on each engine. Whatever a fleet of phones and its secretaries do, once
// nothing moves any more all replicas agree with each other and with the slow reading of the
// server's log, nothing is lost, and every disagreement is in the queue, and nothing else.
func playSeeds(t *testing.T) {
	t.Helper()
	from, to := *first, *first+uint64(*seeds)
	if *oneSeed != 0 {
		from, to = *oneSeed, *oneSeed+1
	}
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			counted := make(chan simtest.Counted, to-from)
			step := max(1, min(chunk, (to-from)/chunk))
			t.Run("seeds", func(t *testing.T) {
				for begin := from; begin < to; begin += step {
					end := min(begin+step, to)
					t.Run(fmt.Sprintf("%d-%d", begin, end-1), func(t *testing.T) {
						t.Parallel()
						for seed := begin; seed < end; seed++ {
							// Its place is given back before the next one takes one.
							t.Run(fmt.Sprint(seed), func(t *testing.T) { counted <- simulate(t, e, seed) })
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
