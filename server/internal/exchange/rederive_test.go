package exchange_test

import (
	"errors"
	"testing"

	"gridsync/syncproto"
)

// numbered is the last number given out: whatever is derived anew takes one.
func (s *servers) numbered() syncproto.Version {
	s.Helper()
	boot, err := s.all[0].store.Boot(s.Context())
	s.must(err)
	return boot.Last
}

// A server has read forms and settings, and another one publishes others and derives
// everything by them before it starts: it starts by those of now.
func TestNobodyStartsByDerivingBackToOlderRules(t *testing.T) {
	s := serve(t, 1)
	s.push(0, 1, temperature(1, "g1", 0, "37.4"))
	store := &grudging{Store: s.all[0].store.Store}
	before := s.book(store)
	s.sets("33", "fever_threshold", "38")
	s.push(0, 1, temperature(2, "g1", 0, "37.4"))
	last := s.numbered()
	s.all = append(s.all, s.with(store, before, false))
	expect(s, "last number", s.numbered(), last)
	expect(s, "fevers", s.counted("fevers"), 0)
	s.push(1, 2, temperature(3, "g1", 0, "37.4"))
	s.push(0, 2, temperature(4, "g1", 0, "37.4"))
	expect(s, "last number", s.numbered(), last+2)
	s.sound()
}

// A server that has heard that everything was derived anew, and not yet by which rules, goes by
// those of now when it does hear of them.
func TestNobodyDerivesBackToTheRulesThatItHasReadLast(t *testing.T) {
	s := serve(t, 2)
	s.push(1, 1, temperature(1, "g1", 0, "37.4"))
	s.sets("33", "fever_threshold", "38")
	s.push(0, 2, temperature(2, "g1", 0, "37.4"))
	last := s.numbered()
	s.all[1].store.untold = errLine
	s.sent[1]++
	s.pushed[1] = s.request(1, s.sent[1], temperature(3, "g1", 0, "37.4"))
	if _, err := s.all[1].Sync(t.Context(), phone(1), s.pushed[1]); !errors.Is(err, errLine) {
		t.Fatalf("a push while nobody tells of settings: %v", err)
	}
	s.all[1].store.untold = nil
	expect(s, "verdict", s.again(1, 1).Verdicts[0].Verdict, syncproto.Applied)
	s.push(0, 2, temperature(4, "g1", 0, "37.4"))
	expect(s, "last number", s.numbered(), last+2)
	expect(s, "fevers", s.counted("fevers"), 0)
	s.sound()
}
