package form

import (
	"errors"
	"fmt"
	"math"

	"gridsync/syncproto"
	"gridsync/syncproto/expr"
)

// Unit says what a measure counts. Sums of different units are never added.
type Unit string

// The units.
const (
	Households     Unit = "household"      // 户
	People         Unit = "person"         // 人
	Times          Unit = "time"           // 人次
	HouseholdTimes Unit = "household_time" // 户次
	Vehicles       Unit = "vehicle"        // 辆次
	Items          Unit = "item"           // 件
)

// Measure counts records.
type Measure struct {
	Name  string         `json:"name"`
	Label syncproto.Text `json:"label"`
	Unit  Unit           `json:"unit"`
	// Day is the field, a date or a time, that says on which day the record counts.
	Day string `json:"day"`
	// Standing measures count what is there on a day: a record counts from Day
	// until the day of its exit. The others count what happened on Day.
	Standing bool `json:"standing,omitempty"`
	// Until is a date field that ends a standing record's count as an exit does.
	Until string `json:"until,omitempty"`
	When  When   `json:"when,omitzero"`
	// PerMember names a list field whose members are counted instead of the record.
	PerMember string `json:"per_member,omitempty"`
	// Sum is an expression that comes to the whole number which is added up in place of
	// 1, and may be below 0; a record for which it comes to anything else adds nothing.
	Sum string `json:"sum,omitempty"`

	sum *expr.Expr
}

func (m *Measure) check(f *Form) error {
	day := f.byName[m.Day]
	if day == nil || day.Type != Date && day.Type != Time {
		return fmt.Errorf("day %q must be a date or a time field", m.Day)
	}
	if until := f.byName[m.Until]; m.Until != "" && (until == nil || until.Type != Date || !m.Standing) {
		return fmt.Errorf("until %q must be a date field of a standing measure", m.Until)
	}
	switch m.Unit {
	case Households, People, Times, HouseholdTimes, Vehicles, Items:
	default:
		return fmt.Errorf("unknown unit %q", m.Unit)
	}
	if m.PerMember != "" {
		if list := f.byName[m.PerMember]; list == nil || list.Rule != Union {
			return fmt.Errorf("per_member %q must be a list field", m.PerMember)
		}
	}
	if m.Sum != "" {
		if m.PerMember != "" {
			return errors.New("per_member and sum: one of them")
		}
		var err error
		if m.sum, err = f.derived("sum", m.Sum); err != nil {
			return err
		}
	}
	return m.When.check(f)
}

// Day is a calendar day as 20200131: the year, month and day in decimal.
type Day = expr.Day

// Zone is the zone in which days are counted: China Standard Time, which has no
// daylight saving.
var Zone = expr.Zone

// DayOf returns the day of an instant in Zone.
func DayOf(t syncproto.Instant) Day { return expr.DayOf(t) }

// ParseDay reads 2020-01-31.
func ParseDay(s string) (Day, bool) { return expr.ParseDay(s) }

// Count is a record's share in one measure on one day, in one area.
type Count struct {
	Measure string
	Day     Day
	N       int64
	// Area is where it counts; empty for the record's own area.
	Area syncproto.AreaID
}

// Counts returns what a record that shows these values adds to the measures of
// its form. A standing measure adds on the day it starts and takes away on the
// day of leaving, so that the sum of all days up to D is what is there when D ends.
// Who moved counts in each former area until the day of leaving it, and in the
// record's own area from then on: once on every day.
// A disputed exit is passed as exit == nil: somebody says that the record is
// there, and the cautious reading counts.
// env is that of the record's own area.
func (f *Form) Counts(shown syncproto.Fields, exit *syncproto.Exit, env Env) []Count {
	if f == nil {
		return nil
	}
	s := f.scope(shown, env)
	past := ResidencesOf(shown)
	var counts []Count
	for i := range f.Measures {
		m := &f.Measures[i]
		day, ok := f.dayOf(m.Day, shown[m.Day])
		if !ok || !m.When.hold(f, &s) {
			continue
		}
		n := m.amount(&s)
		if n == 0 {
			continue
		}
		if !m.Standing {
			counts = append(counts, Count{Measure: m.Name, Day: day, N: n})
			continue
		}
		end := f.end(m, shown, exit)
		for _, s := range stays(day, end, past) {
			counts = append(counts, Count{m.Name, s.from, n, s.area})
			if s.until != never {
				counts = append(counts, Count{m.Name, s.until, -n, s.area})
			}
		}
	}
	return counts
}

// never is later than every day.
const never Day = math.MaxInt32

// stay is where a standing record is from one day until another, on which it is there
// no more. An empty area is the record's own.
type stay struct {
	from, until Day
	area        syncproto.AreaID
}

// stays cuts the days from start until end by where the record was.
func stays(start, end Day, past []Residence) []stay {
	var all []stay
	from := start
	for _, r := range past {
		if until := min(r.Left, end); until > from {
			all = append(all, stay{from, until, r.Area})
			from = until
		}
	}
	if from > start && from >= end {
		return all
	}
	return append(all, stay{from: from, until: max(from, end)})
}

// end returns the first day on which a standing record no longer counts: the day
// of its exit or the day in the field Until, whichever is earlier.
func (f *Form) end(m *Measure, shown syncproto.Fields, exit *syncproto.Exit) Day {
	end := never
	if until, ok := f.dayOf(m.Until, shown[m.Until]); ok && m.Until != "" {
		end = until
	}
	if exit != nil {
		left, _ := ParseDay(exit.Date) // an unreadable date counts as "was never here"
		end = min(end, left)
	}
	return end
}

func (m *Measure) amount(s *expr.Scope) int64 {
	switch {
	case m.sum != nil:
		n, _ := m.sum.Whole(s)
		return n
	case m.PerMember == "":
		return 1
	}
	members, _ := s.Fields[m.PerMember].Texts()
	return int64(len(members))
}

// dayOf reads the day out of a date or time field.
func (f *Form) dayOf(name string, v syncproto.Value) (Day, bool) {
	field, ok := f.Field(name)
	if !ok {
		return 0, false
	}
	return dayIn(field.Type, v)
}

// dayIn reads the day out of a value of type date or time.
func dayIn(typ Type, v syncproto.Value) (Day, bool) {
	if v.IsNull() {
		return 0, false
	}
	if typ == Date {
		text, _ := v.Text()
		return ParseDay(text)
	}
	t, ok := instant(v)
	if !ok {
		return 0, false
	}
	d := DayOf(t)
	return d, d != 0
}

// FlagsOf returns the names of the flags that a record raises as it stands. env is that of
// its own area.
func (f *Form) FlagsOf(shown syncproto.Fields, env Env) []string {
	if f == nil {
		return nil
	}
	s := f.scope(shown, env)
	var names []string
	for i := range f.Flags {
		if flag := &f.Flags[i]; flag.When.hold(f, &s) {
			names = append(names, flag.Name)
		}
	}
	return names
}

// Seen returns the round and the people whom a record gives evidence of having met.
func (f *Form) Seen(shown syncproto.Fields, env Env) (round syncproto.RecordID, subjects []syncproto.RecordID) {
	if f == nil || f.Sightings == nil || !f.Sightings.When.Hold(f, shown, env) {
		return round, nil
	}
	text, _ := shown[f.Sightings.Round].Text()
	round, err := syncproto.ParseID[syncproto.RecordID](text)
	if err != nil {
		return round, nil
	}
	members, _ := shown[f.Sightings.Subjects].Texts()
	for _, m := range members {
		if id, err := syncproto.ParseID[syncproto.RecordID](m); err == nil {
			subjects = append(subjects, id)
		}
	}
	return round, subjects
}
