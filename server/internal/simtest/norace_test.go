//go:build !race

package simtest_test

const defaultSeeds = 200
