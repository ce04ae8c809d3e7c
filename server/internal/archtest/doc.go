// Package archtest holds the source tree against the layout in DESIGN.md: which
// package may import which, who may read the clock, what a package must say of
// itself. A breach is reported with the reason for the rule.
//
// It refuses to look at tests: a test may import whatever it needs to be one.
package archtest
