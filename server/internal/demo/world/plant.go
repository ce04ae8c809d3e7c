package world

import (
	"slices"

	"gridsync/syncproto"
)

// corrections lets people disagree without having heard of each other: all of it
// is recorded in one phase, before anybody syncs. Each person is used once.
func (s *writer) corrections() {
	pool := s.pool()
	for n := range s.w.Size.Planted {
		s.mobiles(pool(n))
		s.exitAgainstEdit(pool(n))
		s.sameNumber(pool(n))
		s.sameMobile(pool(n))
		s.bothAdd(pool(n))
		s.notes(pool(n))
		s.movedAway(pool(n))
	}
	for n := range s.w.Size.Planted {
		s.feverAgainstNormal(s.measured(n))
		s.outOfArea(n)
	}
	for n := range max(1, s.w.Size.Planted/2) {
		s.unknownArea(n)
		s.badNumber(n)
	}
}

// pool hands out people, each once and each of another grid than the one before,
// who were met in the first round and aren't under observation.
func (s *writer) pool() func(grid int) int {
	next := make([]int, len(s.w.Grids))
	return func(n int) int {
		grid := n % len(s.w.Grids)
		for i := next[grid]; ; i++ {
			p := &s.w.People[i]
			if s.w.Households[p.Household].Grid == grid && !p.Late && !p.Returnee {
				next[grid] = i + 1
				return i
			}
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

// both lets two phones of the person's grid write to one record unaware of each other.
func (s *writer) both(person int, kind syncproto.Kind, record syncproto.RecordID, a, b syncproto.Fields) {
	grid := s.w.Households[s.w.People[person].Household].Grid
	phones := append(s.w.phones(Cadre, grid), s.w.phones(Staff, grid)...)
	for i, fields := range []syncproto.Fields{a, b} {
		s.act(phones[i], Act{At: s.after(phones[i]), Writes: []Write{{Kind: kind, Record: record, Area: s.w.Grids[grid], Fields: fields}}})
	}
}

func (s *writer) plant(why string, record syncproto.RecordID, field string, disputed bool, parked syncproto.Code) {
	s.w.Planted = append(s.w.Planted, Planted{Why: why, Record: record, Field: field, Disputed: disputed, Parked: parked})
}

// mobiles: two cadres correct one person's mobile differently.
func (s *writer) mobiles(i int) {
	p := &s.w.People[i]
	s.both(i, "person", p.ID,
		syncproto.Fields{"mobile": text("100" + s.digits(8))}, syncproto.Fields{"mobile": text("100" + s.digits(8))})
	s.plant("mobile", p.ID, "mobile", true, "")
}

// exitAgainstEdit: one cadre says that somebody has left, another one corrects the
// mobile of the person whom they met.
func (s *writer) exitAgainstEdit(i int) {
	p := &s.w.People[i]
	s.both(i, "person", p.ID,
		syncproto.Fields{syncproto.FieldExit: syncproto.ValueOf(syncproto.Exit{Reason: "left", Date: date(30), Destination: pick(s.r, towns)})},
		syncproto.Fields{"employer": text(pick(s.r, firms)), "transport": text(pick(s.r, trains))})
	s.plant("exit", p.ID, syncproto.FieldExit, true, "")
}

// sameNumber: one types an ID number in full-width digits, the other in half-width
// ones. That is one number with two witnesses.
func (s *writer) sameNumber(i int) {
	p := &s.w.People[i]
	s.both(i, "person", p.ID,
		syncproto.Fields{"id_number": text(fullWidth(p.IDNumber))}, syncproto.Fields{"id_number": text(p.IDNumber)})
	s.plant("full_width", p.ID, "id_number", false, "")
}

// sameMobile: both find the same new mobile, one of them with spaces in it.
func (s *writer) sameMobile(i int) {
	p := &s.w.People[i]
	mobile := "100" + s.digits(8)
	s.both(i, "person", p.ID,
		syncproto.Fields{"mobile": text(mobile[:3] + " " + mobile[3:7] + " " + mobile[7:])}, syncproto.Fields{"mobile": text(mobile)})
	s.plant("agreeing", p.ID, "mobile", false, "")
}

// bothAdd: two classes are added to one person. Both stay.
func (s *writer) bothAdd(i int) {
	p := &s.w.People[i]
	s.both(i, "person", p.ID,
		syncproto.Fields{"classes": syncproto.ValueOf([]string{"contact"})},
		syncproto.Fields{"classes": syncproto.ValueOf([]string{"key_region"})})
	s.plant("union", p.ID, "classes", false, "")
}

// notes differ, and the later shows: nobody has to look.
func (s *writer) notes(i int) {
	p := &s.w.People[i]
	s.both(i, "person", p.ID,
		syncproto.Fields{"note": text("白天上班，晚上在家")}, syncproto.Fields{"note": text("电话联系，已告知")})
	s.plant("latest", p.ID, "note", false, "")
}

// movedAway: somebody leaves, and nobody says otherwise.
func (s *writer) movedAway(i int) {
	p := &s.w.People[i]
	grid := s.w.Households[p.Household].Grid
	phone := s.w.phones(Staff, grid)[0]
	s.act(phone, Act{At: s.after(phone), Writes: []Write{{Kind: "person", Record: p.ID, Area: s.w.Grids[grid], Fields: syncproto.Fields{
		syncproto.FieldExit: syncproto.ValueOf(syncproto.Exit{Reason: "moved", Date: date(31), Destination: pick(s.r, towns)}),
	}}}})
	s.plant("moved", p.ID, syncproto.FieldExit, false, "")
}

// feverAgainstNormal: two people measure again and correct one record, one to a
// fever and the other to a normal reading.
func (s *writer) feverAgainstNormal(i int) {
	record := s.readings[i][0]
	s.both(i, "temperature", record, syncproto.Fields{"value": "38.4"}, syncproto.Fields{"value": "36.5"})
	s.plant("fever", record, "value", true, "")
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
	s.plant(string(why), id, "area", false, why)
}

// badNumber: an ID number whose check character can't be right.
func (s *writer) badNumber(n int) {
	i := len(s.w.People) - 1 - n
	p := &s.w.People[i]
	grid := s.w.Households[p.Household].Grid
	phone := s.w.phones(Staff, grid)[0]
	wrong := []byte(p.IDNumber)
	if wrong[17]++; wrong[17] > '9' {
		wrong[17] = '0'
	}
	s.act(phone, Act{At: s.after(phone), Writes: []Write{{
		Kind: "person", Record: p.ID, Area: s.w.Grids[grid], Fields: syncproto.Fields{"id_number": text(string(wrong))}, Anyway: true,
	}}})
	s.plant("fails_form", p.ID, "id_number", false, syncproto.CodeFailsForm)
}

// decisions: the secretary settles one mobile in three, and one fever.
func (s *writer) decisions() {
	settled := map[string]int{}
	for i := range s.w.Planted {
		planted := &s.w.Planted[i]
		if !planted.Disputed || !slices.Contains([]string{"mobile", "fever"}, planted.Why) {
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
		planted.Disputed = false
	}
}
