package api

import (
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/formbook"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// telling are the types that hold something of what was recorded.
var telling = []reflect.Type{
	reflect.TypeFor[syncproto.Fields](), reflect.TypeFor[syncproto.Value](), reflect.TypeFor[syncproto.Record](),
	reflect.TypeFor[roster.Row](), reflect.TypeFor[roster.Found](), reflect.TypeFor[roster.Claim](), reflect.TypeFor[desk.Statement](),
}

// ofNobody are types that hold values which nobody recorded of anybody: a setting is what an
// office says of an area, such as from which temperature on it is a fever, of a name and a
// type that the server knows (form.SettingDef.Check).
var ofNobody = []reflect.Type{
	reflect.TypeFor[syncproto.Setting](), reflect.TypeFor[formbook.Held](), reflect.TypeFor[formbook.Said](),
}

// tells reports whether a type holds something of what was recorded.
func tells(t reflect.Type, met map[reflect.Type]bool) bool {
	if met[t] {
		return false
	}
	met[t] = true
	if slices.Contains(ofNobody, t) {
		return false
	}
	if slices.Contains(telling, t) {
		return true
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return tells(t.Elem(), met)
	case reflect.Map:
		return tells(t.Key(), met) || tells(t.Elem(), met)
	case reflect.Struct:
		for i := range t.NumField() {
			if tells(t.Field(i).Type, met) {
				return true
			}
		}
	default:
	}
	return false
}

// writesItself are the routes that write their answers themselves, and go through the lens
// and the audit by their own hand; what is live names no record.
var writesItself = []string{"rosterFile", "report", "live"}

func TestNoAnswerWithRecordsGoesAroundTheLens(t *testing.T) {
	disclosed := reflect.TypeFor[privacy.Disclosed]()
	met, asked := 0, make(map[reflect.Type]bool)
	for _, r := range routes() {
		if r.who == anyone || r.id == "sync" { // the exchange masks a sync itself
			continue
		}
		if r.answer == nil {
			if !slices.Contains(writesItself, r.id) {
				t.Errorf("%s says nothing of its answer: nobody can tell whether it has records in it", r.id)
			}
			continue
		}
		answer := reflect.TypeOf(r.answer)
		looked := make(map[reflect.Type]bool)
		told := tells(answer, looked)
		maps.Copy(asked, looked)
		if !told {
			continue
		}
		if met++; !answer.Implements(disclosed) && !reflect.PointerTo(answer).Implements(disclosed) {
			t.Errorf("%s answers with %v, which has records in it and is no privacy.Disclosed", r.id, answer)
		}
		if r.who == delivering {
			t.Errorf("%s shows records to devices that aren't in use", r.id)
		}
	}
	for _, excused := range ofNobody {
		if !asked[excused] {
			t.Errorf("%v is excused, and no answer holds it", excused)
		}
	}
	if met < 7 {
		t.Errorf("only %d answers have records in them: the test looks past some", met)
	}
}

// people of the roster's answer: one secret and one personal field each.
func shown() []roster.Row {
	row := func(n byte, area syncproto.AreaID) roster.Row {
		return roster.Row{ID: syncproto.RecordID{n}, Kind: "person", Area: area, Fields: syncproto.Fields{"mobile": `"10012345678"`, "area": `"g1"`}}
	}
	return []roster.Row{row(1, "g1"), row(2, "g2")}
}

func TestWhatIsShownIsMaskedAndNotedBefore(t *testing.T) {
	w := newWorld(t)
	w.shows = shown()
	r := w.get(t, "/v1/areas/33.07-a_b/roster")
	if r.status != http.StatusOK || strings.Contains(string(r.body), "12345678") || !strings.Contains(string(r.body), `"masked":"1***"`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	want := []audit.Entry{{
		At: syncproto.Instant(noon.UnixMilli()), Act: audit.Looked, Who: syncproto.AuthorID{1}, Device: ours, Area: "33.07-a_b",
		Records: []syncproto.RecordID{{1}, {2}}, Detail: "roster",
	}}
	if !reflect.DeepEqual(w.noted, want) {
		t.Errorf("noted %+v", w.noted)
	}
}

func TestWhatCannotBeNotedIsNotShown(t *testing.T) {
	w := newWorld(t)
	w.shows = shown()
	w.deaf = errors.New("the disk is full")
	r := w.get(t, "/v1/areas/g1/roster")
	if r.status != http.StatusInternalServerError || r.problem(t).Code != syncproto.CodeInternal {
		t.Errorf("%d %s", r.status, r.body)
	}
	for _, hidden := range []string{"person", "mobile", syncproto.RecordID{1}.String(), "disk"} {
		if strings.Contains(string(r.body), hidden) {
			t.Errorf("it tells of %s", hidden)
		}
	}
	w.deaf = &syncproto.Error{Code: syncproto.CodeBusy}
	if r := w.get(t, "/v1/areas/g1/roster"); r.status != http.StatusTooManyRequests {
		t.Errorf("busy: %d", r.status)
	}
}

func TestWhereNothingIsShownNothingIsNoted(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/v1/areas/g1/roster", "/v1/areas", "/v1/areas/g1/summary", "/v1/areas/34/roster"} {
		w.get(t, path)
	}
	if len(w.noted) > 0 {
		t.Errorf("noted %+v", w.noted)
	}
}

func TestOnASharedPhoneNobodyKnowsWhoLooked(t *testing.T) {
	c := &call{caller: identity.Caller{Device: identity.Device{ID: two}, Authors: []syncproto.AuthorID{{1}, {2}}}}
	if e := c.entry(audit.Looked, "g1"); !e.Who.IsZero() || e.Device != two {
		t.Errorf("%+v", e)
	}
}

func TestTheAuditIsAskedWithinWhatItsReaderMay(t *testing.T) {
	w := newWorld(t)
	nobody := syncproto.AuthorID{}.String()
	auditor, all := syncproto.AuthorID{8}, syncproto.AuthorID{9}
	w.store.everyone.Grants = append(w.store.everyone.Grants,
		identity.Grant{Author: auditor, Area: "33.07-a_b", Role: identity.Auditor},
		identity.Grant{Author: all, Area: "33", Role: identity.Auditor}, identity.Grant{Author: all, Area: "34", Role: identity.Auditor})
	add := func(id byte, author syncproto.AuthorID) syncproto.DeviceID {
		device := identity.Device{ID: syncproto.DeviceID{id}, Authors: []syncproto.AuthorID{author}}
		if err := w.store.AddIdentities(t.Context(), identity.Everyone{Devices: []identity.Device{device}}); err != nil {
			t.Fatal(err)
		}
		return device.ID
	}
	one, every := add(20, auditor), add(21, all)
	for _, c := range []struct {
		device syncproto.DeviceID
		path   string
		status int
		asked  string
	}{
		{one, "/v1/audit", 200, "audit [33.07-a_b g1 g2] " + nobody + "  0 100"},
		{one, "/v1/audit?area=g1&who=" + auditor.String() + "&act=looked&after=7&limit=3", 200, "audit [g1] " + auditor.String() + " looked 7 3"},
		{every, "/v1/audit", 200, "audit [] " + nobody + "  0 100"},
		{one, "/v1/audit?area=34", 403, ""},
		{one, "/v1/audit?area=nowhere", 403, ""},
		{ours, "/v1/audit", 403, ""},
		{one, "/v1/audit?who=x", 400, ""},
		{one, "/v1/audit?after=0", 400, ""},
		{one, "/v1/audit?limit=0", 400, ""},
		{one, "/v1/records/x/seen", 400, ""},
		{one, "/v1/records/" + syncproto.RecordID{1}.String() + "/seen?after=5&limit=2", 200, "seen " + syncproto.RecordID{1}.String() + " 5 2"},
		{ours, "/v1/records/" + syncproto.RecordID{1}.String() + "/seen", 404, ""},
	} {
		w.asked, w.noted = "", nil
		req := w.request(t, http.MethodGet, c.path, nil)
		req.Header.Set("Authorization", "Bearer "+w.token(t, c.device))
		r := w.do(t, req)
		if r.status != c.status || w.asked != c.asked {
			t.Errorf("%s: %d, asked %q, want %q: %s", c.path, r.status, w.asked, c.asked, r.body)
		}
		if noted := len(w.noted) > 0; noted != (c.status == 200) {
			t.Errorf("%s: noted %+v", c.path, w.noted)
		}
	}
}

func TestWhatReadsTheAuditIsNotedOrNotAnswered(t *testing.T) {
	w := newWorld(t)
	w.store.everyone.Grants = append(w.store.everyone.Grants, identity.Grant{Author: syncproto.AuthorID{1}, Area: "33.07-a_b", Role: identity.Auditor})
	w.store.revision++
	if _, err := w.Registry.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.deaf = errors.New("the disk is full")
	for _, path := range []string{"/v1/audit", "/v1/records/" + syncproto.RecordID{1}.String() + "/seen"} {
		if r := w.get(t, path); r.status != http.StatusInternalServerError || w.asked != "" {
			t.Errorf("%s: %d, asked %q", path, r.status, w.asked)
		}
	}
}
