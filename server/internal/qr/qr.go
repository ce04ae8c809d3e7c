// Package qr draws QR codes: for a page as a picture, for a terminal as text.
//
// It refuses to read them.
package qr

import (
	"encoding/base64"
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// quiet is the white around a code that readers need, in modules (ISO/IEC 18004).
const quiet = 4

// Code is a QR code.
type Code struct{ modules barcode.Barcode }

// Encode makes the code of a text, of which about a seventh may be dirty or torn.
func Encode(text string) (Code, error) {
	modules, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return Code{}, fmt.Errorf("draw a QR code: %w", err)
	}
	return Code{modules}, nil
}

// size is the number of modules of a side, the quiet zone included.
func (c Code) size() int { return c.modules.Bounds().Dx() + 2*quiet }

// dark says whether a module is black; everything outside is white.
func (c Code) dark(x, y int) bool {
	x, y = x-quiet, y-quiet
	side := c.modules.Bounds().Dx()
	if x < 0 || y < 0 || x >= side || y >= side {
		return false
	}
	grey, ok := color.GrayModel.Convert(c.modules.At(x, y)).(color.Gray)
	return ok && grey.Y < 128
}

// SVG is the code as a picture of any size.
func (c Code) SVG() string {
	var path strings.Builder
	for y := range c.size() {
		for x := range c.size() {
			if c.dark(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%dv%dH0z"/><path d="%s"/></svg>`, c.size(), c.size(), c.size(), c.size(), path.String())
}

// DataURL is the SVG as an address that an img element shows.
func (c Code) DataURL() string {
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(c.SVG()))
}

// Terminal is the code in half blocks, two rows of modules on a line, black on white
// whatever the terminal's colours are.
func (c Code) Terminal() string {
	blocks := map[[2]bool]string{{false, false}: " ", {true, false}: "▀", {false, true}: "▄", {true, true}: "█"}
	var b strings.Builder
	for y := 0; y < c.size(); y += 2 {
		b.WriteString("\x1b[30;107m")
		for x := range c.size() {
			b.WriteString(blocks[[2]bool{c.dark(x, y), c.dark(x, y+1)}])
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String()
}
