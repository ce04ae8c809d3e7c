package world

import (
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// sign: the secretary signs the community's figures of a day. Whoever plays the script
// fills the figures in.
func (s *writer) sign(day int) {
	when := s.after(0)
	id := s.newID(when)
	s.signatures = append(s.signatures, id)
	s.act(0, Act{At: when, Decides: true, Signs: date(day), Writes: []Write{{
		Kind: review.DayCloseKind, Record: id, Area: s.w.Community, Fields: syncproto.Fields{"day": text(date(day))},
	}}})
}

// late: a reading of a day that was signed already, found on paper.
func (s *writer) late(signature, day int) {
	i := s.measured(0)
	phone := s.staffOf(i)
	when := s.after(phone)
	s.act(phone, Act{At: when, Writes: []Write{s.reading(i, "noon", s.degrees(), at(day, 12, 40))}})
	s.plant(Planted{Why: "late", Question: review.Restated, Record: s.signatures[signature], By: []int{0}})
}
