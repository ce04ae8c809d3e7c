package world

import (
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// corrections lets people disagree without having heard of each other: all of it
// is recorded in one phase, before anybody syncs. Each person is used once.
func (s *writer) corrections() {
	for n := range s.w.Size.Planted {
		s.mobiles(s.pool(n))
		s.exitAgainstEdit(s.pool(n))
		s.sameNumber(s.pool(n))
		s.sameMobile(s.pool(n))
		s.bothAdd(s.pool(n))
		s.notes(s.pool(n))
		s.movedAway(s.pool(n))
		s.wrongBirth(s.pool(n))
	}
	for n := range s.w.Size.Planted {
		s.feverAgainstNormal(s.measured(n))
		s.outOfArea(n)
		s.cold(n)
	}
	for n := range max(1, s.w.Size.Planted/2) {
		s.unknownArea(n)
		s.badNumber(n)
	}
	for n := range s.w.Size.batches() {
		s.hurried(n)
	}
	for i, day := range []int{28, 29, 30} {
		s.late(i, day)
	}
}

// pool hands out people, each once, of a grid, who were met in the first round and
// aren't under observation.
func (s *writer) pool(n int) int {
	grid := n % len(s.w.Grids)
	for i := s.taken[grid]; ; i++ {
		p := &s.w.People[i]
		if s.w.Households[p.Household].Grid == grid && !p.Late && !p.Returnee && !s.used[i] {
			s.taken[grid], s.used[i] = i+1, true
			return i
		}
	}
}

// measured returns the nth person with temperatures.
func (s *writer) measured(n int) int {
	for i := range s.w.People {
		if len(s.readings[i]) > 0 {
			if n == 0 {
				return i
			}
			n--
		}
	}
	panic("world: fewer people under observation than planted fevers")
}

// both lets two phones of the person's grid write to one record unaware of each other,
// and notes what is to come of it.
func (s *writer) both(person int, kind syncproto.Kind, a, b syncproto.Fields, planted Planted) {
	phones := s.pair(person)
	for i, fields := range []syncproto.Fields{a, b} {
		s.act(phones[i], Act{At: s.after(phones[i]), Writes: []Write{{Kind: kind, Record: planted.Record, Area: s.areaOf(person), Fields: fields}}})
	}
	planted.By = phones
	s.plant(planted)
}

// pair returns two phones of the person's grid.
func (s *writer) pair(person int) []int {
	grid := s.w.Households[s.w.People[person].Household].Grid
	return append(s.w.phones(Cadre, grid), s.w.phones(Staff, grid)...)[:2]
}

func (s *writer) staffOf(person int) int {
	return s.w.phones(Staff, s.w.Households[s.w.People[person].Household].Grid)[0]
}

func (s *writer) plant(p Planted) { s.w.Planted = append(s.w.Planted, p) }

// mobiles: two cadres correct one person's mobile differently.
func (s *writer) mobiles(i int) {
	p := &s.w.People[i]
	s.both(i, "person",
		syncproto.Fields{"mobile": text("100" + s.digits(8))}, syncproto.Fields{"mobile": text("100" + s.digits(8))},
		Planted{Why: "mobile", Question: review.Conflict, Record: p.ID, Field: "mobile"})
}

// exitAgainstEdit: one cadre says that somebody has left, another one corrects the
// mobile of the person whom they met.
func (s *writer) exitAgainstEdit(i int) {
	p := &s.w.People[i]
	s.both(i, "person",
		syncproto.Fields{syncproto.FieldExit: syncproto.ValueOf(syncproto.Exit{Reason: "left", Date: date(31), Destination: pick(s.r, towns)})},
		syncproto.Fields{"employer": text(pick(s.r, firms)), "transport": text(pick(s.r, trains))},
		Planted{Why: "exit", Question: review.Exit, Record: p.ID, Field: syncproto.FieldExit})
}

// sameNumber: one types an ID number in full-width digits, the other in half-width
// ones. That is one number with two witnesses.
func (s *writer) sameNumber(i int) {
	p := &s.w.People[i]
	s.both(i, "person",
		syncproto.Fields{"id_number": text(fullWidth(p.IDNumber))}, syncproto.Fields{"id_number": text(p.IDNumber)},
		Planted{Why: "full_width", Record: p.ID, Field: "id_number"})
}

// sameMobile: both find the same new mobile, one of them with spaces in it.
func (s *writer) sameMobile(i int) {
	p := &s.w.People[i]
	mobile := "100" + s.digits(8)
	s.both(i, "person",
		syncproto.Fields{"mobile": text(spaced(mobile))}, syncproto.Fields{"mobile": text(mobile)},
		Planted{Why: "agreeing", Record: p.ID, Field: "mobile"})
}

// bothAdd: two classes are added to one person. Both stay.
func (s *writer) bothAdd(i int) {
	p := &s.w.People[i]
	s.both(i, "person",
		syncproto.Fields{"classes": syncproto.ValueOf([]string{"contact"})},
		syncproto.Fields{"classes": syncproto.ValueOf([]string{"key_region"})},
		Planted{Why: "union", Record: p.ID, Field: "classes"})
}

// notes differ, and the later shows: nobody has to look.
func (s *writer) notes(i int) {
	p := &s.w.People[i]
	s.both(i, "person",
		syncproto.Fields{"note": text("白天上班，晚上在家")}, syncproto.Fields{"note": text("电话联系，已告知")},
		Planted{Why: "latest", Record: p.ID, Field: "note"})
}

// movedAway: somebody leaves, and nobody says otherwise.
func (s *writer) movedAway(i int) {
	p := &s.w.People[i]
	phone := s.staffOf(i)
	s.act(phone, Act{At: s.after(phone), Writes: []Write{{Kind: "person", Record: p.ID, Area: s.areaOf(i), Fields: syncproto.Fields{
		syncproto.FieldExit: syncproto.ValueOf(syncproto.Exit{Reason: "moved", Date: date(31), Destination: pick(s.r, towns)}),
	}}}})
	s.plant(Planted{Why: "moved", Record: p.ID, Field: syncproto.FieldExit, By: []int{phone}})
}

// feverAgainstNormal: two people measure again and correct one record, one to a
// fever and the other to a normal reading.
func (s *writer) feverAgainstNormal(i int) {
	s.both(i, "temperature", syncproto.Fields{"value": "38.4"}, syncproto.Fields{"value": "36.5"},
		Planted{Why: "fever", Question: review.Conflict, Record: s.readings[i][0], Field: "value"})
}

// outOfArea: a cadre writes down late, from a list, a household of the next community.
func (s *writer) outOfArea(n int) {
	cadres := s.w.phones(Cadre, -1)
	s.parked(cadres[n%len(cadres)], s.w.Neighbour, syncproto.CodeOutOfArea, "E社区幸福里", "补录")
}

// unknownArea: a building was given a code that nobody has entered yet.
func (s *writer) unknownArea(n int) {
	staff := s.w.phones(Staff, -1)
	s.parked(staff[n%len(staff)], s.w.Community+"77", syncproto.CodeUnknownArea, "D社区新建安置房", "")
}

func (s *writer) parked(phone int, area syncproto.AreaID, why syncproto.Code, address, note string) {
	when := s.after(phone)
	id := s.newID(when)
	fields := syncproto.Fields{"address": text(address + s.digits(2) + "号"), "tenure": text("rented"), "found_on": text(date(30))}
	if note != "" {
		fields["note"] = text(note)
	}
	s.act(phone, Act{At: when, Writes: []Write{{Kind: "household", Record: id, Area: area, Fields: fields}}})
	s.plant(Planted{Why: string(why), Question: review.Parked, Record: id, Field: syncproto.FieldArea, Parked: why, By: []int{phone}})
}

// badNumber: an ID number whose check character can't be right.
func (s *writer) badNumber(n int) {
	i := len(s.w.People) - 1 - n
	p := &s.w.People[i]
	phone := s.staffOf(i)
	wrong := []byte(p.IDNumber)
	if wrong[17]++; wrong[17] > '9' {
		wrong[17] = '0'
	}
	s.act(phone, Act{At: s.after(phone), Writes: []Write{{
		Kind: "person", Record: p.ID, Area: s.areaOf(i), Fields: syncproto.Fields{"id_number": text(string(wrong))}, Anyway: true,
	}}})
	s.plant(Planted{
		Why: "fails_form", Question: review.Parked, Record: p.ID, Field: "id_number", Parked: syncproto.CodeFailsForm, By: []int{phone},
	})
}

// decisions: the secretary settles one mobile in three, and one fever.
func (s *writer) decisions() {
	settled := map[string]int{}
	for i := range s.w.Planted {
		planted := &s.w.Planted[i]
		if planted.Why != "mobile" && planted.Why != "fever" {
			continue
		}
		if settled[planted.Why]++; settled[planted.Why]%3 != 1 {
			continue
		}
		value, kind := text("100"+s.digits(8)), syncproto.Kind("person")
		if planted.Why == "fever" {
			value, kind = "38.4", "temperature"
		}
		s.act(0, Act{At: s.after(0), Decides: true, Writes: []Write{{
			Kind: kind, Record: planted.Record, Fields: syncproto.Fields{planted.Field: value},
		}}})
		planted.Decided = true
	}
}
