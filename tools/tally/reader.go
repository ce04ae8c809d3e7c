package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// count is how many tests, their subtests included, ended in which way.
type count struct{ passed, failed, skipped int }

func (c *count) add(d count) {
	c.passed += d.passed
	c.failed += d.failed
	c.skipped += d.skipped
}

// target is a fuzz target.
type target struct{ pkg, name string }

// event is a line of `go test -json` (see `go doc test2json`).
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// reader reads the events of one `go test`, prints what a person wants to see of
// them (a line for each package; everything that a failed test said; each skip
// with its reason) and counts.
type reader struct {
	out    io.Writer
	strict bool
	// showsFuzzing makes it print the last line that the fuzzing engine said.
	showsFuzzing bool

	count          count
	missedDeadline bool

	said     map[target][]string // by test that is running
	failedIn map[string]bool     // packages with a failed test
	met      []target
}

func newReader(out io.Writer, strict bool) *reader {
	return &reader{out: out, strict: strict, said: map[target][]string{}, failedIn: map[string]bool{}}
}

// fuzzTargets returns the fuzz targets met, in order of package and name.
func (r *reader) fuzzTargets() []target {
	slices.SortFunc(r.met, func(a, b target) int {
		return strings.Compare(a.pkg+" "+a.name, b.pkg+" "+b.name)
	})
	return slices.Compact(r.met)
}

func (r *reader) read(from io.Reader) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.line(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading go test: %w", err)
		}
	}
}

func (r *reader) line(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil || e.Action == "" {
		r.print(string(line)) // not an event: what go itself says
		return
	}
	t := target{e.Package, e.Test}
	switch {
	case e.Action == "build-output":
		r.print(e.Output)
	case e.Action == "output" && e.Test == "":
		r.packageOutput(e.Output)
	case e.Action == "output":
		r.said[t] = append(r.said[t], e.Output)
	case e.Test == "":
		r.packageEnd(e)
	default:
		r.testEnd(e.Action, t)
	}
}

// packageOutput prints what a package says, but for what only repeats the line
// after it.
func (r *reader) packageOutput(s string) {
	switch s {
	case "PASS\n", "FAIL\n", "testing: warning: no tests to run\n":
	default:
		r.print(s)
	}
}

func (r *reader) packageEnd(e event) {
	if e.Action != "fail" {
		return
	}
	// A package that didn't build, or whose process died outside of any test.
	if !r.failedIn[e.Package] {
		r.count.failed++
	}
}

func (r *reader) testEnd(action string, t target) {
	switch action {
	case "run":
		if strings.HasPrefix(t.name, "Fuzz") && !strings.Contains(t.name, "/") {
			r.met = append(r.met, t)
		}
		return
	case "pass":
		r.count.passed++
		r.lastOfFuzzing(t)
	case "fail":
		r.count.failed++
		r.failedIn[t.pkg] = true
		r.missedDeadline = r.showsFuzzing && missedDeadline(r.said[t])
		r.print(strings.Join(r.said[t], ""))
	case "skip":
		r.count.skipped++
		if r.strict {
			r.count.failed++
			r.failedIn[t.pkg] = true
		}
		r.print(fmt.Sprintf("SKIPPED %s %s\n%s", t.pkg, t.name, strings.Join(r.said[t], "")))
	default: // pause, cont, bench, start
		return
	}
	delete(r.said, t)
}

func (r *reader) lastOfFuzzing(t target) {
	if !r.showsFuzzing {
		return
	}
	for _, line := range slices.Backward(r.said[t]) {
		if strings.HasPrefix(line, "fuzz: elapsed") {
			r.print(t.name + " " + line)
			return
		}
	}
}

// missedDeadline reports whether a fuzz run failed of nothing but its own end.
func missedDeadline(said []string) bool {
	all := strings.Join(said, "")
	return strings.Contains(all, "context deadline exceeded") && !strings.Contains(all, "Failing input")
}

// print writes to the person; there is nobody to tell that this failed.
func (r *reader) print(s string) { _, _ = io.WriteString(r.out, s) }
