//go:build !race

package simtest_test

const defaultSeeds = 100

// watched says whether scenarios are played over an engine by so many servers.
func watched(engine, int) bool { return true }
