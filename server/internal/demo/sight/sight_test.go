package sight

import (
	"testing"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func TestAMaskFitsItsValueAndNoOther(t *testing.T) {
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	mask := syncproto.Masked{Masked: "999****0001", Tag: "1"}.Value()
	mine, other := syncproto.TextValue("９９９0000 0001"), syncproto.TextValue("99900000002")
	for _, c := range []struct {
		role         identity.Role
		field        string
		shown, value syncproto.Value
		want         bool
	}{
		{identity.Volunteer, "mobile", mask, mine, true},
		{identity.Volunteer, "mobile", mask, other, false},
		{identity.Volunteer, "mobile", mine, mine, true}, // their own
		{identity.Volunteer, "mobile", other, mine, false},
		{identity.Volunteer, "mobile", syncproto.Masked{}.Value(), mine, false},
		{identity.Volunteer, "name", mask, mine, false}, // which they see
		{identity.Secretary, "mobile", mask, mine, false},
		{identity.County, "name", mask, mine, true},
		{identity.Volunteer, "of a newer form", mask, mine, true},
	} {
		if got := Of(c.role, forms).Fits("person", c.field, c.shown, c.value); got != c.want {
			t.Errorf("%s, %s: %s for %s fits: %v", c.role, c.field, c.shown, c.value, got)
		}
	}
}
