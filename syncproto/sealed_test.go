package syncproto

import (
	"errors"
	"testing"
)

// What was sealed was read by nobody on its way in, and whoever has the server's public
// key can seal anything.
func TestWhatIsSealedIsNoChangeUnlessItIsAnObjectWithItsOwnNumber(t *testing.T) {
	key, err := NewBoxKey(append(make([]byte, 31), 7))
	if err != nil {
		t.Fatal(err)
	}
	device := DeviceID{1}
	for _, c := range []struct {
		n    uint64
		text string
		ok   bool
	}{
		{5, `{"n":5}`, true},
		{5, ` {"id":"x","n":5} `, true},
		{5, `{"n":4,"n":5}`, true}, // of two the last counts, as everywhere
		{0, `{`, false},
		{0, `{"`, false},
		{0, `{"n"`, false},
		{0, `{"n":`, false},
		{0, ``, false},
		{0, `[]`, false},
		{0, `{}`, false},
		{0, `{"n":0}`, false},
		{0, "{\"n\":\"\xff", false},
		{5, `{"n":6}`, false},
		{5, `{"n":5,"n":6}`, false},
		{5, `{"n":"5"}`, false},
		{5, `{"n":5`, false},
		{5, `[5]`, false},
		{5, `{"n":6,"N":5}`, false}, // another name, whatever case encoding/json thinks it has
	} {
		raw, err := Seal(key.Public(), device, c.n, []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		sealed, is := SealedIn(raw)
		if !is {
			t.Fatalf("%q isn't sealed", c.text)
		}
		opened, err := OpenSealed([]BoxKey{key}, device, sealed)
		if c.ok != (err == nil) || c.ok != (string(opened) == c.text) && c.text != "" {
			t.Errorf("%d %q: opened %q, %v", c.n, c.text, opened, err)
		}
		if err == nil {
			_, _, _ = DecodeFields(opened, device) // which takes it for valid JSON
		} else if !errors.Is(err, &Error{Code: CodeNotSealed}) {
			t.Errorf("%d %q: %v", c.n, c.text, err)
		}
	}
}
