package oracle

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"time"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// survivor is a record that stands for all that are one with it, as people see them.
type survivor struct {
	*Record
	shown Shown
	ids   []syncproto.RecordID
}

// survivors are those of a kind, in order.
func (r *Reading) survivors(kind syncproto.Kind) []survivor {
	if all, known := r.ofKind[kind]; known {
		return all
	}
	if r.ofKind == nil {
		r.ofKind = make(map[syncproto.Kind][]survivor)
	}
	at := make(map[syncproto.RecordID]int)
	var groups [][]*Record
	for _, id := range r.ids() {
		root := r.Root(id)
		if r.Records[id].Kind != kind {
			continue
		}
		i, begun := at[root]
		if !begun {
			i = len(groups)
			at[root] = i
			groups = append(groups, nil)
		}
		if id == root { // it stands for the others, if it is there
			groups[i] = slices.Insert(groups[i], 0, r.Records[id])
			continue
		}
		groups[i] = append(groups[i], r.Records[id])
	}
	var all []survivor
	for _, group := range groups {
		one := survivor{Record: group[0], shown: r.Joined(group)}
		for _, rec := range group {
			one.ids = append(one.ids, rec.ID)
		}
		all = append(all, one)
	}
	r.ofKind[kind] = all
	return all
}

func (s *survivor) text(name string) string {
	text, _ := s.shown.Values[name].Text()
	return text
}

func (s *survivor) day(name string) form.Day {
	day, _ := dayIn(s.shown.Values[name])
	return day
}

func (s *survivor) number(name string) int64 {
	n, _ := strconv.ParseInt(string(s.shown.Values[name]), 10, 64)
	return n
}

func (s *survivor) names(name string) syncproto.RecordID {
	id, _ := syncproto.ParseID[syncproto.RecordID](s.text(name))
	return id
}

// there reports whether a record has not left by a day.
func (s *survivor) there(day form.Day) bool {
	if s.shown.Exit == nil {
		return true
	}
	left, _ := form.ParseDay(s.shown.Exit.Date)
	return day < left
}

// common reports whether a record of one area concerns another: one of them lies in the
// other.
func (r *Reading) common(a, b syncproto.AreaID) bool {
	return r.areas.Within(a, b) || r.areas.Within(b, a)
}

// Reached says of each household that stands in an area on a day how a round reached it:
// "never" if no visit speaks of it.
func (r *Reading) Reached(round syncproto.RecordID, root syncproto.AreaID, day form.Day) map[syncproto.RecordID]string {
	rounds := r.survivors("round")
	at := slices.IndexFunc(rounds, func(s survivor) bool { return s.ID == round })
	if at < 0 || !r.common(rounds[at].Area, root) {
		return nil
	}
	if ends := rounds[at].day("ends"); ends != 0 {
		day = min(day, ends)
	}
	day = max(day, rounds[at].day("starts"))
	tenures, _ := rounds[at].shown.Values["tenures"].Texts()
	visits := r.visits(round)
	reached := make(map[syncproto.RecordID]string)
	for _, h := range r.survivors("household") {
		found := h.day("found_on")
		switch {
		case !r.areas.Within(h.Area, root), !r.areas.Within(h.Area, rounds[at].Area):
		case found == 0, found > day, !h.there(day):
		case len(tenures) > 0 && !slices.Contains(tenures, h.text("tenure")):
		default:
			reached[h.ID] = best(visits, h.ids)
		}
	}
	return reached
}

// visit says that somebody went to a household, and what came of it.
type visit struct {
	household syncproto.RecordID
	outcome   string
}

// visits are those of a round.
func (r *Reading) visits(round syncproto.RecordID) []visit {
	var all []visit
	for _, rec := range r.Records {
		if rec.Kind != "visit" {
			continue
		}
		if v := (&survivor{Record: rec, shown: rec.Shown}); v.names("round") == round {
			all = append(all, visit{v.names("household"), v.text("outcome")})
		}
	}
	return all
}

// best is how a household, known by these ids, was reached at best.
func best(visits []visit, household []syncproto.RecordID) string {
	for _, outcome := range []string{"met", "refused", "not_home"} {
		if slices.ContainsFunc(visits, func(v visit) bool { return v.outcome == outcome && slices.Contains(household, v.household) }) {
			return outcome
		}
	}
	if slices.ContainsFunc(visits, func(v visit) bool { return slices.Contains(household, v.household) }) {
		return "other"
	}
	return "never"
}

// Stock is what an area and all below it have of each item on a day: item by item and
// area by area everything is gone through in its order, and a count begins anew.
func (r *Reading) Stock(root syncproto.AreaID, day form.Day) map[string]int64 {
	type move struct {
		survivor
		first syncproto.Instant
	}
	var moves []move
	for _, s := range r.survivors("supply") {
		if !r.areas.Within(s.Area, root) || s.day("day") == 0 || s.day("day") > day || s.shown.Exit != nil {
			continue
		}
		first := s.shown.live[0].time
		for _, w := range s.shown.live {
			first = min(first, w.time)
		}
		moves = append(moves, move{s, first})
	}
	slices.SortFunc(moves, func(a, b move) int {
		return cmp.Or(cmp.Compare(a.day("day"), b.day("day")), cmp.Compare(a.first, b.first), bytes.Compare(a.ID[:], b.ID[:]))
	})
	type place struct {
		area syncproto.AreaID
		item string
	}
	shelves := make(map[place]int64)
	for _, m := range moves {
		at := place{m.Area, m.text("item")}
		switch n := m.number("quantity"); m.text("movement") {
		case "counted":
			shelves[at] = n
		case "received", "donated", "returned":
			shelves[at] += n
		case "issued", "spoiled":
			shelves[at] -= n
		}
	}
	stock := make(map[string]int64)
	for at, n := range shelves {
		stock[at.item] += n
	}
	return stock
}

// Duties counts what there is to do in an area on a day, as it stands at an instant: "task"
// and so on, and those of them whose time is past as "task!".
func (r *Reading) Duties(root syncproto.AreaID, day form.Day, now syncproto.Instant) map[string]int {
	duties := make(map[string]int)
	tell := func(kind string, late bool) {
		duties[kind]++
		if late {
			duties[kind+"!"]++
		}
	}
	for _, t := range r.survivors("task") {
		due := t.day("deadline")
		if r.areas.Within(t.Area, root) && t.shown.Values["result"].IsNull() && t.day("withdrawn_on") == 0 && t.day("issued_on") <= day && t.there(day) {
			tell("task", due != 0 && due < day)
		}
	}
	for _, o := range r.survivors("observation") {
		if released := o.day("released_on"); !r.areas.Within(o.Area, root) || o.day("start") == 0 || o.day("start") > day || released != 0 && released <= day || !o.there(day) {
			continue
		}
		ends := max(o.day("planned_end"), o.day("extended_to"))
		if ends == 0 {
			ends = later(o.day("start"), r.set(o.Area, day, "observation_days", 14))
		}
		if ends <= day {
			tell("observation_release", ends < day)
		}
		checks := cmp.Or(o.number("slots_per_day"), r.set(o.Area, day, "slots_per_day", 2))
		if done := r.checks(&o, day); done < checks {
			tell("observation_check", done < r.due(checks, o.Area, day, now))
		}
	}
	for _, l := range r.survivors("lead") {
		if outcome := l.text("outcome"); outcome != "" && outcome != "open" || !r.areas.Within(l.Area, root) || l.day("received_at") > day || !l.there(day) {
			continue
		}
		hours := r.set(l.Area, day, "due_hours.lead", 24)
		tell("lead", l.number("received_at")+hours*60*60*1000 < min(int64(now), midnight(later(day, 1))))
	}
	for _, round := range r.survivors("round") {
		ends := round.day("ends")
		if round.day("starts") > day || ends != 0 && ends < day || round.shown.Exit != nil {
			continue
		}
		for _, how := range r.Reached(round.ID, root, day) {
			if how == "never" {
				tell("household_unvisited", false)
			}
		}
	}
	return duties
}

// set is a whole number that is set in an area on a day, or else what holds where nothing is.
func (r *Reading) set(id syncproto.AreaID, day form.Day, name string, otherwise int64) int64 {
	n, err := strconv.ParseInt(string(r.env(id).Setting(name, day)), 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

// Closes is when the day is closed in an area.
func (r *Reading) Closes(id syncproto.AreaID, day form.Day) syncproto.Instant {
	text, ok := r.env(id).Setting("closing_hour", day).Text()
	if !ok {
		text = "18:00"
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", day.String()+" "+text, form.Zone)
	if err != nil {
		panic(err) // the server takes no other
	}
	return syncproto.Instant(at.UnixMilli())
}

// due is how many of a day's checks should have been made by an instant: the parts of the
// day up to its closing that are over.
func (r *Reading) due(checks int64, id syncproto.AreaID, day form.Day, now syncproto.Instant) int64 {
	open, over := int64(r.Closes(id, day))-midnight(day), int64(0)
	for over < checks && (int64(now)-midnight(day))*checks >= open*(over+1) {
		over++
	}
	return over
}

// midnight is when a day begins.
func midnight(day form.Day) int64 {
	at, err := time.ParseInLocation(time.DateOnly, day.String(), form.Zone)
	if err != nil {
		panic(err) // it was read as a day before
	}
	return at.UnixMilli()
}

// later is some days after a day.
func later(day form.Day, days int64) form.Day {
	return form.DayOf(syncproto.Instant(midnight(day) + days*24*60*60*1000))
}

// checks counts the temperatures of somebody under observation on a day: those taken where
// the observation lies or next to it, and those in one slot once.
func (r *Reading) checks(o *survivor, day form.Day) int64 {
	person := o.names("person")
	near := o.Area
	if n, _ := r.areas.Find(o.Area); n.Parent != "" {
		near = n.Parent
	}
	slots := make(map[string]bool)
	for _, t := range r.survivors("temperature") {
		if r.Root(t.names("person")) == r.Root(person) && t.day("taken_at") == day && t.shown.Exit == nil && r.areas.Within(t.Area, near) {
			slots[cmp.Or(t.text("slot"), t.ID.String())] = true
		}
	}
	return int64(len(slots))
}
