package main

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"gridsync/server/internal/dayclose"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/fieldwork"
	"gridsync/server/internal/hook"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/intake"
	"gridsync/server/internal/review"
	"gridsync/server/web"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Whatever the server may answer has words on the page, in both languages.
func TestThePageHasWordsForWhateverTheDeskAnswers(t *testing.T) {
	script := scripts(t)
	var keys []string
	for _, act := range []desk.Act{desk.Choose, desk.Merge, desk.Different, desk.Route, desk.Accept, desk.Return, desk.Assign, desk.Undo} {
		keys = append(keys, `"act.`+string(act)+`"`)
	}
	for _, ending := range []review.Ending{
		review.Decided, review.Merged, review.Different, review.Accepted, review.Agreed, review.Corrected, review.TakenUp, review.Answered, review.Signed,
	} {
		keys = append(keys, `"end.`+string(ending)+`"`)
	}
	for _, what := range []review.What{review.WasOpened, review.WasClosed, review.WasAssigned, review.WasRouted, review.WasReturned, review.WasUndone} {
		keys = append(keys, `"what.`+string(what)+`"`)
	}
	for _, verdict := range []syncproto.Outcome{syncproto.Applied, syncproto.Merged, syncproto.Disputed, syncproto.Parked} {
		keys = append(keys, `"verdict.`+string(verdict)+`"`)
	}
	for _, key := range append(keys, fieldKeys(t)...) {
		if !strings.Contains(script, key+": [") {
			t.Errorf("the page has no words for %s", key)
		}
	}
	for _, kind := range review.Kinds {
		if !strings.Contains(script, `"`+string(kind)+`"`) {
			t.Errorf("the page does not list questions of kind %s", kind)
		}
	}
}

// Whatever people may hold, see or do has words on the page, and so has whatever the log says
// was done.
func TestThePageHasWordsForPeopleAndWhatTheyDo(t *testing.T) {
	script := scripts(t)
	words := func(prefix, name string) {
		if !strings.Contains(script, `"`+prefix+name+`": [`) {
			t.Errorf("the page has no words for %s%s", prefix, name)
		}
	}
	for _, role := range identity.Roles {
		words("role.", string(role))
	}
	for _, right := range identity.Rights {
		words("right.", string(right))
	}
	for _, status := range []identity.Status{"in_use", identity.Retired, identity.Lost, identity.Suspended} {
		words("status.", string(status))
	}
	_, offered, _ := strings.Cut(script, "const ACTS = [")
	offered, _, _ = strings.Cut(offered, "]")
	for _, act := range acts(t) {
		words("did.", act)
		if !strings.Contains(offered, `"`+act+`"`) {
			t.Errorf("the log can't be narrowed to %s", act)
		}
	}
}

// What the server says to phones without a good token is not what people at a desk should read.
func TestThePageHasItsOwnWordsForWhoeverIsSignedOut(t *testing.T) {
	want := fmt.Sprintf("const OUT = [%q, %q];", syncproto.CodeNoToken, syncproto.CodeTokenExpired)
	if script := scripts(t); !strings.Contains(script, want) || !strings.Contains(script, "请重新登录") {
		t.Errorf("the page lacks %s or its words", want)
	}
}

// acts are the constants of package audit.
func acts(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("internal/audit/audit.go")
	if err != nil {
		t.Fatal(err)
	}
	var acts []string
	for _, m := range regexp.MustCompile(`(?m)^\t\w+\s+(?:Act\s+)?= "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		acts = append(acts, m[1])
	}
	if len(acts) < 10 {
		t.Fatalf("only %d acts found", len(acts))
	}
	return acts
}

// scripts are the page's scripts, one after the other.
func scripts(t *testing.T) string {
	t.Helper()
	names, err := fs.Glob(web.Files, "*.js")
	if err != nil || len(names) == 0 {
		t.Fatal(len(names), err)
	}
	var all strings.Builder
	for _, name := range names {
		text, err := fs.ReadFile(web.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// fieldKeys are the catalogue's keys of what no form says: of the fields that every record
// has. Everything else goes by the words of the forms in force, which the page asks for.
func fieldKeys(t *testing.T) []string {
	t.Helper()
	var keys []string
	for _, name := range []string{syncproto.FieldArea, syncproto.FieldExit, syncproto.FieldSameAs, syncproto.FieldResidences} {
		keys = append(keys, `"f.`+name+`"`)
	}
	return keys
}

// Whatever forms may say of a question has words on the page.
func TestThePageHasWordsForWhateverAFormMaySay(t *testing.T) {
	script := scripts(t)
	var keys []string
	for _, typ := range []form.Type{
		form.Text, form.Integer, form.Decimal, form.Boolean, form.Date, form.Time, form.Choice, form.Choices, form.Ref, form.Refs, form.IDNumber, form.Mobile, form.AreaCode,
	} {
		keys = append(keys, "type."+string(typ))
	}
	for _, rule := range []form.Rule{form.Latest, form.Review, form.Severest, form.Union, form.Once} {
		keys = append(keys, "rule."+string(rule))
	}
	for _, class := range []form.Class{form.Personal, form.Secret} {
		keys = append(keys, "class."+string(class))
	}
	for _, unit := range []form.Unit{form.Households, form.People, form.Times, form.HouseholdTimes, form.Vehicles, form.Items} {
		keys = append(keys, "unit."+string(unit))
	}
	for _, kind := range fieldwork.DutyKinds {
		keys = append(keys, "duty."+string(kind))
	}
	for _, status := range intake.Statuses {
		keys = append(keys, "row."+string(status))
	}
	for _, state := range []dayclose.State{dayclose.Open, dayclose.Signed, dayclose.Restated, dayclose.Returned} {
		keys = append(keys, "day."+string(state))
	}
	for _, state := range []hook.State{hook.Waiting, hook.Delivered, hook.GivenUp} {
		keys = append(keys, "sent."+string(state))
	}
	for _, ending := range []hook.Ending{hook.Removed, hook.Gone} {
		keys = append(keys, "hook."+string(ending))
	}
	for _, key := range keys {
		if !strings.Contains(script, `"`+key+`": [`) {
			t.Errorf("the page has no words for %s", key)
		}
	}
}
