package exchange

import (
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func someCursor(t *rapid.T) *cursor {
	c := &cursor{
		epoch: syncproto.Epoch{1, 2, 3}, areas: rapid.Uint32().Draw(t, "areas"), forms: rapid.Uint32().Draw(t, "forms"),
		positions: make(map[Feed]syncproto.Version),
	}
	// Few positions over neighbouring areas, so that there are ranges and holes.
	for range rapid.IntRange(0, 60).Draw(t, "feeds") {
		f := Feed{Area: area.Key(rapid.Uint32Range(1, 40).Draw(t, "area")), Stream: rapid.SampledFrom(streams).Draw(t, "stream")}
		c.positions[f] = syncproto.Version(rapid.SampledFrom([]int64{0, 1, 7, 1 << 40, syncproto.MaxN}).Draw(t, "at"))
	}
	return c
}

func TestACursorReadsBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := someCursor(t)
		got, err := parseCursor(want.String())
		if err != nil {
			t.Fatal(err)
		}
		if got.epoch != want.epoch || got.areas != want.areas || got.forms != want.forms || !maps.Equal(got.positions, want.positions) {
			t.Fatalf("wrote %+v, read %+v", want, got)
		}
	})
}

func TestADamagedCursorIsNoCursor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := someCursor(t).String()
		i := rapid.IntRange(0, len(s)-2).Draw(t, "at") // the last character carries bits that nobody reads
		other := "A"
		if s[i] == 'A' {
			other = "B"
		}
		if _, err := parseCursor(s[:i] + other + s[i+1:]); err == nil {
			t.Fatalf("%s with byte %d changed was taken for a cursor", s, i)
		}
	})
}

func TestWhatIsNoCursorIsRejected(t *testing.T) {
	for _, s := range []string{"", "x", "????", strings.Repeat("A", 100), strings.Repeat("_", 40)} {
		if _, err := parseCursor(s); err == nil {
			t.Errorf("%q was taken for a cursor", s)
		}
	}
}

func TestACursorThatHasEverythingIsShort(t *testing.T) {
	c := &cursor{positions: make(map[Feed]syncproto.Version)}
	for key := range area.Key(2500) {
		for _, stream := range []form.Stream{form.Roster, form.History} {
			c.positions[Feed{key + 1, stream}] = 1 << 40
		}
	}
	if n := len(c.String()); n > 80 {
		t.Fatalf("a cursor over 2,500 areas at one position has %d characters", n)
	}
}
