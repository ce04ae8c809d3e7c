package demo

import (
	"fmt"
	"io"
	"strings"
)

// pen writes text with or without colour.
type pen struct {
	out    io.Writer
	colour bool
	err    error
}

const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "1;36"
)

func (p *pen) print(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format, args...)
	}
}

func (p *pen) paint(style, s string) string {
	if !p.colour || style == "" || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

// title prints a heading in both languages.
func (p *pen) title(zh, en string) {
	p.print("\n%s  %s\n", p.paint(cyan, zh), p.paint(dim, en))
}

// cell is one cell of a table.
type cell struct {
	text, style string
}

// table is rows of cells; the first row is the heading. The first column is
// aligned to the left, the others to the right.
type table struct {
	rows [][]cell
}

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

func (t *table) print(p *pen) {
	var widths []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(c.text))
		}
	}
	for n, row := range t.rows {
		var line strings.Builder
		for i, c := range row {
			pad := strings.Repeat(" ", widths[i]-width(c.text))
			style := c.style
			if n == 0 {
				style = bold
			}
			if i == 0 {
				line.WriteString(p.paint(style, c.text) + pad)
				continue
			}
			line.WriteString("  " + pad + p.paint(style, c.text))
		}
		p.print("%s\n", strings.TrimRight(line.String(), " "))
		if n == 0 {
			p.print("%s\n", p.paint(dim, strings.Repeat("─", sum(widths)+2*(len(widths)-1))))
		}
	}
}

func sum(ns []int) int {
	total := 0
	for _, n := range ns {
		total += n
	}
	return total
}

// width is how many columns a terminal needs for a text: two for each character
// of the East Asian wide and full-width blocks.
func width(s string) int {
	n := 0
	for _, c := range s {
		n++
		if wide(c) {
			n++
		}
	}
	return n
}

func wide(c rune) bool {
	switch {
	case c < 0x1100:
		return false
	case c <= 0x115f, c >= 0x2e80 && c <= 0xa4cf, c >= 0xac00 && c <= 0xd7a3, c >= 0xf900 && c <= 0xfaff,
		c >= 0xfe30 && c <= 0xfe6f, c >= 0xff00 && c <= 0xff60, c >= 0xffe0 && c <= 0xffe6, c >= 0x20000 && c <= 0x3fffd:
		return true
	}
	return false
}

// thousands writes 12933 as 12,933.
func thousands(n int64) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
