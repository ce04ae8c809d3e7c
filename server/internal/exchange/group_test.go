package exchange_test

import (
	"testing"

	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
)

// Whoever holds the lock that all servers wait for doesn't queue with those who read, however
// many phones are there of which nothing is remembered.
func TestAGroupAsksForPhonesInItsTransactionAlone(t *testing.T) {
	s := serve(t, 2)
	for from := 1; from <= 4; from++ {
		s.push(0, from, temperature(from, "g1", 0, "36.5"))
	}
	s.push(0, 3, household(7, "g1", "").on(9, fields{"note": text("等")}))
	for from := 1; from <= 4; from++ {
		s.push(1, from, temperature(10+from, "g1", 0, "36.5"))
	}
	s.push(1, 4, household(7, "g1", "王")) // releases what the third waits with
	s.now += 100 * 86_400_000
	s.push(0, 2, visit(5, "g1", 7))
	expect(s, "looks beside the transactions", s.all[0].store.looks.Load()+s.all[1].store.looks.Load(), 0)
	s.contact(1, 2, "", 0)
	s.contact(1, 2, "", 0)
	expect(s, "looks for an answer", s.all[1].store.looks.Load(), 1)
	expect(s, "held", s.contact(1, 2, "", 0).Receipt.Held, 3)
	s.sound()
}

func TestAGroupAsksForAllItsPhonesAtOnce(t *testing.T) {
	s := serve(t, 1)
	for from := 1; from <= 4; from++ {
		s.contact(0, from, "", from)
	}
	s.push(0, 1, temperature(1, "g1", 0, "36.5")) // writes all four down
	expect(s, "asks", s.all[0].store.asks.Load(), 1)
	s.push(0, 1, temperature(2, "g1", 0, "36.5"))
	s.push(0, 4, temperature(3, "g1", 0, "36.5"))
	expect(s, "asks, once they are known", s.all[0].store.asks.Load(), 1)
	contacts, err := s.all[0].store.Contacts(t.Context(), []syncproto.DeviceID{phone(2), phone(3)})
	s.must(err)
	expect(s, "contacts written down", len(contacts), 2)
}

// A connection that reads may lead to the machine that led before, for an answer more or less:
// no group takes a phone's numbers from there.
func TestNoGroupGoesOnFromWhatAFormerLeaderShowsOfAPhone(t *testing.T) {
	s := serve(t, 2)
	former, err := sqlite.Open(t.Context(), s.standby(), sqlite.Options{Keys: storetest.Keys(t)})
	s.must(err)
	t.Cleanup(func() { s.must(former.Close()) })
	s.push(0, 1, temperature(1, "g1", 0, "36.5"))
	s.all[1].store.phones = former
	expect(s, "as it is shown", s.contact(1, 1, "", 3).Receipt.Held, 0)
	again := s.again(1, 1)
	expect(s, "verdict", again.Verdicts[0].Verdict, syncproto.Duplicate)
	expect(s, "held", again.Receipt.Held, 1)
	expect(s, "held from then on", s.contact(1, 1, "", 0).Receipt.Held, 1)
	s.sound()
}
