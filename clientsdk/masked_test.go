package clientsdk_test

import (
	"errors"
	"testing"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// hidden is a masked id number as the server sends it.
func hidden(tag string) syncproto.Value {
	return syncproto.Masked{Masked: "9990**********0012", Tag: tag}.Value()
}

// strangers is a person of whom two phones of others have written a field.
func strangers(f *fake, field string, one, other syncproto.Value) syncproto.RecordID {
	who := syncproto.RecordID(id(4000))
	f.version += 2
	r := &fakeRecord{Record: syncproto.Record{ID: who, Kind: "person", Area: grid1, Version: f.version}}
	for i, v := range []syncproto.Value{one, other} {
		n := uint64(i)
		r.Live = append(r.Live, syncproto.Part{
			Device: syncproto.DeviceID(id(300 + n)), N: 1, Author: author(80 + n), Version: f.version - 1 + syncproto.Version(i),
			Stamp:  syncproto.Stamp{Time: start, Earliest: start, Latest: start},
			Fields: syncproto.Fields{field: v, "area": syncproto.TextValue(string(grid1))},
		})
	}
	f.records[who] = r
	return who
}

func TestAMaskedValueShowsWhatMayBeSeenOfIt(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	who := strangers(f, "id_number", hidden("a1"), hidden("a1"))
	p.sync(t)
	r := p.get(t, who)
	equal(t, "text", r.Text("id_number"), "9990**********0012")
	equal(t, "masked", r.Masked("id_number").Tag, "a1")
	equal(t, "another field", r.Masked("area"), syncproto.Masked{})
}

func TestMaskedValuesAreAgreedOnIfTheirTagsAreAlikeAndDisputedIfNot(t *testing.T) {
	for _, c := range []struct {
		field, other string
		disputed     bool
	}{{"id_number", "a1", false}, {"id_number", "b2", true}, {"mobile", "a1", false}, {"mobile", "b2", true}} {
		f := newFake(t)
		p := newPhone(t, f, 1)
		who := strangers(f, c.field, hidden("a1"), hidden(c.other))
		p.sync(t)
		r := p.get(t, who)
		equal(t, c.field+" disputed", r.Disputed(c.field), c.disputed)
		equal(t, c.field+" values", len(r.Candidates(c.field)) > 1, c.disputed)
	}
}

func TestAMaskedValueIsNeverWritten(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	other := syncproto.Masked{Masked: "9991**********0015", Tag: "b2"}.Value()
	who := strangers(f, "id_number", hidden("a1"), other)
	p.sync(t)
	for what, e := range map[string]clientsdk.Edit{
		"copied":           {Fields: syncproto.Fields{"id_number": hidden("a1")}},
		"decided for":      {Fields: syncproto.Fields{"id_number": other}, Decides: true},
		"in spite of all":  {Fields: syncproto.Fields{"id_number": hidden("a1")}, Anyway: true},
		"as it is seen":    {Fields: syncproto.Fields{"id_number": `"9990**********0012"`}, Anyway: true},
		"as its rival is":  {Fields: syncproto.Fields{"id_number": `"9991**********0015"`}, Decides: true, Anyway: true},
		"in another field": {Fields: syncproto.Fields{"note": hidden("a1")}, Anyway: true},
	} {
		e.Record = who
		if _, err := p.alice.Put(background, e); !errors.Is(err, clientsdk.ErrMasked) {
			t.Errorf("%s: %v", what, err)
		}
	}
	equal(t, "recorded", p.status(t).High, 0)
	edit(t, p.alice, who, "id_number", "999101199001010017")
	equal(t, "what its author knows is written", p.status(t).High, 1)
}
