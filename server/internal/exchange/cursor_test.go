package exchange

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
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
	for range rapid.IntRange(0, 20).Draw(t, "seen in part") {
		if c.sight == nil {
			c.sight = make(sight)
		}
		c.sight[area.Key(rapid.Uint32Range(1, 40).Draw(t, "area"))] = rapid.ByteRange(1, maxSight).Draw(t, "sight")
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
		if got.epoch != want.epoch || got.areas != want.areas || got.forms != want.forms || !maps.Equal(got.positions, want.positions) || !maps.Equal(got.sight, want.sight) {
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
	c.sight = make(sight)
	for key := range area.Key(2500) {
		c.sight[key+1] = maxSight
	}
	if n := len(c.String()); n > 90 {
		t.Fatalf("and %d, where none of them is seen as it is", n)
	}
}

func TestOlderCursorsSawEverything(t *testing.T) {
	want := &cursor{epoch: syncproto.Epoch{1}, areas: 2, forms: 3, told: 4, positions: map[Feed]syncproto.Version{{Area: 5, Stream: form.Roster}: 6}}
	const told = 1 + 16 + 4 + 4 // where it stands; sight, empty, is the byte after
	older := func(format byte, without int) string {
		b, err := base64.RawURLEncoding.DecodeString(want.String())
		if err != nil {
			t.Fatal(err)
		}
		b = b[:len(b)-4]
		b = slices.Delete(b, told+2-without, told+2)
		b[0] = format
		sum := sha256.Sum256(b)
		return base64.RawURLEncoding.EncodeToString(append(b, sum[:4]...))
	}
	for format, heard := range map[byte]syncproto.Version{1: 0, 2: 4} {
		got, err := parseCursor(older(format, int(cursorFormat-format)))
		if err != nil || got.told != heard || !maps.Equal(got.positions, want.positions) || len(got.sight) != 0 {
			t.Errorf("format %d: %+v, %v", format, got, err)
		}
	}
	if _, err := parseCursor(older(4, 0)); err == nil {
		t.Error("a newer format was taken for a cursor")
	}
}

func TestASightThatThereIsNotIsNoCursor(t *testing.T) {
	for _, code := range []byte{0, maxSight + 1, 255} {
		c := &cursor{sight: sight{1: 1}}
		b, err := base64.RawURLEncoding.DecodeString(c.String())
		if err != nil {
			t.Fatal(err)
		}
		b = b[:len(b)-4]
		b[1+16+4+4+2] = code
		sum := sha256.Sum256(b)
		if _, err := parseCursor(base64.RawURLEncoding.EncodeToString(append(b, sum[:4]...))); err == nil {
			t.Errorf("sight %d was taken", code)
		}
	}
}
