package match

import (
	"strings"
	"testing"

	"github.com/mozillazg/go-pinyin"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// built returns a form that comes with the program.
func built(t testing.TB, kind syncproto.Kind) *form.Form {
	t.Helper()
	set, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	return set.Newest(kind)
}

// show writes the values that a record shows.
func show(pairs ...string) syncproto.Fields {
	fields := syncproto.Fields{}
	for i := 0; i+1 < len(pairs); i += 2 {
		fields[pairs[i]] = syncproto.TextValue(pairs[i+1])
	}
	return fields
}

// number is a valid ID number of somebody born on a day such as 19500101.
func number(day, order string) string {
	digits := "999001" + day + order
	check, _ := form.IDCheck(digits)
	return digits + string(check)
}

const home1, home2 = "0193b7a2-7c1e-7d3a-9b3f-1c2d3e4f5a01", "0193b7a2-7c1e-7d3a-9b3f-1c2d3e4f5a02"

func TestWhatIsWrittenDifferentlyIsComparedAlike(t *testing.T) {
	person := built(t, "person")
	for _, c := range [][2]syncproto.Fields{
		{show("name", "張國強"), show("name", " 张国强")},
		{show("name", "买买提·艾力"), show("name", "买买提 艾力")},
		{show("name", "Ｌｉ Ming"), show("name", "li ming")},
		{show("name", "王□"), show("name", "王＊")},
		{show("name", "王□"), show("name", "王？")},
		{show("name", "王□"), show("name", "王■")},
		{show("name", "王□"), show("name", "王○")},
		{show("name", "王□"), show("name", "王\uFFFD")},
		{show("mobile", "99900000001"), show("mobile", "+86 999-0000-0001")},
		{show("mobile", "99900000001"), show("mobile", "8699900000001")},
		{show("mobile", "99900000001"), show("mobile", "008699900000001")},
		{show("id_number", number("19500101", "001")), show("id_number", " "+number("19500101", "001"))},
		{show("household", home1), show("household", "0193B7A2-7C1E-7D3A-9B3F-1C2D3E4F5A01")},
		// The birth that nobody wrote stands in the number.
		{show("id_number", number("19500101", "001")), show("id_number", number("19500101", "001"), "birth", "1950-01-01")},
	} {
		a, b := ProfileOf(person, c[0], nil), ProfileOf(person, c[1], nil)
		if a != b || a == (Profile{Kind: "person"}) {
			t.Errorf("%v is %+v,\n%v is %+v", c[0], a, c[1], b)
		}
	}
	for _, c := range [][2]syncproto.Fields{
		{show("name", "王伟"), show("name", "王玮")},
		{show("name", "王□"), show("name", "王")},
		{show("name", "乾"), show("name", "干")},
		{show("mobile", "8699900000"), show("mobile", "99900000")}, // 8 digits are no whole number
		{show("household", home1), show("household", home2)},
		{show("birth", "1950-01-01"), show("birth", "1950-01-10")},
	} {
		if a := ProfileOf(person, c[0], nil); a == ProfileOf(person, c[1], nil) {
			t.Errorf("%v and %v are both %+v", c[0], c[1], a)
		}
	}
}

func TestAnAddressIsItsDoorHoweverItIsWritten(t *testing.T) {
	for _, c := range [][]string{
		{"文昌路1-2-301", "文昌路１号２幢301室", "文昌路1號2栋301", "文昌路 1 号 2 号楼 301", "文昌路一号二幢三〇一室", "文昌路1#2#301", "文昌路1号2单元301房", "文昌路1，2，301"},
		{"文昌路12-103", "文昌路十二号一百零三室", "文昌路12号103"},
		{"新村a-301", "新村A座301", "新村Ａ栋-301室", "新村a#301"},
		{"文昌路1", "文昌路一号", "文昌路1"},
		{"楼前街5", "楼前街5号", "楼前街五号"},
		{"文昌路110", "文昌路一百一十号"},
		// A number without a house behind it names a village.
		{"", "三里村", "渡架桥村", "渡架桥村5组", "不详", "五一路", "A", "渡架桥村，桥头"},
	} {
		for _, written := range c[1:] {
			if got := foldAddress(read(t, written)); got != c[0] {
				t.Errorf("%s is %q, want %q", written, got, c[0])
			}
		}
	}
	if foldAddress("文昌路12号") == foldAddress("文昌路1号2") {
		t.Error("No. 12 is taken for No. 1-2")
	}
	if foldAddress("三里村1号") != "3里村1" {
		t.Error(foldAddress("三里村1号"))
	}
}

func TestNumbersInWordsAreNumbers(t *testing.T) {
	for words, want := range map[string]string{
		"〇": "0", "十": "10", "十二": "12", "二十": "20", "二十一": "21", "一百": "100", "一百零三": "103", "一百一十": "110",
		"一千二百三十四": "1234", "二〇一": "201", "二○一": "201", "一二三": "123", "a一b": "a1b", "": "", "号": "号",
	} {
		if got := digits(words); got != want {
			t.Errorf("%s is %s, want %s", words, got, want)
		}
	}
}

func TestWhatSoundsAlikeHasOneSound(t *testing.T) {
	for name, want := range map[string]string{
		"王伟": "wang wei", "王玮": "wang wei", "汪维": "wang wei", "吕": "lv", "西安": "xi an", "先": "xian",
		"li明": "l i ming", "": "", "王□": "",
	} {
		if got := soundOf(name); got != want {
			t.Errorf("%s sounds %q, want %q", name, got, want)
		}
	}
}

func TestAKindThatIsNotMatchedHasNoProfile(t *testing.T) {
	for _, f := range []*form.Form{nil, built(t, "temperature")} {
		if p := ProfileOf(f, show("person", home1), nil); p != (Profile{}) || len(p.Keys(digester)) > 0 || len(p.Ranges(digester)) > 0 {
			t.Errorf("%+v", p)
		}
	}
	if score, _ := Score(Profile{}, Profile{}); score != 0 {
		t.Error("two records of which nothing is known are one by", score)
	}
}

// read folds a text as its form does.
func read(t *testing.T, written string) string {
	t.Helper()
	text, _ := built(t, "household").TextOf("address", show("address", written))
	return text
}

func TestEveryReadingIsThatOfTheLibraryWithoutItsTone(t *testing.T) {
	args := pinyin.NewArgs()
	for r := range pinyin.PinyinDict {
		got := soundOf(string(rune(r)))
		if strings.Trim(got, "abcdefghijklmnopqrstuvwxyz") != "" || got == "" {
			t.Fatalf("%c sounds %q", r, got)
		}
		if want := pinyin.SinglePinyin(rune(r), args)[0]; got != want && !strings.ContainsAny(want, "ê\u0304\u030c") {
			t.Errorf("%c sounds %q, want %q", r, got, want)
		}
	}
}
