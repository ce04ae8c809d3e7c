package roster

import (
	"strings"
	"time"

	"gridsync/server/internal/registry"
	"gridsync/syncproto/form"
)

// Claims are what is said of a disputed field, by whom and when, in one line.
func Claims(snap *registry.Snapshot, row *Row, field string, english bool) string {
	if row == nil || field == "" {
		return ""
	}
	s := NewSheet(snap, snap.Forms.Newest(row.Kind), english)
	var all []string
	for _, c := range row.Disputed[field] {
		who := c.Name
		if who == "" {
			who = c.Author.String()
		}
		all = append(all, s.Words(field, c.Value)+"（"+who+" "+time.UnixMilli(int64(c.At.Time)).In(form.Zone).Format("01-02 15:04")+"）")
	}
	return strings.Join(all, "；")
}

// FlagLabels are a record's flags as people read them.
func FlagLabels(f *form.Form, flags []string, english bool) string {
	var labels []string
	for i := range f.Flags {
		for _, name := range flags {
			if f.Flags[i].Name != name {
				continue
			}
			labels = append(labels, (&Sheet{english: english}).say(f.Flags[i].Label))
		}
	}
	return strings.Join(labels, "、")
}
