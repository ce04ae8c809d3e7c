//go:build race

package simtest_test

// The race detector makes a seed four times as slow: it watches some, and some of the ways in
// which scenarios are played. Without it all of them are, and servers are killed, which are
// processes of their own that it doesn't watch.
const defaultSeeds = 6

func watched(e engine, servers int) bool {
	return e.name == "sqlite" && servers == 1 || e.name == "postgres" && servers > 1
}
