package area

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLinesBecomeAreas(t *testing.T) {
	want := []Node{{ID: "33", Name: "浙江省"}, {ID: "3307", Name: "金华市", Parent: "33"}}
	for name, text := range map[string]string{
		"plain":                   "33,浙江省,\n3307,金华市,33\n",
		"no line end":             "33,浙江省,\n3307,金华市,33",
		"Windows line ends":       "33,浙江省,\r\n3307,金华市,33\r\n",
		"byte order mark":         "\xef\xbb\xbf33,浙江省,\n3307,金华市,33\n",
		"header":                  "code,name,parent\n33,浙江省,\n3307,金华市,33\n",
		"Chinese header":          "编码,名称,上级编码\n33,浙江省,\n3307,金华市,33\n",
		"header in another order": "Name,Parent,Code\n浙江省,,33\n金华市,33,3307\n",
		"mark and header":         "\xef\xbb\xbfcode,name,parent\n33,浙江省,\n3307,金华市,33\n",
		"white space":             " 33 , 浙江省 ,\n\n3307 ,金华市, 33\n\n",
		"quotes":                  "33,\"浙江省\",\"\"\n\"3307\",金华市,33\n",
		"a root without a comma":  "33,浙江省\n3307,金华市,33\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, problems, err := ReadCSV(strings.NewReader(text), nil)
			if err != nil || len(problems) > 0 {
				t.Fatal(err, problems)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestAChildMayStandBeforeItsParent(t *testing.T) {
	nodes, problems, err := ReadCSV(strings.NewReader("3307,金华市,33\n33,浙江省,\n"), nil)
	if err != nil || len(problems) > 0 || len(nodes) != 2 {
		t.Fatal(nodes, problems, err)
	}
}

func TestEveryBadLineIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string // line and English text
	}{
		"empty file":             {"", "1: " + textNoAreas.EN},
		"header alone":           {"code,name,parent\n", "1: " + textNoAreas.EN},
		"GBK":                    {"33,浙江省,\n3307,\xbd\xf0\xbb\xaa,33\n", "2: " + textEncoding.EN},
		"four columns":           {"33,a,,x\n", "1: " + textColumns.EN},
		"one column":             {"33,a,\n3307\n", "2: " + textColumns.EN},
		"no code":                {",a,\n", "1: " + textCode.EN},
		"a code with a slash":    {"33,a,\n33/07,b,33\n", "2: " + textCode.EN},
		"a code too long":        {strings.Repeat("3", 33) + ",a,\n", "1: " + textCode.EN},
		"no name":                {"33,,\n", "1: " + textName.EN},
		"a name too long":        {"33," + strings.Repeat("金", 101) + ",\n", "1: " + textName.EN},
		"a code twice":           {"33,a,\n34,b,\n33,c,\n", "3: " + textTwice.EN},
		"no such parent":         {"33,a,\n3307,b,34\n", "2: " + textParent.EN},
		"its own parent":         {"33,a,33\n", "1: " + textCircle.EN},
		"a circle of two":        {"1,a,2\n2,b,1\n", "1: " + textCircle.EN + "|2: " + textCircle.EN},
		"below a circle":         {"1,a,2\n2,b,1\n3,c,1\n", "1: " + textCircle.EN + "|2: " + textCircle.EN},
		"a circle with the tree": {"33,浙江省,3307\n", "1: " + textCircle.EN},
		"quotes open":            {"33,a,\n34,\"b,\n", "2: " + textQuotes.EN},
		"two at once":            {"33,,\n34,b,99\n", "1: " + textName.EN + "|2: " + textParent.EN},
		"a quoted line end keeps the count": {
			"33,\"a\nb\",\n34,,\n", "3: " + textName.EN,
		},
	} {
		t.Run(name, func(t *testing.T) {
			nodes, problems, err := ReadCSV(strings.NewReader(c.text), there(t, c.text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range problems {
				if p.ZH == "" {
					t.Error("no Chinese text")
				}
				got = append(got, fmt.Sprintf("%d: %s", p.Line, p.EN))
			}
			if s := strings.Join(got, "|"); s != c.want {
				t.Errorf("got  %s\nwant %s", s, c.want)
			}
			if len(nodes) > 0 {
				t.Error("half of the file is handed out")
			}
		})
	}
}

// there is a tree that is imported already, for the case that needs one.
func there(t *testing.T, text string) *Tree {
	t.Helper()
	if text != "33,浙江省,3307\n" {
		return nil
	}
	tree, err := NewTree([]Node{{Key: 1, ID: "33"}, {Key: 2, ID: "3307", Parent: "33"}})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestAParentMayBeThereAlready(t *testing.T) {
	tree, err := NewTree([]Node{{Key: 1, ID: "33"}})
	if err != nil {
		t.Fatal(err)
	}
	nodes, problems, err := ReadCSV(strings.NewReader("3307,金华市,33\n"), tree)
	if err != nil || len(problems) > 0 || len(nodes) != 1 {
		t.Fatal(nodes, problems, err)
	}
}

func TestTheListOfProblemsIsBounded(t *testing.T) {
	_, problems, err := ReadCSV(strings.NewReader(strings.Repeat(",,\n", 100_000)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) != maxProblems+1 || problems[maxProblems].Text != textMoreWrong {
		t.Errorf("%d problems", len(problems))
	}
}

func TestAFileTooLargeOrBrokenIsAnError(t *testing.T) {
	endless := io.LimitReader(zeros{}, MaxCSV+1)
	if _, _, err := ReadCSV(endless, nil); err == nil {
		t.Error("more than the limit is read")
	}
	broken := iotest.ErrReader(io.ErrUnexpectedEOF)
	if _, _, err := ReadCSV(broken, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}
