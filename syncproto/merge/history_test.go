package merge_test

import (
	"fmt"

	"pgregory.net/rapid"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// phone is one device of a random history.
type phone struct {
	id     syncproto.DeviceID
	n      uint64
	known  syncproto.Version
	outbox []syncproto.Part
}

// history plays phones that write offline and sync when they can: what one phone
// sends arrives in any order and in pieces, several authors share a phone, and a
// base is always a version that the phone had been told of.
type history struct {
	phones []*phone
	last   syncproto.Version
	// log holds the changes in the order in which they were committed.
	log []syncproto.Part
}

func drawHistory(t *rapid.T) []syncproto.Part {
	h := &history{}
	for i := range rapid.IntRange(1, 3).Draw(t, "phones") {
		h.phones = append(h.phones, &phone{id: syncproto.DeviceID{byte(9 - i)}})
	}
	for range rapid.IntRange(1, 12).Draw(t, "steps") {
		p := rapid.SampledFrom(h.phones).Draw(t, "phone")
		switch rapid.IntRange(0, 4).Draw(t, "step") {
		case 0, 1, 2:
			p.write(t)
		case 3:
			h.sync(t, p, rapid.IntRange(0, len(p.outbox)).Draw(t, "sent"))
		case 4:
			h.sync(t, p, len(p.outbox))
			p.known = h.last
		}
	}
	for _, p := range h.phones {
		h.sync(t, p, len(p.outbox))
	}
	return h.log
}

// sync commits some changes of a phone's outbox, each with a version of its own.
func (h *history) sync(t *rapid.T, p *phone, count int) {
	if count == 0 {
		return
	}
	p.outbox = rapid.Permutation(p.outbox).Draw(t, "order")
	for _, part := range p.outbox[:count] {
		h.last++
		part.Version = h.last
		h.log = append(h.log, part)
	}
	p.outbox = p.outbox[count:]
}

func (p *phone) write(t *rapid.T) {
	p.n++
	now := syncproto.Instant(rapid.Int64Range(0, 6).Draw(t, "time"))
	part := syncproto.Part{
		Device: p.id, N: p.n, Author: syncproto.AuthorID{byte(rapid.IntRange(1, 3).Draw(t, "author"))},
		Base: p.known, Stamp: syncproto.Stamp{Time: now, Earliest: now, Latest: now},
		Decides: rapid.IntRange(0, 7).Draw(t, "decides") == 0, Fields: drawFields(t),
	}
	for _, name := range part.Fields.Names() {
		if rapid.IntRange(0, 3).Draw(t, "amid") == 0 {
			part.Amid = append(part.Amid, name)
		}
	}
	p.outbox = append(p.outbox, part)
}

// values are what a random write may say in each field.
var values = map[string][]syncproto.Value{
	"latest": {`"x"`, `"y"`, "null"},
	"review": {`"x"`, `"ｘ"`, `"y"`, "null"},
	"mood":   {`"x"`, `{"a":1,"b":2}`, `{"b":2,"a":1}`},
	// 2.0 is 2; a text is outside the order.
	"severest":          {"1", "2", "2.0", "null", `"?"`},
	"once":              {`"x"`, `"x "`, `"y"`},
	"union":             {`["a"]`, `["a","b"]`, `{"remove":["a"]}`, `{"add":["c"],"remove":["a","b"]}`, `{"add":["a"],"remove":["a"]}`, "[]", "7", `"b"`},
	syncproto.FieldArea: {`"330702"`, `"330703"`},
	syncproto.FieldExit: {moved, `{"reason":"died","date":"2020-03-02"}`, "null"},
}

func drawFields(t *rapid.T) syncproto.Fields {
	fields := syncproto.Fields{}
	names := []string{"latest", "review", "mood", "severest", "once", "union", "union", syncproto.FieldArea, syncproto.FieldExit}
	for range rapid.IntRange(1, 3).Draw(t, "fields") {
		name := rapid.SampledFrom(names).Draw(t, "field")
		fields[name] = rapid.SampledFrom(values[name]).Draw(t, "value")
	}
	return fields
}

// register is one write to one field, or to one member of a list field.
type register struct {
	part    int
	field   string
	member  string
	removes bool
}

// slow is the obvious model: every write of the history is held against every
// other, and nothing is remembered in between.
type slow struct {
	parts []syncproto.Part
	alive map[register]bool
}

// registersOf lists the writes of a part. Members get a register each; a list
// write without members has the member "".
func registersOf(i int, p syncproto.Part) []register {
	var all []register
	for name, v := range p.Fields {
		if name != "union" {
			all = append(all, register{part: i, field: name})
			continue
		}
		add, remove := form.Members(v)
		for _, m := range add {
			all = append(all, register{i, name, "+" + m, false})
		}
		for _, m := range remove {
			all = append(all, register{i, name, "+" + m, true})
		}
		if len(add)+len(remove) == 0 {
			all = append(all, register{part: i, field: name})
		}
	}
	return all
}

func modelOf(parts []syncproto.Part) slow {
	model := slow{parts: parts, alive: map[register]bool{}}
	var all []register
	for i, p := range parts {
		all = append(all, registersOf(i, p)...)
	}
	for _, s := range all {
		model.alive[s] = true
		for _, w := range all {
			if model.ends(w, s) {
				model.alive[s] = false
			}
		}
	}
	return model
}

// ends says in the words of the specification whether w replaces s.
func (m slow) ends(w, s register) bool {
	touches := w.field == s.field && (w.member == s.member || s.member == "" && s.field == "union")
	if w.part == s.part || !touches {
		return false
	}
	later, earlier := m.parts[w.part], m.parts[s.part]
	saw := earlier.Version <= later.Base
	if later.Device == earlier.Device {
		saw = earlier.N < later.N
	}
	amid := false
	for _, name := range later.Amid {
		amid = amid || name == w.field
	}
	switch {
	case !saw:
		return false
	case later.Decides:
		return true
	case w.field == "once":
		return false
	case amid:
		return later.Author == earlier.Author
	}
	return true
}

// living writes what is alive as text, for comparison.
func (m slow) living() map[string]bool {
	out := map[string]bool{}
	for r, alive := range m.alive {
		if alive {
			out[name(r, m.parts[r.part])] = true
		}
	}
	return out
}

func name(r register, p syncproto.Part) string {
	return fmt.Sprintf("%s of %s/%d: %s %v", r.field, p.Device, p.N, r.member, r.removes)
}

// livingIn writes what Fold left in the same way.
func livingIn(live []syncproto.Part) map[string]bool {
	out := map[string]bool{}
	for i, p := range live {
		for _, r := range registersOf(i, p) {
			out[name(r, p)] = true
		}
	}
	return out
}
