package merge_test

import (
	"fmt"
	"slices"

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
// base is always a version that the phone had been told of. The records are looked at
// as one by some of those who write, and each phone writes to any of them.
type history struct {
	records []syncproto.RecordID
	phones  []*phone
	last    syncproto.Version
	// log holds the changes in the order in which they were committed.
	log []syncproto.Part
}

// drawHistory returns the history of one record, whose authors speak of two others.
func drawHistory(t *rapid.T) []syncproto.Part {
	log := drawHistories(t, 1)
	for i := range log {
		log[i].Of = syncproto.RecordID{}
	}
	return log
}

// drawHistories returns what was committed of so many records, in order. Each part names
// its record.
func drawHistories(t *rapid.T, records int) []syncproto.Part {
	h := &history{}
	for i := range records {
		h.records = append(h.records, syncproto.RecordID{byte(i + 1)})
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "phones") {
		h.phones = append(h.phones, &phone{id: syncproto.DeviceID{byte(9 - i)}})
	}
	for range rapid.IntRange(1, 12).Draw(t, "steps") {
		p := rapid.SampledFrom(h.phones).Draw(t, "phone")
		switch rapid.IntRange(0, 4).Draw(t, "step") {
		case 0, 1, 2:
			h.write(t, p)
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

func (h *history) write(t *rapid.T, p *phone) {
	p.n++
	now := syncproto.Instant(rapid.Int64Range(0, 6).Draw(t, "time"))
	part := syncproto.Part{
		Device: p.id, N: p.n, Author: syncproto.AuthorID{byte(rapid.IntRange(1, 3).Draw(t, "author"))},
		Base: p.known, Stamp: syncproto.Stamp{Time: now, Earliest: now, Latest: now},
		Decides: rapid.IntRange(0, 3).Draw(t, "decides") == 0, Fields: drawFields(t),
		Of: rapid.SampledFrom(h.records).Draw(t, "record"),
	}
	for _, name := range part.Fields.Names() {
		if rapid.IntRange(0, 3).Draw(t, "amid") == 0 {
			part.Amid = append(part.Amid, name)
		}
	}
	for _, other := range []syncproto.RecordID{{1}, {2}, {3}} {
		if other != part.Of && rapid.IntRange(0, 2).Draw(t, "with") == 0 {
			part.With = append(part.With, syncproto.Beside{Record: other, Version: p.known})
		}
	}
	part.Undoes = h.drawUndoes(t, p)
	if len(part.Undoes) > 0 && rapid.Bool().Draw(t, "undoes only") {
		part.Fields, part.Amid = syncproto.Fields{}, nil
	}
	p.outbox = append(p.outbox, part)
}

// drawUndoes names changes to undo: decisions or not, of the record or not, seen or not.
func (h *history) drawUndoes(t *rapid.T, p *phone) []syncproto.Origin {
	all := slices.Concat(h.log, p.outbox)
	if len(all) == 0 || rapid.IntRange(0, 3).Draw(t, "undoes") > 0 {
		return nil
	}
	undone := rapid.SampledFrom(all).Draw(t, "undone")
	return []syncproto.Origin{{Device: undone.Device, N: undone.N}}
}

// values are what a random write may say in each field.
var values = map[string][]syncproto.Value{
	"latest": {`"x"`, `"y"`, "null"},
	"review": {`"x"`, `"ｘ"`, `"y"`, "null"},
	"mood":   {`"x"`, `{"a":1,"b":2}`, `{"b":2,"a":1}`},
	// 2.0 is 2; a text is outside the order.
	"severest":                {"1", "2", "2.0", "null", `"?"`},
	"once":                    {`"x"`, `"x "`, `"y"`},
	"union":                   {`["a"]`, `["a","b"]`, `{"remove":["a"]}`, `{"add":["c"],"remove":["a","b"]}`, `{"add":["a"],"remove":["a"]}`, "[]", "7", `"b"`},
	syncproto.FieldArea:       {`"330702"`, `"330703"`},
	syncproto.FieldExit:       {moved, `{"reason":"died","date":"2020-03-02"}`, "null"},
	syncproto.FieldSameAs:     {`"02000000-0000-0000-0000-000000000000"`, `"03000000-0000-0000-0000-000000000000"`, "null"},
	syncproto.FieldResidences: {`["2020-01-27 330702"]`, `{"remove":["2020-01-27 330702"]}`},
}

func drawFields(t *rapid.T) syncproto.Fields {
	fields := syncproto.Fields{}
	names := []string{"latest", "review", "mood", "severest", "once", "union", "union", syncproto.FieldArea, syncproto.FieldExit, syncproto.FieldSameAs, syncproto.FieldResidences}
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

func isList(name string) bool { return name == "union" || name == syncproto.FieldResidences }

// registersOf lists the writes of a part. Members get a register each; a list
// write without members has the member "".
func registersOf(i int, p syncproto.Part) []register {
	var all []register
	for name, v := range p.Fields {
		if !isList(name) {
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

func modelOf(log []syncproto.Part) slow {
	parts := unwithdrawn(log)
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
	touches := w.field == s.field && (w.member == s.member || s.member == "" && isList(s.field))
	if w.part == s.part || !touches {
		return false
	}
	later, earlier := m.parts[w.part], m.parts[s.part]
	saw := sawSlowly(later, earlier)
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

// sawSlowly says in the words of the specification whether the author of later had
// seen earlier.
func sawSlowly(later, earlier syncproto.Part) bool {
	known, told := later.Base, true
	if later.Of != earlier.Of {
		told = false
		for _, b := range later.With {
			if b.Record == earlier.Of {
				known, told = b.Version, true
			}
		}
	}
	if later.Device == earlier.Device {
		return told && earlier.N < later.N
	}
	return told && earlier.Version <= known
}

// unwithdrawn leaves out what was undone, by looking again and again: what nobody who
// may still speak undoes stands for sure, and what somebody who stands undoes is gone.
func unwithdrawn(log []syncproto.Part) []syncproto.Part {
	stands, gone := map[int]bool{}, map[int]bool{}
	for len(stands)+len(gone) < len(log) {
		for i, d := range log {
			doubt := false
			for j, u := range log {
				if undoesSlowly(u, d) && !gone[j] {
					doubt = true
					if stands[j] {
						gone[i] = true
					}
				}
			}
			if !doubt {
				stands[i] = true
			}
		}
	}
	var left []syncproto.Part
	for i, p := range log {
		if stands[i] {
			left = append(left, p)
		}
	}
	return left
}

func undoesSlowly(u, d syncproto.Part) bool {
	for _, o := range u.Undoes {
		if o.Device == d.Device && o.N == d.N && u.Of == d.Of && u.Decides && d.Decides && sawSlowly(u, d) {
			return true
		}
	}
	return false
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
