// Command tally runs the tests of one or more modules, some packages of the first
// without flags before, then fuzzes each fuzz target that it met, and closes with one
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
	plain := flag.String("plain", "", "`packages` of the first module, separated by spaces, that are tested without flags before: for tests that leave themselves out with them")
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

// plainTimeout bounds each package that is tested without flags.
const plainTimeout = "-timeout=15m"

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
		r := newReader(s.out, s.strict)
		if err := s.test(ctx, dirs[0], append([]string{"-json", plainTimeout}, s.plain...), r); err != nil {
			return err
		}
		total.add(r.count)
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
