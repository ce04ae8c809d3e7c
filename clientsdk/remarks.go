package clientsdk

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Remarks looks over what a record would show with an edit, for its author to hear before
// recording it: what the form or the area's template still asks, what isn't asked, what
// doesn't meet its condition. Of a record that the device holds only what the edit brings
// about is told. Nothing of it stands in the way of Put. Errors are those of Get.
func (a *Author) Remarks(ctx context.Context, e Edit) ([]form.Remark, error) {
	var remarks []form.Remark
	err := a.client.view(ctx, func(tx *sql.Tx) error {
		m, err := readMeta(tx)
		if err != nil {
			return err
		}
		l, err := a.client.lens(tx, &m)
		if err != nil {
			return err
		}
		shown, exists, err := a.client.lookAt(tx, l, &e)
		if err != nil {
			return err
		}
		if exists && e.Kind == "" {
			e.Kind = shown.Kind
		}
		if exists && e.Area == "" {
			e.Area = shown.Area
		}
		remarks = a.client.remarks(&e, &shown, exists, a.client.now()+m.Offset)
		return nil
	})
	return remarks, err
}

func (c *Client) remarks(e *Edit, shown *Record, exists bool, at syncproto.Instant) []form.Remark {
	f := c.Forms().Newest(e.Kind)
	before := syncproto.Fields{}
	if exists {
		before = shown.Fields()
	}
	after := maps.Clone(before)
	for name, v := range e.Fields {
		if field, _ := f.Field(name); field.Rule == form.Union {
			v = listAfter(v, shown.Texts(name))
		}
		after[name] = v
	}
	o := form.Occasion{At: at, Env: c.Settings(e.Area)}
	t := c.Template(e.Kind, e.Area, form.DayOf(at))
	remarks := f.Remarks(after, t, o)
	if !exists {
		return remarks
	}
	were := f.Remarks(before, t, o)
	return slices.DeleteFunc(remarks, func(r form.Remark) bool {
		_, touched := e.Fields[r.Field]
		return slices.Contains(were, r) && !(touched && r.Kind == form.Unmet)
	})
}

// listAfter is what a list shows after a write: a plain list is what it should be, a
// difference is made to what there is.
func listAfter(v syncproto.Value, have []string) syncproto.Value {
	if v.IsNull() {
		return v
	}
	if _, plain := v.Texts(); plain {
		return v
	}
	add, remove := form.Members(v)
	members := slices.DeleteFunc(slices.Clone(have), func(m string) bool { return slices.Contains(remove, m) })
	for _, m := range add {
		if !slices.Contains(members, m) {
			members = append(members, m)
		}
	}
	return syncproto.ValueOf(append([]string{}, members...))
}
