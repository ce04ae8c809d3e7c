package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// streams plays recorded outputs of `go test -json`, one a call, and keeps the
// arguments it was called with.
type streams struct {
	outputs []string
	calls   []string
}

func (p *streams) goTest(_ context.Context, dir string, args []string, read func(io.Reader) error) error {
	p.calls = append(p.calls, dir+": "+strings.Join(args, " "))
	output := p.outputs[len(p.calls)-1]
	if err := read(strings.NewReader(output)); err != nil {
		return err
	}
	if strings.Contains(output, `"fail"`) || strings.HasPrefix(output, "FAIL") {
		return &exec.ExitError{}
	}
	return nil
}

const (
	passes = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"secret of a passing test\n"}
{"Action":"pass","Package":"p","Test":"TestA/sub"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`
	fails = `{"Action":"output","Package":"p","Test":"TestB","Output":"want 1, got 2\n"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}
`
	doesNotBuild = `{"ImportPath":"q","Action":"build-output","Output":"q.go:3: undefined: x\n"}
{"ImportPath":"q","Action":"build-fail"}
{"Action":"output","Package":"q","Output":"FAIL\tq [build failed]\n"}
{"Action":"fail","Package":"q"}
`
	skips = passes + `{"Action":"output","Package":"p","Test":"TestC","Output":"no database here\n"}
{"Action":"skip","Package":"p","Test":"TestC"}
`
	hasFuzz = `{"Action":"run","Package":"p","Test":"FuzzD"}
{"Action":"run","Package":"p","Test":"FuzzD/seed#0"}
{"Action":"pass","Package":"p","Test":"FuzzD/seed#0"}
{"Action":"pass","Package":"p","Test":"FuzzD"}
{"Action":"pass","Package":"p"}
`
	fuzzed = `{"Action":"output","Package":"p","Test":"FuzzD","Output":"fuzz: elapsed: 20s, execs: 1000\n"}
{"Action":"pass","Package":"p","Test":"FuzzD"}
`
	lateEngine = `{"Action":"output","Package":"p","Test":"FuzzD","Output":"    context deadline exceeded\n"}
{"Action":"fail","Package":"p","Test":"FuzzD"}
{"Action":"fail","Package":"p"}
`
	foundInput = `{"Action":"output","Package":"p","Test":"FuzzD","Output":"    context deadline exceeded\n    Failing input written to testdata\n"}
{"Action":"fail","Package":"p","Test":"FuzzD"}
{"Action":"fail","Package":"p"}
`
)

func TestTheLastLineCounts(t *testing.T) {
	for _, c := range []struct {
		name    string
		outputs []string
		strict  bool
		last    string
		fails   bool
		says    string
		silent  string
	}{
		{name: "all pass", outputs: []string{passes}, last: "2 passed, 0 failed", says: "ok  \tp", silent: "secret"},
		{name: "one fails", outputs: []string{passes + fails}, last: "2 passed, 1 failed", fails: true, says: "want 1, got 2"},
		{name: "one does not build", outputs: []string{passes + doesNotBuild}, last: "2 passed, 1 failed", fails: true, says: "undefined: x"},
		{name: "a skip in CI", outputs: []string{skips}, strict: true, last: "2 passed, 1 failed", fails: true, says: "SKIPPED p TestC\nno database here"},
		{name: "a skip elsewhere", outputs: []string{skips}, last: "2 passed, 0 failed", says: "1 skipped"},
		{name: "no test at all", outputs: []string{""}, last: "0 passed, 0 failed", fails: true},
		{name: "two modules", outputs: []string{passes, passes}, last: "4 passed, 0 failed"},
		{name: "two modules, the first fails", outputs: []string{fails, passes}, last: "2 passed, 1 failed", fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			player := streams{outputs: c.outputs}
			s := suite{out: &out, strict: c.strict, goTest: player.goTest}
			err := s.run(t.Context(), []string{".", "tools"}[:len(c.outputs)])
			if errors.Is(err, errTests) != c.fails {
				t.Errorf("error %v, want one: %v", err, c.fails)
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if got := lines[len(lines)-1]; got != c.last {
				t.Errorf("last line %q, want %q", got, c.last)
			}
			if !strings.Contains(out.String(), c.says) {
				t.Errorf("it doesn't say %q:\n%s", c.says, out.String())
			}
			if c.silent != "" && strings.Contains(out.String(), c.silent) {
				t.Errorf("it says %q:\n%s", c.silent, out.String())
			}
		})
	}
}

func TestEachFuzzTargetIsFuzzed(t *testing.T) {
	for _, c := range []struct {
		name    string
		outputs []string
		last    string
		fails   bool
	}{
		{name: "once", outputs: []string{hasFuzz, fuzzed}, last: "3 passed, 0 failed"},
		{name: "again when the engine was late", outputs: []string{hasFuzz, lateEngine, fuzzed}, last: "3 passed, 0 failed"},
		{name: "not a third time", outputs: []string{hasFuzz, lateEngine, lateEngine}, last: "2 passed, 1 failed", fails: true},
		{name: "not again when it found something", outputs: []string{hasFuzz, foundInput}, last: "2 passed, 1 failed", fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			player := streams{outputs: c.outputs}
			s := suite{out: &out, fuzz: 20 * time.Second, goTest: player.goTest}
			if err := s.run(t.Context(), []string{"."}); errors.Is(err, errTests) != c.fails {
				t.Errorf("error %v, want one: %v", err, c.fails)
			}
			if got := len(player.calls); got != len(c.outputs) {
				t.Errorf("%d runs, want %d", got, len(c.outputs))
			}
			if want := ".: -json -run ^$ -fuzz ^FuzzD$ -fuzztime 20s p"; player.calls[1] != want {
				t.Errorf("ran %q, want %q", player.calls[1], want)
			}
			if !strings.HasSuffix(out.String(), c.last+"\n") {
				t.Errorf("the last line isn't %q:\n%s", c.last, out.String())
			}
		})
	}
}

// What is there only without flags runs before, and counts.
func TestWhatIsThereOnlyWithoutFlagsRunsFirstAndCounts(t *testing.T) {
	p := &streams{outputs: []string{"TestA\nTestB\nTestC\nok  \tp\t0.1s\n", "TestB\nok  \tp\t0.1s\n", fails, passes}}
	var out bytes.Buffer
	s := suite{out: &out, goTest: p.goTest, flags: []string{"-race"}, plain: []string{"./slow", "./slower"}}
	err := s.run(context.Background(), []string{"here"})
	want := []string{
		"here: -list=^Test ./slow ./slower", "here: -race -list=^Test ./slow ./slower",
		"here: -json -timeout=15m -parallel=4 -run=^(TestA|TestC)$ ./slow ./slower", "here: -json -race ./...",
	}
	if !slices.Equal(p.calls, want) {
		t.Errorf("it ran %q", p.calls)
	}
	if !errors.Is(err, errTests) || !strings.HasSuffix(out.String(), "2 passed, 1 failed\n") {
		t.Errorf("%v, %s", err, &out)
	}
}

// Who counts on tests that aren't there is told.
func TestPackagesWithoutPlainTestsAreAnError(t *testing.T) {
	p := &streams{outputs: []string{"TestA\n", "TestA\n", passes, passes}}
	s := suite{out: io.Discard, goTest: p.goTest, plain: []string{"./slow"}}
	if err := s.run(context.Background(), []string{"here"}); err == nil || errors.Is(err, errTests) || len(p.calls) != 2 {
		t.Errorf("%v after %q", err, p.calls)
	}
}

// A plain package that doesn't build is a failure like others, and the rest is tested.
func TestAPlainPackageThatDoesNotBuildIsCounted(t *testing.T) {
	const broken = "FAIL\tp [build failed]\n"
	for name, outputs := range map[string][]string{
		"without flags": {broken, passes}, "with them": {"TestA\n", broken, passes},
	} {
		p := &streams{outputs: outputs}
		var out bytes.Buffer
		s := suite{out: &out, goTest: p.goTest, flags: []string{"-race"}, plain: []string{"./slow"}}
		if err := s.run(t.Context(), []string{"here"}); !errors.Is(err, errTests) || !strings.HasSuffix(out.String(), "\n2 passed, 1 failed\n") {
			t.Errorf("%s: %v, %s", name, err, &out)
		}
		if !strings.Contains(out.String(), "listing the tests of ./slow") {
			t.Errorf("%s: it doesn't say of what: %s", name, &out)
		}
	}
}
