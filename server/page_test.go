package main

import (
	"io/fs"
	"strings"
	"testing"

	"gridsync/server/internal/desk"
	"gridsync/server/internal/review"
	"gridsync/server/web"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Whatever the server may answer has words on the page, in both languages.
func TestThePageHasWordsForWhateverTheDeskAnswers(t *testing.T) {
	script, err := fs.ReadFile(web.Files, "app.js")
	if err != nil {
		t.Fatal(err)
	}
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
		keys = append(keys, string(what))
	}
	for _, verdict := range []syncproto.Outcome{syncproto.Applied, syncproto.Merged, syncproto.Disputed, syncproto.Parked} {
		keys = append(keys, `"verdict.`+string(verdict)+`"`)
	}
	for _, key := range append(keys, fieldKeys(t)...) {
		if !strings.Contains(string(script), key+": [") {
			t.Errorf("the page has no words for %s", key)
		}
	}
	for _, kind := range review.Kinds {
		if !strings.Contains(string(script), `"`+string(kind)+`"`) {
			t.Errorf("the page does not list questions of kind %s", kind)
		}
	}
}

// fieldKeys are the catalogue's keys of every field and check of the built-in forms.
func fieldKeys(t *testing.T) []string {
	t.Helper()
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, kind := range forms.Kinds() {
		f := forms.Newest(kind)
		keys = append(keys, `"kind.`+string(kind)+`"`)
		for i := range f.Fields {
			keys = append(keys, `"f.`+f.Fields[i].Name+`"`)
		}
		for _, c := range f.Checks {
			keys = append(keys, `"check.`+c.Name+`"`)
		}
	}
	return keys
}
