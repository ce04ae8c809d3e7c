package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gridsync/clientsdk"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

type recordCommand struct {
	Kind   string   `arg:"" help:"${help_kind}"`
	Fields []string `arg:"" help:"${help_fields}"`
	Area   string   `short:"a" help:"${help_area}"`
	Record string   `short:"r" help:"${help_id}"`
	Anyway bool     `help:"${help_anyway}"`
}

// Run records one change.
func (r *recordCommand) Run(s *session) error {
	author, err := s.as()
	if err != nil {
		return err
	}
	e := clientsdk.Edit{Kind: syncproto.Kind(r.Kind), Area: syncproto.AreaID(r.Area), Anyway: r.Anyway}
	if r.Record != "" {
		id, err := syncproto.ParseID[syncproto.RecordID](r.Record)
		if err != nil {
			return err
		}
		e.Record = id
	}
	if e.Fields, err = fieldsOf(s.client.Forms().Newest(e.Kind), r.Fields); err != nil {
		return err
	}
	if err := s.remarked(author, &e); err != nil {
		return err
	}
	hits, err := s.lookout(&e)
	if err != nil {
		return err
	}
	id, err := author.Put(s.ctx, e)
	if err != nil {
		return s.rejected(e.Kind, err)
	}
	s.printf("recorded", id)
	for i := range hits {
		s.printf("on_watch", hits[i].Name, hits[i].Number, hits[i].Note)
	}
	return nil
}

// fieldsOf reads field=value arguments by the types of the form: numbers, truth
// values, times and exits are JSON, lists are separated by commas, all else is text.
func fieldsOf(f *form.Form, args []string) (syncproto.Fields, error) {
	fields := make(syncproto.Fields, len(args))
	for _, arg := range args {
		name, text, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, &syncproto.Error{Code: syncproto.CodeBadChange, Field: arg, Detail: "field=value"}
		}
		field, _ := f.Field(name)
		fields[name] = valueOf(field.Type, text)
	}
	return fields, nil
}

func valueOf(t form.Type, text string) syncproto.Value {
	switch {
	case text == "":
		return syncproto.Null
	case t == form.Choices, t == form.Refs:
		if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
			return syncproto.Value(text)
		}
		return syncproto.ValueOf(strings.Split(text, ","))
	case t == form.Integer, t == form.Decimal, t == form.Boolean, t == form.Time, t == form.ExitType:
		if json.Valid([]byte(text)) {
			return syncproto.Value(text)
		}
	}
	return syncproto.TextValue(text)
}

type listCommand struct {
	Kind string `arg:"" help:"${help_kind}"`
	Area string `short:"a" help:"${help_area}"`
}

// rejected says which field stood in the way of recording, and how to record even
// so. What the catalogue of errors says is a server's word, which has kept the
// change; here nothing was.
func (s *session) rejected(kind syncproto.Kind, err error) error {
	var why *syncproto.Error
	if !errors.As(err, &why) || why.Code != syncproto.CodeFailsForm {
		return err
	}
	problem := why.Detail
	if zh, ok := syncproto.Problem(problem); ok && s.say["lang"] == "zh" {
		problem = zh
	}
	return rejection(fmt.Sprintf(s.say["rejected"], s.label(kind, why.Field), why.Field, problem))
}

// rejection is an error that is already in words for people.
type rejection string

func (r rejection) Error() string { return string(r) }

// Run lists the records of a kind, one a line.
func (l *listCommand) Run(s *session) error {
	filters := []clientsdk.Filter{clientsdk.Present()}
	if l.Area != "" {
		filters = append(filters, clientsdk.InArea(syncproto.AreaID(l.Area)))
	}
	records, err := s.client.List(s.ctx, syncproto.Kind(l.Kind), filters...)
	if err != nil {
		return err
	}
	for _, r := range records {
		fmt.Fprintf(s.out, "%s  %s  %s%s\n", r.ID, r.Area, s.line(&r), s.marks(&r))
	}
	s.printf("listed", len(records))
	return nil
}

// line shows the record's fields in the order of its form.
func (s *session) line(r *clientsdk.Record) string {
	shown := r.Fields()
	delete(shown, syncproto.FieldArea)
	var parts []string
	for _, name := range s.order(r.Kind, shown) {
		parts = append(parts, s.label(r.Kind, name)+"="+s.shown(shown[name]))
	}
	return strings.Join(parts, "  ")
}

// shown is a value as a person reads it. Of a masked one it is what may be seen, and that
// there is more; its tag tells it from another of which the same may be seen.
func (s *session) shown(v syncproto.Value) string {
	if m, is := v.Masked(); is {
		return strings.TrimSpace(m.Masked + " [" + strings.TrimSpace(s.say["hidden"]+" "+m.Tag) + "]")
	}
	if text, ok := v.Text(); ok {
		return text
	}
	return string(v)
}

// order returns the names of fields: the form's first, in its order.
func (s *session) order(kind syncproto.Kind, fields syncproto.Fields) []string {
	var names []string
	if f := s.client.Forms().Newest(kind); f != nil {
		for i := range f.Fields {
			if _, ok := fields[f.Fields[i].Name]; ok {
				names = append(names, f.Fields[i].Name)
			}
		}
	}
	for _, name := range fields.Names() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (s *session) label(kind syncproto.Kind, name string) string {
	field, ok := s.client.Forms().Newest(kind).Field(name)
	if !ok {
		return name
	}
	return s.pick(field.Label)
}

func (s *session) pick(t syncproto.Text) string {
	if s.say["lang"] == "en" {
		return t.EN
	}
	return t.ZH
}

func (s *session) marks(r *clientsdk.Record) string {
	var marks string
	if r.Pending {
		marks += "  [" + s.say["pending"] + "]"
	}
	if disputes := r.Disputes(); len(disputes) > 0 {
		marks += "  [" + s.say["disputed"] + ": " + strings.Join(disputes, ", ") + "]"
	}
	if len(r.Absorbed) > 0 {
		marks += "  [" + fmt.Sprintf(s.say["absorbed"], len(r.Absorbed)) + "]"
	}
	if !r.MergedInto.IsZero() {
		marks += "  [" + fmt.Sprintf(s.say["merged_into"], r.MergedInto) + "]"
	}
	return marks
}

type showCommand struct {
	ID string `arg:"" help:"${help_id}"`
}

// Run shows a record, field by field, with every value of those that are disputed.
func (c *showCommand) Run(s *session) error {
	id, err := syncproto.ParseID[syncproto.RecordID](c.ID)
	if err != nil {
		return err
	}
	r, err := s.client.Get(s.ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s %s  %s  v%d%s\n", r.Kind, r.ID, r.Area, r.Version, s.marks(&r))
	if r.ID != id {
		s.printf("shown_as", id, r.ID)
	}
	for _, absorbed := range r.Absorbed {
		fmt.Fprintf(s.out, "  + %s\n", absorbed)
	}
	shown := r.Fields()
	for _, name := range s.order(r.Kind, shown) {
		fmt.Fprintf(s.out, "  %s (%s): %s\n", s.label(r.Kind, name), name, s.shown(shown[name]))
		if !r.Disputed(name) {
			continue
		}
		for _, candidate := range r.Candidates(name) {
			fmt.Fprintf(s.out, "    ? %s  —  %s\n", s.shown(candidate.Value), candidate.Witnesses[0].Author)
		}
	}
	return nil
}

type syncCommand struct{}

// Run syncs until nothing is left.
func (syncCommand) Run(s *session) error {
	report, err := s.client.Sync(s.ctx)
	sentNow := 0
	for _, n := range report.Sent {
		sentNow += n
	}
	s.printf("synced", sentNow, report.Received, report.Requests, report.Retries)
	if report.Told > 0 {
		s.printf("told_new", report.Told)
	}
	if len(report.Lost) > 0 {
		s.printf("lost", len(report.Lost))
	}
	if err == nil {
		s.fetchWatch()
	}
	if report.Reoffered {
		s.printf("reoffered")
	}
	for _, area := range report.Drifted {
		s.printf("drifted", area)
	}
	return err
}

type statusCommand struct{}

// Run tells where the device stands.
func (statusCommand) Run(s *session) error {
	st, err := s.client.Status(s.ctx)
	if err != nil {
		return err
	}
	s.printf("status_device", st.Device, st.High)
	s.standing(&st)
	s.printf("status_changes", st.Unsent, st.Sent, st.Delivered, st.Parked, st.Attention)
	s.printf("status_news", st.Returned, st.Unread)
	s.printf("status_copies", st.Records, st.Areas)
	if st.LastSync.IsZero() {
		s.printf("status_never")
		return nil
	}
	s.printf("status_last", clockTime(st.LastSync), st.ClockOff)
	if !st.Agreed {
		s.printf("status_disagrees")
	}
	if st.Foreign != 0 {
		s.printf("status_foreign", st.Foreign)
	}
	return nil
}

type attentionCommand struct {
	Export  bool   `help:"${help_export}"`
	Resolve uint64 `help:"${help_resolve}"`
}

// Run lists what the server could not read, or writes it out.
func (c *attentionCommand) Run(s *session) error {
	if c.Export {
		return s.client.Export(s.ctx, s.out)
	}
	if c.Resolve > 0 {
		if err := s.client.Resolve(s.ctx, c.Resolve); err != nil {
			return err
		}
		s.printf("resolved", c.Resolve)
		return nil
	}
	entries, err := s.client.Attention(s.ctx)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		s.printf("attention_none")
		return nil
	}
	s.entries(entries)
	return nil
}
