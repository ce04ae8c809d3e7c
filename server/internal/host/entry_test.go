package host

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// twoTowns starts a server of a county with two towns.
func twoTowns(t *testing.T) *Server {
	t.Helper()
	s := start(t, t.TempDir())
	if _, problems, err := s.ImportAreas(t.Context(), strings.NewReader(matrixAreas)); err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	return s
}

// entered is a step that says something of a person in grid g1.
func entered(record byte, base syncproto.Version, name string) exchange.Step {
	return exchange.Step{
		Record: syncproto.RecordID{record}, Kind: "person", Area: "g1", Base: base,
		Fields: syncproto.Fields{"name": syncproto.TextValue(name), "found_on": `"2020-01-27"`},
	}
}

func TestAnEntryIsTakenWholeOrNotAtAll(t *testing.T) {
	s := twoTowns(t)
	author := newPhone(t, s, identity.Secretary, "t1").Authors[0].ID
	steps := make([]exchange.Step, 1200) // more than a phone may send at once
	for i := range steps {
		steps[i] = entered(1, 0, "王芳")
		steps[i].Record = syncproto.RecordID{byte(i), byte(i >> 8), 1}
	}
	steps[700].Fields = syncproto.Fields{"name": `"王芳"`, "found_on": `"yesterday"`}
	var misstep *exchange.Misstep
	if _, err := s.Exchange().Enter(t.Context(), exchange.Entry{Author: author, Steps: steps}); !errors.As(err, &misstep) || misstep.Step != 700 || misstep.Why.Code != syncproto.CodeFailsForm || misstep.Why.Field != "found_on" {
		t.Fatalf("%v", err)
	}
	if records, err := s.store.RecordsByID(t.Context(), []syncproto.RecordID{steps[0].Record, steps[1199].Record}); err != nil || len(records) != 0 {
		t.Fatalf("something of it was kept: %v, %v", records, err)
	}
	steps[700] = entered(9, 0, "王芳")
	done, err := s.Exchange().Enter(t.Context(), exchange.Entry{Author: author, Steps: steps})
	if err != nil || len(done.Outcomes) != 1200 || done.Outcomes[0] != syncproto.Applied || done.Changes[1199].N != 1200 {
		t.Fatalf("%d outcomes, %v", len(done.Outcomes), err)
	}
	if records, err := s.store.RecordsByID(t.Context(), []syncproto.RecordID{steps[0].Record, steps[1199].Record}); err != nil || len(records) != 2 {
		t.Fatalf("%v, %v", records, err)
	}
}

func TestTwoWhoEnterUnawareOfEachOtherAreBothHeard(t *testing.T) {
	s := twoTowns(t)
	one, other := newPhone(t, s, identity.Secretary, "t1").Authors[0].ID, newPhone(t, s, identity.Secretary, "t1").Authors[0].ID
	outcome := func(author syncproto.AuthorID, name string) syncproto.Outcome {
		t.Helper()
		done, err := s.Exchange().Enter(t.Context(), exchange.Entry{Author: author, Steps: []exchange.Step{entered(1, 0, name)}})
		if err != nil {
			t.Fatal(err)
		}
		return done.Outcomes[0]
	}
	for _, step := range []struct {
		author syncproto.AuthorID
		name   string
		want   syncproto.Outcome
	}{
		{one, "王芳", syncproto.Applied},
		{one, "王方", syncproto.Applied}, // whoever wrote it corrects it
		{other, "王方", syncproto.Merged},
		{other, "汪芳", syncproto.Disputed},
	} {
		if got := outcome(step.author, step.name); got != step.want {
			t.Errorf("%s: %s, not %s", step.name, got, step.want)
		}
	}
}

func TestNobodyEntersWhereTheyHaveNoPost(t *testing.T) {
	s := twoTowns(t)
	author := newPhone(t, s, identity.Secretary, "t2").Authors[0].ID
	var misstep *exchange.Misstep
	_, err := s.Exchange().Enter(t.Context(), exchange.Entry{Author: author, Steps: []exchange.Step{entered(1, 0, "王芳")}})
	if !errors.As(err, &misstep) || misstep.Why.Code != syncproto.CodeOutOfArea {
		t.Error(err)
	}
	long := entered(2, 0, strings.Repeat("王", syncproto.MaxChangeBytes))
	long.Area = "g2"
	_, err = s.Exchange().Enter(t.Context(), exchange.Entry{Author: author, Steps: []exchange.Step{long}})
	if !errors.As(err, &misstep) || misstep.Why.Code != syncproto.CodeChangeTooLarge {
		t.Error(err)
	}
}

func TestNoPhoneCanWriteAsTheServersOwnDevice(t *testing.T) {
	s := twoTowns(t)
	boot, err := s.store.Boot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	victim := newPhone(t, s, identity.Secretary, "t1").Authors[0].ID
	for i, id := range []syncproto.DeviceID{exchange.DeskDevice(boot.Epoch), exchange.EntryDevice(boot.Epoch, victim)} {
		e := Enrolled{Device: identity.Device{ID: id}, Authors: []identity.Author{{ID: victim}}}
		answer, err := s.Exchange().Sync(t.Context(), id, &syncproto.Request{
			Protocol: syncproto.Protocol, Device: id, High: 1, Changes: []json.RawMessage{visit(&e, 1, "g1")},
		})
		if err != nil || answer.Verdicts[0].Verdict != syncproto.Parked || answer.Verdicts[0].Reason.Code != syncproto.CodeUnknownAuthor {
			t.Errorf("%d: %+v, %v", i, answer, err)
		}
	}
}
