package merge_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain has each property hold over thousands of histories, unless the command
// line says how many. A failure prints its seed.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", "2000"); err != nil {
			fmt.Fprintln(os.Stderr, "rapid has no flag for the number of its checks:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
