package xlsform_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridsync/server/internal/xlsform"
	"gridsync/syncproto/form"
)

// everythingElse asks for what can't be had here, beside one question that can.
const everythingElse = `
# survey
type | name | label | required | relevant | constraint | calculation | default | read_only | appearance | choice_filter | gridsync_rule | gridsync_class | gridsync_type | image | gridsync_measure
date | day | Day | yes | | | | | | | | | | | |
geopoint | place | Place | | | | | | | | | | | | |
image | photo | Photo | | | | | | | | | | | | |
audio | sound | Sound | | | | | | | | | | | | |
rank fruits | order | Order | | | | | | | | | | | | |
select_one_from_file villages.csv | village | Village | | | | | | | | | | | | |
select_one nowhere | nowhere | Nowhere | | | | | | | | | | | | |
begin_repeat | children | Children | | | | | | | | | | | | |
text | child_name | Name | | | | | | | | | | | | |
integer | child_age | Age | | | | | | | | | | | | |
end_repeat | | | | | | | | | | | | | | |
text | a | A | \${b} = 1 | | | | | | | | | | | |
integer | b | B | | \${child_age} > 3 | | | | | | | | | | |
integer | c | C | | \${missing} > 3 | | | | | | | | | | |
integer | d | D | | pulldata('x', 'y', 'z', 'w') = 1 | . > | | 5 | yes | | | | | | | . > today()
integer | b | B again | | | | | | | | | | | | |
 | e | E | | | | | | | | | | | | |
text | | F | | | | | | | | | | | | |
select_one fruits | g | G | | | | | | | quick | region=\${a} | severe | public | mobile | g.png |
text | h | H | | | | | | | search('x') | | | | | |
calculate | loop_a | La | | | | \${loop_b} + 1 | | | | | | | | |
calculate | loop_b | Lb | | | | \${loop_a} + 1 | | | | | | | | |
hidden | secret | S | | | | | | | | | | | | |
begin_group | open | Open | | | | | | | | | | | | |

# choices
list_name | name | label | region
fruits | apple | Apple | north
fruits | pear | Pear | south
fruits | apple | Apple again | south
other | lonely | Lonely |
 | nobody | Nobody |
fruits | | Nameless |

# settings
form_title | form_id | public_key | gridsync_stream
Everything else | everything_else | MIIB | river

# entities
list_name | label
trees | Tree

# mine
anything | here
`

func TestWhatIsNotSupportedIsNamedWithItsCell(t *testing.T) {
	got := readBook(t, book(t, strings.ReplaceAll(everythingElse, `\$`, "$")), xlsform.Options{})
	says(t, "problem", got.Problems,
		"survey!A3 geopoint", "survey!A4 image", "survey!A5 audio", "survey!A6 rank", "survey!A7 select_one_from_file",
		`survey!A8 no list "nowhere"`, "survey!A9 child_name, child_age", "survey!D13 required", "survey!E14 ${child_age}",
		"survey!E15 no such question", "survey!E16 pulldata", "survey!F16 it ends too early", "survey!I16 read_only", "survey!P16 must not change by itself",
		"survey!B17 twice", "survey!A18 no type", "survey!B19 no name", "survey!K20 choice_filter", "survey!L20 gridsync_rule", "survey!M20 open, personal or secret",
		"survey!N20 gridsync_type", "survey!J21 come from a file", "survey!G22 speaks of itself", "survey!A24 another program", "survey!A25 no end_group",
		"choices!B4 twice", "choices!A6 no list_name", "choices!B7 no name", "settings!D2 gridsync_stream", "entities! not supported",
	)
	says(t, "remark", got.Remarks,
		"survey!H16 is not filled in", "survey!J20 appearance", "survey!O1 pictures and sound", "choices!D1 is not used", "choices!A5 no question uses",
		"settings!C1 not used", "mine! was not read",
	)
	f := parse(t, got)
	var names []string
	for _, field := range f.Fields {
		names = append(names, field.Name)
		if field.Relevant != "" || field.Constraint != "" || field.Name != "day" && field.Required {
			t.Errorf("%s has half a condition: %+v", field.Name, field)
		}
	}
	if all := strings.Join(names, " "); all != "day nowhere a b c d g h loop_a loop_b" {
		t.Errorf("the fields are %s", all)
	}
}

func TestAWorkbookThatCantBeReadIsAProblem(t *testing.T) {
	good := book(t, householdListing)
	bomb := func() []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		part, err := w.Create("xl/worksheets/sheet1.xml")
		if err != nil {
			t.Fatal(err)
		}
		block := make([]byte, 1<<20)
		for range 70 {
			if _, err := part.Write(block); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	macros := func() []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		if _, err := w.Create("xl/vbaProject.bin"); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	for name, c := range map[string]struct {
		workbook []byte
		want     string
	}{
		"nothing":        {nil, "! nothing in it"},
		"a text":         {[]byte("type,name,label\ntext,a,A\n"), "! no sheet called survey"},
		"half a file":    {good[:len(good)/2], "! cut short"},
		"too large":      {make([]byte, xlsform.MaxWorkbook+1), "! too large"},
		"a bomb":         {bomb(), "! unpacks to more"},
		"macros":         {macros(), "! macros"},
		"no survey":      {book(t, "# choices\nlist_name | name\n"), "! no sheet called survey"},
		"no type":        {book(t, "# survey\nname | label\na | A\n"), "survey! no column called type"},
		"no questions":   {book(t, "# survey\ntype | name | label\nnote | a | A\n"), "survey! no question"},
		"columns twice":  {book(t, "# survey\ntype | name | name | label\ntext | a | b | A\n"), "survey!C1 the same heading"},
		"no kind at all": {book(t, "# survey\ntype | name | label\ntext | a | A\n"), "settings! no form_id"},
	} {
		t.Run(name, func(t *testing.T) {
			got := readBook(t, c.workbook, xlsform.Options{})
			says(t, "problem", got.Problems, c.want)
		})
	}
}

// Whatever stands in the cells, the reading ends, and what it gives is a form or nothing.
func TestAnyWorkbookIsReadOrNamed(t *testing.T) {
	types := rapid.SampledFrom([]string{"text", "integer", "date", "select_one l", "select_multiple l or_other", "calculate", "note", "begin_group", "end_group", "begin_repeat", "end_repeat", "trigger", "range", "image", "", "start"})
	names := rapid.SampledFrom([]string{"a", "b", "c", "area", "户主", "a b", "", "recorded_at", strings.Repeat("x", 70)})
	expressions := rapid.SampledFrom([]string{"", "${a} = 1", ". > ${b}", "selected(${c}, 'x')", "${area} != ''", "(", "${", "'", "today() > .", "${start} = 1", "if(${a}, ${b}, ${c})", "‘’ = ．"})
	cells := rapid.SampledFrom([]string{"", "yes", "no", "person", "latest", "union", "secret", "mobile", "ref person", "${a}", "start=1 end=x"})
	rapid.Check(t, func(rt *rapid.T) {
		var text strings.Builder
		text.WriteString("# survey\ntype | name | label | relevant | constraint | calculation | required | gridsync_type | gridsync_rule | gridsync_measure | gridsync_flag | parameters\n")
		for range rapid.IntRange(1, 12).Draw(rt, "rows") {
			text.WriteString(strings.Join([]string{
				types.Draw(rt, "type"), names.Draw(rt, "name"), cells.Draw(rt, "label"), expressions.Draw(rt, "relevant"), expressions.Draw(rt, "constraint"),
				expressions.Draw(rt, "calculation"), cells.Draw(rt, "required"), cells.Draw(rt, "type of ours"), cells.Draw(rt, "rule"), cells.Draw(rt, "measure"),
				expressions.Draw(rt, "flag"), cells.Draw(rt, "parameters"),
			}, " | ") + " | \n")
		}
		text.WriteString("# choices\nlist_name | name | label\nl | x | X\nl | y | Y\n# settings\nform_id\nany\n")
		got := readBook(t, book(t, text.String()), xlsform.Options{})
		for _, p := range got.Problems {
			if strings.Contains(p.Text.EN, "does not hold together") {
				rt.Fatalf("%s\n%s", p, text.String())
			}
		}
		if got.Source != nil {
			if _, err := form.Parse(got.Source); err != nil {
				rt.Fatal(err)
			}
		} else if len(got.Problems) == 0 {
			rt.Fatal("neither a form nor a word about it")
		}
	})
}
