package sheet

import (
	"strings"
	"testing"
)

// Cells that are merged over and over would have a small file work for hours.
func TestCellsThatAreMergedAgainAndAgainAreNotFilledForEver(t *testing.T) {
	merges := strings.Repeat(`<mergeCell ref="A2:J11"/>`, 50)
	var rows strings.Builder
	for n := range 11 {
		rows.WriteString(`<row><c t="inlineStr"><is><t>` + string(rune('a'+n)) + `</t></is></c></row>`)
	}
	data := rawBook(t, `<worksheet><sheetData>`+rows.String()+`</sheetData><mergeCells>`+merges+`</mergeCells></worksheet>`)
	limits := DefaultLimits
	limits.Cells = 1000
	if got := refused(t, "x.xlsx", data, Options{FillMerged: true, HeaderRow: 1, Limits: limits}); got != badCells {
		t.Errorf("%q", got)
	}
}

// A number in a million pieces is put together a million times, if nobody counts.
func TestANumberInPiecesIsNoLongerThanACell(t *testing.T) {
	pieces := strings.Repeat("1234567890<!---->", maxToken/10+1)
	data := rawBook(t, `<worksheet><sheetData><row><c t="str"><v>`+pieces+`</v></c></row></sheetData></worksheet>`)
	if got := refused(t, "x.xlsx", data, Options{}); got != badBomb {
		t.Errorf("%q", got)
	}
}

// A text that cells share is looked at once for each of them.
func TestATextLongerThanAnyCellIsNotLookedThrough(t *testing.T) {
	table := read(t, "x.csv", []byte("名称,数\n"+strings.Repeat(" ", 8*DefaultLimits.Characters)+"甲,1\n"), Options{})
	if len(table.Problems) != 1 || table.Problems[0].Text != textTooLong {
		t.Errorf("%+v", table.Problems)
	}
}
