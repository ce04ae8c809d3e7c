package qr

import (
	"strings"
	"testing"
)

// finder is the pattern in three corners by which a reader finds a code.
var finder = []string{"#######", "#     #", "# ### #", "# ### #", "# ### #", "#     #", "#######"}

func TestACodeHasItsCornersAndWhiteAround(t *testing.T) {
	c, err := Encode("https://sync.example.cn/#enrol=K7M2Q-9XT4A")
	if err != nil {
		t.Fatal(err)
	}
	side := c.size()
	for _, corner := range [][2]int{{quiet, quiet}, {side - quiet - 7, quiet}, {quiet, side - quiet - 7}} {
		for y, row := range finder {
			for x := range row {
				if c.dark(corner[0]+x, corner[1]+y) != (row[x] == '#') {
					t.Fatalf("corner %v differs at %d, %d", corner, x, y)
				}
			}
		}
	}
	for i := range side {
		for edge := range quiet {
			if c.dark(i, edge) || c.dark(edge, i) || c.dark(i, side-1-edge) || c.dark(side-1-edge, i) {
				t.Fatal("the white around has a black module")
			}
		}
	}
}

func TestPageAndTerminalShowTheSameModules(t *testing.T) {
	c, err := Encode("网格通")
	if err != nil {
		t.Fatal(err)
	}
	dark := 0
	for y := range c.size() {
		for x := range c.size() {
			if c.dark(x, y) {
				dark++
			}
		}
	}
	if got := strings.Count(c.SVG(), "h1v1h-1z"); got != dark || dark == 0 {
		t.Errorf("the page shows %d of %d", got, dark)
	}
	text := c.Terminal()
	if got := strings.Count(text, "▀") + strings.Count(text, "▄") + 2*strings.Count(text, "█"); got != dark {
		t.Errorf("the terminal shows %d of %d", got, dark)
	}
	if !strings.HasPrefix(c.DataURL(), "data:image/svg+xml;base64,") {
		t.Error(c.DataURL()[:40])
	}
}

func TestWhatIsTooLongIsAnError(t *testing.T) {
	if _, err := Encode(strings.Repeat("x", 10_000)); err == nil {
		t.Error("drawn all the same")
	}
}
