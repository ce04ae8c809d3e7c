package storetest

import (
	"bytes"
	"errors"
	"slices"

	"gridsync/server/internal/console"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/review"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func aNewDatabaseIsEmpty(w *world) {
	w.nothing()
	device, err := w.Device(w.ctx(), deviceID(1))
	w.must(err)
	same(w.t, "device", device, exchange.DeviceState{Device: deviceID(1)})
	same(w.t, "areas", len(w.allAreas()), 0)
	same(w.t, "everyone", w.everyone(), identity.Everyone{})
	version, at, err := w.AsOf(w.ctx())
	w.must(err)
	same(w.t, "as of", []int64{int64(version), int64(at)}, []int64{0, 0})
	same(w.t, "open", w.allOpen(1)+w.allOpen(), "")
	page, _ := w.rosterPage("", roster.Place{}, 10, 1)
	same(w.t, "roster", page, "")
}

func emptyBatchesAreFine(w *world) {
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error {
		prior, err := tx.Prior(deviceID(1), nil)
		w.must(err)
		records, err := tx.Records(nil)
		w.must(err)
		logs, err := tx.Logs(nil)
		w.must(err)
		at, err := tx.CommittedAt(nil)
		w.must(err)
		parked, err := tx.Parked(nil, 0, 10)
		w.must(err)
		blocks, err := tx.Blocks(nil, 10)
		w.must(err)
		items, err := tx.Items(nil)
		w.must(err)
		about, err := tx.ItemsAbout(nil)
		w.must(err)
		totals, err := tx.Totals(nil, 0, nil)
		w.must(err)
		w.must(tx.SetChain(nil))
		same(w.t, "derived rows", len(blocks)+len(items)+len(about)+len(totals), 0)
		none, err := tx.Parked([]syncproto.Code{syncproto.CodeUnknownArea}, 0, 0)
		w.must(err)
		same(w.t, "rows", len(prior)+len(records)+len(logs)+len(at)+len(parked)+len(none), 0)
		return tx.Save(&exchange.Batch{})
	}))
	records, err := w.RecordsByID(w.ctx(), nil)
	w.must(err)
	contacts, err := w.Contacts(w.ctx(), nil)
	w.must(err)
	totals, err := w.Totals(w.ctx(), nil, 0, nil)
	w.must(err)
	parked, err := w.CountParked(w.ctx())
	w.must(err)
	logs, err := w.LogOf(w.ctx(), nil)
	w.must(err)
	links, err := w.Absorbed(w.ctx(), nil)
	w.must(err)
	same(w.t, "logs and links", len(logs)+len(links), 0)
	same(w.t, "rows", len(records)+len(contacts)+len(totals)+len(parked)+w.countOpen(), 0)
	w.must(w.PutAreas(w.ctx(), nil))
	w.must(w.AddIdentities(w.ctx(), identity.Everyone{}))
	w.nothing()
}

func pingTellsWhetherItAnswers(w *world) {
	w.must(w.Ping(w.ctx()))
	engine := w.Engine
	w.close()
	if engine.Ping(w.ctx()) == nil {
		w.t.Error("a closed handle says that it answers")
	}
}

func bootTellsWhatIsWaitedFor(w *world) {
	b := &exchange.Batch{}
	w.add(b, 1, recordID(1), rosterOf(1))
	for i, reason := range []syncproto.Code{
		syncproto.CodeUnknownRecord, syncproto.CodeFailsForm, syncproto.CodeUnknownRecord, syncproto.CodeOutOfArea, syncproto.CodeUnknownArea,
	} {
		b.Log = append(b.Log, w.park(w.change(1, recordID(10+i%4)), reason))
	}
	b.Log = append(b.Log, w.log(w.change(1, recordID(50))))
	b.Log[len(b.Log)-1].Reason = syncproto.CodeFailsForm // a remark, not a wait
	w.save(b)
	boot, err := w.Boot(w.ctx())
	w.must(err)
	slices.SortFunc(boot.WaitingFor, func(a, b syncproto.RecordID) int { return bytes.Compare(a[:], b[:]) })
	same(w.t, "waited for", boot.WaitingFor, []syncproto.RecordID{recordID(10), recordID(11), recordID(12), recordID(13)})
	same(w.t, "parked", boot.Parked, 5)
	same(w.t, "last", boot.Last, w.last)
	same(w.t, "now", boot.Now, start)
}

func headsAreKeptWhole(w *world) {
	heads := []exchange.Head{
		{Feed: rosterOf(1), Last: 5, Sum: 1<<64 - 1, Records: 3},
		{Feed: historyOf(1), Last: 1 << 60, Sum: 1 << 63, Records: 1 << 40},
		{Feed: rosterOf(4_000_000_000), Last: 6, Sum: 7, Records: 0},
	}
	w.save(&exchange.Batch{Heads: heads})
	heads[0].Last, heads[0].Sum, heads[0].Records = 9, 0, 4
	w.save(&exchange.Batch{Heads: heads[:1]})
	boot, err := w.Boot(w.ctx())
	w.must(err)
	same(w.t, "heads", boot.Heads, heads)
	derived, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "derived heads", derived.Heads, heads)
	if w.trySave(&exchange.Batch{Heads: []exchange.Head{{Feed: exchange.Feed{Area: 1, Stream: form.Stream("rumour")}}}}) == nil {
		w.t.Error("a stream that there is none of was stored")
	}
}

func aNewEpochLeavesLostNumbersBehind(w *world) {
	w.save(w.everything(1, recordID(1)))
	before, err := w.Boot(w.ctx())
	w.must(err)
	epoch := id[syncproto.Epoch](42)
	w.must(w.NewEpoch(w.ctx(), epoch))
	w.reopen()
	after, err := w.Boot(w.ctx())
	w.must(err)
	same(w.t, "epoch", after.Epoch, epoch)
	if after.Last < before.Last+1<<40 {
		w.t.Errorf("the counter stands at %d after %d", after.Last, before.Last)
	}
	w.last = after.Last
	b := &exchange.Batch{}
	w.add(b, 2, recordID(2), rosterOf(1))
	w.save(b)
	same(w.t, "log", w.logs(recordID(2)), b.Log)
}

func whatLetsInOnceDoesNotComeBackWithABackup(w *world) {
	w.must(w.AddIdentities(w.ctx(), people()))
	v := w.invited(2, 3, code(1))
	link := console.Link{ID: console.Digest{1}, Author: authorID(1), Expires: start + 5}
	session := console.Session{ID: identity.Session{1}, Author: authorID(1), Made: start, Expires: start + 9}
	w.console(func(tx console.Tx) error { return errors.Join(tx.PutLink(link), tx.AddSession(&session)) })
	w.must(w.NewEpoch(w.ctx(), id[syncproto.Epoch](42)))
	same(w.t, "the invitation ended", w.invitesWanted(enrol.InvitesWanted{Code: v.Code})[0].Ended, v.Expires)
	w.turnedAway("redeemed", redeemed(v, 1))
	if _, known := w.link(link.ID); known {
		w.t.Error("the link is still there")
	}
	_, known, err := w.Session(w.ctx(), session.ID)
	w.must(err)
	same(w.t, "the session is there", known, false)
}

// told is one history.
type told struct {
	log    []exchange.Logged
	stored *syncproto.Record
}

func (w *world) histories() map[syncproto.RecordID]told {
	w.t.Helper()
	all := make(map[syncproto.RecordID]told)
	w.must(w.Histories(w.ctx(), func(log []exchange.Logged, stored *syncproto.Record) error {
		record := log[0].Change.Record
		if _, twice := all[record]; twice {
			w.t.Errorf("record %s is told twice", record)
		}
		all[record] = told{log, stored}
		return nil
	}))
	return all
}

func historiesTellEverything(w *world) {
	want := make(map[syncproto.RecordID]told)
	first, second := &exchange.Batch{}, &exchange.Batch{}
	for i := range 1300 {
		r := w.add(first, 1, recordID(2000-i), rosterOf(1))
		want[r.ID] = told{first.Log[i : i+1 : i+1], &r}
	}
	w.save(first)
	for i := range 1300 {
		switch i % 3 {
		case 1:
			r := w.edit(second, 2, first.Records[i].Record, rosterOf(1), rosterOf(1))
			want[r.ID] = told{append(want[r.ID].log, second.Log[len(second.Log)-1]), &r}
		case 2:
			waiting := w.park(w.change(2, recordID(100_000+i)), syncproto.CodeUnknownRecord)
			second.Log = append(second.Log, waiting)
			want[waiting.Change.Record] = told{[]exchange.Logged{waiting}, nil}
		}
	}
	w.save(second)
	same(w.t, "histories", w.histories(), want)
}

func historiesReadOneMoment(w *world) {
	b := &exchange.Batch{}
	var r syncproto.Record
	for i := range 1100 {
		r = w.add(b, 1, recordID(i), rosterOf(1))
	}
	w.save(b)
	seen := 0
	w.must(w.Histories(w.ctx(), func(log []exchange.Logged, stored *syncproto.Record) error {
		if seen++; seen == 1 {
			late := &exchange.Batch{}
			w.edit(late, 2, r, rosterOf(1), rosterOf(1))
			w.add(late, 2, recordID(5000), rosterOf(1))
			w.save(late)
		}
		if len(log) != 1 || stored.Version > 1100 {
			w.t.Errorf("record %s is told with what came later", stored.ID)
		}
		return nil
	}))
	same(w.t, "records told", seen, 1100)
}

func historiesStopWhenAsked(w *world) {
	b := &exchange.Batch{}
	for i := range 10 {
		w.add(b, 1, recordID(i), rosterOf(1))
	}
	w.save(b)
	seen := 0
	err := w.Histories(w.ctx(), func([]exchange.Logged, *syncproto.Record) error {
		if seen++; seen == 3 {
			return errGroup
		}
		return nil
	})
	if !errors.Is(err, errGroup) || seen != 3 {
		w.t.Errorf("after %d records: %v", seen, err)
	}
	w.save(w.everything(3, recordID(77))) // nothing is left open
}

func reopenKeepsEverything(w *world) {
	w.areas(2)
	w.must(w.AddIdentities(w.ctx(), people()))
	for device := 1; device <= 3; device++ {
		w.save(w.everything(device, recordID(device)))
	}
	move := &exchange.Batch{}
	r := w.records(recordID(1))[0]
	w.edit(move, 4, r, rosterOf(1), rosterOf(2))
	move.Devices = []exchange.DeviceState{w.deviceState(4)}
	move.Items = []review.Item{w.pair(review.DoubleVisit, 1, 2, w.last)}
	w.save(move)

	type all struct {
		boot      exchange.Boot
		derived   exchange.Derived
		histories map[syncproto.RecordID]told
		pages     [2][]exchange.FeedRow
		revision  int64
		areas     int
		people    identity.Everyone
	}
	read := func() all {
		boot, err := w.Boot(w.ctx())
		w.must(err)
		derived, err := w.Derived(w.ctx())
		w.must(err)
		return all{
			boot, derived, w.histories(),
			[2][]exchange.FeedRow{w.page(rosterOf(1), 0), w.page(rosterOf(2), 0)},
			w.revision(), len(w.allAreas()), w.everyone(),
		}
	}
	before := read()
	w.reopen()
	same(w.t, "everything", read(), before)

	w.save(w.everything(5, recordID(5)))
	same(w.t, "the next row", versions(w.page(rosterOf(1), before.boot.Last)), "8")
	w.must(w.PutAreas(w.ctx(), append(w.allAreas()[:1], w.allAreas()[1])))
	same(w.t, "areas", len(w.allAreas()), 2)
}
