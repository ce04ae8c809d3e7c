//go:build race

package simtest_test

// The race detector makes a seed four times as slow: it watches some, and make test plays
// all of them again without it.
const defaultSeeds = 15
