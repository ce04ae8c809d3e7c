package match

import (
	"strconv"
	"strings"
)

// numerals are the Chinese digits; tens the words that multiply what stands before them.
var (
	numerals = map[rune]int{
		'〇': 0, '○': 0, '零': 0, '一': 1, '二': 2, '三': 3, '四': 4, '五': 5, '六': 6, '七': 7, '八': 8, '九': 9,
	}
	tens = map[rune]int{'十': 10, '百': 100, '千': 1000}
)

// digits writes the Chinese numbers in s in digits: 二〇一 is 201, 十二 is 12, 一百零三
// is 103. It does so in names of streets too, which does no harm: it does it to all.
func digits(s string) string {
	if !strings.ContainsFunc(s, numeral) {
		return s
	}
	var out strings.Builder
	var run []rune
	flush := func() {
		out.WriteString(value(run))
		run = run[:0]
	}
	for _, r := range s {
		if numeral(r) {
			run = append(run, r)
			continue
		}
		flush()
		out.WriteRune(r)
	}
	flush()
	return out.String()
}

func numeral(r rune) bool {
	_, digit := numerals[r]
	return digit || tens[r] > 0
}

// value is the number that a run of numerals writes, digit by digit or in words.
func value(run []rune) string {
	var spelt strings.Builder
	sum, digit, words := 0, 1, false // 十 without a digit before it is 10
	for _, r := range run {
		if ten, ok := tens[r]; ok {
			sum, digit, words = sum+digit*ten, 0, true
			continue
		}
		digit = numerals[r]
		spelt.WriteString(strconv.Itoa(digit))
	}
	if words {
		return strconv.Itoa(sum + digit)
	}
	return spelt.String()
}
