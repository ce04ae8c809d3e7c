//go:build race

package simtest_test

import "testing"

// The race detector makes a seed four times as slow: it watches some.
const defaultSeeds = 4

func TestSomeSeedsAreWatched(t *testing.T) { playSeeds(t) }
