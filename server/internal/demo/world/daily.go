package world

import (
	"time"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func dayOf(t syncproto.Instant) string { return form.DayOf(t).String() }

// walk is how many people are seen on one walk from door to door before the
// phone is put away: they are one act.
const walk = 12

// observations begins the observation of the returnees that are known by now.
func (s *writer) observations(late bool) {
	s.eachReturnee(late, late, func(i int, when syncproto.Instant) Write {
		p := &s.w.People[i]
		start := time.UnixMilli(int64(when)).In(form.Zone)
		return Write{Kind: "observation", Record: p.observation, Area: s.areaOf(i), Fields: syncproto.Fields{
			"person": text(p.ID.String()), "place": text("home"),
			"start": text(start.Format(time.DateOnly)), "planned_end": text(start.AddDate(0, 0, 14).Format(time.DateOnly)),
		}}
	})
}

// temperatures takes everybody's who is under observation, in one slot of a day.
func (s *writer) temperatures(day int, slot string) {
	s.eachReturnee(day == 31, false, func(i int, when syncproto.Instant) Write {
		reading := s.reading(i, slot, s.degrees(), when)
		s.readings[i] = append(s.readings[i], reading.Record)
		return reading
	})
}

// reading is one temperature of a person, taken at a moment.
func (s *writer) reading(person int, slot string, degrees syncproto.Value, taken syncproto.Instant) Write {
	return Write{Kind: "temperature", Record: s.newID(taken), Area: s.areaOf(person), Fields: syncproto.Fields{
		"person": text(s.w.People[person].ID.String()), "slot": text(slot), "value": degrees,
		"taken_at": syncproto.ValueOf(taken), "method": text("forehead"),
	}}
}

// degrees makes up a reading; one in a hundred is a fever.
func (s *writer) degrees() syncproto.Value {
	tenths := 360 + s.r.IntN(11)
	if s.r.IntN(100) == 0 {
		tenths = 374 + s.r.IntN(14)
	}
	return syncproto.ValueOf(float64(tenths) / 10)
}

func (s *writer) areaOf(person int) syncproto.AreaID {
	return s.w.Grids[s.w.Households[s.w.People[person].Household].Grid]
}

// eachReturnee writes one record for each returnee of the first round, those of the
// second too if late (those only if onlyLate), by the staff of their grid, several
// in each act.
func (s *writer) eachReturnee(late, onlyLate bool, record func(person int, when syncproto.Instant) Write) {
	staff := s.w.phones(Staff, -1)
	open := map[int]*Act{}
	flush := func(phone int) {
		if act := open[phone]; act != nil {
			s.act(phone, *act)
			delete(open, phone)
		}
	}
	for i := range s.w.People {
		p := &s.w.People[i]
		if !p.Returnee || p.Late && !late || !p.Late && onlyLate {
			continue
		}
		phone := staff[s.w.Households[p.Household].Grid]
		if open[phone] == nil {
			open[phone] = &Act{At: s.after(phone)}
		}
		act := open[phone]
		act.Writes = append(act.Writes, record(i, act.At))
		if len(act.Writes) == walk {
			flush(phone)
		}
	}
	for _, phone := range staff {
		flush(phone)
	}
}

// pause is how long a phone is put away after an act: nobody measures sixty people in
// ten minutes.
const pause = 150_000

// after returns a moment after what the phone did last in this phase.
func (s *writer) after(phone int) syncproto.Instant {
	acts := s.phase.Acts[phone]
	if len(acts) == 0 {
		return s.from + 60_000
	}
	return min(acts[len(acts)-1].At+pause, s.until-1000)
}

// post is half a day at the checkpoints: half of the day's people, some of them in
// vehicles. Three people share each post's phone, shift by shift.
func (s *writer) post(day, half int) {
	people, vehicles := s.w.Size.PassagesPerDay, s.w.Size.VehiclesPerDay
	from, until := people*half/2, people*(half+1)/2
	for _, phone := range s.w.phones(Post, -1) {
		for first := from; first < until; first += walk {
			act := Act{At: s.after(phone), Author: (day + half) % len(s.w.Phones[phone].Authors)}
			for i := first; i < min(first+walk, until); i++ {
				// Vehicles are spread evenly over the day.
				driven := (i+1)*vehicles/people > i*vehicles/people
				act.Writes = append(act.Writes, s.passage(phone, act.At, driven))
			}
			s.act(phone, act)
		}
	}
}

func (s *writer) passage(phone int, when syncproto.Instant, driven bool) Write {
	fields := syncproto.Fields{
		"direction": text(pick(s.r, []string{"in", "out"})), "name": text(personName(s.r)),
		"temperature": s.degrees(), "measure": text("pass"), "passed_at": syncproto.ValueOf(when),
	}
	if driven {
		fields["plate"] = text("测" + string(rune('A'+s.r.IntN(8))) + s.digits(5))
		fields["from"], fields["to"] = text(pick(s.r, towns)), text("D社区")
	}
	if s.r.IntN(40) == 0 {
		fields["measure"] = text("turned_back")
	}
	return Write{Kind: "passage", Record: s.newID(when), Area: s.w.Phones[phone].Area, Fields: fields}
}

func (s *writer) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + s.r.IntN(10))
	}
	return string(b)
}
