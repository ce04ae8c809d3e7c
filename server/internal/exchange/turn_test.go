package exchange_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/formbook"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// What one server commits stands in the log right after what the other did: numbers, and the
// chain.
func TestServersWriteOneLogInTurn(t *testing.T) {
	s := serve(t, 3)
	for n := range 9 {
		v := s.push(n%3, 1+n%4, temperature(n, "g1", 0, "36.5"))
		expect(s, "version", v.Version, syncproto.Version(n+2)) // the first was given out when everything was derived at the start
	}
	s.sound()
}

// A server whose clock is behind doesn't date what comes before what another has received.
func TestTheLogsTimeNeverGoesBackAmongServers(t *testing.T) {
	s := serve(t, 2)
	s.push(1, 1, temperature(1, "g1", 0, "36.5"))
	s.now += 120_000
	s.push(0, 1, temperature(2, "g1", 0, "36.5"))
	s.all[1].late = 60_000
	s.push(1, 2, temperature(3, "g1", 0, "36.5"))
	var before syncproto.Instant
	s.must(s.all[0].store.EachLogged(t.Context(), func(l *exchange.Logged) error {
		if l.Received < before {
			t.Errorf("row %d was received %d ms before the one above it", l.Seq, before-l.Received)
		}
		before = l.Received
		return nil
	}))
	s.sound()
}

func TestWhatWaitsAtOneServerIsReleasedByAnother(t *testing.T) {
	s := serve(t, 2)
	s.push(0, 1, household(2, "g1", "李"))
	v := s.push(1, 2, household(1, "g1", "").on(5, fields{"note": text("搬走")}))
	expect(s, "verdict", v.Verdict, syncproto.Parked)
	expect(s, "waiting", s.all[1].Waiting(), 1)
	s.push(0, 1, household(1, "g1", "王"))
	s.must(s.all[1].TakeUp(t.Context()))
	for at := range s.all {
		expect(s, "waiting", s.all[at].Waiting(), 0)
		expect(s, "parked", s.all[at].Stats().Parked, 0)
		expect(s, "receipt", len(s.contact(at, 2, "", 0).Receipt.Parked), 0)
	}
	s.sound()
}

func TestRecordsThatOneServerMadeOneAreOneAtAnother(t *testing.T) {
	s := serve(t, 2)
	one := s.push(0, 1, household(1, "g1", "王"))
	s.push(1, 3, temperature(9, "g1", 0, "36.5"))
	two := s.push(0, 2, household(2, "g1", "李"))
	s.must(s.decide(0, household(2, "g1", "").on(two.Version, fields{syncproto.FieldSameAs: of(record(1))})))
	expect(s, "conflicts", len(slices.DeleteFunc(s.open(review.Conflict), func(it review.Item) bool { return it.Field != "head" })), 1)
	// Whoever takes over what the other says ends the dispute.
	s.push(1, 2, household(2, "g1", "").on(two.Version, fields{"head": text("王")}))
	expect(s, "conflicts", len(slices.DeleteFunc(s.open(review.Conflict), func(it review.Item) bool { return it.Field != "head" })), 0)
	s.sound()
	// And an un-merge at the second is one at the first.
	s.must(s.decide(1, household(2, "g1", "").on(100, fields{syncproto.FieldSameAs: syncproto.Null})))
	s.push(0, 1, household(1, "g1", "").on(one.Version, fields{"head": text("赵")}))
	s.sound()
}

func TestADoubleVisitFoundByOneServerCountsOnceAtAnother(t *testing.T) {
	s := serve(t, 2)
	s.push(1, 3, temperature(9, "g1", 0, "36.5"))
	s.push(0, 1, visit(1, "g1", 50))
	two := s.push(0, 2, visit(2, "g1", 50))
	expect(s, "double visits", len(s.open(review.DoubleVisit)), 1)
	expect(s, "visits", s.counted("visits"), 1)
	s.push(1, 2, visit(2, "g1", 50).on(two.Version, fields{"note": text("门口")}))
	expect(s, "visits", s.counted("visits"), 1)
	s.sound()
	three := s.push(1, 3, visit(3, "g1", 60))
	s.push(1, 4, visit(4, "g1", 60))
	s.push(0, 3, visit(3, "g1", 60).on(three.Version, fields{"outcome": text("refused")})) // they are no longer the same
	expect(s, "visits", s.counted("visits"), 3)
	s.sound()
}

func TestADaySignedAtOneServerIsRestatedByAnother(t *testing.T) {
	s := serve(t, 2)
	s.push(0, 1, temperature(1, "g1", 0, "36.5"))
	s.push(1, 2, temperature(2, "g1", 0, "36.5"))
	s.must(s.decide(0, signed(100, "c1", "2020-01-31", 2)))
	expect(s, "restated", len(s.open(review.Restated)), 0)
	s.push(1, 1, temperature(3, "g2", 0, "36.5"))
	expect(s, "restated", len(s.open(review.Restated)), 1)
	s.push(0, 2, temperature(4, "g2", 0, "36.5"))
	s.sound()
	drift := s.derived().Signatures[0].Drift["temperatures"]
	expect(s, "drift", drift, 2)
}

func TestAPhoneReadsAtOneServerWhatAnotherCommitted(t *testing.T) {
	s := serve(t, 3)
	first := s.contact(1, 4, "", 0)
	expect(s, "records", len(first.Records), 0)
	v := s.push(0, 1, temperature(1, "g1", 0, "36.5"))
	news := s.contact(1, 4, first.Cursor, 0)
	if len(news.Records) != 1 || news.Records[0].Version != v.Version {
		t.Fatalf("%+v", news.Records)
	}
	expect(s, "sum", news.Sums["g1"], syncproto.RowSum(record(1), v.Version))
	// The cursor of one is no stranger at another, which has committed since.
	s.push(0, 1, temperature(2, "g1", 0, "36.5"))
	again := s.contact(2, 4, s.contact(0, 4, news.Cursor, 0).Cursor, 0)
	expect(s, "reset", again.Reset, false)
	expect(s, "records", len(again.Records), 0)
	page, err := s.all[1].Changes(t.Context(), exchange.Reader{Area: "33", Limit: 10})
	s.must(err)
	expect(s, "rows", len(page.Rows), 2)
}

func TestAPhonesReceiptIsTheSameAtEveryServer(t *testing.T) {
	s := serve(t, 2)
	s.push(0, 1, temperature(1, "g1", 0, "36.5"))
	s.push(1, 1, temperature(2, "g1", 0, "36.5"))
	s.push(0, 1, temperature(3, "g1", 0, "36.5"))
	known := s.again(1, 1)
	expect(s, "verdict", known.Verdicts[0].Verdict, syncproto.Duplicate)
	expect(s, "held", known.Receipt.Held, 3)
	for at := range s.all {
		r := s.contact(at, 1, "", 0).Receipt
		expect(s, "through", r.Through, 3)
		expect(s, "digest", r.Digest, known.Receipt.Digest)
	}
	s.sound()
}

func TestAContactThatIsNotWrittenDownYetOverwritesNothing(t *testing.T) {
	s := serve(t, 2)
	s.contact(0, 1, "", 5)
	s.push(1, 1, temperature(1, "g1", 0, "36.5"))
	s.now += 1000
	s.contact(0, 1, "", 3)
	s.push(1, 1, temperature(2, "g1", 0, "36.5"))
	s.now += 1000
	s.contact(1, 2, "", 7)
	s.push(0, 2, temperature(3, "g1", 0, "36.5"))
	contacts, err := s.all[0].Contacts(t.Context(), []syncproto.DeviceID{phone(1)})
	s.must(err)
	expect(s, "contacts", len(contacts), 1)
	store := s.all[0].store
	s.close()
	for n, want := range map[int]uint64{1: 2, 2: 1} {
		state, err := store.Device(t.Context(), phone(n))
		s.must(err)
		expect(s, "high", state.High, want)
		expect(s, "held", state.Held, want)
	}
}

func TestContactsOfOtherServersAreHeardOf(t *testing.T) {
	s := serve(t, 2)
	ask := func() syncproto.Instant {
		found, err := s.all[0].Contacts(t.Context(), []syncproto.DeviceID{phone(1)})
		s.must(err)
		if len(found) == 0 {
			return 0
		}
		return found[0].At
	}
	expect(s, "at", ask(), 0)
	s.push(1, 1, temperature(1, "g1", 0, "36.5"))
	expect(s, "at", ask(), start)
	s.now += 5000
	s.push(1, 1, temperature(2, "g1", 0, "36.5"))
	expect(s, "at", ask(), start+5000)
}

func TestAnAreaThatMovedIsWhereItIsAtEveryServer(t *testing.T) {
	s := serve(t, 2)
	s.push(0, 1, temperature(1, "g2", 0, "36.5"))
	s.push(1, 2, temperature(2, "g2", 0, "36.5"))
	s.must(s.decide(0, signed(100, "c1", "2020-01-31", 2)))
	s.must(s.all[0].store.PutAreas(t.Context(), []area.Node{{ID: "g2", Name: "二网格", Parent: "c2"}}))
	s.push(1, 2, temperature(3, "g2", 0, "36.5")) // nobody has told this server
	s.push(0, 1, temperature(4, "g2", 0, "36.5"))
	s.must(s.all[1].RegistryChanged(t.Context()))
	s.must(s.all[0].RegistryChanged(t.Context()))
	s.push(0, 1, temperature(5, "g1", 0, "36.5"))
	s.sound()
}

// One that moved and moved back is where it was, but not for whoever slept meanwhile.
func TestAnAreaThatMovedBackIsBackAtEveryServer(t *testing.T) {
	s := serve(t, 2)
	moves := func(to syncproto.AreaID) {
		t.Helper()
		s.must(s.all[0].store.PutAreas(t.Context(), []area.Node{{ID: "g2", Name: "二网格", Parent: to}}))
	}
	s.push(0, 1, temperature(1, "g2", 0, "36.5"))
	s.push(1, 2, temperature(2, "g2", 0, "36.5"))
	s.must(s.decide(1, signed(100, "c1", "2020-01-31", 2)))
	s.must(s.all[1].RegistryChanged(t.Context()))
	moves("c2")
	s.must(s.all[0].RegistryChanged(t.Context()))
	expect(s, "restated", len(s.open(review.Restated)), 1)
	moves("c1")
	s.must(s.all[1].RegistryChanged(t.Context()))
	expect(s, "restated", len(s.open(review.Restated)), 0)
	s.sound()
}

// What differs only in areas that have just come is noted by one server, and known to all.
func TestRulesThatDeriveTheSameAreNotedOnce(t *testing.T) {
	s := serve(t, 2)
	s.sets("33", "fever_threshold", "38")
	s.push(0, 1, temperature(1, "g1", 0, "37.4"))
	s.push(1, 2, temperature(2, "g1", 0, "37.4"))
	turns := func() int64 {
		all, err := s.all[0].store.Turns(t.Context(), exchange.Mark{})
		s.must(err)
		return all.Last.Number
	}
	before := turns()
	s.must(s.all[0].store.PutAreas(t.Context(), []area.Node{{ID: "g4", Name: "四网格", Parent: "c1"}}))
	s.push(0, 1, temperature(3, "g4", 0, "37.4"))
	s.push(1, 2, temperature(4, "g4", 0, "37.4"))
	expect(s, "turns", turns()-before, 3)
	expect(s, "fevers", s.counted("fevers"), 0)
	s.sound()
}

func TestARightThatEndedHasEndedAtEveryServer(t *testing.T) {
	s := serve(t, 2)
	expect(s, "before", s.push(1, 1, temperature(1, "g1", 0, "36.5")).Verdict, syncproto.Applied)
	s.must(s.all[0].store.AddIdentities(t.Context(), identity.Everyone{
		Grants: []identity.Grant{{Author: author(1), Area: "33", Role: identity.Volunteer, To: 1}},
	}))
	expect(s, "after", s.push(1, 1, temperature(2, "g1", 0, "36.5")).Verdict, syncproto.Parked)
	answer := s.contact(0, 1, "", 0)
	expect(s, "records", len(answer.Records), 0)
}

func TestWhatOneServerDerivedAnewAnotherGoesOnFrom(t *testing.T) {
	s := serve(t, 2)
	for n := range 4 {
		s.push(n%2, 1+n, temperature(n, "g1", 0, "37.4"))
	}
	expect(s, "fevers", s.counted("fevers"), 4)
	s.sets("33", "fever_threshold", "38")
	s.push(0, 1, temperature(10, "g1", 0, "37.4"))
	expect(s, "fevers", s.counted("fevers"), 0)
	s.push(1, 2, temperature(11, "g1", 0, "37.4"))
	s.push(1, 2, temperature(12, "g1", 0, "39.0"))
	s.push(0, 1, temperature(13, "g1", 0, "39.0"))
	expect(s, "fevers", s.counted("fevers"), 2)
	s.sound()
	// The number that a derivation gives out was given out once, and once at the start.
	boot, err := s.all[0].store.Boot(t.Context())
	s.must(err)
	expect(s, "last number", boot.Last, 1+4+1+4)
}

func TestWhatOneServerPurgedIsGoneAtAnother(t *testing.T) {
	s := serve(t, 2)
	old := s.push(0, 1, temperature(1, "g1", 0, "39.5"))
	s.push(1, 2, temperature(2, "g2", 0, "36.5"))
	cursor := s.contact(0, 4, "", 0).Cursor
	s.now += 100 * 86_400_000
	done, err := s.all[1].Purge(t.Context(), exchange.PurgeOrder{Kind: "temperature", Days: 30, By: county})
	s.must(err)
	expect(s, "purged", done.Records, 2)
	answer := s.contact(0, 4, cursor, 0)
	expect(s, "gone", len(answer.Gone), 2)
	v := s.push(0, 1, temperature(1, "g1", 0, "").on(old.Version, fields{"value": "37"}))
	expect(s, "verdict", v.Verdict, syncproto.Parked)
	s.push(1, 2, temperature(3, "g1", 100, "36.5"))
	s.sound()
}

// Whoever listens at one server hears what is committed at another, with its alerts.
func TestSubscribersHearOfOtherServersGroups(t *testing.T) {
	s := serve(t, 2)
	heard := s.all[0].Subscribe()
	defer heard.End()
	v := s.push(1, 1, temperature(1, "g1", 0, "39.5"))
	expect(s, "before anybody told it", heard.Take().Version, 0)
	s.must(s.all[0].TakeUp(t.Context()))
	select {
	case <-heard.Stirred:
	default:
		t.Error("nobody was stirred")
	}
	news := heard.Take()
	expect(s, "version", news.Version, v.Version)
	expect(s, "areas", len(news.Areas), 1)
	expect(s, "missed", news.Missed, false)
	if len(news.Alerts) != 1 || news.Alerts[0].Record != record(1) || news.Alerts[0].Event() != "fever" {
		t.Errorf("%+v", news.Alerts)
	}
	s.must(s.all[0].TakeUp(t.Context()))
	expect(s, "again", heard.Take().Version, 0)
	s.contact(1, 2, "", 0)
	s.must(s.all[1].Close(t.Context())) // writes the contact down, which nobody is told of
	s.all = s.all[:1]
	s.must(s.all[0].TakeUp(t.Context()))
	expect(s, "a contact", heard.Take().Version, 0)
}

// A purge takes out of what is still to be taken up what it says of records.
func TestAPurgeSilencesAlertsThatNobodyHasHeardYet(t *testing.T) {
	s := serve(t, 2)
	heard := s.all[0].Subscribe()
	defer heard.End()
	s.push(1, 1, temperature(1, "g1", 0, "39.5"))
	s.now += 100 * 86_400_000
	_, err := s.all[1].Purge(t.Context(), exchange.PurgeOrder{Kind: "temperature", Days: 30, By: county})
	s.must(err)
	s.must(s.all[0].TakeUp(t.Context()))
	news := heard.Take()
	expect(s, "alerts", len(news.Alerts), 0)
	expect(s, "missed", news.Missed, true)
	s.push(0, 2, temperature(2, "g1", 100, "36.5"))
	s.sound()
}

// Of a group that doesn't say what it did, or did so too long ago, everything is read anew.
func TestAServerThatIsTooFarBehindBootsAnew(t *testing.T) {
	s := serve(t, 2)
	one := s.push(0, 1, household(1, "g1", "王"))
	s.push(1, 2, household(2, "g1", "李"))
	s.contact(0, 3, "", 4)
	heard := s.all[0].Subscribe()
	defer heard.End()
	s.push(1, 4, household(3, "g2", "").on(7, fields{"note": text("等")}))
	s.must(s.decide(1, household(2, "g1", "").on(100, fields{syncproto.FieldSameAs: of(record(1))})))
	s.must(s.all[1].store.Commit(t.Context(), func(tx exchange.Tx) error { return tx.Save(&exchange.Batch{}) }))
	s.must(s.all[0].TakeUp(t.Context()))
	news := heard.Take()
	expect(s, "missed", news.Missed, true)
	expect(s, "anew", news.Anew, true)
	expect(s, "waiting", s.all[0].Waiting(), 1)
	s.push(0, 1, household(1, "g1", "").on(one.Version, fields{"head": text("李")}))
	s.push(0, 2, household(3, "g2", "赵"))
	expect(s, "waiting", s.all[0].Waiting(), 0)
	contacts, err := s.all[0].Contacts(t.Context(), []syncproto.DeviceID{phone(3)})
	s.must(err)
	if len(contacts) != 1 || contacts[0].Unsent != 4 {
		t.Errorf("a contact that wasn't written down yet: %+v", contacts)
	}
	s.sound()
}

// A server that believes that it is alone says nothing, and is found out by the others; and
// it finds out that it isn't.
func TestAServerThatThoughtItWasAloneHarmsNothing(t *testing.T) {
	s := serve(t, 1)
	s.all = append(s.all, s.over(s.all[0].store, true))
	one := s.push(1, 1, household(1, "g1", "王"))
	two := s.push(0, 2, household(2, "g1", "李"))
	s.must(s.decide(0, household(2, "g1", "").on(two.Version, fields{syncproto.FieldSameAs: of(record(1))})))
	s.push(1, 1, household(1, "g1", "").on(one.Version, fields{"head": text("李")}))
	s.push(0, 3, visit(5, "g1", 1))
	s.sound()
}

// All at once: pushes at three servers, phones that ask what is new, rules that change, and
// whoever hears of groups.
func TestServersWorkAtTheSameTime(t *testing.T) {
	s := serve(t, 3)
	heard := s.all[0].Subscribe()
	defer heard.End()
	book := s.all[2].registry
	var all sync.WaitGroup
	for from := 1; from <= 4; from++ {
		// Each phone goes from server to server, with numbers of its own.
		all.Go(func() {
			cursor := ""
			for n := range 4 {
				req := s.request(from, uint64(n+1), temperature(20*from+n, "g1", 0, "37.4"))
				req.Cursor = cursor
				answer, err := s.all[(from+n)%3].Sync(t.Context(), phone(from), req)
				if err != nil || answer.Receipt.Held != uint64(n+1) {
					t.Errorf("phone %d, number %d: %+v %v", from, n+1, answer, err)
					return
				}
				answer, err = s.all[(from+n+1)%3].Sync(t.Context(), phone(from), &syncproto.Request{
					Protocol: syncproto.Protocol, Device: phone(from), Clock: s.now, High: uint64(n + 1), Cursor: answer.Cursor,
				})
				if err != nil || answer.Reset || answer.Receipt.Held != uint64(n+1) {
					t.Errorf("phone %d asks after number %d: %+v %v", from, n+1, answer, err)
					return
				}
				cursor = answer.Cursor
			}
		})
	}
	all.Go(func() {
		for n := range 2 {
			_, err := formbook.NewService(s.all[2].store, book).Set(t.Context(), "33",
				[]formbook.Change{{Name: "fever_threshold", From: "2020-01-01", Value: number(int64(36 + n))}}, formbook.Editor{At: s.now})
			if err == nil {
				err = s.all[n].RegistryChanged(t.Context())
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	all.Go(func() {
		for range 30 {
			if err := s.all[0].TakeUp(t.Context()); err != nil {
				t.Error(err)
			}
			_, _ = heard.Take(), s.all[0].Stats()
		}
	})
	all.Wait()
	expect(s, "temperatures", s.counted("temperatures"), 16)
	expect(s, "fevers", s.counted("fevers"), 16)
	s.sound()
}

var errLine = errors.New("the line broke")

// The line broke when the commit was under way: what came of it is known before anything
// else is done.
func TestAGroupThatWasCommittedWithoutAWordIsKnownToTheNext(t *testing.T) {
	for name, others := range map[string]bool{"alone": false, "another server comes between": true} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, 2)
			s.push(0, 1, household(1, "g1", "王"))
			s.sent[1]++
			s.pushed[1] = s.request(1, 2, household(2, "g1", "李"))
			s.all[0].store.lost = errLine
			if _, err := s.all[0].Sync(t.Context(), phone(1), s.pushed[1]); !errors.Is(err, errLine) {
				t.Fatal(err)
			}
			if others {
				s.push(1, 2, household(3, "g1", "赵"))
			}
			expect(s, "again", s.again(0, 1).Verdicts[0].Verdict, syncproto.Duplicate)
			expect(s, "held", s.contact(0, 1, "", 0).Receipt.Held, 2)
			s.push(0, 1, household(4, "g1", "孙"))
			s.sound()
		})
	}
}

// Turns lie in the clear, and are read by nobody who purges: nothing that people wrote is in
// them.
func TestTurnsHoldNothingThatPeopleWrote(t *testing.T) {
	s := serve(t, 1)
	secrets := []string{"春江花月路", "王小明", "门口有狗", "说不清楚", "39.7", "志愿者", "县", "手机"}
	one := s.push(0, 1, household(1, "g1", secrets[1]).on(0, fields{"address": text(secrets[0]), "head": text(secrets[1]), "found_on": text("2020-01-31")}))
	two := s.push(0, 2, household(2, "g1", "").on(0, fields{"address": text(secrets[0]), "head": text("李"), "found_on": text("2020-01-31")}))
	s.push(0, 2, household(1, "g1", "").on(one.Version, fields{"note": text(secrets[2])}))
	s.must(s.decide(0, household(2, "g1", "").on(two.Version, fields{syncproto.FieldSameAs: of(record(1))})))
	s.push(0, 1, temperature(3, "g1", 0, secrets[4]))
	s.push(0, 3, visit(4, "g1", 1))
	s.push(0, 4, visit(5, "g1", 1))
	s.push(0, 1, household(9, "g1", "").on(77, fields{"note": text(secrets[3])}))
	s.must(s.decide(0, signed(100, "c1", "2020-01-31", 1)))
	turns, err := s.all[0].store.Turns(t.Context(), exchange.Mark{})
	s.must(err)
	if turns.Lost || len(turns.Kept) < 9 {
		t.Fatalf("%d turns, lost %v", len(turns.Kept), turns.Lost)
	}
	for i := range turns.Kept {
		said, err := json.Marshal(&turns.Kept[i])
		s.must(err)
		alerts, err := json.Marshal(turns.Kept[i].Alerts)
		s.must(err)
		for _, secret := range secrets {
			if strings.Contains(string(said)+string(alerts), secret) {
				t.Errorf("%q is in %s %s", secret, said, alerts)
			}
		}
	}
}
