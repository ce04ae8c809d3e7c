package form_test

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func TestTraditionalAndSimplifiedAreOneText(t *testing.T) {
	f := define(t, field("name", "text", "review", ""), "")
	name, _ := f.Field("name")
	for _, c := range [][2]string{
		{"務", "务"},
		{"張國強", "张国强"},
		{"文昌路1號2棟", "文昌路1号2栋"},
		{"峯", "峰"},
		{"開", "开"}, // 𫔭 is made of it too, which nobody writes
		{"裏", "里"},
		{"裡", "里"},
		{"後", "后"},
		{"\uF9E9", "里"}, // a compatibility character, by NFKC
	} {
		if a, b := name.Fold(syncproto.TextValue(c[0])), name.Fold(syncproto.TextValue(c[1])); a != b {
			t.Errorf("%s folds to %s, %s to %s", c[0], a, c[1], b)
		}
	}
}

func TestACharacterWithSeveralSimplifiedFormsStays(t *testing.T) {
	f := define(t, field("name", "text", "review", ""), "")
	name, _ := f.Field("name")
	for _, c := range [][2]string{{"乾", "干"}, {"麼", "么"}, {"鍾", "钟"}, {"於", "于"}, {"畫", "画"}, {"隻", "双"}} {
		if name.Fold(syncproto.TextValue(c[0])) == name.Fold(syncproto.TextValue(c[1])) {
			t.Errorf("%s is taken for %s", c[0], c[1])
		}
	}
	for _, stays := range []string{"里", "后", "乾", "干", "王"} {
		if got := name.Fold(syncproto.TextValue(stays)); got != `"`+stays+`"` {
			t.Errorf("%s folds to %s", stays, got)
		}
	}
}

// Every line is a pair that folding neither changes before nor after: the order of
// NFKC and the table does not count, and folding twice is folding once.
func TestTheTableOfVariantsIsClosed(t *testing.T) {
	lines, err := os.ReadFile("variants.txt")
	if err != nil {
		t.Fatal(err)
	}
	heads, before := map[rune]bool{}, rune(0)
	var tails []rune
	for line := range strings.Lines(string(lines)) {
		pair := []rune(strings.TrimSuffix(line, "\n"))
		if pair[0] == '#' {
			continue
		}
		if len(pair) != 2 || pair[0] <= before || pair[0] < 0x3400 || !norm.NFKC.IsNormalString(string(pair)) {
			t.Fatalf("line %q", line)
		}
		before, heads[pair[0]], tails = pair[0], true, append(tails, pair[1])
	}
	for _, r := range tails {
		if heads[r] {
			t.Errorf("%c is what something is turned into, and is itself turned into another", r)
		}
	}
	if len(heads) < 4000 || !utf8.Valid(lines) {
		t.Errorf("only %d characters", len(heads))
	}
}

func TestFoldingATextThatIsFoldedAllocatesItsQuotesOnly(t *testing.T) {
	f := define(t, field("name", "text", "review", ""), "")
	name, _ := f.Field("name")
	if n := testing.AllocsPerRun(100, func() { name.Fold(`"张国强"`) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFold(b *testing.B) {
	for name, value := range map[string]syncproto.Value{
		"simplified": `"文昌路1号2栋301室"`, "traditional": `"文昌路1號2棟301室"`, "half width": `"1-2-301"`,
	} {
		b.Run(name, func(b *testing.B) {
			text := form.Field{Type: form.Text}
			for b.Loop() {
				text.Fold(value)
			}
		})
	}
}
