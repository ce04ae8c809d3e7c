package world

import (
	"fmt"
	"math/rand/v2"

	"gridsync/syncproto"
)

// New makes a world from a seed.
func New(seed uint64, size Size) *World {
	r := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	w := &World{Seed: seed, Size: size}
	w.addAreas()
	w.addPhones(r)
	w.Rounds = [2]Round{
		{ID: newID[syncproto.RecordID](r, Begins), Name: "第一轮排查", Day: date(27)},
		{ID: newID[syncproto.RecordID](r, Begins), Name: "第二轮排查", Day: date(29)},
	}
	settle := settler{w: w, r: r, numbers: numbers{ids: map[string]bool{}, mobiles: map[string]bool{}}}
	settle.all()
	w.write(r)
	return w
}

// settler fills doors with people.
type settler struct {
	w       *World
	r       *rand.Rand
	numbers numbers
	doors   []int // per grid, to number addresses
}

// The outcomes of a visit.
const (
	met     = "met"
	notHome = "not_home"
	refused = "refused"
)

func (s *settler) all() {
	size := s.w.Size
	s.doors = make([]int, size.Grids)
	dormitory := size.Migrants / 12
	hidden := size.Late * 3 / 5 // behind doors that did open in the first round
	s.behind("registered", split(s.r, size.RegisteredPeople, size.RegisteredHouseholds, 8), false)
	s.behind("dormitory", split(s.r, dormitory, max(1, dormitory/11), 20), false)
	s.behind("rented", split(s.r, size.Migrants-dormitory, (size.Migrants-dormitory+2)/3, 7), false)
	opened := len(s.w.Households)
	for range hidden {
		door := s.r.IntN(opened)
		for s.w.Households[door].Tenure == "registered" {
			door = s.r.IntN(opened)
		}
		s.person(door, true)
	}
	s.behind("rented", split(s.r, size.Late-hidden, max(1, (size.Late-hidden)/3), 7), true)
	for range size.Firms {
		door := s.door("firm", []string{met}, []string{met})
		s.w.Households[door].Head = personName(s.r)
	}
	for range max(1, size.RegisteredHouseholds/20) {
		s.door("rented", []string{notHome, notHome}, []string{notHome, notHome}) // let, and empty
	}
	s.returnees()
}

// split divides people among parts, or more if they don't hold them: at least one
// and at most most in each.
func split(r *rand.Rand, people, parts, most int) []int {
	parts = max(1, min(people, max(parts, (people+most-1)/most)))
	sizes := make([]int, parts)
	for i := range sizes {
		sizes[i] = 1
	}
	for left := people - parts; left > 0; {
		if i := r.IntN(parts); sizes[i] < most {
			sizes[i]++
			left--
		}
	}
	return sizes
}

// behind makes one door for each size, with people behind it. Late doors did not
// open in the first round, or nobody knew of them.
func (s *settler) behind(tenure string, sizes []int, late bool) {
	for _, size := range sizes {
		first, second := s.opens(), s.opens()
		if late {
			first = [][]string{{notHome, notHome}, {notHome, refused}, {refused, refused}, nil}[s.r.IntN(4)]
		}
		door := s.door(tenure, first, second)
		for range size {
			s.person(door, late)
		}
		s.w.Households[door].Head = s.w.People[s.w.Households[door].People[0]].Name
	}
}

// opens returns the outcomes of visiting a door that opens in the end.
func (s *settler) opens() []string {
	switch s.r.IntN(100) {
	case 0:
		return []string{refused, met}
	case 1, 2, 3, 4, 5, 6, 7, 8:
		return []string{notHome, met}
	}
	return []string{met}
}

func (s *settler) door(tenure string, first, second []string) int {
	grid := s.r.IntN(len(s.w.Grids))
	s.doors[grid]++
	n := s.doors[grid]
	building := fmt.Sprintf("%d号楼%d单元", n/24+1, n/12%2+1)
	h := Household{
		ID: newID[syncproto.RecordID](s.r, Begins), Grid: grid, Tenure: tenure, Building: building,
		Address: fmt.Sprintf("D社区%s%s%d0%d室", s.areaName(grid), building, n%12/2+1, n%2+1),
		First:   first, Second: second,
	}
	if tenure == "firm" {
		h.Building = ""
		h.Address = fmt.Sprintf("D社区工业路%d号 %s%s", len(s.w.Households)%200+1, string(pick(s.r, givens)), pick(s.r, firms))
	}
	s.w.Households = append(s.w.Households, h)
	return len(s.w.Households) - 1
}

func (s *settler) areaName(grid int) string {
	for _, a := range s.w.Areas {
		if a.ID == s.w.Grids[grid] {
			return a.Name
		}
	}
	return ""
}

func (s *settler) person(door int, late bool) {
	h := &s.w.Households[door]
	migrant := h.Tenure != "registered"
	age := 1 + s.r.IntN(80)
	if migrant {
		age = 17 + s.r.IntN(42)
	}
	birth := fmt.Sprintf("%04d-%02d-%02d", 2019-age, 1+s.r.IntN(12), 1+s.r.IntN(28))
	p := Person{
		ID: newID[syncproto.RecordID](s.r, Begins), Household: door, Name: personName(s.r),
		Sex: pick(s.r, []string{"male", "female"}), Birth: birth, IDNumber: s.numbers.idNumber(s.r, birth),
		Mobile: s.numbers.mobile(s.r), Migrant: migrant, Late: late,
	}
	if migrant {
		p.CameFrom = pick(s.r, towns)
		p.ArrivedOn = date(1 + s.r.IntN(20))
		p.Employer = pick(s.r, firms)
	}
	if s.r.IntN(25) == 0 {
		p.Frail = pick(s.r, frailty)
	}
	h.People = append(h.People, len(s.w.People))
	s.w.People = append(s.w.People, p)
}

// returnees marks those who came back from Wuhan.
func (s *settler) returnees() {
	early, late := s.w.Size.Returnees, s.w.Size.LateReturnees
	for _, i := range s.r.Perm(len(s.w.People)) {
		p := &s.w.People[i]
		left := &early
		if p.Late {
			left = &late
		}
		if *left == 0 {
			continue
		}
		*left--
		p.Returnee = true
		p.CameFrom, p.ArrivedOn = "武汉", date(14+s.r.IntN(9))
		p.Transport = pick(s.r, trains)
		p.observation = newID[syncproto.RecordID](s.r, at(28, 8, 0))
	}
}
