//go:build race

package simtest_test

// The race detector makes a seed four times as slow: it watches some, and two of the ways in
// which scenarios are played. Without it come the others, and servers that are killed, which
// are processes of their own that it doesn't watch.
const (
	defaultSeeds = 4
	racing       = true
)
