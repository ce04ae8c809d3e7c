// Command tally runs the tests of one or more modules, and those of the first that are
// there only without flags, then fuzzes each fuzz target that it met, and closes with one
// line: how many passed and how many failed.
//
// It refuses to let a skipped test pass for a tested one: under CI=true a skip is
// a failure, elsewhere it is named. Its arguments are the modules' directories.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	if err := realMain(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(1)
	}
}

func realMain(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	s := suite{out: os.Stdout, strict: os.Getenv("CI") == "true", goTest: goTest}
	flags := flag.String("flags", "", "flags for `go test`, separated by spaces")
	plain := flag.String("plain", "", "`packages` of the first module, separated by spaces, of which those tests run before, without flags, that leave themselves out with them")
	flag.DurationVar(&s.fuzz, "fuzz", 0, "how long to fuzz each target; 0 to fuzz none")
	flag.Parse()
	s.flags, s.plain = strings.Fields(*flags), strings.Fields(*plain)
	return s.run(ctx, flag.Args())
}

// suite is one run over some modules.
type suite struct {
	out    io.Writer
	flags  []string
	plain  []string
	fuzz   time.Duration
	strict bool
	// goTest runs `go test` in a directory and hands its output to read.
	goTest func(ctx context.Context, dir string, args []string, read func(io.Reader) error) error
}

// errTests says that the tests ran and that not all of them passed.
var errTests = errors.New("not all tests passed")

// run tests all modules, fuzzes what it found in them, and prints the total. Its
// error is errTests when a test failed, and another when they couldn't be run.
func (s *suite) run(ctx context.Context, dirs []string) error {
	if len(dirs) == 0 {
		return errors.New("which module's directory?")
	}
	var total count
	if len(s.plain) > 0 {
		c, err := s.runPlain(ctx, dirs[0])
		if err != nil {
			return err
		}
		total.add(c)
	}
	for _, dir := range dirs {
		r := newReader(s.out, s.strict)
		args := append([]string{"-json"}, s.flags...)
		if err := s.test(ctx, dir, append(args, "./..."), r); err != nil {
			return err
		}
		total.add(r.count)
		if s.fuzz == 0 {
			continue
		}
		for _, t := range r.fuzzTargets() {
			c, err := s.fuzzOne(ctx, dir, t)
			if err != nil {
				return err
			}
			total.add(c)
		}
	}
	if total.skipped > 0 && !s.strict {
		fmt.Fprintf(s.out, "%d skipped (under CI=true they count as failed)\n", total.skipped)
	}
	fmt.Fprintf(s.out, "%d passed, %d failed\n", total.passed, total.failed)
	if total.failed > 0 || total.passed == 0 {
		return errTests
	}
	return nil
}

// plainFlags are what packages are tested with that are tested without flags: a bound for each,
// and more tests at once than there are cores, as they wait for a database half of their time.
var plainFlags = []string{"-timeout=15m", "-parallel=4"}

// runPlain runs what is there only without flags. That there is nothing is an error: somebody
// counts on it. Packages of which go test can't list the tests, as they don't build, are a
// failure to be counted.
func (s *suite) runPlain(ctx context.Context, dir string) (count, error) {
	without, err := s.list(ctx, dir, nil)
	var with []string
	if err == nil {
		with, err = s.list(ctx, dir, s.flags)
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return count{}, ctx.Err()
	case errors.As(err, &exit):
		fmt.Fprintf(s.out, "(%s) %v\n", dir, err)
		return count{failed: 1}, nil
	case err != nil:
		return count{}, err
	}
	alone := slices.DeleteFunc(without, func(name string) bool { return slices.Contains(with, name) })
	if len(alone) == 0 {
		return count{}, fmt.Errorf("every test of %s is there with flags, too", strings.Join(s.plain, " "))
	}
	r := newReader(s.out, s.strict)
	args := slices.Concat([]string{"-json"}, plainFlags, []string{"-run=^(" + strings.Join(alone, "|") + ")$"}, s.plain)
	err = s.test(ctx, dir, args, r)
	return r.count, err
}

// list names the tests of the plain packages as some flags have them. What doesn't build, go
// test says itself.
func (s *suite) list(ctx context.Context, dir string, flags []string) ([]string, error) {
	args := append(slices.Clone(flags), "-list=^Test")
	var names []string
	err := s.goTest(ctx, dir, append(args, s.plain...), func(from io.Reader) error {
		listed, err := io.ReadAll(from)
		for line := range strings.Lines(string(listed)) {
			if name := strings.TrimSpace(line); strings.HasPrefix(name, "Test") {
				names = append(names, name)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the tests of %s: %w", strings.Join(s.plain, " "), err)
	}
	return names, nil
}

// fuzzOne fuzzes one target. A run that ends badly without an input to show for
// it, because the fuzzing engine itself missed its own deadline (a busy machine
// makes it do so), is repeated once.
func (s *suite) fuzzOne(ctx context.Context, dir string, t target) (count, error) {
	args := []string{"-json", "-run", "^$", "-fuzz", "^" + t.name + "$", "-fuzztime", s.fuzz.String(), t.pkg}
	for attempt := 1; ; attempt++ {
		r := newReader(s.out, s.strict)
		r.showsFuzzing = true
		if err := s.test(ctx, dir, args, r); err != nil {
			return count{}, err
		}
		if attempt > 1 || !r.missedDeadline {
			return r.count, nil
		}
		fmt.Fprintf(s.out, "again  %s: the engine missed its own deadline and found no failing input\n", t.name)
	}
}

func (s *suite) test(ctx context.Context, dir string, args []string, r *reader) error {
	fmt.Fprintf(s.out, "(%s) go test %s\n", dir, strings.Join(args, " "))
	err := s.goTest(ctx, dir, args, r.read)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit):
		// Tests that failed are in the count. Whatever else it failed of is a failure too.
		if r.count.failed == 0 {
			r.count.failed++
		}
		return nil
	}
	return err
}

func goTest(ctx context.Context, dir string, args []string, read func(io.Reader) error) error {
	//nolint:gosec // the arguments are those of whoever runs the tests
	cmd := exec.CommandContext(ctx, "go", append([]string{"test"}, args...)...)
	cmd.Dir = dir
	if slices.Contains(args, "-race") { // the race detector needs cgo; all other runs share what was built without it
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("starting go test: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting go test: %w", err)
	}
	return errors.Join(read(stdout), cmd.Wait())
}
