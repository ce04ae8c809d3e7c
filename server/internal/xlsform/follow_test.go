package xlsform_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridsync/server/internal/xlsform"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// next reads a workbook as the version after another.
func next(t *testing.T, before *form.Form, extend bool, text string) (*form.Form, xlsform.Reading) {
	t.Helper()
	got := readBook(t, book(t, text), xlsform.Options{Kind: before.Kind, Before: before, Extend: extend})
	f := parse(t, got)
	if err := form.Compatible(before, f); err != nil {
		t.Errorf("the next version can't follow: %v", err)
	}
	return f, got
}

const waterPointNext = `
# survey
type | name | label | required | gridsync_type | gridsync_measure
date | checked_on | Day of the check | yes | |
text | 水源名称 | 水源名称 | yes | |
select_one state | state | 状况 | yes | |
select_one state | users | 使用户数 | | |
select_one source | source | 水源类型 | | |
decimal | depth | 水深 | | |

# choices
list_name | name | label
state | flooded | 被淹
state | dry | 干涸
state | ok | 正常
source | tap | 自来水
source | rain | 雨水

# settings
form_title | form_id
供水点检查 | 供水点检查
`

func TestTheNextVersionKeepsWhatWasRecorded(t *testing.T) {
	before, _ := read(t, waterPoint)
	f, got := next(t, before, false, waterPointNext)
	if f.Version != 2 || f.Moment != "checked_on" {
		t.Errorf("version %d, counted on %q", f.Version, f.Moment)
	}
	says(t, "problem", got.Problems, "survey!A4 the order of", "survey!A5 can't change")
	says(t, "remark", got.Remarks,
		"survey! asked no more, and what was recorded stays: chlorine, tag, trouble", "survey!A3 merged by once",
		"survey!A4 stay: weak", "survey!A6 stay: well")
	codes := func(name string) string {
		var all []string
		for _, o := range fieldOf(t, f, name).Choices {
			all = append(all, o.Code)
		}
		return strings.Join(all, " ")
	}
	if got := codes("state"); got != "ok weak dry flooded" {
		t.Errorf("by severity: %s", got)
	}
	if got := codes("source"); got != "tap rain well" {
		t.Errorf("sources: %s", got)
	}
	if field := fieldOf(t, f, "chlorine"); !field.Retired || field.Required {
		t.Errorf("chlorine: %+v", field)
	}
	if field := fieldOf(t, f, "users"); field.Type != form.Integer || field.Retired {
		t.Errorf("users: %+v", field)
	}
	if field := fieldOf(t, f, "checked_on"); field.Retired || field.Label.ZH != "Day of the check" {
		t.Errorf("checked_on: %+v", field)
	}
	counts(t, f, map[string]int64{"gongshuidianjiancha_records": 1, "gongshuidianjiancha_users": 3, "gongshuidianjiancha_state_weak": 1},
		`checked_on="2020-01-31"`, `state="weak"`, "users=3")
}

func TestQuestionsCanBeAddedToAKindThatThereIs(t *testing.T) {
	set, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	before := set.Newest("person")
	f, got := next(t, before, true, `
# survey
type | name | label::中文 (zh) | label::English | gridsync_class
text | name | 姓名 | Name |
text | id_number | 身份证号 | ID number |
select_one yn | has_dog | 是否养犬 | Keeps a dog | personal

# choices
list_name | name | label::中文 (zh) | label::English
yn | yes | 是 | Yes
yn | no | 否 | No
`)
	if len(got.Problems) > 0 {
		t.Errorf("problems:\n%s", list(got.Problems))
	}
	if len(f.Fields) != len(before.Fields)+1 || len(f.Measures) != len(before.Measures) || f.Match == nil || f.Stream != form.Roster {
		t.Errorf("%d fields of %d, %d measures of %d, stream %s", len(f.Fields), len(before.Fields), len(f.Measures), len(before.Measures), f.Stream)
	}
	if field := fieldOf(t, f, "id_number"); field.Type != form.IDNumber || field.Class != form.Secret {
		t.Errorf("id_number: %+v", field)
	}
	if field := fieldOf(t, f, "birth"); field.Retired {
		t.Error("what the workbook doesn't ask was retired")
	}
	if field := fieldOf(t, f, "has_dog"); field.Class != form.Personal || field.Label != (syncproto.Text{ZH: "是否养犬", EN: "Keeps a dog"}) {
		t.Errorf("has_dog: %+v", field)
	}
}

// Whatever is struck out of a survey or put in another order, the next version can follow.
func TestAnySurveyCanFollowItself(t *testing.T) {
	surveys := []string{householdListing, vaccinationRound, floodDamage, waterPoint, muac}
	rapid.Check(t, func(rt *rapid.T) {
		survey := rapid.SampledFrom(surveys).Draw(rt, "survey")
		first := readBook(t, book(t, survey), xlsform.Options{})
		before := parse(t, first)
		var lines []string
		header := false
		for line := range strings.Lines(survey) {
			trimmed := strings.TrimSpace(line)
			if trimmed == "" {
				continue
			}
			keep := strings.HasPrefix(trimmed, "#") || header || strings.Contains(line, "form_id") || strings.Contains(line, "form id")
			header = strings.HasPrefix(trimmed, "#")
			if keep || rapid.IntRange(0, 3).Draw(rt, "keep") > 0 {
				lines = append(lines, trimmed)
			}
		}
		if rapid.Bool().Draw(rt, "other order") { // of the choices, which stand before the settings
			from, to := slices.Index(lines, "# choices")+2, slices.Index(lines, "# settings")
			slices.Reverse(lines[from:to])
		}
		got := readBook(t, book(t, strings.Join(lines, "\n")), xlsform.Options{Kind: before.Kind, Before: before, Extend: rapid.Bool().Draw(rt, "extend")})
		if got.Source == nil {
			return
		}
		f, err := form.Parse(got.Source)
		if err != nil {
			rt.Fatal(err)
		}
		if err := form.Compatible(before, f); err != nil {
			rt.Fatalf("%v\n%s", err, strings.Join(lines, "\n"))
		}
	})
}

func TestNothingBecomesLessPersonal(t *testing.T) {
	const survey = "# survey\ntype | name | label | gridsync_class\ntext | ill | Illness | CLASS\n# settings\nform_id\nillness\n"
	before, _ := read(t, strings.Replace(survey, "CLASS", "secret", 1))
	for class, want := range map[string]form.Class{"open": form.Secret, "personal": form.Secret, "secret": form.Secret} {
		f, _ := next(t, before, false, strings.Replace(survey, "CLASS", class, 1))
		if got := fieldOf(t, f, "ill").Class; got != want {
			t.Errorf("told %s, it is %q", class, got)
		}
	}
}
