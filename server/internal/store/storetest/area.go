package storetest

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

func (w *world) allAreas() []area.Node {
	w.t.Helper()
	nodes, err := w.Areas(w.ctx())
	w.must(err)
	return nodes
}

func newAreasGetTheNextKeys(w *world) {
	county := area.Node{ID: "330702", Name: "婺城区"}
	town := area.Node{Key: 77, ID: "330702001", Name: "城东街道", Parent: "330702", From: 20200101, To: 20201231}
	w.must(w.PutAreas(w.ctx(), []area.Node{county, town}))
	county.Key, town.Key = 1, 2
	same(w.t, "areas", w.allAreas(), []area.Node{county, town})

	exit := area.Node{ID: "exit-2", Name: "金华东出口 🚗"}
	town.Name, town.Parent, town.From, town.To = "新名", "", 0, 0
	first := exit
	first.Name = "given twice"
	w.must(w.PutAreas(w.ctx(), []area.Node{first, town, exit}))
	exit.Key = 3
	same(w.t, "areas after an update", w.allAreas(), []area.Node{county, town, exit})

	// The log's codes don't take keys from the tree.
	w.save(w.everything(1, recordID(1)))
	w.must(w.PutAreas(w.ctx(), []area.Node{{ID: code(9), Name: "a"}}))
	same(w.t, "next key", w.allAreas()[3].Key, area.Key(4))
}

func areasComeByTheThousand(w *world) {
	w.areas(2500)
	nodes := w.allAreas()
	same(w.t, "areas", len(nodes), 2500)
	for i, n := range nodes {
		if n.Key != area.Key(i+1) || n.ID != code(n.Key) {
			w.t.Fatalf("area %d is %+v", i, n)
		}
	}
}

func (w *world) everyone() identity.Everyone {
	w.t.Helper()
	all, err := w.Identities(w.ctx())
	w.must(err)
	return all
}

// people is a device, its authors and their grants.
func people() identity.Everyone {
	key := ed25519.PublicKey(bytes.Repeat([]byte{7}, ed25519.PublicKeySize))
	return identity.Everyone{
		Devices: []identity.Device{
			{ID: deviceID(2), Name: "小米 8", Authors: []syncproto.AuthorID{authorID(9), authorID(1), authorID(5)}},
			{ID: deviceID(1), Name: "", Standing: identity.Standing{Status: identity.Lost, Since: start}, Key: key},
		},
		Authors: []identity.Author{{ID: authorID(9), Name: "王芳"}, {ID: authorID(1), Name: ""}},
		Grants: []identity.Grant{
			{Author: authorID(9), Area: "330702", Role: identity.Township, From: start, To: start + 1},
			{Author: authorID(9), Area: "nowhere-yet", Role: identity.Volunteer},
			{Author: authorID(1), Area: "330702", Role: identity.Secretary, From: -5},
		},
	}
}

func identitiesComeBackInOrder(w *world) {
	want := people()
	w.must(w.AddIdentities(w.ctx(), want))
	same(w.t, "everyone", w.everyone(), want)
	w.must(w.AddIdentities(w.ctx(), identity.Everyone{Grants: want.Grants[1:2]}))
	same(w.t, "a grant given again", w.everyone(), want)
	want.Grants[1].To = start + 9
	w.must(w.AddIdentities(w.ctx(), identity.Everyone{Grants: want.Grants[1:2]}))
	same(w.t, "a grant that ends", w.everyone(), want)
	more := identity.Everyone{}
	for i := range 1200 {
		n := 10_000 - i
		more.Devices = append(more.Devices, identity.Device{ID: deviceID(n), Name: fmt.Sprint(n), Authors: []syncproto.AuthorID{authorID(n)}})
		more.Authors = append(more.Authors, identity.Author{ID: authorID(n), Name: fmt.Sprint(n)})
		more.Grants = append(more.Grants, identity.Grant{Author: authorID(n), Area: "330702", Role: identity.Volunteer})
	}
	w.must(w.AddIdentities(w.ctx(), more))
	want.Devices = append(want.Devices, more.Devices...)
	want.Authors = append(want.Authors, more.Authors...)
	want.Grants = append(want.Grants, more.Grants...)
	same(w.t, "many", w.everyone(), want)
}

func identitiesAreReplaced(w *world) {
	want := people()
	w.must(w.AddIdentities(w.ctx(), want))
	want.Devices[0] = identity.Device{ID: deviceID(2), Name: "换机", Standing: identity.Standing{Status: identity.Retired, Since: 7}, Authors: []syncproto.AuthorID{authorID(1)}}
	want.Authors[1].Name = "李伟"
	w.must(w.AddIdentities(w.ctx(), identity.Everyone{Devices: want.Devices[:1], Authors: want.Authors[1:]}))
	same(w.t, "everyone", w.everyone(), want)
}

func theLogEnrolsNobody(w *world) {
	w.save(w.everything(2, recordID(1)))
	same(w.t, "everyone", w.everyone(), identity.Everyone{})
	want := people()
	w.must(w.AddIdentities(w.ctx(), want)) // device 2 has a row in the log by now
	got := w.everyone()
	same(w.t, "devices", got.Devices, want.Devices)
	b := &exchange.Batch{}
	w.add(b, 2, recordID(2), rosterOf(1))
	w.save(b)
	same(w.t, "log", w.logs(recordID(2)), b.Log)
}

func (w *world) revision() int64 {
	w.t.Helper()
	n, err := w.Revision(w.ctx())
	w.must(err)
	return n
}

func revisionRisesWithEveryChange(w *world) {
	before := w.revision()
	rises := func(what string, want bool) {
		w.t.Helper()
		now := w.revision()
		if (now > before) != want || now < before {
			w.t.Errorf("%s: revision %d after %d", what, now, before)
		}
		before = now
	}
	w.areas(1)
	rises("areas", true)
	w.must(w.AddIdentities(w.ctx(), people()))
	rises("identities", true)
	w.save(w.everything(1, recordID(1)))
	rises("a group of pushes", false)
	w.must(w.PutAreas(w.ctx(), nil))
	w.must(w.AddIdentities(w.ctx(), identity.Everyone{}))
	rises("nothing", false)
}

func aSecondHandleIsHeard(w *world) {
	before := w.revision()
	second := w.open(w.t)
	w.must(second.PutAreas(w.ctx(), []area.Node{{ID: "330702", Name: "婺城区"}}))
	w.must(second.AddIdentities(w.ctx(), people()))
	if now := w.revision(); now <= before {
		w.t.Errorf("revision %d after %d", now, before)
	}
	same(w.t, "areas", len(w.allAreas()), 1)
	same(w.t, "everyone", w.everyone(), people())
	// Keys that the second handle gave to device 2 and its authors are the first's too.
	b := w.everything(2, recordID(1))
	w.save(b)
	same(w.t, "log", w.logs(recordID(1)), b.Log[:1])
	w.must(second.Close())
	same(w.t, "areas once the second is closed", len(w.allAreas()), 1)
}
