package world

import (
	"slices"
	"strings"

	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// look is a character beside one that is written otherwise or sounds the same.
type look struct{ one, other string }

// Variants are one character written in two ways; homophones are two characters that
// sound the same, tone and all.
var (
	variants   = []look{{"务", "務"}, {"国", "國"}, {"华", "華"}, {"伟", "偉"}, {"龙", "龍"}, {"兰", "蘭"}}
	homophones = []look{{"杰", "洁"}, {"健", "建"}, {"宏", "红"}, {"新", "欣"}, {"志", "智"}, {"明", "铭"}}
)

// twins are people who are registered twice, chosen before anybody is: their names are
// such that the second one who writes them down may write them differently.
type twins struct{ variants, homophones []int }

func (s *writer) chooseTwins() {
	for n := range s.w.Size.Planted {
		i, j := s.pool(n), s.pool(n)
		s.rename(i, variants[n%len(variants)].one)
		s.rename(j, homophones[n%len(homophones)].one)
		s.twins.variants = append(s.twins.variants, i)
		s.twins.homophones = append(s.twins.homophones, j)
	}
}

// rename gives a person another given name.
func (s *writer) rename(person int, given string) {
	p := &s.w.People[person]
	h := &s.w.Households[p.Household]
	name := string([]rune(p.Name)[:1]) + given
	if h.Head == p.Name {
		h.Head = name
	}
	p.Name = name
}

// evening is when those who were out in the second round write down what was handed to
// them meanwhile, not knowing what others have written down: people, households and
// visits that are on the server already. They know from the slips that were handed out
// when somebody was first registered.
func (s *writer) evening() {
	for n := range s.w.Size.Planted {
		s.sameNumberTwice(s.pool(n))
		s.otherCharacter(s.twins.variants[n], variants[n%len(variants)])
		s.soundsAlike(s.twins.homophones[n], homophones[n%len(homophones)])
		s.arrival(n, s.pool(n))
		s.visitTwice(n)
	}
	for n := range s.w.Size.batches() {
		s.threeChannels(n, s.pool(n))
		s.metTwice(n)
	}
	for n := range s.w.Size.batches() {
		s.typedAtOnce(n)
		s.allTheSame(n)
	}
}

// again lets a phone register a person, a second time, in an area.
func (s *writer) again(person, phone int, area syncproto.AreaID, fields syncproto.Fields, why string) {
	p := &s.w.People[person]
	when := s.after(phone)
	id := s.newID(when)
	fields["sex"], fields["found_on"] = text(p.Sex), text(s.registered[p.ID])
	s.act(phone, Act{At: when, Writes: []Write{{Kind: "person", Record: id, Area: area, Fields: fields}}})
	s.plant(Planted{
		Why: why, Question: review.Duplicate, Record: p.ID, Other: id, By: []int{s.registrar[p.ID], phone},
	})
}

// stranger returns a phone of the person's grid that hasn't registered the person.
func (s *writer) stranger(person int) int {
	for _, phone := range s.pair(person) {
		if phone != s.registrar[s.w.People[person].ID] {
			return phone
		}
	}
	panic("world: one phone registered everybody")
}

// sameNumberTwice: a number in full-width digits is the same number.
func (s *writer) sameNumberTwice(i int) {
	p := &s.w.People[i]
	s.again(i, s.stranger(i), s.areaOf(i), syncproto.Fields{
		"name": text(p.Name), "id_number": text(fullWidth(p.IDNumber)), "birth": text(p.Birth),
	}, "twice_number")
}

// otherCharacter: a name in traditional characters, and a mobile with spaces in it.
func (s *writer) otherCharacter(i int, l look) {
	p := &s.w.People[i]
	s.again(i, s.stranger(i), s.areaOf(i), syncproto.Fields{
		"name": text(strings.Replace(p.Name, l.one, l.other, 1)), "birth": text(p.Birth), "mobile": text(spaced(p.Mobile)),
		"household": text(s.w.Households[p.Household].ID.String()),
	}, "twice_variant")
}

// soundsAlike: a name by ear, and neither number.
func (s *writer) soundsAlike(i int, l look) {
	p := &s.w.People[i]
	s.again(i, s.stranger(i), s.areaOf(i), syncproto.Fields{
		"name": text(strings.Replace(p.Name, l.one, l.other, 1)), "birth": text(p.Birth),
		"household": text(s.w.Households[p.Household].ID.String()),
	}, "twice_sound")
}

// arrival: the station's post registers somebody who arrives, whom the community has.
func (s *writer) arrival(n, i int) {
	p := &s.w.People[i]
	posts := s.w.phones(Post, -1)
	phone := posts[n%len(posts)]
	fields := syncproto.Fields{
		"name": text(p.Name), "id_number": text(p.IDNumber), "mobile": text(p.Mobile), "transport": text(pick(s.r, trains)),
	}
	if p.Migrant {
		fields["came_from"], fields["arrived_on"] = text(p.CameFrom), text(p.ArrivedOn)
	}
	s.again(i, phone, s.w.Phones[phone].Area, fields, "twice_arrival")
}

// threeChannels: one household comes from the door, from the landlord's list and from
// the post, in three batches.
func (s *writer) threeChannels(n, i int) {
	h := &s.w.Households[s.w.People[i].Household]
	posts := s.w.phones(Post, -1)
	first, list, post := s.registrar[h.ID], s.stranger(i), posts[n%len(posts)]
	phones, ids := []int{first, list, post}, []syncproto.RecordID{h.ID}
	for _, phone := range phones[1:] {
		when := s.after(phone)
		id, area, address := s.newID(when), s.w.Grids[h.Grid], h.Address
		if phone == post {
			area, address = s.w.Phones[post].Area, fullWidth(h.Address)
		}
		ids = append(ids, id)
		s.act(phone, Act{At: when, Writes: []Write{{Kind: "household", Record: id, Area: area, Fields: syncproto.Fields{
			"address": text(address), "building": text(h.Building), "tenure": text(h.Tenure), "head": text(h.Head),
			"headcount": syncproto.ValueOf(len(h.People)), "found_on": text(s.registered[h.ID]),
		}}}})
	}
	for _, two := range [][2]int{{0, 1}, {0, 2}, {1, 2}} {
		s.plant(Planted{
			Why: "three_channels", Question: review.Duplicate, Record: ids[two[0]], Other: ids[two[1]],
			By: []int{phones[two[0]], phones[two[1]]},
		})
	}
}

// seen is a visit of the last day of the second round.
type seen struct {
	phone  int
	door   int
	record syncproto.RecordID
	found  []string
	when   syncproto.Instant
}

// visitTwice: two go to one door together, and each writes it down.
func (s *writer) visitTwice(n int) {
	v := s.lastVisit(n, func(seen) bool { return true })
	s.visitAgain(v, s.companion(v), v.found, "visited_twice")
}

// metTwice: two go to one door together, and the second one registers anew somebody whom
// the list has. Until both are settled the round has met one person too many.
func (s *writer) metTwice(n int) {
	v := s.lastVisit(n, func(v seen) bool {
		i := s.unused(v)
		return i >= 0 && s.registrar[s.w.People[i].ID] != s.companion(v)
	})
	i, other := s.unused(v), s.companion(v)
	s.used[i] = true
	p := &s.w.People[i]
	s.again(i, other, s.areaOf(i), syncproto.Fields{
		"name": text(p.Name), "id_number": text(fullWidth(p.IDNumber)), "birth": text(p.Birth),
	}, "met_twice")
	found := slices.Clone(v.found)
	found[slices.Index(found, p.ID.String())] = s.w.Planted[len(s.w.Planted)-1].Other.String()
	s.visitAgain(v, other, found, "met_twice_visit")
}

// unused returns somebody whom a visit found and on whom nothing is planted; -1 if there
// is nobody.
func (s *writer) unused(v seen) int {
	for _, i := range s.w.Households[v.door].People {
		p := &s.w.People[i]
		if !s.used[i] && !p.Late && !p.Returnee && slices.Contains(v.found, p.ID.String()) {
			return i
		}
	}
	return -1
}

// lastVisit takes a visit of the round's last day, in the nth grid if it can be.
func (s *writer) lastVisit(n int, fits func(seen) bool) seen {
	for _, anywhere := range []bool{false, true} {
		for i, v := range s.lastVisits {
			if fits(v) && (anywhere || s.w.Households[v.door].Grid == n%len(s.w.Grids)) {
				s.lastVisits = slices.Delete(s.lastVisits, i, i+1)
				return v
			}
		}
	}
	panic("world: nobody was visited on the last day of the round")
}

// companion is another phone of a visit's grid.
func (s *writer) companion(v seen) int {
	grid := s.w.Households[v.door].Grid
	phones := append(s.w.phones(Staff, grid), s.w.phones(Cadre, grid)...)
	if phones[0] == v.phone {
		return phones[1]
	}
	return phones[0]
}

func (s *writer) visitAgain(v seen, other int, found []string, why string) {
	visit := s.visitRecord(1, &s.w.Households[v.door], met, found, v.when)
	s.act(other, Act{At: s.after(other), Writes: []Write{visit}})
	s.plant(Planted{
		Why: why, Question: review.DoubleVisit, Record: v.record, Other: visit.Record, By: []int{v.phone, other},
	})
}

// spaced writes a mobile as people read it out.
func spaced(mobile string) string { return mobile[:3] + " " + mobile[3:7] + " " + mobile[7:] }
