package match

import (
	"testing"

	"gridsync/syncproto"
)

func BenchmarkProfile(b *testing.B) {
	shown := show("name", "張國強", "birth", "1950-01-01", "household", home1, "mobile", "99900000001", "id_number", number("19500101", "001"))
	b.ReportAllocs()
	for b.Loop() {
		ProfileOf(people, shown, nil)
	}
}

func BenchmarkAddress(b *testing.B) {
	household, shown := built(b, "household"), show("address", "文昌路１號２幢301室")
	b.ReportAllocs()
	for b.Loop() {
		ProfileOf(household, shown, nil)
	}
}

func BenchmarkKeysAndRanges(b *testing.B) {
	p := profile(b, "name", "张国强", "birth", "1950-01-01", "household", home1, "mobile", "99900000001", "id_number", number("19500101", "001"))
	b.ReportAllocs()
	for b.Loop() {
		p.Keys(digester)
		p.Ranges(digester)
	}
}

func BenchmarkScore(b *testing.B) {
	p := profile(b, "name", "张国强", "birth", "1950-01-01", "household", home1, "mobile", "99900000001")
	q := profile(b, "name", "章国强", "birth", "1950-01-01", "household", home1, "mobile", "99900000001")
	b.ReportAllocs()
	for b.Loop() {
		Score(p, q)
	}
}

func BenchmarkVisit(b *testing.B) {
	visit, shown := built(b, "visit"), show("round", home1, "household", home2, "outcome", "met")
	shown["visited_at"] = "1580184000000"
	authors := []syncproto.AuthorID{{1}}
	b.ReportAllocs()
	for b.Loop() {
		ProfileOf(visit, shown, authors)
	}
}
