package watch

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto/form"
)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, KeySize) }

func mobile(s string) Number   { return Number{form.Mobile, s} }
func idNumber(s string) Number { return Number{form.IDNumber, s} }

func listOf(k []byte, numbers ...Number) *List { return &List{Key: k, Digests: Digests(k, numbers)} }

func TestWhoIsOnAListIsFoundHoweverTheNumberIsWritten(t *testing.T) {
	l := listOf(key(1), mobile("99900000001"), idNumber("99900119500101001X"), mobile(""), idNumber(" "))
	for _, n := range []Number{
		mobile("99900000001"), mobile("999-0000-0001"), mobile("+86 999 0000 0001"), mobile("８６99900000001"), mobile(" ９９９00000001 "),
		idNumber("99900119500101001x"), idNumber("９９９００１19500101001Ｘ"), idNumber("999001 19500101 001X"),
	} {
		if !l.Has(n) {
			t.Errorf("%v isn't found", n)
		}
	}
	for _, n := range []Number{
		mobile("99900000002"), idNumber("999001195001010028"), mobile(""), idNumber(""),
		idNumber("99900000001"), mobile("99900119500101001X"), // the same digits as another kind of number
	} {
		if l.Has(n) {
			t.Errorf("%v is found", n)
		}
	}
	if len(l.Digests) != 2*Size {
		t.Errorf("%d bytes for two numbers", len(l.Digests))
	}
	if !l.Has(mobile("1"), mobile("99900000001")) {
		t.Error("of two numbers only the first is looked at")
	}
}

func TestOneListTellsNothingOfAnother(t *testing.T) {
	a, b := listOf(key(1), mobile("99900000001")), listOf(key(2), mobile("99900000001"))
	if bytes.Equal(a.Digests, b.Digests) {
		t.Error("one number has one digest in two lists: whoever holds both sees who is on both")
	}
}

func TestADamagedListFindsNobody(t *testing.T) {
	good := listOf(key(1), mobile("99900000001"))
	for name, l := range map[string]*List{
		"no key": {Digests: good.Digests}, "a short key": {Key: good.Key[:8], Digests: good.Digests},
		"cut short": {Key: good.Key, Digests: good.Digests[:3]}, "empty": {Key: good.Key}, "zero": {},
	} {
		if l.Has(mobile("99900000001")) {
			t.Errorf("%s: found", name)
		}
	}
}

func TestEverybodyOnAListIsFoundAndHardlyAnybodyElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := key(rapid.Byte().Draw(t, "key"))
		n := rapid.IntRange(0, 300).Draw(t, "size")
		var numbers []Number
		for i := range n {
			numbers = append(numbers, mobile(fmt.Sprintf("999%08d", i*7919)))
		}
		l := listOf(k, numbers...)
		for _, number := range numbers {
			if !l.Has(number) {
				t.Fatalf("%v isn't found", number)
			}
		}
		strangers := 0
		for i := range 200 {
			if l.Has(mobile(fmt.Sprintf("100%08d", i))) {
				strangers++
			}
		}
		if strangers > 1 { // one in 14 million each
			t.Fatalf("%d of 200 strangers are found", strangers)
		}
	})
}
