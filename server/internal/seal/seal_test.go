package seal_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"gridsync/server/internal/seal"
)

// key makes the data key of a number out of one byte.
func key(t testing.TB, id seal.KeyID, of byte) seal.Key {
	t.Helper()
	k, err := seal.NewKey(id, bytes.Repeat([]byte{of}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ring(t testing.TB, keys ...seal.Key) *seal.Ring {
	t.Helper()
	r, err := seal.NewRing(rand.Reader, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var here = seal.In("change_log.said").Number(7)

func sealed(t testing.TB, r *seal.Ring, at seal.Place, text ...[]byte) []byte {
	t.Helper()
	s, err := r.Seal(nil, at, text...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatWasSealedOpensInItsPlaceAndNowhereElse(t *testing.T) {
	r := ring(t, key(t, 1, 1))
	id := [16]byte{15: 7}
	places := []seal.Place{
		here, seal.In("change_log.said").Number(8), seal.In("record.parts").Number(7), seal.In("change_log.said"),
		seal.In("change_log.said").Number(7).Number(0), seal.In("change_log.said").ID(id), seal.In("change_log.sai").Number(7),
	}
	for i, at := range places {
		s := sealed(t, r, at, []byte("手机"), nil, []byte("99900000001"))
		if len(s) != len("手机99900000001")+seal.Overhead || bytes.Contains(s, []byte("999000")) {
			t.Errorf("%d bytes: %x", len(s), s)
		}
		for j, other := range places {
			text, err := r.Open(other, s)
			if i == j && (err != nil || string(text) != "手机99900000001") {
				t.Errorf("in its place: %q, %v", text, err)
			}
			if i != j && (!errors.Is(err, seal.ErrAltered) || text != nil) {
				t.Errorf("place %d in place %d: %q, %v", i, j, text, err)
			}
		}
	}
}

func TestEveryBitOfASealedTextCounts(t *testing.T) {
	r := ring(t, key(t, 1, 1), key(t, 3, 3), key(t, 2, 2))
	whole := sealed(t, r, here, []byte("三号门"))
	for bit := range len(whole) * 8 {
		s := bytes.Clone(whole)
		s[bit/8] ^= 1 << (bit % 8)
		text, err := r.Open(here, s)
		var missing *seal.MissingKeyError
		if err == nil || text != nil || !errors.Is(err, seal.ErrAltered) && !errors.As(err, &missing) {
			t.Errorf("bit %d turned: %q, %v", bit, text, err)
		}
	}
	for n := range whole {
		if text, err := r.Open(here, whole[:n]); !errors.Is(err, seal.ErrAltered) {
			t.Errorf("the first %d bytes: %q, %v", n, text, err)
		}
	}
}

func TestTheNewestKeySealsAndEachOpensItsOwn(t *testing.T) {
	first := ring(t, key(t, 1, 1))
	both := ring(t, key(t, 2, 2), key(t, 1, 1))
	second := ring(t, key(t, 2, 2))
	old, now := sealed(t, first, here, []byte("旧")), sealed(t, both, here, []byte("新"))
	if id, err := seal.SealedWith(now); id != 2 || err != nil || both.Newest() != 2 {
		t.Errorf("sealed with %d, %v", id, err)
	}
	for _, c := range []struct {
		ring    *seal.Ring
		text    []byte
		want    string
		missing seal.KeyID
	}{{both, old, "旧", 0}, {both, now, "新", 0}, {second, now, "新", 0}, {second, old, "", 1}, {first, now, "", 2}} {
		text, err := c.ring.Open(here, c.text)
		var missing *seal.MissingKeyError
		if c.missing == 0 && (err != nil || string(text) != c.want) {
			t.Errorf("%q, %v, not %q", text, err, c.want)
		}
		if c.missing != 0 && (!errors.As(err, &missing) || missing.ID != c.missing || !strings.Contains(err.Error(), fmt.Sprint("data key ", c.missing))) {
			t.Errorf("%q, %v: key %d is missing", text, err, c.missing)
		}
	}
	impostor := ring(t, key(t, 1, 9))
	if _, err := impostor.Open(here, old); !errors.Is(err, seal.ErrAltered) {
		t.Errorf("another key of that number: %v", err)
	}
	mine, _ := first.Fingerprint(1)
	same, _ := both.Fingerprint(1)
	other, _ := impostor.Fingerprint(1)
	if mine != same || mine == other {
		t.Errorf("fingerprints %x, %x, %x", mine, same, other)
	}
	if _, there := first.Fingerprint(2); there {
		t.Error("a key that isn't there has a fingerprint")
	}
}

func TestNoTextIsSealedTwiceAlike(t *testing.T) {
	r := ring(t, key(t, 1, 1))
	seen := make(map[string]bool)
	for range 1000 {
		seen[string(sealed(t, r, here, []byte("36.5"))[3:15])] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d nonces for 1000 texts", len(seen))
	}
}

func TestWithoutRandomnessNothingIsSealed(t *testing.T) {
	r, err := seal.NewRing(strings.NewReader("eleven byte"), key(t, 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := r.Seal(nil, here, []byte("x")); err == nil {
		t.Errorf("sealed %x", s)
	}
}

func TestSealingAppendsAndLeavesWhatIsThere(t *testing.T) {
	r := ring(t, key(t, 1, 1))
	page := append(make([]byte, 0, 1024), "before"...)
	page, err := r.Seal(page, here, []byte("text"))
	if err != nil || string(page[:6]) != "before" {
		t.Fatalf("%q, %v", page, err)
	}
	if text, err := r.Open(here, page[6:]); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestAKeyIsNeverPrinted(t *testing.T) {
	k := key(t, 4, 'K')
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if told := fmt.Sprintf(verb, k); told != "data key 4" {
			t.Errorf("%s prints %s", verb, told)
		}
	}
}

func TestARingNeedsKeysThatDiffer(t *testing.T) {
	for _, keys := range [][]seal.Key{nil, {{}}, {key(t, 1, 1), key(t, 1, 2)}} {
		if _, err := seal.NewRing(rand.Reader, keys...); err == nil {
			t.Errorf("a ring of %v", keys)
		}
	}
	for _, size := range []int{0, 31, 33} {
		if _, err := seal.NewKey(1, make([]byte, size)); err == nil {
			t.Errorf("a key of %d bytes", size)
		}
		if _, err := seal.NewDigester(make([]byte, size)); err == nil {
			t.Errorf("a digest key of %d bytes", size)
		}
	}
	if _, err := seal.NewKey(0, make([]byte, seal.KeySize)); err == nil {
		t.Error("a key of number 0")
	}
}

func TestDigestsAreAlikeUnderOneKeyOnly(t *testing.T) {
	digester := func(of byte) *seal.Digester {
		d, err := seal.NewDigester(bytes.Repeat([]byte{of}, seal.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	one, again, other := digester(1), digester(1), digester(2)
	value := []byte("999001195001010013")
	if one.Digest(value) != again.Digest(value) || one.Fingerprint() != again.Fingerprint() {
		t.Error("one key and one value have two digests")
	}
	if one.Digest(value) == other.Digest(value) || one.Fingerprint() == other.Fingerprint() {
		t.Error("two keys have one digest")
	}
	if one.Digest(value) == one.Digest(value[:17]) || one.Digest(nil) == one.Digest([]byte{0}) {
		t.Error("two values have one digest")
	}
	// Worked out with openssl dgst -sha256 -mac HMAC.
	if got := one.Digest([]byte("gridsync")); got != 0xefa90448bb433eca {
		t.Errorf("digests are stored and never change: %#x", got)
	}
}

func FuzzOpen(f *testing.F) {
	r := ring(f, key(f, 1, 1))
	f.Add([]byte{})
	f.Add(sealed(f, r, here, []byte("36.5")))
	f.Add(bytes.Repeat([]byte{1, 0, 1}, 20))
	f.Fuzz(func(t *testing.T, s []byte) {
		text, err := r.Open(here, s)
		if err == nil && len(text) != len(s)-seal.Overhead {
			t.Errorf("%d bytes out of %d", len(text), len(s))
		}
		again := sealed(t, r, here, s)
		if back, err := r.Open(here, again); err != nil || !bytes.Equal(back, s) {
			t.Errorf("%x came back as %x, %v", s, back, err)
		}
	})
}

func BenchmarkSeal300(b *testing.B) {
	r, text, dst := ring(b, key(b, 1, 1)), make([]byte, 300), make([]byte, 0, 400)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Seal(dst, here, text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen300(b *testing.B) {
	r := ring(b, key(b, 1, 1))
	s := sealed(b, r, here, make([]byte, 300))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Open(here, s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	d, err := seal.NewDigester(make([]byte, seal.KeySize))
	if err != nil {
		b.Fatal(err)
	}
	value := make([]byte, 40)
	b.ReportAllocs()
	for b.Loop() {
		d.Digest(value)
	}
}

func TestManyMaySealAndOpenAtOnce(t *testing.T) {
	r := ring(t, key(t, 1, 1))
	d, err := seal.NewDigester(make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	want := d.Digest([]byte("36.5"))
	var everybody sync.WaitGroup
	for who := range 8 {
		everybody.Go(func() {
			at := seal.In("change_log.said").Number(int64(who))
			for i := range 200 {
				text := fmt.Sprint(who, i)
				s, err := r.Seal(nil, at, []byte(text))
				if err != nil {
					t.Error(err)
					return
				}
				if back, err := r.Open(at, s); err != nil || string(back) != text || d.Digest([]byte("36.5")) != want {
					t.Errorf("%q, %v, not %q", back, err, text)
				}
			}
		})
	}
	everybody.Wait()
}
