package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"gridsync/server/internal/demo"
	"gridsync/server/internal/demo/world"
	"gridsync/server/internal/host"
	"gridsync/server/internal/review"
)

// start starts a real server for the demo, as the command does.
func start(ctx context.Context, s demo.Setup) (*demo.Server, error) {
	h, err := host.Start(ctx, host.Config{Dir: s.Dir, Listen: "127.0.0.1:0", Now: s.Now, NewID: s.NewID})
	if err != nil {
		return nil, err
	}
	if err := h.PutAreas(ctx, s.Areas); err != nil {
		return nil, err
	}
	return demo.Around(h), nil
}

func TestASmallWorldEndsAsPlanted(t *testing.T) {
	const scale = 24
	var out bytes.Buffer
	result, err := demo.Run(t.Context(), demo.Options{Start: start, Seed: 5, Scale: scale, Once: true, JSON: true, Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	var printed demo.Result
	if err := json.Unmarshal(out.Bytes(), &printed); err != nil {
		t.Fatalf("printed %s: %v", out.Bytes(), err)
	}
	size := world.Whole.Divided(scale)
	w := world.New(5, size)
	first, second := size.Residents()
	if r := result.Rounds; len(r) != 2 ||
		r[0].Met != (demo.Met{Residents: first, Returnees: size.Returnees}) ||
		r[1].Met != (demo.Met{Residents: second, Returnees: size.Returnees + size.LateReturnees}) {
		t.Errorf("rounds: %+v", r)
	}
	if result.Late != (demo.Met{Residents: size.Late, Returnees: size.LateReturnees}) {
		t.Errorf("late: %+v", result.Late)
	}
	if c := result.Changes; c.Recorded != w.Writes() || c.Held != w.Writes() || c.Lost != 0 || c.Doubled != 0 {
		t.Errorf("changes: %+v, recorded by the script: %d", c, w.Writes())
	}
	for _, kind := range review.Kinds {
		if settled := result.Settled[kind]; settled < 1 || result.Review[kind]+settled < w.Questions(kind) {
			t.Errorf("%s: %d open and %d settled of %d planted", kind, result.Review[kind], settled, w.Questions(kind))
		}
	}
	if result.Told.Expected == 0 || result.Told.Heard != result.Told.Expected {
		t.Errorf("told: %+v", result.Told)
	}
	if !result.ReplicasAgree || !result.RebuildAgrees {
		t.Errorf("replicas agree: %v, rebuild agrees: %v", result.ReplicasAgree, result.RebuildAgrees)
	}
}

// contradicted starts a server of which a rebuild says that something differs.
func contradicted(ctx context.Context, s demo.Setup) (*demo.Server, error) {
	server, err := start(ctx, s)
	if err == nil {
		server.Rebuild = func(context.Context) ([]string, error) { return []string{"one counter too many"}, nil }
	}
	return server, err
}

func TestAContradictionFailsADemoThatEnds(t *testing.T) {
	opt := demo.Options{Start: contradicted, Seed: 5, Scale: 200, Once: true}
	if result, err := demo.Run(t.Context(), opt); !errors.Is(err, demo.ErrDisagrees) || result.RebuildAgrees {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestAContradictionIsToldAndThePageStaysUp(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, told := io.Pipe()
	var notes bytes.Buffer
	done := make(chan error, 1)
	go func() {
		_, err := demo.Run(ctx, demo.Options{Start: contradicted, Seed: 5, Scale: 200, Out: told, Notes: &notes})
		done <- errors.Join(err, told.Close())
	}()
	var text strings.Builder
	page := regexp.MustCompile(`(http://\S+)/#token=\S+\n.*Ctrl-C to stop\n`)
	for buf := make([]byte, 4096); !page.MatchString(text.String()); {
		n, err := out.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			t.Fatalf("ended by itself: %v, %s", err, text.String())
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page.FindStringSubmatch(text.String())[1]+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("the server answers %d, %v", res.StatusCode, err)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(notes.String(), "one counter too many") {
		t.Errorf("told: %s", notes.String())
	}
}
