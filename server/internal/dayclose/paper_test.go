package dayclose

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto"
)

func TestAPaperHasOneText(t *testing.T) {
	p := Paper{
		Area: "330702001", Day: 20200131, AsOf: 41, Figures: map[string]int64{"visits": 12, "fevers": 0},
		Below: []Under{{Area: "g1", State: Signed, Version: 40, Hash: "ab"}, {Area: "g2", State: Open}},
	}
	want := "gridsync day 1\narea 330702001\nday 2020-01-31\nas of 41\nfigure fevers 0\nfigure visits 12\nbelow g1 signed 40 ab\nbelow g2 open 0 \n"
	if got := p.Text(); got != want {
		t.Errorf("got %q", got)
	}
	sum := sha256.Sum256([]byte(want))
	if p.Hash() != hex.EncodeToString(sum[:]) {
		t.Error("the hash is of something else")
	}
}

// Whatever is signed is read back as it was, and whoever alters a figure, a day or what
// those below had signed has another hash.
func TestWhatIsSignedIsReadBackAndCannotBeAltered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Paper{
			Area: "c1", Day: 20200131, AsOf: syncproto.Version(rapid.Int64Range(0, 1<<50).Draw(t, "as of")),
			Figures: rapid.MapOfN(rapid.StringMatching(`[a-z_]{1,12}`), rapid.Int64(), 1, 9).Draw(t, "figures"),
		}
		for _, id := range rapid.SliceOfN(rapid.StringMatching(`[a-z0-9]{1,8}`), 0, 3).Draw(t, "below") {
			p.Below = append(p.Below, Under{Area: syncproto.AreaID(id), State: Restated, Version: 7, Hash: strings.Repeat("a", 64)})
		}
		read, hash, ok := PaperOf(p.Area, p.Fields())
		if !ok || hash != p.Hash() || read.Hash() != hash {
			t.Fatalf("%+v is read back as %+v", p, read)
		}
		for name := range read.Figures {
			read.Figures[name]++
			if read.Hash() == hash {
				t.Fatalf("%s may be altered", name)
			}
			read.Figures[name]--
		}
		alter := []func(*Paper){
			func(p *Paper) { p.AsOf++ }, func(p *Paper) { p.Day++ }, func(p *Paper) { p.Area += "1" },
			func(p *Paper) { p.Below = append(p.Below, Under{Area: "x"}) },
		}
		for i, change := range alter {
			other := read
			if change(&other); other.Hash() == hash {
				t.Fatalf("alteration %d leaves the hash", i)
			}
		}
	})
}

func TestWhatAPhoneSignedHasNoHash(t *testing.T) {
	values := syncproto.Fields{FieldDay: `"2020-01-31"`, FieldFigures: `"{\"visits\":3}"`}
	p, hash, ok := PaperOf("c1", values)
	if !ok || hash != "" || p.Figures["visits"] != 3 || p.AsOf != 0 {
		t.Errorf("%+v, %q, %v", p, hash, ok)
	}
	for name, broken := range map[string]syncproto.Fields{
		"no day":     {FieldFigures: `"{}"`},
		"no figures": {FieldDay: `"2020-01-31"`},
		"not JSON":   {FieldDay: `"2020-01-31"`, FieldFigures: `"12"`},
	} {
		if _, _, ok := PaperOf("c1", broken); ok {
			t.Errorf("%s: is read as a paper", name)
		}
	}
}

func TestNothingHappenedWhereOnlyStandingFiguresAreThere(t *testing.T) {
	standing := map[string]bool{"persons": true}
	for _, c := range []struct {
		figures map[string]int64
		nothing bool
	}{
		{map[string]int64{"persons": 700, "fevers": 0}, true},
		{map[string]int64{"persons": 700, "fevers": 1}, false},
		{map[string]int64{"persons": 0, "fevers": 0}, true},
	} {
		p := Paper{Figures: c.figures}
		if p.Nothing(standing) != c.nothing {
			t.Errorf("%v: nothing is %v", c.figures, !c.nothing)
		}
	}
}

func TestAnAreasDayHasOneRecord(t *testing.T) {
	one := RecordOf("c1", 20200131)
	if one != RecordOf("c1", 20200131) || one == RecordOf("c1", 20200130) || one == RecordOf("c2", 20200131) {
		t.Error("two days share a record, or one has two")
	}
}
