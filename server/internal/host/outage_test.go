package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gridsync/server/internal/store/postgres/pgcluster"
)

var errGone = errors.New("gone")

// sparingLog is a log, what it wrote, and the outage before it.
func sparingLog(level slog.Level) (*outage, *slog.Logger, *bytes.Buffer) {
	var out bytes.Buffer
	o := newOutage(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level})), func(err error) bool { return errors.Is(err, errGone) })
	log := o.log()
	return o, log, &out
}

func TestOfADatabaseThatIsAwayTheLogSaysSoOnceAndWhenItIsBack(t *testing.T) {
	o, log, out := sparingLog(slog.LevelInfo)
	o.answered(t.Context())
	for range 100 {
		log.With("of", "a group").Error("not committed", "error", fmt.Errorf("group: %w", errGone))
		log.Warn("not ready", slog.Any("error", errGone))
	}
	log.Error("something else", "error", io.EOF)
	log.Info("nothing failed", "pushes", 3)
	if text := out.String(); strings.Count(text, "\n") != 3 || !strings.Contains(text, "away") || !strings.Contains(text, "gone") ||
		!strings.Contains(text, "something else") || !strings.Contains(text, "nothing failed") {
		t.Errorf("it says\n%s", text)
	}
	out.Reset()
	o.answered(t.Context())
	log.Error("not committed", "error", errGone) // amid two answers: it is not back yet
	o.answered(t.Context())
	if text := out.String(); text != "" {
		t.Errorf("amid the failures it says %s", text)
	}
	o.answered(t.Context())
	o.answered(t.Context())
	if text := out.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "back") || !strings.Contains(text, "failures=201") {
		t.Errorf("afterwards it says %s", text)
	}
	out.Reset()
	log.Error("not committed", "error", errGone)
	if text := out.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "away") {
		t.Errorf("the next time it says %s", text)
	}
}

func TestWhoeverDebugsReadsEveryFailure(t *testing.T) {
	_, log, out := sparingLog(slog.LevelDebug)
	for range 5 {
		log.With("of", "a group").Error("not committed", "error", errGone)
	}
	if n := strings.Count(out.String(), "level=DEBUG msg=\"not committed\" of=\"a group\" error=gone"); n != 5 {
		t.Errorf("%d of 5:\n%s", n, out)
	}
}

func TestAServerWhoseDatabaseGoesKeepsItsLogShortAndItsPhonesWaiting(t *testing.T) {
	cluster, err := pgcluster.Start(pgcluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceValue(cluster.Stop)
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	p := &province{T: t, url: cluster.URL("postgres"), keys: filepath.Join(t.TempDir(), "keys")}
	cfg := p.config()
	var out bytes.Buffer
	cfg.Log = slog.New(slog.NewTextHandler(&out, nil))
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	e := p.peopled(s)
	if status, _ := exchangeWith(t, s, &e, visit(&e, 1, "g1")); status != http.StatusOK {
		t.Fatal(status)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for n := range uint64(5) {
		if status, _ := exchangeWith(t, s, &e, visit(&e, n+2, "g1")); status != http.StatusTooManyRequests {
			t.Errorf("a phone is told %d", status)
		}
	}
	if err := s.Close(); err == nil {
		t.Error("a server that can't say that it leaves ends as if it had")
	}
	if text := out.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "the database is away") {
		t.Errorf("it says\n%s", text)
	}
}
