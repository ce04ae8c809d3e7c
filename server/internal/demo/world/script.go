package world

import (
	"fmt"
	"math/rand/v2"

	"gridsync/syncproto"
)

// writer writes the script, phase by phase.
type writer struct {
	w *World
	r *rand.Rand
	// from and until bound the phase being written.
	from, until syncproto.Instant
	phase       *Phase
	// readings holds each returnee's temperature records, for those who correct them.
	readings map[int][]syncproto.RecordID
	revisits [2]map[int][]call // by phone: doors to try again in the evening
	// taken is, by grid, the first person whom the pool hasn't handed out; used are those
	// on whom something is planted.
	taken []int
	used  map[int]bool
	twins twins
	// registrar is the phone on which a person or a household was first written down,
	// registered the day.
	registrar  map[syncproto.RecordID]int
	registered map[syncproto.RecordID]string
	// lastVisits are those of the second round's last day that found somebody.
	lastVisits []seen
	// signatures are the records with which days are signed.
	signatures []syncproto.RecordID
}

// call is one visit to a door.
type call struct {
	door    int
	outcome string
	// first says that this is the round's first visit to the door, so that what
	// nobody has recorded yet is recorded with it.
	first bool
}

// write writes the whole story.
func (w *World) write(r *rand.Rand) {
	s := writer{
		w: w, r: r, readings: map[int][]syncproto.RecordID{}, revisits: [2]map[int][]call{{}, {}},
		taken: make([]int, len(w.Grids)), used: map[int]bool{}, registrar: map[syncproto.RecordID]int{}, registered: map[syncproto.RecordID]string{},
	}
	s.chooseTwins()
	s.begin("登记轮次", "The rounds are set up", at(26, 19, 30), at(26, 20, 0))
	s.rounds()
	s.roundOne()
	s.quietDay()
	s.roundTwo()
	s.begin("晚间补录", "Entered in the evening", at(30, 18, 30), at(30, 21, 0))
	s.evening()
	s.begin("签认30日数字", "30 January is signed", at(30, 21, 30), at(30, 22, 0))
	s.sign(30)
	s.begin("复核与更正", "Corrections", at(31, 8, 0), at(31, 12, 0))
	s.temperatures(31, "am")
	s.post(31, 0)
	s.corrections()
	s.begin("书记裁定", "The secretary decides", at(31, 13, 0), at(31, 18, 0))
	s.temperatures(31, "pm")
	s.post(31, 1)
	s.decisions()
}

func (s *writer) begin(zh, en string, from, until syncproto.Instant) {
	s.w.Phases = append(s.w.Phases, Phase{
		Name: syncproto.Text{ZH: zh, EN: en}, Until: until, Acts: make([][]Act, len(s.w.Phones)),
	})
	s.phase, s.from, s.until = &s.w.Phases[len(s.w.Phases)-1], from, until
}

// act adds something that a phone does, after what it did before in this phase.
func (s *writer) act(phone int, act Act) {
	acts := s.phase.Acts[phone]
	if act.At == 0 {
		act.At = s.from + syncproto.Instant(len(acts)+1)*20_000
		act.At = min(act.At, s.until-1000)
	}
	s.phase.Acts[phone] = append(acts, act)
}

func (s *writer) newID(t syncproto.Instant) syncproto.RecordID {
	return newID[syncproto.RecordID](s.r, t)
}

func text(v string) syncproto.Value { return syncproto.TextValue(v) }

func (s *writer) rounds() {
	for i, round := range s.w.Rounds {
		s.act(0, Act{Writes: []Write{{Kind: "round", Record: round.ID, Area: s.w.Community, Fields: syncproto.Fields{
			"name": text(round.Name), "number": syncproto.ValueOf(i + 1), "starts": text(round.Day),
		}}}})
	}
}

// roundOne: the staff go to every door that they know of.
func (s *writer) roundOne() {
	calls := s.calls(0, s.w.phones(Staff, -1))
	s.begin("第一轮排查 上午", "Round 1, morning", at(27, 8, 0), at(27, 12, 0))
	s.visit(0, calls, 0, 2)
	s.begin("第一轮排查 下午", "Round 1, afternoon", at(27, 13, 0), at(27, 18, 0))
	s.visit(0, calls, 1, 2)
	s.begin("第一轮排查 晚上回访", "Round 1, doors tried again in the evening", at(27, 18, 30), at(27, 21, 0))
	s.visit(0, s.revisits[0], 0, 1)
}

// quietDay: observation of the returnees begins.
func (s *writer) quietDay() {
	s.begin("居家隔离与测温 上午", "Observation begins, morning", at(28, 8, 0), at(28, 12, 0))
	s.observations(false)
	s.temperatures(28, "am")
	s.post(28, 0)
	s.begin("居家隔离与测温 下午", "Observation, afternoon", at(28, 14, 0), at(28, 18, 0))
	s.temperatures(28, "pm")
	s.post(28, 1)
	s.begin("签认28日数字", "28 January is signed", at(28, 18, 10), at(28, 18, 20))
	s.sign(28)
}

// roundTwo: the cadres join the staff, and every door is visited again.
func (s *writer) roundTwo() {
	s.begin("下沉干部到岗", "The cadres arrive", at(28, 19, 0), at(28, 20, 0))
	calls := s.calls(1, append(s.w.phones(Staff, -1), s.w.phones(Cadre, -1)...))
	for half := range 4 {
		day, slot := 29+half/2, []string{"am", "pm"}[half%2]
		hour := 8 + 6*(half%2)
		s.begin(
			fmt.Sprintf("第二轮排查 %d日%s", day, []string{"上午", "下午"}[half%2]),
			fmt.Sprintf("Round 2, %d January, %s", day, []string{"morning", "afternoon"}[half%2]),
			at(day, hour, 0), at(day, hour+4, 0),
		)
		if half < 3 {
			s.visit(1, calls, half, 3)
		} else {
			s.visit(1, s.revisits[1], 0, 1)
			s.observations(true)
		}
		s.temperatures(day, slot)
		s.post(day, half%2)
		if half == 1 {
			s.begin("签认29日数字", "29 January is signed", at(day, 20, 0), at(day, 20, 30))
			s.sign(day)
		}
	}
}

// calls deals the doors of each grid out to the phones that work there.
func (s *writer) calls(round int, phones []int) map[int][]call {
	byGrid := make([][]int, len(s.w.Grids))
	for _, phone := range phones {
		grid := s.w.Phones[phone].Grid
		byGrid[grid] = append(byGrid[grid], phone)
	}
	calls := map[int][]call{}
	dealt := make([]int, len(s.w.Grids))
	for door := range s.w.Households {
		h := &s.w.Households[door]
		outcomes := h.First
		if round == 1 {
			outcomes = h.Second
		}
		if len(outcomes) == 0 {
			continue
		}
		phone := byGrid[h.Grid][dealt[h.Grid]%len(byGrid[h.Grid])]
		dealt[h.Grid]++
		calls[phone] = append(calls[phone], call{door, outcomes[0], true})
		for _, again := range outcomes[1:] {
			s.revisits[round][phone] = append(s.revisits[round][phone], call{door, again, false})
		}
	}
	return calls
}

// visit makes one part of so many of the calls.
func (s *writer) visit(round int, calls map[int][]call, part, parts int) {
	for phone := range s.w.Phones {
		todo := calls[phone]
		for _, c := range todo[len(todo)*part/parts : len(todo)*(part+1)/parts] {
			s.call(round, phone, c, len(todo)/parts)
		}
	}
}

// readingTime is left at the end of each half-day for measuring.
const readingTime = 40 * 60_000

// call is one visit: the household if it is new, the people who are, and whom the
// visitor met, in one act.
func (s *writer) call(round, phone int, c call, load int) {
	h := &s.w.Households[c.door]
	step := (s.until - s.from - readingTime) / syncproto.Instant(load+2)
	when := s.from + step*syncproto.Instant(len(s.phase.Acts[phone])%(load+1)) + syncproto.Instant(s.r.Int64N(int64(step)))
	if acts := s.phase.Acts[phone]; len(acts) > 0 {
		when = max(when, acts[len(acts)-1].At+1000)
	}
	day := dayOf(when)
	act := Act{At: when}
	if c.first && (round == 0 || h.First == nil) {
		act.Writes = append(act.Writes, s.household(h, day))
		s.registrar[h.ID], s.registered[h.ID] = phone, day
	}
	var found []string
	if c.outcome == met {
		for _, i := range h.People {
			p := &s.w.People[i]
			if p.Late && round == 0 {
				continue
			}
			if round == 0 || p.Late {
				act.Writes = append(act.Writes, s.person(p, day))
				s.registrar[p.ID], s.registered[p.ID] = phone, day
			}
			found = append(found, p.ID.String())
		}
	}
	visit := s.visitRecord(round, h, c.outcome, found, when)
	act.Writes = append(act.Writes, visit)
	s.act(phone, act)
	if day == date(30) && len(found) > 0 {
		s.lastVisits = append(s.lastVisits, seen{phone, c.door, visit.Record, found, when})
	}
}

func (s *writer) visitRecord(round int, h *Household, outcome string, found []string, when syncproto.Instant) Write {
	fields := syncproto.Fields{
		"round": text(s.w.Rounds[round].ID.String()), "household": text(h.ID.String()),
		"outcome": text(outcome), "visited_at": syncproto.ValueOf(when),
	}
	if len(found) > 0 {
		fields["found"] = syncproto.ValueOf(found)
	}
	if outcome == met && s.r.IntN(3) == 0 {
		fields["notice_given"] = "true"
	}
	return Write{Kind: "visit", Record: s.newID(when), Area: s.w.Grids[h.Grid], Fields: fields}
}

func (s *writer) household(h *Household, day string) Write {
	fields := syncproto.Fields{
		"address": text(h.Address), "tenure": text(h.Tenure), "headcount": syncproto.ValueOf(len(h.People)), "found_on": text(day),
	}
	if h.Building != "" {
		fields["building"] = text(h.Building)
	}
	if h.Head != "" {
		fields["head"] = text(h.Head)
	}
	return Write{Kind: "household", Record: h.ID, Area: s.w.Grids[h.Grid], Fields: fields}
}

func (s *writer) person(p *Person, day string) Write {
	h := &s.w.Households[p.Household]
	fields := syncproto.Fields{
		"name": text(p.Name), "sex": text(p.Sex), "birth": text(p.Birth), "id_number": text(p.IDNumber),
		"mobile": text(p.Mobile), "household": text(h.ID.String()), "residence": text("registered"), "found_on": text(day),
	}
	if p.Migrant {
		fields["residence"] = text("migrant")
	}
	for name, value := range map[string]string{
		"came_from": p.CameFrom, "arrived_on": p.ArrivedOn, "transport": p.Transport, "employer": p.Employer,
	} {
		if value != "" {
			fields[name] = text(value)
		}
	}
	if p.Returnee {
		fields["classes"] = syncproto.ValueOf([]string{"wuhan_return"})
	}
	if p.Frail != "" {
		fields["vulnerable"] = syncproto.ValueOf([]string{p.Frail})
	}
	return Write{Kind: "person", Record: p.ID, Area: s.w.Grids[h.Grid], Fields: fields}
}
