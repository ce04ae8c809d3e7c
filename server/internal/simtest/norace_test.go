//go:build !race

package simtest_test

const (
	defaultSeeds = 100
	racing       = false
)
