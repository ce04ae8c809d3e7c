// Command variants writes the table of traditional and variant characters by which
// texts are folded, from that of OpenCC, in a folder where it may leave a file:
//
//	apt-get install opencc libopencc-data
//	opencc_dict -i /usr/share/opencc/TSCharacters.ocd2 -o TSCharacters.txt -f ocd2 -t text
//	go run ./variants <TSCharacters.txt >../syncproto/form/variants.txt
package main

import (
	"bufio"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

const header = `# Traditional and variant characters that have one simplified form, and that form.
# Written by tools/variants, which says how, from TSCharacters of OpenCC 1.1.6,
# Copyright 2010-2022 BYVoid and contributors, Apache License 2.0, https://github.com/BYVoid/OpenCC.
# Altered: characters with several simplified forms are left out.
`

func main() {
	table := map[rune]rune{}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		from, forms, _ := strings.Cut(lines.Text(), "\t")
		if to := one(strings.Fields(forms)); to != "" && from != to {
			table[first(from)] = first(to)
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Print(header)
	for _, from := range slices.Sorted(maps.Keys(table)) {
		to := table[from]
		for next, more := table[to]; more; next, more = table[to] {
			to = next
		}
		fmt.Printf("%c%c\n", from, to)
	}
}

// one is the only form there is, or the only one in general use: those outside the
// block of Unicode 1 (U+4E00 to U+9FFF) stand in dictionaries, on no ID card (開 is 开,
// though 𫔭 was made of it as well).
func one(forms []string) string {
	if len(forms) == 1 {
		return forms[0]
	}
	common := slices.DeleteFunc(forms, func(s string) bool { return first(s) < 0x4E00 || first(s) > 0x9FFF })
	if len(common) == 1 {
		return common[0]
	}
	return ""
}

func first(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}
