package syncproto_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"gridsync/syncproto"
)

func TestAQuestionHasOneIDWhoeverAsks(t *testing.T) {
	a := syncproto.RecordID(uuid.MustParse("0170086b-0000-7000-8000-000000000001"))
	b := syncproto.RecordID(uuid.MustParse("0170086b-0000-7000-8000-000000000002"))
	pair := syncproto.AboutPair(syncproto.ItemDuplicate, a, b)
	if pair != syncproto.AboutPair(syncproto.ItemDuplicate, b, a) {
		t.Error("the order of the two makes a difference")
	}
	if pair.Record != a || pair.Field != b.String() {
		t.Errorf("the lesser is not first: %+v", pair)
	}
	if pair.ID() == syncproto.AboutPair(syncproto.ItemDoubleVisit, a, b).ID() {
		t.Error("two kinds of questions have one id")
	}
	parked := syncproto.AboutParked(a, syncproto.Origin{Device: syncproto.DeviceID(b), N: 7})
	if parked.Field != "0170086b-0000-7000-8000-000000000002/7" {
		t.Errorf("a parked change is named %q", parked.Field)
	}
	// What is written in files and logs must be found again.
	if got, want := pair.ID().String(), "3643311f-667d-57bd-a203-2d0ea95502b6"; got != want {
		t.Errorf("the id is %s, was %s", got, want)
	}
}

func TestNamesOfFieldsComeBackAsTheyWere(t *testing.T) {
	for _, names := range [][]string{nil, {"note"}, {"note", "x.unknown"}} {
		if got := syncproto.SplitNames(syncproto.JoinNames(names)); !slices.Equal(got, names) {
			t.Errorf("got %q, want %q", got, names)
		}
	}
}
