package privacy

import (
	"strings"
	"testing"
	"unicode/utf8"

	"gridsync/syncproto/form"
)

func TestEachKindOfTextHasItsMask(t *testing.T) {
	name, text := &form.Field{Name: "name", Type: form.Text}, &form.Field{Name: "address", Type: form.Text}
	id, mobile, day := &form.Field{Type: form.IDNumber}, &form.Field{Type: form.Mobile}, &form.Field{Type: form.Date}
	for _, c := range []struct {
		field *form.Field
		in    string
		want  string
	}{
		{name, "张三", "张*"},
		{name, "张小三", "张*三"},
		{name, "欧阳小明", "欧*明"},
		{name, "  张\u3000三 ", "张*三"},
		{name, "张", "*"},
		{name, "□", "*"},
		{name, "张□", "张*"},
		{name, "张□三", "张*三"},
		{name, "张😀三", "张*三"},
		{name, "张\u202e三\u202c", "张*"}, // what turns the direction of writing has no shape
		{name, "𠮷野家", "𠮷*家"},           // above U+FFFF
		{name, "Maria del Rosario", "M* d* R*"},
		{name, "Ｍａｒｉａ", "M*"},
		{name, "X", "*"},
		{name, "é", "*"}, // two code points, one letter
		{name, "محمد علي", "م* ع*"},
		{name, "😀", "*"},
		{name, "", "*"},
		{name, " \u200b ", "*"},

		{id, "330702199901011234", "3307**********1234"},
		{id, "33070219990101123x", "3307**********123X"},
		{id, "３３０７０２ 1999-0101 123ｘ", "3307**********123X"},
		{id, "330702990101123", "3307**********1123"},
		{id, "33070219990101", "**********"},
		{id, "1", "**********"},
		{id, "", "**********"},
		{id, "护照 E1234567890123456", "**********"},
		{id, `3307021999010112"4`, "**********"},
		{id, "😀😀😀😀😀😀😀😀", "**********"},

		{mobile, "13812345678", "138****5678"},
		{mobile, "138 1234-5678", "138****5678"},
		{mobile, "+8613812345678", "861****5678"},
		{mobile, "82345678", "****78"},
		{mobile, "110", "****"},
		{mobile, "没有", "****"},
		{mobile, "", "****"},
		{mobile, "1381234567X", "****"},

		{day, "1950-03-09", "1950"},
		{day, "1950", "***"},
		{day, "", "***"},
		{day, "1950-03-09 8点", "***"},

		{text, "幸福里12号", "幸***"},
		{text, "甲乙", "甲***"},
		{text, "甲", "***"},
		{text, "", "***"},
		{text, "😀😀", "😀***"},
		{text, "\u202e12", "1***"},
	} {
		got, ok := mask(c.field, c.field == name, c.in)
		if !ok || got != c.want {
			t.Errorf("%s %q: %q %v, want %q", c.field.Type, c.in, got, ok, c.want)
		}
	}
}

func TestWhatIsNoTextHasNoMask(t *testing.T) {
	for _, kind := range []form.Type{form.Choice, form.Choices, form.Ref, form.Refs, form.Integer, form.Decimal, form.Boolean, form.Time, form.AreaCode, form.ExitType, form.Residences} {
		if got, ok := mask(&form.Field{Type: kind}, false, "fever"); ok {
			t.Errorf("%s shows %q", kind, got)
		}
	}
}

func TestTheLengthOfAMaskTellsNothing(t *testing.T) {
	id, name := &form.Field{Type: form.IDNumber}, &form.Field{Name: "name", Type: form.Text}
	short, _ := mask(id, false, "330702990101123")
	long, _ := mask(id, false, "330702199901011234567890")
	if len(short) != len(long) || strings.Count(short, "*") != len(starsOfID) {
		t.Errorf("%s and %s", short, long)
	}
	three, _ := mask(name, true, "张小三")
	five, _ := mask(name, true, "张小小小三")
	if three != five {
		t.Errorf("%s and %s", three, five)
	}
}

func FuzzAMaskIsShortAndWellFormed(f *testing.F) {
	for _, seed := range []string{"张三", "330702199901011234", "\xff\xfe", "\u202e张", "😀", "é", "1999-01-01"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []form.Type{form.Text, form.IDNumber, form.Mobile, form.Date, ""} {
			got, ok := mask(&form.Field{Type: kind}, false, text)
			if !ok || !utf8.ValidString(got) || utf8.RuneCountInString(got) > 18 {
				t.Errorf("%s %q: %q", kind, text, got)
			}
			if utf8.RuneCountInString(strings.TrimSpace(text)) > 1 && got == text && kind != form.IDNumber && !strings.Contains(text, "*") {
				t.Errorf("%s %q is shown as it is", kind, text)
			}
		}
	})
}
