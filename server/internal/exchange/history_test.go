package exchange_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/review"
	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
)

// standby is the database as it is now, as another machine knows it that hears of no commit
// from now on.
func (s *servers) standby() (dir string) {
	s.Helper()
	dir = s.TempDir()
	s.must(s.all[0].store.BetweenGroups(func(conn *sql.Conn) error {
		_, err := conn.ExecContext(s.Context(), "VACUUM INTO $1", filepath.Join(dir, sqlite.FileName))
		return err
	}))
	return dir
}

// failOver lets the standby take over: every server goes on with that.
func (s *servers) failOver(dir string) {
	s.Helper()
	for _, one := range s.all {
		next, err := sqlite.Open(s.Context(), dir, sqlite.Options{Keys: storetest.Keys(s.T)})
		s.must(err)
		s.Cleanup(func() { s.must(next.Close()) })
		one.store.Store = next
	}
}

// onAnotherTimeline has the database say that its numbers are given out on another timeline
// than the one on which whoever opens it next will be.
func (s *servers) onAnotherTimeline() {
	s.Helper()
	s.must(s.all[0].store.BetweenGroups(func(conn *sql.Conn) error {
		_, err := conn.ExecContext(s.Context(), "UPDATE meta SET timeline = 1")
		return err
	}))
}

// A commit can be seen and be lost afterwards, with the machine that it was on. Whoever has
// taken it up must not go on from it: not where as many commits, or more, have come in its
// place, nor where fewer have.
func TestWhatWasTakenUpAndLostIsForgotten(t *testing.T) {
	for name, instead := range map[string]int{"nothing came instead": 0, "as much came instead": 3, "more came instead": 5} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, 3)
			one := s.push(0, 1, household(1, "g1", "王"))
			s.push(1, 2, household(2, "g1", "李"))
			standby := s.standby()

			// What is to be lost: all of it is in the memory of the first two.
			s.push(1, 4, household(3, "g2", "").on(7, fields{"note": text("等")}))
			s.must(s.decide(0, household(2, "g1", "").on(100, fields{syncproto.FieldSameAs: of(record(1))})))
			s.push(1, 3, temperature(4, "g2", 0, "36.5"))
			for at := range 2 {
				s.must(s.all[at].TakeUp(t.Context()))
				expect(s, "waiting", s.all[at].Waiting(), 1)
			}
			cursor := s.contact(0, 1, "", 0).Cursor
			heard := s.all[0].Subscribe()
			defer heard.End()

			s.failOver(standby)
			for n := range instead {
				s.sent[1] = uint64(n + 1)
				s.push(2, 1, temperature(20+n, "g2", 0, "36.5"))
			}
			s.must(s.all[0].TakeUp(t.Context()))
			news := heard.Take()
			expect(s, "anew", news.Anew, true)
			expect(s, "missed", news.Missed, true)
			// The first has looked, the second only looks when it writes.
			s.sent[2] = 1
			v := s.push(1, 2, household(2, "g1", "").on(2, fields{"note": text("门口")}))
			expect(s, "version", v.Version, one.Version+2+syncproto.Version(instead))
			for at := range s.all {
				expect(s, "held of what was lost", s.contact(at, 4, "", 0).Receipt.Held, 0)
				expect(s, "waiting", s.all[at].Waiting(), 0)
			}
			s.push(0, 1, household(1, "g1", "").on(one.Version, fields{"head": text("李")}))
			// Even were numbers given out again, who stood beyond them must not step over what is new.
			answer := s.contact(0, 4, s.contact(0, 4, cursor, 0).Cursor, 0)
			v = s.push(2, 3, temperature(5, "g1", 0, "36.5"))
			news2 := s.contact(0, 4, answer.Cursor, 0)
			if len(news2.Records) != 1 || news2.Records[0].Version != v.Version {
				t.Errorf("after what is new: %+v", news2.Records)
			}
			s.sound()
		})
	}
}

// So it is with areas and people: a right that was given by a commit that is lost, and another
// one that came under its number.
func TestARegistryThatWasLostIsForgotten(t *testing.T) {
	s := serve(t, 2)
	s.push(0, 1, temperature(1, "g1", 0, "36.5"))
	standby := s.standby()
	s.must(s.all[0].store.PutAreas(t.Context(), []area.Node{{ID: "g5", Name: "五网格", Parent: "c1"}}))
	expect(s, "in an area that is to be lost", s.push(0, 1, temperature(2, "g5", 0, "36.5")).Verdict, syncproto.Applied)

	s.failOver(standby)
	s.sent[1] = 1
	s.must(s.all[1].store.AddIdentities(t.Context(), identity.Everyone{
		Grants: []identity.Grant{{Author: author(1), Area: "33", Role: identity.Volunteer, To: 1}},
	}))
	expect(s, "of whom no longer may", s.push(0, 1, temperature(2, "g1", 0, "36.5")).Verdict, syncproto.Parked)
	expect(s, "in an area that was lost", s.push(0, 2, temperature(3, "g5", 0, "36.5")).Verdict, syncproto.Parked)
	s.sound()
}

// A phone may have read what is lost, and say by its number what it had seen when it edited.
// That number, or the one where it stood, must never come to mean something else: an edit would
// replace what nobody has seen, and what is new would be stepped over.
func TestWhatSomebodyReadAndIsLostCountsForNothing(t *testing.T) {
	s := serve(t, 2)
	s.push(0, 1, household(1, "g1", "王"))
	s.onAnotherTimeline()
	standby := s.standby()
	lost := s.push(0, 1, household(1, "g1", "").on(1, fields{"note": text("东门")}))
	cursor := s.contact(0, 2, "", 0).Cursor

	s.failOver(standby)
	s.sent[1] = 1
	meanwhile := s.push(1, 3, household(1, "g1", "").on(0, fields{"head": text("李")}))
	if meanwhile.Version <= lost.Version {
		t.Fatalf("version %d was given out twice: %d", lost.Version, meanwhile.Version)
	}
	answer := s.contact(0, 2, cursor, 0)
	if answer.Reset || len(answer.Records) != 1 || answer.Records[0].Version != meanwhile.Version {
		t.Errorf("after what was lost: reset %v, %+v", answer.Reset, answer.Records)
	}
	s.push(0, 2, household(1, "g1", "").on(lost.Version, fields{"head": text("赵")}))
	expect(s, "questions", len(s.open(review.Conflict)), 1)
	s.sound()
}

// What is read at one machine and written at another is never put together: the group fails,
// and is taken when both are one again.
func TestNobodyGoesOnFromWhatAnotherMachineShows(t *testing.T) {
	s := serve(t, 2)
	s.push(0, 1, household(1, "g1", "王"))
	standby := s.standby()
	s.push(0, 2, household(2, "g1", "李"))
	old := s.all[0].store.Store
	s.failOver(standby)
	s.sent[3] = 0
	s.push(1, 3, household(3, "g1", "赵"))

	s.all[0].store.writes, s.all[0].store.Store = s.all[0].store.Store, old
	s.sent[4]++
	s.pushed[4] = s.request(4, 1, household(4, "g1", "孙"))
	if _, err := s.all[0].Sync(t.Context(), phone(4), s.pushed[4]); err == nil {
		t.Error("a group was built on what another machine shows")
	}
	s.all[0].store.Store, s.all[0].store.writes = s.all[0].store.writes, nil
	expect(s, "again", s.again(0, 4).Verdicts[0].Verdict, syncproto.Applied)
	s.sound()
}
