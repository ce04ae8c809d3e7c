package simtest_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gridsync/server/internal/simtest"
)

var scenarios = flag.String("scenarios", "../../../testdata/scenarios/*.txt", "the scripts that TestScenarios plays")

// Every file of testdata/scenarios is a promise of its own.
func TestScenarios(t *testing.T) { playAll(t, engines[0], 1) }

// playAll plays all scenarios over an engine, with so many servers.
func playAll(t *testing.T, e engine, servers int) {
	t.Helper()
	files, err := filepath.Glob(*scenarios)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 40 && *scenarios == flag.Lookup("scenarios").DefValue {
		t.Fatalf("%d scenarios: some are missing", len(files))
	}
	among := "" // the script's first line, where it takes one
	if servers > 1 {
		among = fmt.Sprintf("servers %d\n", servers)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := play(t, e, among+string(script)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func play(t *testing.T, e engine, script string) error {
	t.Helper()
	return simtest.Replay(t.Context(), e.place(t), strings.Split(script, "\n"))
}

// A runner that takes anything for true would make every promise empty.
func TestAScriptThatIsWrongFails(t *testing.T) {
	begin := "device a grid-1\na put household/1 note=here\na sync\n"
	for name, line := range map[string]string{
		"a value that is another":    "all household/1 note=gone",
		"a record that is not there": "a sees household/2 note=here",
		"a record that is there":     "a lacks household/1",
		"a question nobody asked":    "review household/1 note",
		"a total that is another":    "totals county households=2",
		"nothing is parked":          "parked 1",
		"nothing waits there":        "waits county 1",
		"another verdict":            "a says 1 disputed",
		"another state":              "a log delivered=2",
		"a step that is none":        "a dance",
		"a device that is none":      "b sync",
		"a sync that works":          "a sync fails",
		"a server without it":        "server household/1 none",
		"something that is not old":  "purge visit 1 1",
		"a round that lost nothing":  "a put round/1 in grid-1 ; a sync ; gone round/1 1",
		"a dispute that is none":     "a disputes household/1 note",
	} {
		t.Run(name, func(t *testing.T) {
			if err := play(t, engines[0], begin+line); err == nil {
				t.Fatalf("%q passed", line)
			}
		})
	}
}
