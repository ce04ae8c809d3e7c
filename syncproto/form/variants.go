package form

import (
	_ "embed"
	"strings"
	"unicode/utf8"
)

// variantLines is a line "務务" for each traditional or variant character that has one
// simplified form. Its head says where it comes from.
//
//go:embed variants.txt
var variantLines string

// variants are those lines as a table.
var variants = readVariants(variantLines)

// leastVariant is below every character of the table.
const leastVariant = 0x3400

func readVariants(lines string) map[rune]rune {
	table := make(map[rune]rune, strings.Count(lines, "\n"))
	for line := range strings.Lines(lines) {
		if from, n := utf8.DecodeRuneInString(line); from >= leastVariant {
			table[from], _ = utf8.DecodeRuneInString(line[n:])
		}
	}
	return table
}

// simplify turns a character into the one simplified form that it has, so that 務 and 务
// are one name. What has several (乾 is 干 or 乾) stays: choosing would be guessing.
func simplify(r rune) rune {
	if r < leastVariant {
		return r
	}
	if simple, ok := variants[r]; ok {
		return simple
	}
	return r
}
