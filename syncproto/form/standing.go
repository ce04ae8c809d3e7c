package form

import (
	"cmp"
	"slices"
	"strings"

	"gridsync/syncproto"
)

// The fields that every record has.
var (
	areaField = Field{
		Name: syncproto.FieldArea, Type: AreaCode, Rule: Review, Required: true,
		Label: syncproto.Text{ZH: "所属区域", EN: "Area"},
	}
	exitField = Field{
		Name: syncproto.FieldExit, Type: ExitType, Rule: Review,
		Label: syncproto.Text{ZH: "离开登记", EN: "Exit"},
	}
	sameAsField = Field{
		Name: syncproto.FieldSameAs, Type: Ref, Rule: Review,
		Label: syncproto.Text{ZH: "并入档案", EN: "Merged into"},
	}
	residencesField = Field{
		Name: syncproto.FieldResidences, Type: Residences, Rule: Union,
		Label: syncproto.Text{ZH: "曾属区域", EN: "Former areas"},
	}
)

// standing returns the field of that name that every record has, or nil.
func standing(name string) *Field {
	switch name {
	case syncproto.FieldArea:
		return &areaField
	case syncproto.FieldExit:
		return &exitField
	case syncproto.FieldSameAs:
		return &sameAsField
	case syncproto.FieldResidences:
		return &residencesField
	}
	return nil
}

// Residence is a place where a record belonged before, until the day of Left: on that
// day it belonged to the next.
type Residence struct {
	Left Day
	Area syncproto.AreaID
}

// String writes a residence as the field residences holds it.
func (r Residence) String() string { return r.Left.String() + " " + string(r.Area) }

// ParseResidence reads 2020-01-27 330702001003.
func ParseResidence(s string) (Residence, bool) {
	day, area, ok := strings.Cut(s, " ")
	left, isDay := ParseDay(day)
	r := Residence{Left: left, Area: syncproto.AreaID(area)}
	return r, ok && isDay && r.Area.Check() == nil
}

// ResidencesOf returns where a record that shows these values belonged before, in order
// of (day of leaving, area). What can't be read is left out.
func ResidencesOf(shown syncproto.Fields) []Residence {
	members, _ := shown[syncproto.FieldResidences].Texts()
	var past []Residence
	for _, m := range members {
		if r, ok := ParseResidence(m); ok {
			past = append(past, r)
		}
	}
	slices.SortFunc(past, func(a, b Residence) int {
		return cmp.Or(cmp.Compare(a.Left, b.Left), cmp.Compare(a.Area, b.Area))
	})
	return past
}
