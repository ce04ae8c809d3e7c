package world

import (
	"os"
	"strings"
	"testing"
)

// areasCSV writes the community, what is beside and below it, and what is above, as
// `server areas import` reads them.
func areasCSV(w *World) string {
	var b strings.Builder
	b.WriteString("code,name,parent\n")
	for _, a := range w.Areas {
		near := strings.HasPrefix(string(a.ID), string(w.Community)) || a.ID == w.Neighbour
		if !near && !strings.HasPrefix(string(w.Township), string(a.ID)) {
			continue
		}
		b.WriteString(string(a.ID) + "," + a.Name + "," + string(a.Parent) + "\n")
	}
	return b.String()
}

// The file is for people who want to try D社区 by hand; it says what the demo plays.
func TestTheFixtureHoldsTheAreasOfTheDemo(t *testing.T) {
	const file = "../../../../testdata/fixtures/d-community-areas.csv"
	want := areasCSV(New(1, Whole))
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the demo plays; it should be:\n%s", file, want)
	}
}
