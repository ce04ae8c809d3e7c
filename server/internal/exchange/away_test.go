package exchange_test

import (
	"errors"
	"runtime"
	"testing"

	"gridsync/syncproto"
)

// Nobody has set it off that the store is away: all pushes of a group fail at once, after one
// attempt for all of them and with one line in the log, and are taken when it is back.
func TestAStoreThatIsAwayIsAskedOnceForAGroup(t *testing.T) {
	s := serve(t, 1)
	store := s.all[0].store
	store.away = make(chan struct{})
	_, pace := s.all[0].Queue()
	failed := make(chan error)
	until := func(queued int, attempts int64) {
		for {
			if n, _ := s.all[0].Queue(); n == queued && store.attempts.Load() == attempts {
				return
			}
			runtime.Gosched()
		}
	}
	// While one is tried, the others come.
	for from := 1; from <= 4; from++ {
		s.sent[from]++
		req := s.request(from, s.sent[from], temperature(from, "g1", 0, "36.5"))
		s.pushed[from] = req
		go func() {
			_, err := s.all[0].Sync(t.Context(), phone(from), req)
			failed <- err
		}()
		until(from-1, 1)
	}
	close(store.away)
	for range 4 {
		if err := <-failed; !errors.Is(err, errAway) {
			t.Errorf("a push while the store is away: %v", err)
		}
	}
	_, after := s.all[0].Queue()
	expect(s, "how long a push is taken to wait", after, pace)
	expect(s, "attempts", store.attempts.Load(), 2)
	expect(s, "lines", s.log.count("\n"), 1)
	expect(s, "warnings", s.log.count("level=WARN"), 1)
	store.away = nil
	for from := 1; from <= 4; from++ {
		expect(s, "again", s.again(0, from).Verdicts[0].Verdict, syncproto.Applied)
	}
	expect(s, "lines", s.log.count("\n"), 2)
	expect(s, "that it is back", s.log.count("the store is back"), 1)
	s.sound()
}
