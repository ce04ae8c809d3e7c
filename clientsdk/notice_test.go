package clientsdk_test

import (
	"testing"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// Two people use one phone, each posted in another grid: what either has read is said where
// they are posted, and not where the other is.
func TestAReceiptGoesWhereItsOwnAuthorWrites(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	f.sets(syncproto.Area{ID: county, Name: "县", Above: true}, syncproto.Area{ID: grid1, Parent: county}, syncproto.Area{ID: grid2, Parent: county})
	f.park = func(c *syncproto.Change) *syncproto.Error {
		if c.Author == p.bob.ID() && c.Area == grid1 {
			return &syncproto.Error{Code: syncproto.CodeOutOfArea, Field: "area"}
		}
		return nil
	}
	p.sync(t)
	issue := func() syncproto.RecordID {
		return put(t, p.alice, clientsdk.Edit{Kind: "notice", Area: county, Fields: syncproto.Fields{
			"title": syncproto.TextValue("明日降温"), "issued_on": syncproto.TextValue("2020-01-31"),
		}})
	}
	first, second := issue(), issue()
	put(t, p.bob, clientsdk.Edit{Kind: "household", Area: grid1, Fields: syncproto.Fields{
		"address": syncproto.TextValue("某路1号"), "found_on": syncproto.TextValue("2020-01-31"),
	}})
	put(t, p.bob, clientsdk.Edit{Kind: "household", Area: grid2, Fields: syncproto.Fields{
		"address": syncproto.TextValue("某路2号"), "found_on": syncproto.TextValue("2020-01-31"),
	}})
	put(t, p.bob, clientsdk.Edit{Kind: "household", Area: grid1, Fields: syncproto.Fields{
		"address": syncproto.TextValue("某路3号"), "found_on": syncproto.TextValue("2020-01-31"),
	}})
	p.sync(t)
	for _, a := range []*clientsdk.Author{p.alice, p.bob} {
		if err := a.Read(background, first); err != nil {
			t.Fatal(err)
		}
	}
	p.sync(t)
	equal(t, "alice's, who wrote in neither", p.get(t, syncproto.ReceiptID(first, p.alice.ID())).Area, grid1)
	equal(t, "bob's", p.get(t, syncproto.ReceiptID(first, p.bob.ID())).Area, grid2)
	if err := p.bob.Read(background, second); err != nil {
		t.Fatal(err)
	}
	equal(t, "bob's second, before it is sent", p.get(t, syncproto.ReceiptID(second, p.bob.ID())).Area, grid2)
	equal(t, "what waits", p.status(t).Parked, 2)
}
