package demo

import (
	"bytes"
	"strings"
	"testing"

	"gridsync/syncproto"
)

func TestColumnsStandUnderEachOtherWhateverTheScript(t *testing.T) {
	var out bytes.Buffer
	tb := &table{}
	tb.add(cell{"", ""}, cell{"居民1组", ""}, cell{"N", ""})
	tb.add(cell{"人数 People（人）", ""}, cell{"12,933", ""}, cell{"1", ""})
	tb.add(cell{"x", ""}, cell{"7", dim}, cell{"ＡＢ", red})
	tb.print(&pen{out: &out})
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for _, line := range lines {
		if width(line) != width(lines[1]) {
			t.Errorf("%q is %d wide, the rule %d", line, width(line), width(lines[1]))
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("colour without being asked for it")
	}
}

func TestColourDoesNotMoveColumns(t *testing.T) {
	draw := func(colour bool) string {
		var out bytes.Buffer
		tb := &table{}
		tb.add(cell{"户", ""}, cell{"合计", ""})
		tb.add(cell{"武汉返回", ""}, cell{"751", red})
		tb.print(&pen{out: &out, colour: colour})
		return out.String()
	}
	coloured := draw(true)
	for _, style := range []string{bold, dim, red, "0"} {
		coloured = strings.ReplaceAll(coloured, "\x1b["+style+"m", "")
	}
	if coloured != draw(false) {
		t.Errorf("with colour:\n%s\nwithout:\n%s", coloured, draw(false))
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 12933: "12,933", -1234567: "-1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestProgressIsLinesWithoutATerminalAndABarOnOne(t *testing.T) {
	tell := func(bar bool) string {
		var out bytes.Buffer
		p := &progress{out: &out, bar: bar, whole: 200}
		p.say(syncproto.Text{ZH: "上午", EN: "morning"})
		p.add(100)
		p.say(syncproto.Text{ZH: "下午", EN: "afternoon"})
		p.end()
		return out.String()
	}
	if got, want := tell(false), "[  0%] 上午 · morning\n[ 50%] 下午 · afternoon\n"; got != want {
		t.Errorf("without a terminal: %q", got)
	}
	if got := tell(true); strings.Contains(got, "\n") || !strings.Contains(got, strings.Repeat("█", barWidth/2)+"░") {
		t.Errorf("on a terminal: %q", got)
	}
}
