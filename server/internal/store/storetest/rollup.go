package storetest

import (
	"bytes"
	"math"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func countersSumOverDays(w *world) {
	w.save(&exchange.Batch{Counts: []rollup.Count{
		{Area: 1, Day: 20200126, Measure: "persons", N: 10},
		{Area: 1, Day: 20200127, Measure: "persons", N: -3},
		{Area: 1, Day: 20200129, Measure: "persons", N: 100},
		{Area: 1, Day: 20200126, Measure: "fevers", N: 2},
		{Area: 1, Day: 20200127, Measure: "fevers", N: 1},
		{Area: 1, Day: 20200127, Measure: "不在家", N: 4},
		{Area: 2, Day: 20200101, Measure: "persons", N: 7},
		{Area: 3, Day: 20200126, Measure: "persons", N: 1 << 53},
	}})
	totals := func(day form.Day, standing map[string]bool, areas ...area.Key) []rollup.Count {
		counts, err := w.Totals(w.ctx(), areas, day, standing)
		w.must(err)
		group := in(w, func(tx exchange.Tx) ([]rollup.Count, error) { return tx.Totals(areas, day, standing) })
		same(w.t, "totals as a group sees them", group, counts)
		return counts
	}
	stands := map[string]bool{"persons": true, "fevers": false}
	same(w.t, "on the 27th", totals(20200127, stands, 2, 1), []rollup.Count{
		{Area: 1, Day: 20200127, Measure: "fevers", N: 1},
		{Area: 1, Day: 20200127, Measure: "persons", N: 7},
		{Area: 1, Day: 20200127, Measure: "不在家", N: 4},
		{Area: 2, Day: 20200127, Measure: "persons", N: 7},
	})
	same(w.t, "nothing stands", totals(20200126, nil, 1), []rollup.Count{
		{Area: 1, Day: 20200126, Measure: "fevers", N: 2},
		{Area: 1, Day: 20200126, Measure: "persons", N: 10},
	})
	same(w.t, "a great number", totals(20200128, stands, 3), []rollup.Count{{Area: 3, Day: 20200128, Measure: "persons", N: 1 << 53}})
	same(w.t, "before everything", len(totals(20191231, stands, 1, 2, 3)), 0)
	same(w.t, "no areas", len(totals(20200127, stands)), 0)
	many := []area.Key{1}
	for key := range area.Key(3000) {
		many = append(many, 1000+key)
	}
	same(w.t, "among thousands of areas", len(totals(20200127, stands, many...)), 3)
}

func countersMoveBothWays(w *world) {
	move := func(n ...int64) {
		b := &exchange.Batch{}
		for _, n := range n {
			b.Counts = append(b.Counts, rollup.Count{Area: 1, Day: 20200126, Measure: "persons", N: n})
		}
		w.save(b)
	}
	counts := func() []rollup.Count {
		derived, err := w.Derived(w.ctx())
		w.must(err)
		return derived.Counts
	}
	move(5, -1, 2)
	same(w.t, "after one group", counts(), []rollup.Count{{Area: 1, Day: 20200126, Measure: "persons", N: 6}})
	move(-9)
	same(w.t, "below zero", counts(), []rollup.Count{{Area: 1, Day: 20200126, Measure: "persons", N: -3}})
	move(3)
	same(w.t, "at zero", len(counts()), 0)
	totals, err := w.Totals(w.ctx(), []area.Key{1}, 20200126, nil)
	w.must(err)
	same(w.t, "totals at zero", len(totals), 0)
	b := &exchange.Batch{}
	for day := range 1000 {
		b.Counts = append(b.Counts, rollup.Count{Area: 2, Day: form.Day(20200000 + day), Measure: "persons", N: int64(day + 1)})
	}
	w.save(b)
	same(w.t, "a thousand counters", counts(), b.Counts)
}

// sighting says that a visit in an area met a person in a round.
func (w *world) sighting(round, person, visit int, key area.Key) rollup.Sighting {
	return rollup.Sighting{
		Round: recordID(10_000 + round), Person: recordID(20_000 + person), Visit: recordID(30_000 + visit), Area: key,
		Author: authorID(visit), At: start + syncproto.Instant(visit),
	}
}

func sightingsComeAndGo(w *world) {
	one, two, three := w.sighting(1, 1, 1, 1), w.sighting(1, 1, 2, 1), w.sighting(1, 2, 2, 2)
	w.save(&exchange.Batch{Seen: []rollup.Sighting{three, one, two}})
	stored := func() []rollup.Sighting {
		derived, err := w.Derived(w.ctx())
		w.must(err)
		return derived.Sightings
	}
	met := func(areas ...area.Key) int {
		n, err := w.CountMet(w.ctx(), one.Round, areas)
		w.must(err)
		return n
	}
	same(w.t, "stored", stored(), []rollup.Sighting{one, two, three})
	same(w.t, "met in both areas", met(1, 2), 2)
	same(w.t, "met in one", met(1), 1)
	same(w.t, "met nowhere", met(), 0)
	same(w.t, "met elsewhere", met(3), 0)

	moved := two
	moved.Area, moved.At = 2, two.At+5
	w.save(&exchange.Batch{Unseen: []rollup.Sighting{two, w.sighting(9, 9, 9, 9)}, Seen: []rollup.Sighting{moved}})
	same(w.t, "after a move", stored(), []rollup.Sighting{one, moved, three})
	w.save(&exchange.Batch{Unseen: []rollup.Sighting{one}})
	same(w.t, "after one was taken back", stored(), []rollup.Sighting{moved, three})
	same(w.t, "met in the area left", met(1), 0)
	same(w.t, "met in the area entered", met(2), 2)
}

func onlyInNamesEachPersonOnce(w *world) {
	b := &exchange.Batch{}
	// Each was met twice in the second round; for every fifth, the visit with the
	// greater id came first.
	first := func(person int) rollup.Sighting {
		s := w.sighting(2, person, 1000-person, 1)
		if person%5 == 0 {
			s = w.sighting(2, person, 2000+person, 2)
			s.At = start - 1
		}
		return s
	}
	for person := range 300 {
		if person%3 == 0 { // met in the first round too, by a visit elsewhere
			b.Seen = append(b.Seen, w.sighting(1, person, 5000+person, 9))
		}
		b.Seen = append(b.Seen, w.sighting(2, person, 1000-person, 1), w.sighting(2, person, 2000+person, 2), first(person))
	}
	w.save(b)
	a, other := recordID(10_002), recordID(10_001)
	var found []rollup.Sighting
	after := syncproto.RecordID{}
	for {
		page, err := w.OnlyIn(w.ctx(), a, other, []area.Key{1, 2}, after, 7)
		w.must(err)
		if len(page) == 0 {
			break
		}
		if len(page) > 7 {
			w.t.Fatalf("%d rows on a page of 7", len(page))
		}
		if found = append(found, page...); len(found) > 1000 {
			w.t.Fatal("the pages never end")
		}
		after = page[len(page)-1].Person
	}
	var want []rollup.Sighting
	for person := range 300 {
		if person%3 != 0 {
			want = append(want, first(person))
		}
	}
	same(w.t, "met only in the second round, first visits", found, want)
	within, err := w.OnlyIn(w.ctx(), a, other, []area.Key{2}, recordID(20_000+297), 10)
	w.must(err)
	same(w.t, "within one area", within, []rollup.Sighting{w.sighting(2, 298, 2298, 2), w.sighting(2, 299, 2299, 2)})
	reverse, err := w.OnlyIn(w.ctx(), other, a, []area.Key{9}, syncproto.RecordID{}, 10)
	w.must(err)
	same(w.t, "only in the first", len(reverse), 0)
	for _, none := range [][]area.Key{{}, {77}} {
		page, err := w.OnlyIn(w.ctx(), a, other, none, syncproto.RecordID{}, 10)
		w.must(err)
		same(w.t, "where nobody was met", len(page), 0)
	}
}

// deviceState is a state with something in every member.
func (w *world) deviceState(device int) exchange.DeviceState {
	s := exchange.DeviceState{
		Device: deviceID(device), High: syncproto.MaxN, Held: syncproto.MaxN - 9,
		Missing:       []syncproto.Span{{From: 3, To: 5}, {From: 9, To: syncproto.MaxN - 1}},
		LastStamp:     syncproto.Stamp{Time: start, Earliest: start - 9, Latest: start + 9},
		ContactServer: start + syncproto.Instant(device), ContactDevice: start - 3600_000, ContactHigh: syncproto.MaxN, Unsent: device,
		App: "网格通 1.0", Parked: []syncproto.Waiting{{N: syncproto.MaxN, Code: syncproto.CodeFailsForm}, {N: 2, Code: syncproto.CodeUnknownArea}},
		Told: 1 << 50, Pulse: []byte{0, 255, '{'},
	}
	for i := range s.Digest {
		s.Digest[i] = byte(255 - i)
	}
	return s
}

func devicesAreKeptWhole(w *world) {
	device := func(n int) exchange.DeviceState {
		s, err := w.Device(w.ctx(), deviceID(n))
		w.must(err)
		return s
	}
	same(w.t, "never heard of", device(1), exchange.DeviceState{Device: deviceID(1)})
	full, bare := w.deviceState(1), exchange.DeviceState{Device: deviceID(2)}
	w.save(&exchange.Batch{Devices: []exchange.DeviceState{full, bare}})
	same(w.t, "full", device(1), full)
	same(w.t, "bare", device(2), bare)
	full.Missing, full.Parked, full.Pulse, full.App, full.Held, full.Told = nil, nil, nil, "", 1, 0
	w.save(&exchange.Batch{Devices: []exchange.DeviceState{full}})
	same(w.t, "replaced", device(1), full)
	same(w.t, "untouched", device(2), bare)
	derived, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "all", derived.Devices, []exchange.DeviceState{full, bare})
	same(w.t, "to a group", w.devicesOf(deviceID(1), deviceID(2), deviceID(3)), []exchange.DeviceState{full, bare})
}

// devicesOf returns what a group is told of devices, in order of their ids.
func (w *world) devicesOf(ids ...syncproto.DeviceID) (found []exchange.DeviceState) {
	w.t.Helper()
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) (err error) {
		found, err = tx.Devices(ids)
		return err
	}))
	slices.SortFunc(found, func(a, b exchange.DeviceState) int { return bytes.Compare(a.Device[:], b.Device[:]) })
	return found
}

func devicesAreFoundByTheHundred(w *world) {
	same(w.t, "none", len(w.devicesOf()), 0)
	same(w.t, "never heard of", len(w.devicesOf(deviceID(1))), 0)
	b := &exchange.Batch{}
	var ids []syncproto.DeviceID
	for i := range 600 {
		b.Devices = append(b.Devices, w.deviceState(i+1))
		ids = append(ids, deviceID(i+1), deviceID(1000+i), deviceID(i+1))
	}
	w.save(b)
	same(w.t, "each once", w.devicesOf(ids...), b.Devices)
	same(w.t, "some", w.devicesOf(ids[:6]...), b.Devices[:2])
}

func contactsTellClocksAndBacklog(w *world) {
	b := &exchange.Batch{}
	var ids []syncproto.DeviceID
	var want []rollup.Contact
	for i := range 600 {
		s := w.deviceState(i + 1)
		b.Devices = append(b.Devices, s)
		ids = append([]syncproto.DeviceID{s.Device}, ids...)
		want = append([]rollup.Contact{{Device: s.Device, At: s.ContactServer, Unsent: s.Unsent, Offset: s.ContactServer - s.ContactDevice}}, want...)
	}
	b.Devices = append(b.Devices, exchange.DeviceState{Device: deviceID(700), High: 1})
	w.save(b)
	contacts, err := w.Contacts(w.ctx(), append(ids, deviceID(700), deviceID(999), ids[0]))
	w.must(err)
	same(w.t, "contacts, in the order asked for", contacts, want)
}

func asOfNeverGoesBack(w *world) {
	commit := func(last syncproto.Version, now syncproto.Instant) {
		w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error { return tx.Save(&exchange.Batch{Last: last, Now: now}) }))
	}
	commit(7, start)
	commit(3, start-1)
	version, at, err := w.AsOf(w.ctx())
	w.must(err)
	same(w.t, "version", version, syncproto.Version(7))
	same(w.t, "instant", at, start)
	commit(math.MaxInt32, start+1)
	version, at, err = w.AsOf(w.ctx())
	w.must(err)
	same(w.t, "version", version, syncproto.Version(math.MaxInt32))
	same(w.t, "instant", at, start+1)
}

func whoeverIsOneIsMetOnce(w *world) {
	// 1 turned out to be 2, and 2 to be 3; 5 turned out to be 4. The first round met 1 and
	// 5; the second 2, 3, 4, 6, and 7, who turned out to be 6.
	b := &exchange.Batch{Links: []exchange.Link{
		{Record: recordID(20_001), Into: recordID(20_002)},
		{Record: recordID(20_002), Into: recordID(20_003)},
		{Record: recordID(20_005), Into: recordID(20_004)},
		{Record: recordID(20_007), Into: recordID(20_006)},
	}}
	b.Seen = append(b.Seen, w.sighting(1, 1, 101, 1), w.sighting(1, 5, 105, 1))
	for _, person := range []int{2, 3, 4, 6, 7, 8} {
		b.Seen = append(b.Seen, w.sighting(2, person, 200+person, 1))
	}
	w.save(b)
	count := func(round int) int {
		n, err := w.CountMet(w.ctx(), recordID(10_000+round), []area.Key{1})
		w.must(err)
		return n
	}
	same(w.t, "people met", []int{count(1), count(2)}, []int{2, 4})
	only, err := w.OnlyIn(w.ctx(), recordID(10_002), recordID(10_001), []area.Key{1}, syncproto.RecordID{}, 10)
	w.must(err)
	first := w.sighting(2, 6, 206, 1)
	same(w.t, "met only in the second round", only, []rollup.Sighting{first, w.sighting(2, 8, 208, 1)})
	after, err := w.OnlyIn(w.ctx(), recordID(10_002), recordID(10_001), []area.Key{1}, first.Person, 10)
	w.must(err)
	same(w.t, "after the first of them", after, []rollup.Sighting{w.sighting(2, 8, 208, 1)})
}
