//go:build !race

package simtest_test

import "testing"

// What follows the race detector leaves out: it would take too long there. It watches some
// seeds, and each scenario once.

const defaultSeeds = 100

func TestSimulation(t *testing.T) { playSeeds(t) }

// Whatever one server promises, three over one database promise together, and each engine
// promises all of it.
func TestScenariosHoldAmongServers(t *testing.T) { playAll(t, engines[0], 3) }

func TestScenariosHoldOnPostgreSQL(t *testing.T) { playAll(t, engines[1], 1) }

func TestScenariosHoldAmongServersOfPostgreSQL(t *testing.T) { playAll(t, engines[1], 3) }
