package xlsform_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"gridsync/server/internal/xlsform"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// book builds a workbook from lines: "# name" begins a sheet, and " | " stands between cells.
func book(t *testing.T, text string) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	sheet, row, first := "", 0, true
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			continue
		case strings.HasPrefix(line, "# "):
			sheet, row = line[2:], 0
			if _, err := f.NewSheet(sheet); err != nil {
				t.Fatal(err)
			}
			if first {
				first = false
				if err := f.DeleteSheet("Sheet1"); err != nil {
					t.Fatal(err)
				}
			}
			continue
		}
		row++
		for i, cell := range strings.Split(line, "|") {
			at, err := excelize.CoordinatesToCellName(i+1, row)
			if err != nil {
				t.Fatal(err)
			}
			if cell = strings.TrimSpace(cell); cell == "" {
				continue
			}
			if err := f.SetCellValue(sheet, at, cell); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// read reads a survey in which nothing may be wrong.
func read(t *testing.T, text string) (*form.Form, xlsform.Reading) {
	t.Helper()
	got := readBook(t, book(t, text), xlsform.Options{})
	for _, p := range got.Problems {
		t.Errorf("a problem: %s", p)
	}
	return parse(t, got), got
}

func readBook(t *testing.T, workbook []byte, o xlsform.Options) xlsform.Reading {
	t.Helper()
	got, err := xlsform.Read(t.Context(), workbook, o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func parse(t *testing.T, got xlsform.Reading) *form.Form {
	t.Helper()
	f, err := form.Parse(got.Source)
	if err != nil {
		t.Fatalf("%v\n%s", err, got.Source)
	}
	return f
}

// says holds a list against what must be said: "survey!B3 a piece of the English text".
func says(t *testing.T, what string, notes []xlsform.Note, want ...string) {
	t.Helper()
	for _, w := range want {
		place, piece, _ := strings.Cut(w, " ")
		found := false
		for _, n := range notes {
			found = found || n.Sheet+"!"+n.Cell == place && strings.Contains(n.Text.EN, piece)
			if n.Text.ZH == "" || n.Text.EN == "" || strings.Contains(n.Text.ZH+n.Text.EN, "%!") {
				t.Errorf("a text went wrong: %+v", n)
			}
		}
		if !found {
			t.Errorf("no %s says %q at %s; there are\n%s", what, piece, place, list(notes))
		}
	}
}

func list(notes []xlsform.Note) string {
	var out strings.Builder
	for _, n := range notes {
		out.WriteString("  " + n.String() + "\n")
	}
	return out.String()
}

// fill is a record: "name=value" pairs, values as JSON.
func fill(pairs ...string) syncproto.Fields {
	fields := syncproto.Fields{}
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		fields[name] = syncproto.Value(value)
	}
	return fields
}

// accepts and refuses check a new record against a form.
func accepts(t *testing.T, f *form.Form, pairs ...string) {
	t.Helper()
	if problem := f.Check(fill(pairs...), true, occasion); problem != nil {
		t.Errorf("%v is refused: %v", pairs, problem)
	}
}

func refuses(t *testing.T, f *form.Form, field string, pairs ...string) {
	t.Helper()
	if problem := f.Check(fill(pairs...), true, occasion); problem == nil || problem.Field != field {
		t.Errorf("%v: got %v, want %s refused", pairs, problem, field)
	}
}

func fieldOf(t *testing.T, f *form.Form, name string) *form.Field {
	t.Helper()
	field, ok := f.Field(name)
	if !ok {
		t.Fatalf("there is no field %s", name)
	}
	return field
}

// occasion is an entry made on 2020-01-31.
var occasion = form.Occasion{At: 1580400000000}

// counts holds what a record adds to measures.
func counts(t *testing.T, f *form.Form, want map[string]int64, pairs ...string) {
	t.Helper()
	got := map[string]int64{}
	for _, c := range f.Counts(fill(pairs...), nil, nil) {
		if c.Day != 20200131 && c.Day != 20200130 {
			t.Errorf("%s counts on %s", c.Measure, c.Day)
		}
		got[c.Measure] += c.N
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v counts %v, want %v", pairs, got, want)
	}
}

// raises holds the one flag that a record raises, "" for none.
func raises(t *testing.T, f *form.Form, want string, pairs ...string) {
	t.Helper()
	if got := strings.Join(f.FlagsOf(fill(pairs...), nil), " "); got != want {
		t.Errorf("%v raises %q, want %q", pairs, got, want)
	}
}
