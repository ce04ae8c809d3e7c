package world

import (
	"fmt"
	"strconv"

	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// The rules that planted entries break, as forms name them.
const (
	ruleRange = "range"
	ruleBirth = "birth"
	rulePace  = "pace"
	ruleRun   = "run"
	ruleBurst = "burst"
)

// Sizes of what is planted: each a little above what the forms take for believable.
const (
	hurriedVisits = 16  // in ten minutes
	sameReadings  = 24  // in an hour
	typedReadings = 130 // in one minute
)

// batches is how many batches of each hasty sort are planted.
func (s Size) batches() int { return max(1, s.Planted/3) }

// cold: nobody who stands at a door has 33.1 °C.
func (s *writer) cold(n int) {
	i := s.measured(n)
	phone := s.staffOf(i)
	when := s.after(phone)
	reading := s.reading(i, "noon", "33.1", when)
	s.act(phone, Act{At: when, Writes: []Write{reading}})
	s.plant(Planted{Why: "cold", Question: review.Implausible, Record: reading.Record, Field: ruleRange, By: []int{phone}})
}

// wrongBirth: a date of birth ten years before the one in the ID number.
func (s *writer) wrongBirth(i int) {
	p := &s.w.People[i]
	phone := s.staffOf(i)
	year, _ := strconv.Atoi(p.Birth[:4])
	s.act(phone, Act{At: s.after(phone), Writes: []Write{{
		Kind: "person", Record: p.ID, Area: s.areaOf(i), Fields: syncproto.Fields{"birth": text(fmt.Sprint(year-10) + p.Birth[4:])},
	}}})
	s.plant(Planted{Why: "wrong_birth", Question: review.Implausible, Record: p.ID, Field: ruleBirth, By: []int{phone}})
}

// hasty returns the staff's phone that enters a batch: each sort has others, so that
// no batch hides in another.
func (s *writer) hasty(sort, n int) int {
	staff := s.w.phones(Staff, -1)
	return staff[(3*n+sort)%len(staff)]
}

// hurried: more doors than anybody can knock at in ten minutes, and nobody home.
func (s *writer) hurried(n int) {
	phone := s.hasty(0, n)
	grid := s.w.Phones[phone].Grid
	from := at(31, 11, 10*n)
	for door, k := 0, 0; k < hurriedVisits; door = (door + 1) % len(s.w.Households) {
		h := &s.w.Households[door]
		if h.Grid != grid {
			continue
		}
		when := from + syncproto.Instant(k)*30_000
		s.act(phone, Act{At: when, Writes: []Write{s.visitRecord(1, h, notHome, nil, when)}})
		k++
	}
	s.plant(Planted{Why: "hurried", Question: review.Implausible, Field: rulePace, By: []int{phone}})
}

// allTheSame: a whole hour of readings, and every one of them 36.5.
func (s *writer) allTheSame(n int) {
	phone := s.hasty(1, n)
	for k := range sameReadings {
		when := at(30, 19, 0) + syncproto.Instant(k)*140_000
		s.act(phone, Act{At: when, Writes: []Write{s.reading(s.measuredIn(phone, k), "pm", "36.5", when)}})
	}
	s.plant(Planted{Why: "all_the_same", Question: review.Implausible, Field: ruleRun, By: []int{phone}})
}

// typedAtOnce: a day's readings that are entered within a minute.
func (s *writer) typedAtOnce(n int) {
	phone := s.hasty(2, n)
	act := Act{At: at(30, 20, 30)}
	for k := range typedReadings {
		taken := at(30, 6, 0) + syncproto.Instant(k)*300_000
		act.Writes = append(act.Writes, s.reading(s.measuredIn(phone, k), "noon", s.degrees(), taken))
	}
	s.act(phone, act)
	s.plant(Planted{Why: "typed_at_once", Question: review.Implausible, Field: ruleBurst, By: []int{phone}})
}

// measuredIn returns the nth person with temperatures in a phone's grid, beginning
// again after the last.
func (s *writer) measuredIn(phone, n int) int {
	var people []int
	for i := range s.w.People {
		if len(s.readings[i]) > 0 && s.w.Households[s.w.People[i].Household].Grid == s.w.Phones[phone].Grid {
			people = append(people, i)
		}
	}
	if len(people) == 0 {
		return s.measured(0)
	}
	return people[n%len(people)]
}
