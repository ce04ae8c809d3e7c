package host

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"gridsync/server/internal/identity"
)

// events opens a phone's stream over the network, and returns what follows line by line,
// once the stream stands. The channel closes with the stream.
func (p *phone) events(path string) <-chan string {
	p.Helper()
	res := p.gets(path)
	p.Cleanup(func() { _ = res.Body.Close() })
	if kind := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
		p.Fatal(res.StatusCode, kind)
	}
	lines := bufio.NewScanner(res.Body)
	if !lines.Scan() || lines.Text() != "retry: 1000" {
		p.Fatal("a stream begins with", lines.Text())
	}
	heard := make(chan string, 100)
	go func() {
		defer close(heard)
		for lines.Scan() {
			heard <- lines.Text()
		}
	}()
	return heard
}

// until reads a stream up to a line, and returns that it came, with what came before it.
func until(heard <-chan string, line string) (before string, came bool) {
	for got := range heard {
		if got == line {
			return before, true
		}
		before += got + "\n"
	}
	return before, false
}

// What a phone pushes is heard at once by whoever listens above it, who hears nothing of
// what is pushed beside them; and streams end with the server.
func TestAPushIsHeardOverTheNetwork(t *testing.T) {
	o := newClosing(t)
	other := newPhone(t, o.Server, identity.Secretary, "c2")
	if err := o.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	above, beside := o.township.events("/v1/areas/t1/live?seconds=60"), other.events("/v1/areas/c2/live?seconds=60")
	o.fever()
	if before, came := until(above, "event: fever"); !came {
		t.Fatal("the fever was not heard of:", before)
	}
	told, came := until(above, "event: changed")
	if !came || !strings.Contains(told, `"area":"g1"`) || !strings.Contains(told, `"kind":"temperature"`) {
		t.Error("what was told:", told)
	}
	for _, hidden := range []string{"38.6", "person", "record"} {
		if strings.Contains(told, hidden) {
			t.Errorf("a stream holds %q: %s", hidden, told)
		}
	}
	o.sign(o.secretary, "c1", false)
	if before, came := until(above, "event: closed"); !came {
		t.Error("the signature was not heard of:", before)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	for range above {
		continue
	}
	if told, _ := until(beside, "event: nothing"); strings.Contains(told, "event:") {
		t.Error("the neighbour heard:", told)
	}
}
