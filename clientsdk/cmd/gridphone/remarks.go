package main

import (
	"fmt"
	"strings"
	"time"

	"gridsync/clientsdk"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// remarked tells what there is to say of an edit before it is recorded: what is still
// asked, what isn't, what doesn't meet its condition. Whoever says --anyway isn't asked.
func (s *session) remarked(author *clientsdk.Author, e *clientsdk.Edit) error {
	if e.Anyway {
		return nil
	}
	remarks, err := author.Remarks(s.ctx, *e)
	if err != nil || len(remarks) == 0 {
		return err
	}
	kind := e.Kind
	if kind == "" {
		r, err := s.client.Get(s.ctx, e.Record)
		if err != nil {
			return err
		}
		kind = r.Kind
	}
	lines := []string{s.say["remarked"]}
	for _, r := range remarks {
		lines = append(lines, "  "+s.remark(kind, e.Area, r))
	}
	return rejection(strings.Join(append(lines, s.say["remark_anyway"]), "\n"))
}

// remark is one remark in words; the area's template has a name of its own for many fields.
func (s *session) remark(kind syncproto.Kind, area syncproto.AreaID, r form.Remark) string {
	label := s.label(kind, r.Field)
	t := s.client.Template(kind, area, form.DayOf(syncproto.Instant(time.Now().UnixMilli())))
	if asks, _ := t.Asks(r.Field); asks.Label != (syncproto.Text{}) {
		label = s.pick(asks.Label)
	}
	switch r.Kind {
	case form.Missing:
		return fmt.Sprintf(s.say["remark_missing"], label, r.Field)
	case form.NotAsked:
		return fmt.Sprintf(s.say["remark_not_asked"], label, r.Field)
	}
	why := ""
	if field, _ := s.client.Forms().Newest(kind).Field(r.Field); field.ConstraintMessage != (syncproto.Text{}) {
		why = s.say["colon"] + s.pick(field.ConstraintMessage)
	}
	return fmt.Sprintf(s.say["remark_unmet"], label, r.Field, why)
}
