package oracle

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Totals counts, measure by measure, what an area and all below it come to on a day:
// every group of records that count as one is asked where it is on that day.
func (r *Reading) Totals(root syncproto.AreaID, day form.Day) map[string]int64 {
	totals := r.Gone(root, day)
	for name, rows := range r.Rows(root, day) {
		for _, n := range rows {
			totals[name] += n
		}
	}
	return totals
}

// Rows says, measure by measure, which records an area and all below it come to on a day,
// and what each of them counts as: of those that count as one, the one that stands for them.
func (r *Reading) Rows(root syncproto.AreaID, day form.Day) map[string]map[syncproto.RecordID]int64 {
	rows := make(map[string]map[syncproto.RecordID]int64)
	for _, one := range r.counted() {
		f := r.forms.Newest(one.Kind)
		if f == nil {
			continue
		}
		for i := range f.Measures {
			m := &f.Measures[i]
			if at, n := r.countsIn(f, m, one, day); n != 0 && r.areas.Within(at, root) {
				if rows[m.Name] == nil {
					rows[m.Name] = make(map[syncproto.RecordID]int64)
				}
				rows[m.Name][one.ID] += n
			}
		}
	}
	return rows
}

// Gone counts what records add of which nothing is left.
func (r *Reading) Gone(root syncproto.AreaID, day form.Day) map[string]int64 {
	gone := make(map[string]int64)
	for _, t := range r.gone() {
		for name, n := range t.Before.Totals(root, day) {
			gone[name] += n
		}
		for name, n := range t.After.Totals(root, day) {
			gone[name] -= n
		}
	}
	return gone
}

// Over counts what an area and all below it come to over days: what stands when the last
// of them ends, and what happened on any of them.
func (r *Reading) Over(root syncproto.AreaID, from, to form.Day) map[string]int64 {
	standing := make(map[string]bool)
	for _, kind := range r.forms.Kinds() {
		for _, m := range r.forms.Newest(kind).Measures {
			standing[m.Name] = m.Standing
		}
	}
	over := make(map[string]int64)
	for name, n := range r.Totals(root, to) {
		if standing[name] {
			over[name] = n
		}
	}
	for _, day := range r.Days() {
		if day < from || day > to {
			continue
		}
		for name, n := range r.Totals(root, day) {
			if !standing[name] {
				over[name] += n
			}
		}
	}
	return over
}

// countsIn is where a record counts in a measure on a day, and as how many.
func (r *Reading) countsIn(f *form.Form, m *form.Measure, one *countedOnce, day form.Day) (syncproto.AreaID, int64) {
	shown := &one.shown
	start, ok := dayIn(shown.Values[m.Day])
	if !ok || !m.When.Hold(f, shown.Values, r.env(one.Area)) {
		return "", 0
	}
	n := int64(1)
	if m.PerMember != "" {
		list, _ := shown.Values[m.PerMember].Texts()
		n = int64(len(list))
	}
	if m.Sum != "" {
		n = addedUp(m.Sum, shown.Values)
	}
	if !m.Standing {
		if day != start {
			return "", 0
		}
		return one.Area, n
	}
	if day < start {
		return "", 0
	}
	if until, ends := dayIn(shown.Values[m.Until]); m.Until != "" && ends && day >= until {
		return "", 0
	}
	if shown.Exit != nil {
		if left, _ := form.ParseDay(shown.Exit.Date); day >= left {
			return "", 0
		}
	}
	return r.livedIn(one, day), n
}

// addedUp reads what a sum comes to: a field as it stands, or taken away. A form
// that adds up anything else has to be taught to the oracle first.
func addedUp(sum string, shown syncproto.Fields) int64 {
	name, minus := strings.CutPrefix(sum, "-")
	name, there := strings.CutPrefix(name, "${")
	name, closed := strings.CutSuffix(name, "}")
	if !there || !closed || strings.ContainsAny(name, "${}") {
		panic("no way is known to add up " + sum)
	}
	n, err := strconv.ParseInt(string(shown[name]), 10, 64)
	if err != nil { // nothing written, or no whole number
		return 0
	}
	if minus {
		return -n
	}
	return n
}

// livedIn is where a record belonged on a day: in the first of the former areas that it
// had not left yet, or where it is.
func (r *Reading) livedIn(one *countedOnce, day form.Day) syncproto.AreaID {
	texts, _ := one.shown.Values[syncproto.FieldResidences].Texts()
	slices.Sort(texts) // by day of leaving
	for _, text := range texts {
		past, ok := form.ParseResidence(text)
		if !ok || day >= past.Left {
			continue
		}
		if _, known := r.areas.Find(past.Area); known {
			return past.Area
		}
		return one.Area
	}
	return one.Area
}

// dayIn reads the day of a date or a time.
func dayIn(v syncproto.Value) (form.Day, bool) {
	if text, ok := v.Text(); ok {
		return form.ParseDay(text)
	}
	var at int64
	if v.IsNull() || !isInteger(string(v), &at) {
		return 0, false
	}
	day := form.DayOf(syncproto.Instant(at))
	return day, day != 0
}

// isInteger reads a plain integer, as the simulation writes every time.
func isInteger(s string, into *int64) bool {
	*into = 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
		*into = *into*10 + int64(c-'0')
	}
	return s != ""
}

// countedOnce are records that count as one: where the one belongs that stands for
// them, and what they show together.
type countedOnce struct {
	*Record
	shown Shown
}

// counted are the records that count as one: those that are one by decision, and the
// two sides of every open double visit. It is worked out once a reading.
func (r *Reading) counted() []*countedOnce {
	if r.once == nil {
		for _, group := range r.together() {
			r.once = append(r.once, &countedOnce{group[0], r.Joined(group)})
		}
	}
	return r.once
}

// together lists the groups that counted shows, each beginning with the record that
// stands for it: the survivor with the least id.
func (r *Reading) together() [][]*Record {
	open := make(map[review.Key]bool)
	r.pairs(open)
	of := make(map[syncproto.RecordID]syncproto.RecordID)
	for id := range r.Records {
		of[id] = r.Root(id)
	}
	for key := range open {
		if key.Kind != review.DoubleVisit {
			continue
		}
		low, high := of[key.Record], of[key.Other()]
		if less(low, high) > 0 {
			low, high = high, low
		}
		for id, group := range of {
			if group == high {
				of[id] = low
			}
		}
	}
	groups := make(map[syncproto.RecordID][]*Record)
	for _, id := range r.ids() {
		if head := of[id]; id == head {
			groups[head] = slices.Insert(groups[head], 0, r.Records[id])
		} else {
			groups[head] = append(groups[head], r.Records[id])
		}
	}
	return slices.Collect(maps.Values(groups))
}

// Days are the days on which anything begins, ends or moves, in order.
func (r *Reading) Days() []form.Day {
	var days []form.Day
	add := func(day form.Day, ok bool) {
		if ok && !slices.Contains(days, day) {
			days = append(days, day)
		}
	}
	for _, t := range r.gone() {
		for _, day := range t.Before.Days() {
			add(day, true)
		}
	}
	for _, one := range r.counted() {
		shown, f := one.shown, r.forms.Newest(one.Kind)
		if f == nil {
			continue
		}
		for i := range f.Measures {
			add(dayIn(shown.Values[f.Measures[i].Day]))
		}
		if shown.Exit != nil {
			add(form.ParseDay(shown.Exit.Date))
		}
		texts, _ := shown.Values[syncproto.FieldResidences].Texts()
		for _, text := range texts {
			past, ok := form.ParseResidence(text)
			add(past.Left, ok)
		}
	}
	slices.Sort(days)
	return days
}

// gone are the times at which something was taken away.
func (r *Reading) gone() []Taken {
	if r.taken == nil {
		return nil
	}
	taken, err := r.taken()
	if err != nil {
		panic(err) // it could be read when it was there
	}
	return taken
}
