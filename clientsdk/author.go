package clientsdk

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Author is a person who records on this device. Several may share it: each
// change names who said it, and everybody on the device sees what the others have
// recorded. An Author holds nothing but the name and may be kept or made anew.
type Author struct {
	client *Client
	id     syncproto.AuthorID
}

// As returns the device's session of an author.
func (c *Client) As(author syncproto.AuthorID) *Author { return &Author{client: c, id: author} }

// ID is the author's id.
func (a *Author) ID() syncproto.AuthorID { return a.id }

// Edit is what an author says about one record.
type Edit struct {
	// Record is the record to edit, or to create under an id of the caller's
	// choosing; the zero id creates one. What is said of a record that turned out to be
	// another is recorded on that other, if the device holds it.
	Record syncproto.RecordID
	// Kind may be left out for a record that the device holds.
	Kind syncproto.Kind
	// Area is where the statement belongs; for a record that the device holds it may
	// be left out and is the record's area. Use Move to move a record.
	Area syncproto.AreaID
	// Fields are those that the author touched. A list given as a plain list is what
	// the list should be: what is recorded is the difference to what is shown. An
	// object {"add":[…],"remove":[…]} is recorded as it is.
	Fields syncproto.Fields
	// Decides marks a decision of somebody entitled to end a dispute.
	Decides bool
	// Anyway records what the form rejects, after the author was told: the server
	// stores it and parks it for a person to look at.
	Anyway bool

	// answers is the returned change that this is the answer to, undoes the decision
	// that it withdraws.
	answers *own
	undoes  []syncproto.Origin
}

// itself reports whether the edit speaks of the very record that it names, even if
// that turned out to be another one.
func (e *Edit) itself() bool {
	_, joins := e.Fields[syncproto.FieldSameAs]
	return joins || len(e.undoes) > 0
}

// Put records one edit and returns its record's id: see PutAll.
func (a *Author) Put(ctx context.Context, e Edit) (syncproto.RecordID, error) {
	ids, err := a.PutAll(ctx, []Edit{e})
	if err != nil {
		return syncproto.RecordID{}, err
	}
	return ids[0], nil
}

// PutAll records edits in order as one commit, each seeing those before it, and
// returns their records' ids. When it returns nil all of them are on disk and
// will be sent; otherwise none is, and err is a *syncproto.Error if one of them is
// at fault (code fails_form, unknown_kind, kind_differs, bad_change or
// change_too_large), ErrMasked if one would write a masked value, ErrLocked or ErrClosed.
// An edit that touches nothing records nothing.
func (a *Author) PutAll(ctx context.Context, edits []Edit) ([]syncproto.RecordID, error) {
	return a.putIn(ctx, func(*statements) ([]Edit, error) { return edits, nil })
}

// putIn is PutAll of what make returns within the same transaction.
func (a *Author) putIn(ctx context.Context, makeEdits func(*statements) ([]Edit, error)) ([]syncproto.RecordID, error) {
	var ids, moved []syncproto.RecordID
	err := a.client.update(ctx, func(tx *sql.Tx) error {
		m, err := readMeta(tx)
		if err != nil {
			return err
		}
		if m.Closed {
			return ErrClosed
		}
		l, err := a.client.lens(tx, &m)
		if err != nil {
			return err
		}
		p := putting{Author: a, statements: newStatements(tx), m: &m, lens: l}
		edits, err := makeEdits(p.statements)
		if err != nil {
			return err
		}
		ids = make([]syncproto.RecordID, len(edits))
		for i := range edits {
			if ids[i], err = p.put(&edits[i]); err != nil {
				return fmt.Errorf("recording edit %d of %d: %w", i+1, len(edits), err)
			}
		}
		moved = p.moved
		return m.write(tx)
	})
	if err != nil {
		return nil, err
	}
	a.client.watch.tell(slices.Concat(ids, moved))
	return ids, nil
}

// Move corrects the area of a record: it belongs to another one and always has. For
// a person who moved house see Relocate.
func (a *Author) Move(ctx context.Context, id syncproto.RecordID, to syncproto.AreaID) error {
	return a.edit(ctx, id, syncproto.FieldArea, syncproto.TextValue(string(to)))
}

// Relocate records that whom the record is about moved house on a day such as
// 2020-01-27: it belongs to another area from then on, and counts where it was until
// then.
func (a *Author) Relocate(ctx context.Context, id syncproto.RecordID, to syncproto.AreaID, day string) error {
	r, err := a.client.Get(ctx, id)
	if err != nil {
		return err
	}
	_, err = a.Put(ctx, Edit{Record: id, Fields: syncproto.Fields{
		syncproto.FieldArea:       syncproto.TextValue(string(to)),
		syncproto.FieldResidences: form.Delta([]string{day + " " + string(r.Area)}, nil),
	}})
	return err
}

// Exit records that a record has left its roster.
func (a *Author) Exit(ctx context.Context, id syncproto.RecordID, exit syncproto.Exit) error {
	return a.edit(ctx, id, syncproto.FieldExit, syncproto.ValueOf(exit))
}

// Return takes an exit back.
func (a *Author) Return(ctx context.Context, id syncproto.RecordID) error {
	return a.edit(ctx, id, syncproto.FieldExit, syncproto.Null)
}

// edit writes one field of a record that the device must hold.
func (a *Author) edit(ctx context.Context, id syncproto.RecordID, field string, v syncproto.Value) error {
	r, err := a.client.Get(ctx, id)
	if err != nil {
		return err
	}
	_, err = a.Put(ctx, Edit{Record: id, Kind: r.Kind, Fields: syncproto.Fields{field: v}})
	return err
}

// putting records edits within one transaction.
type putting struct {
	*Author
	*statements
	m    *meta
	lens lens
	// moved are records whose view changed because others turned out to be one.
	moved []syncproto.RecordID
}

// put records one edit.
func (p *putting) put(e *Edit) (syncproto.RecordID, error) {
	c := p.client
	shown, exists, err := c.lookAt(p.tx, p.lens, e)
	if err != nil {
		return e.Record, err
	}
	change := syncproto.Change{
		ID: syncproto.ChangeID(c.opt.NewID()), Device: c.device, N: p.m.High + 1, Author: p.id, Kind: e.Kind,
		Record: e.Record, Area: e.Area, Base: shown.base, Decides: e.Decides, At: c.now(), Form: 1,
	}
	switch {
	case change.Record.IsZero():
		change.Record = syncproto.RecordID(c.opt.NewID())
	case exists:
		change.Record = shown.ID
	}
	if err := p.complete(&change, e, &shown, exists); err != nil {
		return change.Record, err
	}
	if exists && string(change.Fields) == "{}" && len(change.Extra) == 0 {
		return change.Record, nil
	}
	return change.Record, p.keep(&change, e.itself())
}

// lookAt is the record that an edit speaks of, as its author sees it.
func (c *Client) lookAt(tx *sql.Tx, l lens, e *Edit) (Record, bool, error) {
	if e.Record.IsZero() {
		return Record{}, false, nil
	}
	if !e.itself() {
		return c.record(tx, l, e.Record)
	}
	s, err := c.readSingle(tx, l, e.Record)
	if err != nil {
		return Record{}, false, err
	}
	return l.shown(s), s.there, nil
}

// complete adds to a change what it writes and what its author was looking at.
func (p *putting) complete(change *syncproto.Change, e *Edit, shown *Record, exists bool) error {
	if e.answers != nil && !exists && change.Area == "" {
		change.Area = e.answers.Area
	}
	fields, err := p.fields(e, change, shown, exists, form.Occasion{At: change.At + p.m.Offset})
	if err != nil {
		return err
	}
	change.Fields = fields.Encode()
	change.SetUndoes(e.undoes)
	if e.answers != nil {
		change.SetAnswers(e.answers.ID)
	}
	if len(fields) > 0 {
		change.SetWith(shown.with)
	}
	return nil
}

// keep puts a change into the outbox and takes its number.
func (p *putting) keep(change *syncproto.Change, joins bool) error {
	if err := p.client.appendOwn(p.statements, change); err != nil {
		return err
	}
	p.m.High = change.N
	if !joins {
		return nil
	}
	moved, err := p.client.relink(p.statements, p.lens)
	if err != nil {
		return err
	}
	p.moved = append(p.moved, moved...)
	p.lens, err = p.client.lens(p.tx, p.m)
	return err
}

// fields completes change from what is shown, and returns what it writes. o is when it is
// said.
func (a *Author) fields(e *Edit, change *syncproto.Change, shown *Record, exists bool, o form.Occasion) (syncproto.Fields, error) {
	if exists {
		if change.Kind == "" {
			change.Kind = shown.Kind
		}
		if change.Area == "" {
			change.Area = shown.Area
		}
		if change.Kind != shown.Kind && !e.Anyway {
			return nil, &syncproto.Error{Code: syncproto.CodeKindDiffers, Field: "kind"}
		}
	}
	f := a.client.Forms().Newest(change.Kind)
	if f != nil {
		change.Form = f.Version
	} else if !e.Anyway {
		return nil, &syncproto.Error{Code: syncproto.CodeUnknownKind, Field: "kind"}
	}
	fields, err := written(f, e.Fields, shown)
	if err != nil {
		return nil, err
	}
	if to, ok := fields[syncproto.FieldArea].Text(); ok && change.Base == 0 {
		change.Area = syncproto.AreaID(to) // such a change writes its area too: both must say the same
	}
	for _, name := range fields.Names() {
		if shown.Disputed(name) {
			change.Amid = append(change.Amid, name)
		}
	}
	if f == nil || e.Anyway {
		return fields, nil
	}
	o.Env = a.client.Settings(change.Area)
	if problem := f.Check(fields, !exists, o); problem != nil {
		return nil, problem
	}
	return fields, nil
}

// written returns the fields as they are recorded: without white space between
// tokens (so that no encoder alters them), and lists as differences.
func written(f *form.Form, given syncproto.Fields, shown *Record) (syncproto.Fields, error) {
	fields := make(syncproto.Fields, len(given))
	for name, v := range given {
		if v == "" {
			v = syncproto.Null
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(v)); err != nil {
			return nil, &syncproto.Error{Code: syncproto.CodeBadChange, Field: name, Detail: "not JSON"}
		}
		v = syncproto.Value(compact.String())
		if masked(v, shown, name) {
			return nil, fmt.Errorf("field %s: %w", name, ErrMasked)
		}
		if field, _ := f.Field(name); field.Rule == form.Union {
			if v = difference(v, shown.Texts(name)); v == "" {
				continue
			}
		}
		fields[name] = v
	}
	return fields, nil
}

// masked reports whether what is to be written is a masked value, or the text that shows
// in place of one: somebody would overwrite what he isn't shown.
func masked(v syncproto.Value, shown *Record, field string) bool {
	if _, is := v.Masked(); is {
		return true
	}
	text, isText := v.Text()
	return isText && slices.ContainsFunc(shown.Candidates(field), func(c Candidate) bool {
		m, is := c.Value.Masked()
		return is && m.Masked != "" && m.Masked == text
	})
}

// difference turns what a list should be into what is added and removed; empty if
// that is nothing. Anything but a list of texts stays as it is.
func difference(want syncproto.Value, have []string) syncproto.Value {
	if want == syncproto.Null {
		want = "[]"
	}
	list, ok := want.Texts()
	if !ok {
		return want
	}
	var add, remove []string
	for _, m := range list {
		if !slices.Contains(have, m) {
			add = append(add, m)
		}
	}
	for _, m := range have {
		if !slices.Contains(list, m) {
			remove = append(remove, m)
		}
	}
	if len(add)+len(remove) == 0 {
		return ""
	}
	return form.Delta(add, remove)
}
