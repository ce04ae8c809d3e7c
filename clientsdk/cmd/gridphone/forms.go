package main

import (
	"fmt"
	"time"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

type formsCommand struct{}

// Run lists what can be recorded, by the newest version that this phone has, and what each
// area asks besides.
func (formsCommand) Run(s *session) error {
	forms := s.client.Forms()
	for _, kind := range forms.Kinds() {
		f := forms.Newest(kind)
		fmt.Fprintf(s.out, "%s/%d  %s\n", f.Kind, f.Version, s.pick(f.Label))
	}
	areas, err := s.client.Areas(s.ctx)
	if err != nil {
		return err
	}
	today := form.DayOf(syncproto.Instant(time.Now().UnixMilli()))
	for _, area := range areas {
		if area.Above {
			continue // its own work is others'
		}
		for _, kind := range forms.Kinds() {
			if t := s.client.Template(kind, area.ID, today); t != nil {
				s.printf("template_of", area.Name, s.pick(forms.Newest(kind).Label), s.pick(t.Label), t.Name, t.Version)
			}
		}
	}
	return nil
}
