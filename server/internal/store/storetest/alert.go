package storetest

import (
	"strings"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/hook"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// alert is one about a record of an area.
func (w *world) alert(n int, at area.Key) exchange.Alert {
	return exchange.Alert{
		Version: syncproto.Version(n), At: start + syncproto.Instant(n), Area: at, What: exchange.AlertFlag,
		Kind: "temperature", Record: recordID(n), Detail: "fever",
	}
}

func alertsAreNumberedWithoutHoles(w *world) {
	last, err := w.LastAlert(w.ctx())
	w.must(err)
	same(w.t, "before any", last, int64(0))
	settled := exchange.Alert{
		Version: 9, At: start, Area: 2, What: exchange.AlertSettled, Detail: "conflict", Item: recordID(7), Ending: review.Decided,
	}
	want := []exchange.Alert{w.alert(1, 1), w.alert(2, 1), settled}
	w.save(&exchange.Batch{Alerts: want[:1]})
	failed := w.Commit(w.ctx(), func(tx exchange.Tx) error {
		if err := tx.Save(&exchange.Batch{Alerts: []exchange.Alert{w.alert(8, 1)}, Now: w.time()}); err != nil {
			return err
		}
		return errGroup
	})
	if failed == nil {
		w.t.Error("the group did not fail")
	}
	w.save(&exchange.Batch{Alerts: want[1:]})
	for i := range want {
		want[i].Seq = int64(i) + 1
	}
	get := func(after int64, limit int) []exchange.Alert {
		found, err := w.Alerts(w.ctx(), after, limit)
		w.must(err)
		return found
	}
	same(w.t, "all", get(0, 10), want)
	same(w.t, "some", get(1, 1), want[1:2])
	same(w.t, "none", len(get(3, 10)), 0)
	last, err = w.LastAlert(w.ctx())
	w.must(err)
	same(w.t, "the last", last, int64(3))
}

func whatRestatesADayIsAddedUp(w *world) {
	row := func(signature, record int, version syncproto.Version, measure string, n int64) exchange.Restating {
		return exchange.Restating{Signature: recordID(signature), Record: recordID(record), Version: version, Measure: measure, N: n}
	}
	w.save(&exchange.Batch{Restatings: []exchange.Restating{row(1, 5, 7, "fevers", 1), row(1, 5, 7, "persons", -1), row(2, 5, 7, "fevers", 3)}})
	w.save(&exchange.Batch{Restatings: []exchange.Restating{row(1, 6, 8, "fevers", 1), row(1, 6, 8, "fevers", 1)}})
	get := func(after syncproto.Version, limit int) []exchange.Restating {
		found, err := w.Restatings(w.ctx(), recordID(1), after, limit)
		w.must(err)
		return found
	}
	want := []exchange.Restating{row(1, 5, 7, "fevers", 1), row(1, 5, 7, "persons", -1), row(1, 6, 8, "fevers", 2)}
	same(w.t, "all", get(0, 10), want)
	same(w.t, "after a version", get(7, 10), want[2:])
	same(w.t, "some", get(0, 2), want[:2])
	same(w.t, "none", len(get(8, 10)), 0)
}

func aDaysSignaturesAreFound(w *world) {
	sign := func(n int, at area.Key, day int) exchange.Signature {
		return exchange.Signature{Record: recordID(n), Area: at, Day: form.Day(20200100 + day), Figures: map[string]int64{"fevers": int64(n)}}
	}
	returned := exchange.Signature{Record: recordID(4), Area: 2, Day: 20200131}
	w.save(&exchange.Batch{Signatures: []exchange.Signature{sign(1, 1, 31), sign(2, 1, 30), sign(3, 3, 31), returned}})
	found, err := w.Signed(w.ctx(), []area.Key{1, 2}, 20200131)
	w.must(err)
	same(w.t, "of two areas", found, []exchange.Signature{sign(1, 1, 31), returned})
	found, err = w.Signed(w.ctx(), nil, 20200131)
	w.must(err)
	same(w.t, "of no area", len(found), 0)
}

// hooked makes a hook of the area with key 1.
func (w *world) hooked(n int) hook.Hook {
	h := hook.Hook{
		ID: id[[16]byte](n), Area: code(1), Events: []string{"closed", "fever"}, By: authorID(1), Made: start + syncproto.Instant(n),
		Host: "example.org", Target: hook.Target{URL: "https://example.org/in?key=秘密", Host: "example.org", Secret: "whsec_AAAA"},
	}
	w.must(w.AddHook(w.ctx(), &h))
	return h
}

func hooksComeBackWhole(w *world) {
	first, second := w.hooked(1), w.hooked(2)
	get := func(areas []syncproto.AreaID) []hook.Hook {
		found, err := w.Hooks(w.ctx(), areas)
		w.must(err)
		return found
	}
	same(w.t, "in use", get(nil), []hook.Hook{first, second})
	w.must(w.EndHook(w.ctx(), first.ID, start+9, hook.Gone))
	w.must(w.EndHook(w.ctx(), first.ID, start+10, hook.Removed)) // has ended already
	first.Ended, first.Ending = start+9, hook.Gone
	same(w.t, "in use after the end of one", get(nil), []hook.Hook{second})
	same(w.t, "of the area", get([]syncproto.AreaID{code(1)}), []hook.Hook{first, second})
	same(w.t, "of another, of none", len(get([]syncproto.AreaID{code(2)}))+len(get([]syncproto.AreaID{})), 0)
	w.reopen()
	one, there, err := w.HookByID(w.ctx(), first.ID)
	w.must(err)
	same(w.t, "one", one, first)
	same(w.t, "is there", there, true)
	_, there, err = w.HookByID(w.ctx(), id[[16]byte](9))
	w.must(err)
	same(w.t, "another is there", there, false)
}

// queued lets alerts in areas go out to a hook, in their order.
func (w *world) queued(h hook.Hook, areas ...area.Key) []exchange.Alert {
	b := &exchange.Batch{}
	for i, key := range areas {
		b.Alerts = append(b.Alerts, w.alert(i+1, key))
	}
	w.save(b)
	alerts, err := w.Alerts(w.ctx(), 0, 100)
	w.must(err)
	w.must(w.Enqueue(w.ctx(), h.ID, 0, alerts[len(alerts)-1].Seq, alerts))
	return alerts
}

func (w *world) due(now syncproto.Instant) []hook.Delivery {
	found, err := w.DueDeliveries(w.ctx(), now, 100)
	w.must(err)
	return found
}

// places names deliveries by their alerts.
func places(found []hook.Delivery) string {
	var names []string
	for i := range found {
		names = append(names, found[i].Alert.Record.String()[34:]+string(found[i].State[0]))
	}
	return strings.Join(names, " ")
}

func (w *world) outgoing(h hook.Hook, state hook.State, before int64, limit int) []hook.Delivery {
	found, err := w.Deliveries(w.ctx(), h.ID, state, before, limit)
	w.must(err)
	return found
}

func anAlertIsQueuedOnce(w *world) {
	h, ended := w.hooked(1), w.hooked(2)
	w.must(w.EndHook(w.ctx(), ended.ID, start, hook.Removed))
	alerts := w.queued(h, 1, 1)
	w.must(w.Enqueue(w.ctx(), h.ID, 0, 2, alerts)) // somebody else was first
	w.must(w.Enqueue(w.ctx(), ended.ID, 0, 2, alerts))
	same(w.t, "once", places(w.outgoing(h, "", 0, 10)), "02w 01w")
	same(w.t, "not to one that ended", len(w.outgoing(ended, "", 0, 10)), 0)
	found, err := w.Hooks(w.ctx(), nil)
	w.must(err)
	same(w.t, "position", found[0].Position, int64(2))
}

func aLineGoesOutInOrder(w *world) {
	h := w.hooked(1)
	w.queued(h, 1, 1, 2, 1, 2)
	late := start + 1000
	same(w.t, "the first of each area", places(w.due(late)), "01w 03w")
	same(w.t, "not before its time", places(w.due(start+1)), "01w")
	first := w.due(late)[0]
	mine, err := w.Claim(w.ctx(), &first, late, late+60)
	w.must(err)
	same(w.t, "claimed", mine, true)
	same(w.t, "while somebody is at it", places(w.due(late+59)), "03w")
	same(w.t, "and has left it", places(w.due(late+60)), "01w 03w")
	first.Claimed, first.State, first.Attempts, first.Tried, first.Status = late+60, hook.Delivered, 1, late+1, 204
	w.must(w.Settle(w.ctx(), &first))
	same(w.t, "the next", places(w.due(late)), "02w 03w")
	same(w.t, "of one state, some", places(w.outgoing(h, hook.Waiting, 5, 2)), "04w 03w")
	same(w.t, "and what was delivered", w.outgoing(h, hook.Delivered, 0, 9)[0].Status, 204)
	w.must(w.EndHook(w.ctx(), h.ID, late, hook.Gone))
	same(w.t, "to nobody who has ended", len(w.due(late)), 0)
}

func aHookWithManyLinesHidesNoOther(w *world) {
	many, one := w.hooked(1), w.hooked(2)
	alerts := w.queued(many, 1, 2, 3, 4)
	w.must(w.Enqueue(w.ctx(), one.ID, 0, alerts[3].Seq, alerts[3:]))
	found, err := w.DueDeliveries(w.ctx(), start+1000, 2)
	w.must(err)
	same(w.t, "two of the one, and that of the other", places(found), "01w 02w 04w")
	same(w.t, "whose the last is", found[2].Hook, one.ID)
}

func aDeliveryIsClaimedByOne(w *world) {
	h := w.hooked(1)
	w.queued(h, 1)
	now := start + 1000
	d := w.due(now)[0]
	claim := func(at, until syncproto.Instant) bool {
		mine, err := w.Claim(w.ctx(), &d, at, until)
		w.must(err)
		return mine
	}
	same(w.t, "the first", claim(now, now+60), true)
	same(w.t, "the second", claim(now, now+61), false)
	same(w.t, "when the lease is over", claim(now+60, now+120), true)
	slow := d
	slow.Claimed, slow.State, slow.Failure = now+60, hook.GivenUp, "too late to say so"
	w.must(w.Settle(w.ctx(), &slow))
	d.Claimed, d.Attempts, d.Due, d.Failure = now+120, 1, now+500, "no answer in time"
	w.must(w.Settle(w.ctx(), &d))
	d.Claimed = 0
	same(w.t, "what holds", w.due(now+500), []hook.Delivery{d})
	d.Attempts = 0
	same(w.t, "by one who saw an older state", claim(now+500, now+600), false)
}

func whatWasGivenUpCanGoOutAgain(w *world) {
	h := w.hooked(1)
	w.queued(h, 1, 1)
	now := start + 1000
	for range 2 {
		d := w.due(now)[0]
		_, err := w.Claim(w.ctx(), &d, now, now+60)
		w.must(err)
		d.Claimed, d.State, d.Attempts = now+60, hook.GivenUp, 8
		w.must(w.Settle(w.ctx(), &d))
	}
	same(w.t, "nothing waits", len(w.due(now)), 0)
	retry := func(seq int64) int {
		n, err := w.Retry(w.ctx(), h.ID, seq, now+5)
		w.must(err)
		return n
	}
	same(w.t, "one", retry(2), 1)
	same(w.t, "it waits", places(w.due(now+5)), "02w")
	same(w.t, "its attempts", w.due(now + 5)[0].Attempts, 0)
	same(w.t, "the rest, and none again", retry(0)*10+retry(0), 10)
	same(w.t, "the first comes first", places(w.due(now+5)), "01w")
}
