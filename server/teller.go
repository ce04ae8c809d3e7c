package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// entry is one line of a record's history.
type entry struct {
	Seq      syncproto.Version  `json:"seq"`
	Record   syncproto.RecordID `json:"record"`
	Change   syncproto.ChangeID `json:"change"`
	Author   string             `json:"author"`
	Device   string             `json:"device"`
	Received syncproto.Instant  `json:"received"`
	syncproto.Stamp
	Verdict syncproto.Outcome `json:"verdict"`
	Reason  syncproto.Code    `json:"reason,omitempty"`
	// Decides marks a decision, Undoes one that withdraws others, Undone one that was
	// withdrawn. Absorbed says that it was said of a record that turned out to be this one.
	Decides  bool `json:"decides,omitempty"`
	Undoes   bool `json:"undoes,omitempty"`
	Undone   bool `json:"undone,omitempty"`
	Absorbed bool `json:"absorbed,omitempty"`
	// Purged says that what it said is gone.
	Purged bool          `json:"purged,omitempty"`
	Fields []alternation `json:"fields,omitempty"`
}

// alternation is what a field showed before an entry, and what the entry says.
type alternation struct {
	Field string         `json:"field"`
	Label syncproto.Text `json:"label"`
	Old   string         `json:"old"`
	New   string         `json:"new"`
}

// marks says in a few words what became of an entry and what it is.
func (e *entry) marks() string {
	marks := []syncproto.Text{verdictTexts[e.Verdict]}
	for _, m := range []struct {
		is   bool
		text syncproto.Text
	}{{e.Decides, textDecision}, {e.Undoes, textUndoes}, {e.Undone, textUndone}, {e.Absorbed, textAbsorbed}, {e.Purged, textPurgedEntry}, {e.merges(), textMerges}} {
		if m.is {
			marks = append(marks, m.text)
		}
	}
	var words []string
	for _, m := range marks {
		words = append(words, "["+m.ZH+" "+m.EN+"]")
	}
	if e.Reason != "" {
		why := (&syncproto.Error{Code: e.Reason}).Message()
		words = append(words, fmt.Sprintf("%s: %s / %s", e.Reason, why.ZH, why.EN))
	}
	return strings.Join(words, " ")
}

func (e *entry) merges() bool {
	return slices.ContainsFunc(e.Fields, func(f alternation) bool { return f.Field == syncproto.FieldSameAs })
}

// teller turns a log into a history: it knows the people by name, and follows what each
// record showed.
type teller struct {
	record syncproto.RecordID
	forms  form.Set
	people *identity.Directory
}

func (t *teller) tell(log []exchange.Logged) ([]entry, error) {
	undone := undoneBy(log)
	entries := make([]entry, 0, len(log))
	for i := range log {
		l := &log[i]
		e := t.entry(l)
		e.Undone = undone[syncproto.Origin{Device: l.Change.Device, N: l.Change.N}]
		var err error
		if e.Fields, err = t.fields(log, l); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func (t *teller) entry(l *exchange.Logged) entry {
	c := &l.Change
	author, _ := t.people.Author(c.Author)
	device, known := t.people.Device(c.Device)
	if !known && c.Decides {
		device.Name = textDesk.ZH + " " + textDesk.EN
	}
	undoes, _ := c.Undoes() // what can't be read was refused when it came
	return entry{
		Seq: l.Seq, Record: c.Record, Change: c.ID, Received: l.Received, Stamp: l.Stamp, Verdict: l.Verdict, Reason: l.Reason,
		Author: cmp.Or(author.Name, c.Author.String()), Device: cmp.Or(device.Name, c.Device.String()),
		Decides: c.Decides, Undoes: len(undoes) > 0, Absorbed: c.Record != t.record,
		Purged: l.Purged != (syncproto.Hash{}),
	}
}

// fields says what an entry writes beside what its record showed before it came.
func (t *teller) fields(log []exchange.Logged, l *exchange.Logged) ([]alternation, error) {
	f := t.forms.Newest(l.Change.Kind)
	written, err := l.Change.Values()
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", l.Seq, err)
	}
	shown, err := shownBefore(f, log, l)
	if err != nil {
		return nil, err
	}
	changes := make([]alternation, 0, len(written))
	for _, name := range written.Names() {
		field, known := f.Field(name)
		label := field.Label
		if !known {
			label = syncproto.Text{ZH: name}
		}
		changes = append(changes, alternation{
			Field: name, Label: label, Old: masked(field, shown[name]), New: masked(field, written[name]),
		})
	}
	return changes, nil
}

// shownBefore is what a record showed when an entry about it came in.
func shownBefore(f *form.Form, log []exchange.Logged, l *exchange.Logged) (syncproto.Fields, error) {
	var parts []syncproto.Part
	came := cmp.Or(l.Version, l.Seq)
	for i := range log {
		o := &log[i]
		if o.Change.Record != l.Change.Record || o.Version == 0 || o.Version >= came {
			continue
		}
		part, err := o.Part()
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", o.Seq, err)
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return nil, nil
	}
	return merge.Show(f, merge.Fold(f, parts)).Values(), nil
}

// masked is a value for whoever runs the server: of numbers that identify people it
// shows the ends.
func masked(field *form.Field, v syncproto.Value) string {
	if v == "" || v.IsNull() {
		return "∅"
	}
	text, isText := v.Text()
	if !isText {
		return string(v)
	}
	for _, o := range field.Choices {
		if o.Code == text {
			return o.Label.ZH + " " + o.Label.EN
		}
	}
	if runes := []rune(text); field.Class == form.Secret && len(runes) > 7 {
		return string(runes[:3]) + "****" + string(runes[len(runes)-4:])
	}
	return text
}

// undoneBy are the decisions that later ones withdraw.
func undoneBy(log []exchange.Logged) map[syncproto.Origin]bool {
	undone := make(map[syncproto.Origin]bool)
	for i := range slices.Backward(log) {
		c := &log[i].Change
		if log[i].Version == 0 || undone[syncproto.Origin{Device: c.Device, N: c.N}] {
			continue
		}
		undoes, _ := c.Undoes() // what can't be read was refused when it came
		for _, o := range undoes {
			undone[o] = true
		}
	}
	return undone
}
