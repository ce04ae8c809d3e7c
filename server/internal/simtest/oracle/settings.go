package oracle

import (
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Said is a setting as a script said it.
type Said struct {
	Area  syncproto.AreaID
	Name  string
	From  form.Day
	Value syncproto.Value
}

// Under says what was set, in the order in which it was said.
func (r *Reading) Under(said []Said) { r.held = said }

// env is what was set for the records of an area.
func (r *Reading) env(id syncproto.AreaID) form.Env { return there{r, id} }

type there struct {
	r  *Reading
	id syncproto.AreaID
}

// Setting goes up from the area, to the first in which anything was said for the day that
// was not taken back.
func (t there) Setting(name string, day form.Day) syncproto.Value {
	for id := t.id; id != ""; {
		last := Said{Value: syncproto.Null}
		for _, s := range t.r.held {
			if s.Area == id && s.Name == name && s.From <= day && s.From >= last.From {
				last = s
			}
		}
		if !last.Value.IsNull() {
			return last.Value
		}
		n, _ := t.r.areas.Find(id)
		id = n.Parent
	}
	return syncproto.Null
}
