package form_test

import (
	"testing"

	"gridsync/syncproto/form"
)

func TestTheBuiltInFormsParse(t *testing.T) {
	set, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	if got := len(set.Kinds()); got != 16 {
		t.Fatalf("%d kinds, want 16: %v", got, set.Kinds())
	}
}
