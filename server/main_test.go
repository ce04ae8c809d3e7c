package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"gridsync/server/internal/host"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/syncproto"
)

const county = "编码,名称,上级编码\n33,浙江省,\n3307,金华市,33\n"

// command runs a command to its end.
func command(t *testing.T, stdin string, args ...string) (code int, out, told string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	err := realMain(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
	code = exitCode(err, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestLongFlagsTakeOneDash(t *testing.T) {
	for _, c := range [][2]string{
		{"serve -data d -listen :0", "serve --data d --listen :0"},
		{"serve --data=d", "serve --data=d"},
		{"serve -data=d", "serve --data=d"},
		{"demo -once -json", "demo --once --json"},
		{"invite -days -5", "invite --days -5"},
		{"invite -days -50", "invite --days -50"},
		{"-h", "-h"},
		{"-help", "--help"},
		{"areas import - -data d", "areas import - --data d"},
		{"areas import -data d -- -file", "areas import --data d -- -file"},
		{"x -v=1", "x -v=1"},
	} {
		if got := doubleDashes(strings.Fields(c[0])); !slices.Equal(got, strings.Fields(c[1])) {
			t.Errorf("%s: %q", c[0], got)
		}
	}
}

func TestAnInstallationIsMadeByCommands(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "areas.csv")
	if err := os.WriteFile(file, []byte(county), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, told := command(t, "", "areas", "import", file, "-data", dir); code != 0 || !strings.Contains(told, "2") {
		t.Fatalf("import: %d %s", code, told)
	}
	if code, out, told := command(t, "", "areas", "list", "-data", dir); code != 0 || out != "33  浙江省\n  3307  金华市\n" {
		t.Errorf("list: %d %q %s", code, out, told)
	}
	code, out, told := command(t, "", "invite", "-data", dir, "-area", "3307", "-role", "secretary", "-base", "https://sync.example.cn/", "-days", "30")
	if code != 0 {
		t.Fatalf("invite: %d %s", code, told)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 || lines[1] != "https://sync.example.cn/#enrol="+lines[0] {
		t.Errorf("standard output holds more than code and link: %q", out)
	}
	if !strings.Contains(told, "3307") || !strings.Contains(told, "secretary") || strings.Count(told, "▀") < 50 {
		t.Errorf("doesn't say what into, or shows no picture: %s", told)
	}
	if code, out, told := command(t, "", "people", "-area", "33", "-data", dir); code != 0 || out != "" {
		t.Errorf("people: %d %q %s", code, out, told)
	}
	if code, out, told := command(t, "", "rebuild", "-check", "-data", dir); code != 0 || !strings.Contains(out, `"total": 0`) {
		t.Errorf("rebuild: %d %s %s", code, out, told)
	}
	if code, _, told := command(t, "", "epoch", "new", "-data", dir); code != 0 || told == "" {
		t.Errorf("epoch: %d %s", code, told)
	}
}

func TestBadLinesAreToldAndNothingIsImported(t *testing.T) {
	dir := t.TempDir()
	code, _, told := command(t, county+"34,,\n35,b,99\n", "areas", "import", "-", "-data", dir)
	if code != 1 || !strings.Contains(told, "第 4 行：") || !strings.Contains(told, "line 5: ") || !strings.Contains(told, "2 problems") {
		t.Errorf("%d %s", code, told)
	}
	if _, out, _ := command(t, "", "areas", "list", "-data", dir); out != "" {
		t.Errorf("imported: %s", out)
	}
}

func TestMistakesAreExplainedInBothLanguages(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		args string
		code int
	}{
		"no command":        {"", 2},
		"no such command":   {"frob", 2},
		"no such flag":      {"serve -frob", 2},
		"no such role":      {"invite -area 33 -role king", 2},
		"days in words":     {"invite -area 33 -days many", 2},
		"no such standing":  {"devices set -device 01900000-0000-7000-8000-000000000001 -status broken", 2},
		"no id":             {"handover -from a -to b -area 33", 2},
		"no area":           {"invite", 2},
		"no file":           {"areas import", 2},
		"rebuild, no check": {"rebuild", 2},
		"no such file":      {"areas import nowhere.csv", 1},
		"no such area":      {"invite -area 99", 1},
		"no hours":          {"invite -area 99 -hours=-1", 1},
		"over before now":   {"invite -area 99 -days=-3", 1},
		"no such device":    {"devices set -device 01900000-0000-7000-8000-000000000001 -status lost", 1},
		"nobody to hand to": {"handover -from 01900000-0000-7000-8000-000000000001 -to 01900000-0000-7000-8000-000000000002 -area 99", 1},
		"no area's people":  {"people -area 99", 1},
		"no area's devices": {"devices -area 99", 1},
		"a bad address":     {"serve -listen nowhere", 1},
		"no such question":  {"serve -due dispute=24h", 2},
		"no time to lie":    {"serve -due conflict=0s", 2},
	} {
		args := strings.Fields(c.args)
		if len(args) > 0 && args[0] != "frob" {
			args = append(args, "-data", dir)
		}
		code, out, told := command(t, "", args...)
		if code != c.code {
			t.Errorf("%s: code %d, %s", name, code, told)
		}
		chinese := strings.ContainsFunc(told, func(r rune) bool { return r >= '一' && r <= '龥' })
		if out != "" || !chinese || !strings.Contains(told, " / ") || strings.Contains(told, "%!") {
			t.Errorf("%s: out %q, told %q", name, out, told)
		}
	}
}

// Of a folder that was mistyped nothing is told, least of all that it is sound, and in it and
// in an empty database nothing is made; importing areas begins one.
func TestWhatIsNotThereIsNotBegunByLookingAtIt(t *testing.T) {
	dir, empty, record := filepath.Join(t.TempDir(), "mistyped"), pgtest.Empty(t), uuid.NewString()
	for _, args := range [][]string{
		{"verify"},
		{"rebuild", "-check"},
		{"history", record},
		{"seen", record},
		{"audit"},
		{"servers"},
		{"areas", "list"},
		{"invite", "-area", "3307"},
		{"link", "-login", "admin"},
		{"people", "-area", "3307"},
		{"devices", "-area", "3307"},
		{"purge", "-list"},
		{"purge", "-kind", "passage", "-older", "90"},
		{"epoch", "new"},
		{"keys", "list"},
		{"keys", "rotate"},
		{"keys", "token"},
		{"forms", "list"},
		{"settings", "3307"},
		{"hooks", "-area", "3307"},
		{"partitions", "list"},
	} {
		for name, where := range map[string][]string{"folder": {"-data", dir}, "database": {"-db", empty, "-keys", dir}} {
			if code, out, told := command(t, "", append(args, where...)...); code != 1 || out != "" || !strings.Contains(told, "这里没有网格通的数据") {
				t.Errorf("%s of a %s: %d %s %s", args, name, code, out, told)
			}
			if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("%s of a %s made a folder: %v", args, name, err)
			}
		}
	}
	if code, _, told := command(t, county, "areas", "import", "-", "-db", empty, "-keys", dir); code != 0 {
		t.Error(told)
	}
}

func TestHelpIsShownAndIsNoError(t *testing.T) {
	for _, args := range [][]string{{"-help"}, {"serve", "--help"}, {"devices", "set", "-h"}} {
		if code, out, told := command(t, "", args...); code != 0 || !strings.Contains(out, "Usage: server") {
			t.Errorf("%v: %d %q %q", args, code, out, told)
		}
	}
}

func TestWhatTheProtocolRefusesIsExplainedInItsOwnWords(t *testing.T) {
	for _, test := range []struct {
		err  *syncproto.Error
		want string
	}{
		{&syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}, textUnknownArea.ZH},
		{&syncproto.Error{Code: syncproto.CodeNotFound, Field: "record"}, textNothingSaid.ZH},
		{&syncproto.Error{Code: syncproto.CodeNotFound, Field: "hook"}, (&syncproto.Error{Code: syncproto.CodeNotFound}).Message().ZH + "（%[1]v）"},
		{&syncproto.Error{Code: syncproto.CodeBadRequest, Field: "login"}, textBadLogin.ZH},
		{&syncproto.Error{Code: syncproto.CodeBadRequest, Field: "day"}, (&syncproto.Error{Code: syncproto.CodeBadRequest}).Message().ZH + "（%[1]v）"},
	} {
		if text, _ := explain(fmt.Errorf("with more: %w", test.err)); text.ZH != test.want {
			t.Errorf("%v: %q, want %q", test.err, text.ZH, test.want)
		}
	}
}

// What an operator meets with other databases is told in words of its own.
func TestWhatStandsInTheWayOfADatabaseHasItsOwnWords(t *testing.T) {
	said := make(map[syncproto.Text]error)
	for _, err := range []error{
		host.ErrSamePlace, host.ErrFaulty, host.ErrCopyDiffers, host.ErrUnlike, host.ErrNotEmpty, host.ErrCopied, host.ErrNothingThere,
		host.ErrDatabase, postgres.ErrAddress, host.ErrNoDatabase, host.ErrNotLetIn, host.ErrUnreached, host.ErrExhausted,
	} {
		var told bytes.Buffer
		text, arg := explain(fmt.Errorf("copy to: %w", err))
		if say(&told, text, arg); text == textFailed || said[text] != nil || strings.Contains(told.String(), "%!") {
			t.Errorf("%v, as %v: %s", err, said[text], &told)
		}
		said[text] = err
	}
}

func TestEveryTextIsInBothLanguagesWithTheSameVerbs(t *testing.T) {
	for _, err := range []error{
		errors.New("x"), host.ErrNoName, host.ErrNoArea, host.ErrUnknownArea, host.ErrUnknownRole, host.ErrBadValidity,
		host.ErrServing,
		refusal{&syncproto.Error{Code: syncproto.CodeOwnGrant}},
		badFile(3), partlyRead(3), errDiffers, errDue,
	} {
		var told bytes.Buffer
		text, arg := explain(errors.Join(err, errors.New("and more")))
		say(&told, text, arg)
		if strings.Contains(told.String(), "%!") || !strings.Contains(told.String(), " / ") {
			t.Errorf("%v: %s", err, told.String())
		}
	}
	for name, text := range helpTexts {
		if zh, en, ok := strings.Cut(text, " / "); !ok || zh == "" || en == "" {
			t.Errorf("help %q: %q", name, text)
		}
	}
}

// terminalBuffer takes what is written to it from many goroutines, as a terminal does:
// the command tells where it serves while the first requests are being logged.
type terminalBuffer struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (b *terminalBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines.Write(p)
}

func (b *terminalBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines.String()
}

// The server is started as a process would start it, asked over HTTP, and ends in
// good order when its context does, as it does at a signal.
func TestServeAnswersUntilItIsAskedToStop(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	in, out := io.Pipe()
	var told terminalBuffer
	done := make(chan error, 1)
	go func() {
		err := realMain(ctx, []string{"serve", "-data", t.TempDir(), "-listen", "127.0.0.1:0"}, nil, out, &told)
		done <- errors.Join(err, out.Close())
	}()
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		t.Fatal(err, <-done)
	}
	for path, want := range map[string]int{"/": 200, "/page/app.js": 200, "/page/app.css": 200, "/readyz": 200, "/v1/openapi.json": 200, "/v1/areas": 401} {
		if got := status(t, strings.TrimSpace(line)+path); got != want {
			t.Errorf("%s: %d", path, got)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(told.String(), textStopped.ZH) {
		t.Errorf("told: %s", told.String())
	}
}

func status(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}

func TestSayTakesTheArgumentsTwice(t *testing.T) {
	var b bytes.Buffer
	say(&b, syncproto.Text{ZH: "甲 %d", EN: "a %d"}, 1)
	if b.String() != fmt.Sprintf("甲 %d / a %d\n", 1, 1) {
		t.Errorf("%q", b.String())
	}
}
