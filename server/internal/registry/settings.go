package registry

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strconv"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Setting says what holds in an area and below it from a day on, until another says
// something else. One whose value is null says that what holds above holds here again.
type Setting struct {
	Area  syncproto.AreaID
	Name  string
	From  form.Day
	Value syncproto.Value
	// By said so, zero for whoever sat at the machine; At is when.
	By syncproto.AuthorID
	At syncproto.Instant
}

// Settings answer what holds where and when. They are never altered, and nil ones are
// those of an installation on which nobody has set anything.
type Settings struct {
	// levels has every area in which something holds that was set there or above.
	levels map[syncproto.AreaID]*Level
	said   []Setting
}

// Level is what was set in one area, above what was set in those that it lies in. It is a
// form's Env for the records of every area that has nothing of its own below.
type Level struct {
	area  syncproto.AreaID
	above *Level
	own   map[string][]since
}

// since is a value from a day on.
type since struct {
	from  form.Day
	value syncproto.Value
}

// NewSettings lays out what was said, in the order in which it was said: of two that
// speak of the same area, name and day, the later holds. What was set in an area that
// there isn't holds nowhere.
func NewSettings(tree *area.Tree, said []Setting) *Settings {
	s := &Settings{levels: make(map[syncproto.AreaID]*Level), said: said}
	byArea := make(map[syncproto.AreaID][]Setting)
	for _, one := range said {
		byArea[one.Area] = append(byArea[one.Area], one)
	}
	if len(byArea) == 0 {
		return s
	}
	var walk func(parent syncproto.AreaID, above *Level)
	walk = func(parent syncproto.AreaID, above *Level) {
		for _, n := range tree.Children(parent) {
			level := above
			if own := byArea[n.ID]; len(own) > 0 {
				level = newLevel(n.ID, above, own)
			}
			if level != nil {
				s.levels[n.ID] = level
			}
			walk(n.ID, level)
		}
	}
	walk("", nil)
	return s
}

func newLevel(id syncproto.AreaID, above *Level, said []Setting) *Level {
	l := &Level{area: id, above: above, own: make(map[string][]since)}
	for _, one := range said {
		days := slices.DeleteFunc(l.own[one.Name], func(x since) bool { return x.from == one.From })
		l.own[one.Name] = append(days, since{one.From, one.Value})
	}
	for _, days := range l.own {
		slices.SortFunc(days, func(a, b since) int { return cmp.Compare(a.from, b.from) })
	}
	return l
}

// Said returns everything that was ever set, in order.
func (s *Settings) Said() []Setting {
	if s == nil {
		return nil
	}
	return s.said
}

// Of returns what holds in an area. It takes no memory, so that it can be asked for every
// record.
func (s *Settings) Of(id syncproto.AreaID) *Level {
	if s == nil {
		return nil
	}
	return s.levels[id]
}

// Setting returns what holds on a day: what was set in the area last before it, or in the
// nearest area above that has set it; null where nobody has.
func (l *Level) Setting(name string, day form.Day) syncproto.Value {
	v, _ := l.Find(name, day)
	return v
}

// Find is Setting, and says in which area it was set.
func (l *Level) Find(name string, day form.Day) (syncproto.Value, syncproto.AreaID) {
	for ; l != nil; l = l.above {
		if v := l.at(name, day); !v.IsNull() {
			return v, l.area
		}
	}
	return syncproto.Null, ""
}

// at returns what was set here for a day.
func (l *Level) at(name string, day form.Day) syncproto.Value {
	days := l.own[name]
	for i := len(days) - 1; i >= 0; i-- {
		if days[i].from <= day {
			return days[i].value
		}
	}
	return syncproto.Null
}

// Period is a value that holds from a day on.
type Period struct {
	Name  string
	From  form.Day
	Value syncproto.Value
}

// Periods returns everything that holds in an area, name by name and day by day, with what
// it has from above. Where a name was set and isn't any more, its value is null.
func (l *Level) Periods() []Period { return l.periods(func(string) bool { return true }) }

// Own returns what was set in this very area, name by name and day by day. A value of null
// says that what holds above holds here.
func (s *Settings) Own(id syncproto.AreaID) []Period {
	l := s.Of(id)
	if l == nil || l.area != id {
		return nil
	}
	var own []Period
	for _, name := range names(l.own) {
		for _, x := range l.own[name] {
			own = append(own, Period{name, x.from, x.value})
		}
	}
	return own
}

func (l *Level) periods(wanted func(string) bool) []Period {
	days := make(map[string][]form.Day)
	for at := l; at != nil; at = at.above {
		for name, own := range at.own {
			for _, x := range own {
				if wanted(name) {
					days[name] = append(days[name], x.from)
				}
			}
		}
	}
	var all []Period
	for _, name := range names(days) {
		slices.Sort(days[name])
		before := syncproto.Null
		for _, day := range slices.Compact(days[name]) {
			if v := l.Setting(name, day); v != before {
				all = append(all, Period{name, day, v})
				before = v
			}
		}
	}
	return all
}

func names[T any](m map[string]T) []string {
	all := make([]string, 0, len(m))
	for name := range m {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// print is a fingerprint of what holds here under some names; 0 where nothing does.
func (l *Level) print(asked map[string]bool) uint64 {
	periods := l.periods(func(name string) bool { return asked[name] })
	if len(periods) == 0 {
		return 0
	}
	h := fnv.New64a()
	for _, p := range periods {
		h.Write([]byte(p.Name + "\x00" + strconv.Itoa(int(p.From)) + "\x00" + string(p.Value) + "\x00"))
	}
	return h.Sum64()
}
