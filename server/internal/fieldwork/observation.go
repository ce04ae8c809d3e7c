package fieldwork

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// watched is somebody under observation on a day.
type watched struct {
	*entry
	person syncproto.RecordID
	// ends is the day on which the time is up.
	ends   form.Day
	checks int
	done   int
}

// observations adds the checks that the day still lacks, and the observations whose time
// is up.
func (a *agenda) observations(ctx context.Context, asked DutyKind) error {
	all, err := a.s.list(ctx, a.snap, keysOf(a.nodes), KindObservation)
	if err != nil {
		return err
	}
	var under []watched
	for i := range all {
		if w, ok := a.watched(&all[i]); ok {
			under = append(under, w)
		}
	}
	if len(under) == 0 {
		return nil
	}
	if asked != DutyRelease {
		if err := a.checked(ctx, under); err != nil {
			return err
		}
	}
	for i := range under {
		w := &under[i]
		d := Duty{
			Area: w.Area, Record: w.ID, RecordKind: KindObservation, Extended: w.text("extended_to"),
			Subject: &w.person, SubjectKind: roster.KindPerson,
		}
		if w.ends <= a.day {
			release := d
			release.Kind, release.Due, release.Overdue = DutyRelease, w.ends.String(), w.ends < a.day
			a.add(asked, &release)
		}
		if w.done < w.checks {
			d.Kind, d.Due, d.Checks, d.Done = DutyCheck, a.day.String(), w.checks, w.done
			d.Late = max(0, a.dueBy(w)-w.done)
			d.Overdue = d.Late > 0
			a.add(asked, &d)
		}
	}
	return a.broken(ctx)
}

// watched reports whether somebody is under observation on the day: from its start until
// the day of release or exit, whether or not the time is up.
func (a *agenda) watched(e *entry) (watched, bool) {
	w := watched{entry: e, person: e.ref("person")}
	start, released := e.day("start"), e.day("released_on")
	if start == 0 || start > a.day || released != 0 && released <= a.day || e.left() <= a.day || w.person.IsZero() {
		return w, false
	}
	w.ends = max(e.day("planned_end"), e.day("extended_to"))
	if w.ends == 0 {
		w.ends = addDays(start, a.number("observation_days", e.Area))
	}
	w.checks = a.number("slots_per_day", e.Area)
	if own, ok := e.whole("slots_per_day"); ok {
		w.checks = int(own)
	}
	return w, true
}

// dueBy is how many checks should have been made by now. The day up to the hour at which
// it is closed is cut into as many equal parts as it has checks, and each is due at the end
// of its part.
func (a *agenda) dueBy(w *watched) int {
	start := dayStart(a.day)
	passed := a.now - start
	closing := closingHour(a.setting("closing_hour", w.Area))
	if closing == 0 || passed >= closing {
		return w.checks
	}
	return int(max(0, passed) * syncproto.Instant(w.checks) / closing)
}

// closingHour reads 18:00 as the time since midnight.
func closingHour(v syncproto.Value) syncproto.Instant {
	s, _ := v.Text()
	at, err := time.Parse("15:04", s)
	if err != nil {
		return 0
	}
	return syncproto.Instant(at.Hour())*hour + syncproto.Instant(at.Minute())*hour/60
}

// check is one temperature of somebody who is observed.
type check struct {
	slot string
	area syncproto.AreaID
}

// checked counts the temperatures taken on the day of those under observation. They are
// looked for where the observation lies and next to it, in whatever lies below the same
// area, among what was received since the day before: what is older was taken before it.
func (a *agenda) checked(ctx context.Context, under []watched) error {
	of, err := a.identities(ctx, under)
	if err != nil {
		return err
	}
	since, err := a.s.store.Before(ctx, dayStart(addDays(a.day, -1)))
	if err != nil {
		return err
	}
	checks := make(map[syncproto.RecordID][]check)
	for _, key := range a.around(under) {
		for place := (roster.Place{Area: key, Version: since}); ; {
			records, end, err := a.s.store.Roster(ctx, []area.Key{key}, KindTemperature, place, chunk)
			if err != nil {
				return err
			}
			taken, err := a.s.show(ctx, a.snap, nil, records)
			if err != nil {
				return err
			}
			for i := range taken {
				if person, observed := of[taken[i].ref("person")]; observed && a.counts(&taken[i]) {
					checks[person] = append(checks[person], checkOf(&taken[i]))
				}
			}
			if len(records) < chunk {
				break
			}
			place = end
		}
	}
	for i := range under {
		under[i].done = a.made(checks[of[under[i].person]], a.next(under[i].Area))
	}
	return nil
}

// counts reports whether a temperature was taken on the day.
func (a *agenda) counts(t *entry) bool {
	at, ok := t.instant("taken_at")
	return ok && form.DayOf(at) == a.day && t.Exit == nil
}

// checkOf is a temperature's slot; one without any is a slot of its own.
func checkOf(t *entry) check {
	return check{slot: cmp.Or(t.text("slot"), t.ID.String()), area: t.Area}
}

// made counts the checks in an area and below it: two in one slot are one.
func (a *agenda) made(checks []check, in syncproto.AreaID) int {
	slots := make(map[string]bool)
	for _, c := range checks {
		if a.snap.Areas.Within(c.area, in) {
			slots[c.slot] = true
		}
	}
	return len(slots)
}

// next is the area above one, or the area itself at the top.
func (a *agenda) next(id syncproto.AreaID) syncproto.AreaID {
	n, _ := a.snap.Areas.Find(id)
	return cmp.Or(n.Parent, id)
}

// around are the areas in which checks of those under observation are looked for.
func (a *agenda) around(under []watched) []area.Key {
	var keys []area.Key
	done := make(map[syncproto.AreaID]bool)
	for i := range under {
		if in := a.next(under[i].Area); !done[in] {
			done[in] = true
			keys = append(keys, keysOf(a.snap.Areas.Subtree(in))...)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// identities says who is who among those under observation: every id that somebody is or
// was known by, to the one that stands for all.
func (a *agenda) identities(ctx context.Context, under []watched) (map[syncproto.RecordID]syncproto.RecordID, error) {
	ids := make([]syncproto.RecordID, len(under))
	of := make(map[syncproto.RecordID]syncproto.RecordID, len(under))
	for i := range under {
		ids[i] = under[i].person
		of[ids[i]] = ids[i]
	}
	for range maxLinks {
		records, err := a.s.store.RecordsByID(ctx, ids)
		if err != nil {
			return nil, err
		}
		var next []syncproto.RecordID
		for i := range records {
			row := roster.NewRow(a.snap, &records[i])
			if row.SameAs == nil {
				continue
			}
			for id, top := range of {
				if top == row.ID {
					of[id] = *row.SameAs
				}
			}
			if _, known := of[*row.SameAs]; !known {
				of[*row.SameAs] = *row.SameAs
				next = append(next, *row.SameAs)
			}
		}
		if ids = next; len(ids) == 0 {
			break
		}
	}
	var tops []syncproto.RecordID
	for _, top := range of {
		tops = append(tops, top)
	}
	links, err := a.s.store.Absorbed(ctx, tops)
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		of[l.Record] = l.Into
	}
	return of, nil
}

// maxLinks bounds how far one record leads to another: a circle ends.
const maxLinks = 16

// broken counts the breaches of the observations that are listed: those that stand.
func (a *agenda) broken(ctx context.Context) error {
	for i := range a.all {
		d := &a.all[i]
		if d.RecordKind != KindObservation {
			continue
		}
		ids, err := a.s.referring(ctx, d.Record, KindBreach)
		if err != nil {
			return err
		}
		breaches, err := a.s.find(ctx, a.snap, ids)
		if err != nil {
			return err
		}
		for _, breach := range breaches {
			d.Breaches += btoi(breach.Exit == nil)
		}
	}
	return nil
}

// dayStart is the first instant of a day.
func dayStart(day form.Day) syncproto.Instant { return syncproto.Instant(dateOf(day).UnixMilli()) }

func dateOf(day form.Day) time.Time {
	n := int(day)
	return time.Date(n/10000, time.Month(n/100%100), n%100, 0, 0, 0, 0, form.Zone)
}

func addDays(day form.Day, n int) form.Day {
	return form.DayOf(syncproto.Instant(dateOf(day).AddDate(0, 0, n).UnixMilli()))
}

func nextDay(day form.Day) form.Day { return addDays(day, 1) }
