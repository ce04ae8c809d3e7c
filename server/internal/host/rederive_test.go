package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/formbook"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// counted is a store that counts how often everything was derived anew, and that can
// fail to.
type counted struct {
	*sqlstore.Store
	fails   bool
	unread  bool // it can't be read what was derived
	derived int
}

func (c *counted) Boot(ctx context.Context) (exchange.Boot, error) {
	if c.unread {
		return exchange.Boot{}, errDisk
	}
	return c.Store.Boot(ctx)
}

var errDisk = errors.New("disk")

func (c *counted) Commit(ctx context.Context, fn func(exchange.Tx) error) error {
	return c.Store.Commit(ctx, func(tx exchange.Tx) error { return fn(&countedTx{tx, c}) })
}

type countedTx struct {
	exchange.Tx
	of *counted
}

func (t *countedTx) Rederive(d *exchange.Derived) error {
	if t.of.fails {
		return errors.Join(t.Tx.Rederive(d), errDisk)
	}
	t.of.derived++
	return t.Tx.Rederive(d)
}

// station is an exchange over a folder, and one phone.
type station struct {
	*testing.T
	*Data
	store    *counted
	exchange *exchange.Service
	dir      string
	phone    Enrolled
	n        uint64
}

const stationAreas = "33,浙江省,\nc1,一社区,33\ng1,一网格,c1\nc2,二社区,33\ng2,二网格,c2\n"

func newStation(t *testing.T) *station {
	t.Helper()
	s := &station{T: t, dir: t.TempDir()}
	s.reopened()
	s.store.derived = 0
	if _, problems, err := s.ImportAreas(t.Context(), strings.NewReader(stationAreas)); err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	var err error
	s.phone, err = s.AddDevice(t.Context(), Device{Name: "手机", Areas: []syncproto.AreaID{"33"}, Role: "township"})
	s.must(err)
	t.Cleanup(func() { s.close() })
	return s
}

func (s *station) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// reopened opens the folder, as after the process ended.
func (s *station) reopened() {
	s.Helper()
	var err error
	s.Data, err = Open(s.Context(), s.dir, Options{})
	s.must(err)
	s.store = &counted{Store: s.Data.store}
	s.exchange = s.exchangeOver(s.store)
}

func (s *station) exchangeOver(store exchange.Store) *exchange.Service {
	s.Helper()
	service, err := exchange.New(s.Context(), exchange.Config{
		Store: store, Registry: s.registry, Digester: s.secrets.digester, Log: slog.New(slog.DiscardHandler), Flush: time.Hour,
	})
	s.must(err)
	return service
}

func (s *station) close() {
	s.Helper()
	s.must(s.exchange.Close(context.Background()))
	s.must(s.Data.Close())
}

// says pushes a new record.
func (s *station) says(kind string, record byte, area syncproto.AreaID, fields string) syncproto.Verdict {
	s.Helper()
	answer, err := s.exchange.Sync(s.Context(), s.phone.ID, s.request(kind, record, area, fields))
	s.must(err)
	return answer.Verdicts[0]
}

// request is the phone's next push, of a new record.
func (s *station) request(kind string, record byte, area syncproto.AreaID, fields string) *syncproto.Request {
	s.n++
	return &syncproto.Request{
		Protocol: syncproto.Protocol, Device: s.phone.ID, Clock: syncproto.Instant(time.Now().UnixMilli()), High: s.n,
		Changes: []json.RawMessage{json.RawMessage(fmt.Sprintf(
			`{"id":%q,"n":%d,"author":%q,"kind":%q,"record":%q,"area":%q,"base":0,"fields":%s,"at":%d,"form":1}`,
			syncproto.ChangeID{byte(s.n), 9}, s.n, s.phone.Authors[0].ID, kind, syncproto.RecordID{record}, area, fields, time.Now().UnixMilli(),
		))},
	}
}

// temperature pushes one that was taken at noon of a day.
func (s *station) temperature(record byte, area syncproto.AreaID, day, value string) {
	s.Helper()
	at, err := time.ParseInLocation(time.DateOnly, day, form.Zone)
	s.must(err)
	v := s.says("temperature", record, area, fmt.Sprintf(`{"person":"00000000-0000-7000-8000-000000000001","value":%s,"taken_at":%d}`, value, at.Add(12*time.Hour).UnixMilli()))
	if v.Verdict != syncproto.Applied {
		s.Fatalf("%+v", v)
	}
}

// alters publishes a next version of a form.
func (s *station) alters(kind string, alter func(definition map[string]any)) *formbook.Definition {
	s.Helper()
	d, err := s.Forms().Definition(registry.FormSort, kind, 0)
	s.must(err)
	var definition map[string]any
	s.must(json.Unmarshal(d.Source, &definition))
	alter(definition)
	source, err := json.Marshal(definition)
	s.must(err)
	_, err = s.Forms().PutDraft(s.Context(), registry.FormSort, kind, source, s.Operator())
	s.must(err)
	done, err := s.Forms().Publish(s.Context(), registry.FormSort, kind, s.Operator())
	s.must(err)
	return done
}

func (s *station) countsLarge() {
	s.Helper()
	s.alters("household", func(definition map[string]any) {
		measures, _ := definition["measures"].([]any)
		definition["measures"] = append(measures, map[string]any{
			"name": "large_households", "label": map[string]any{"zh": "大户", "en": "Large"}, "unit": "household", "day": "found_on", "standing": true,
			"when": "${headcount} >= 5",
		})
	})
}

func (s *station) sets(area syncproto.AreaID, name, from string, value syncproto.Value) {
	s.Helper()
	_, err := s.Forms().Set(s.Context(), area, []formbook.Change{{Name: name, From: from, Value: value}}, s.Operator())
	s.must(err)
}

// follows lets the exchange hear of what has changed, as the server does at its next look.
func (s *station) follows() {
	s.Helper()
	s.must(s.exchange.RegistryChanged(s.Context()))
}

// counts sums a measure of an area and all below it on one day.
func (s *station) counts(measure string, root syncproto.AreaID, day form.Day) int64 {
	s.Helper()
	derived, err := s.store.Derived(s.Context())
	s.must(err)
	tree, n := s.registry.Current().Areas, int64(0)
	for _, c := range derived.Counts {
		at, _ := tree.ByKey(c.Area)
		if c.Measure == measure && c.Day == day && tree.Within(at.ID, root) {
			n += c.N
		}
	}
	return n
}

func (s *station) expect(measure string, root syncproto.AreaID, day form.Day, want int64) {
	s.Helper()
	if got := s.counts(measure, root, day); got != want {
		s.Errorf("%s of %s on %s: %d, want %d", measure, root, day, got, want)
	}
}

// sound holds what is stored against the log.
func (s *station) sound() {
	s.Helper()
	diff, err := s.Rebuild(s.Context())
	s.must(err)
	if !diff.None() {
		s.Errorf("a rebuild finds %v", diff.Found)
	}
}

func (s *station) derivedAnew(times int) {
	s.Helper()
	if s.store.derived != times {
		s.Errorf("derived anew %d times, want %d", s.store.derived, times)
	}
	s.store.derived = 0
}

func TestAMeasureThatIsPublishedCountsTheRecordsThatAreThere(t *testing.T) {
	s := newStation(t)
	s.says("household", 1, "g1", `{"address":"一号","found_on":"2020-01-31","headcount":6}`)
	s.says("household", 2, "g2", `{"address":"二号","found_on":"2020-01-31","headcount":2}`)
	s.expect("large_households", "33", 20200131, 0)
	s.countsLarge()
	s.follows()
	s.derivedAnew(1)
	s.expect("large_households", "g1", 20200131, 1)
	s.expect("large_households", "g2", 20200131, 0)
	s.says("household", 3, "g2", `{"address":"三号","found_on":"2020-01-31","headcount":9}`)
	s.expect("large_households", "33", 20200131, 2)
	s.follows()
	s.derivedAnew(0)
	s.sound()
}

func TestAPushTakesUpNewRulesBeforeAnythingOfItIsCounted(t *testing.T) {
	s := newStation(t)
	s.says("household", 1, "g1", `{"address":"一号","found_on":"2020-01-31","headcount":6}`)
	s.countsLarge()
	s.says("household", 2, "g1", `{"address":"二号","found_on":"2020-01-31","headcount":7}`)
	s.derivedAnew(1)
	s.expect("large_households", "g1", 20200131, 2)
	s.sound()
}

func TestAThresholdHoldsFromItsDayOnInItsAreaAndBelow(t *testing.T) {
	s := newStation(t)
	for i, where := range []syncproto.AreaID{"g1", "g2"} {
		s.temperature(byte(10*i+1), where, "2020-01-30", "37.4")
		s.temperature(byte(10*i+2), where, "2020-01-31", "37.4")
	}
	s.expect("fevers", "33", 20200130, 2)
	s.expect("fevers", "33", 20200131, 2)
	s.sets("c1", "fever_threshold", "2020-01-31", "37.5")
	s.follows()
	s.derivedAnew(1)
	for where, want := range map[syncproto.AreaID]int64{"g1": 0, "g2": 1} {
		s.expect("fevers", where, 20200131, want)
		s.expect("fevers", where, 20200130, 1)
		s.expect("temperatures", where, 20200131, 1)
	}
	s.temperature(3, "g1", "2020-01-31", "37.4")
	s.temperature(4, "g1", "2020-02-01", "37.5")
	s.expect("fevers", "g1", 20200131, 0)
	s.expect("fevers", "g1", 20200201, 1)
	s.sound()
	s.sets("c1", "fever_threshold", "2020-01-31", syncproto.Null)
	s.follows()
	s.expect("fevers", "g1", 20200131, 2)
	s.sound()
}

func TestNothingIsDerivedAnewForWhatNothingFollowsFrom(t *testing.T) {
	s := newStation(t)
	s.temperature(1, "g1", "2020-01-31", "37.4")
	s.alters("household", func(definition map[string]any) {
		definition["label"] = map[string]any{"zh": "住户", "en": "Home"}
		fields, _ := definition["fields"].([]any)
		field, _ := fields[0].(map[string]any)
		field["hint"] = map[string]any{"zh": "门牌", "en": "As on the door"}
	})
	s.sets("33", "closing_hour", "2020-01-01", `"17:30"`)
	s.sets("33", "template.visit", "2020-01-01", syncproto.Null)
	s.must(s.PutAreas(s.Context(), []area.Node{{ID: "g3", Name: "三网格", Parent: "c1"}}))
	s.follows()
	s.derivedAnew(0)
	s.sets("c1", "fever_threshold", "2020-01-01", "38")
	s.follows()
	s.derivedAnew(1)
	s.must(s.PutAreas(s.Context(), []area.Node{{ID: "g4", Name: "四网格", Parent: "c1"}}))
	s.follows()
	s.derivedAnew(0) // an area that has just come has no records
	s.close()
	s.reopened()
	s.derivedAnew(0)
	s.expect("fevers", "33", 20200131, 0)
	s.must(s.PutAreas(s.Context(), []area.Node{{ID: "g1", Name: "一网格", Parent: "c2"}}))
	s.follows()
	s.derivedAnew(1) // one that has another threshold above it has
	s.expect("fevers", "33", 20200131, 1)
	s.sound()
}

func TestAServerThatDiedAmidDerivingDoesItAtItsNextStart(t *testing.T) {
	s := newStation(t)
	s.says("household", 1, "g1", `{"address":"一号","found_on":"2020-01-31","headcount":6}`)
	s.countsLarge()
	s.store.fails = true
	s.follows()
	s.derivedAnew(0)
	s.close()
	s.reopened()
	s.derivedAnew(1)
	s.expect("large_households", "g1", 20200131, 1)
	s.sound()
}

// What was derived is in the store and not in memory: pushes are turned away until it can
// be read, and nothing is added to what is derived by what isn't known.
func TestNothingIsTakenInOverWhatWasDerivedAndCannotBeRead(t *testing.T) {
	s := newStation(t)
	s.countsLarge()
	s.store.unread = true
	if err := s.exchange.RegistryChanged(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("the registry changed: %v", err)
	}
	s.derivedAnew(1)
	req := s.request("household", 1, "g1", `{"address":"一号","found_on":"2020-01-31","headcount":6}`)
	if _, err := s.exchange.Sync(t.Context(), s.phone.ID, req); !errors.Is(err, errDisk) {
		t.Errorf("a push: %v", err)
	}
	s.store.unread = false
	answer, err := s.exchange.Sync(t.Context(), s.phone.ID, req)
	s.must(err)
	if answer.Verdicts[0].Verdict != syncproto.Applied {
		t.Errorf("%+v", answer.Verdicts)
	}
	s.derivedAnew(0)
	s.expect("large_households", "g1", 20200131, 1)
	s.sound()
}

func TestPushesAreTakenInByTheRulesBeforeWhereThoseOfNowCannotBeFollowed(t *testing.T) {
	s := newStation(t)
	s.says("household", 1, "g1", `{"address":"一号","found_on":"2020-01-31","headcount":6}`)
	s.store.fails = true
	s.countsLarge()
	s.follows()
	if v := s.says("household", 2, "g1", `{"address":"二号","found_on":"2020-01-31","headcount":7}`); v.Verdict != syncproto.Applied {
		t.Fatalf("%+v", v)
	}
	s.expect("households", "g1", 20200131, 0) // neither says what its tenure is
	s.expect("large_households", "g1", 20200131, 0)
	// Areas are those of now all the same.
	s.must(s.PutAreas(t.Context(), []area.Node{{ID: "g5", Name: "五网格", Parent: "c1"}}))
	if v := s.says("household", 3, "g5", `{"address":"三号","found_on":"2020-01-31","headcount":7}`); v.Verdict != syncproto.Applied {
		t.Fatalf("%+v", v)
	}
	s.store.fails = false
	s.follows()
	s.derivedAnew(1)
	s.expect("large_households", "33", 20200131, 3)
	s.sound()
}

func TestWhatIsRememberedOfPhonesIsDerivedAnewAndContactsAreNotForgotten(t *testing.T) {
	s := newStation(t)
	s.temperature(1, "g1", "2020-01-31", "36.4")
	contact := func(unsent int) {
		_, err := s.exchange.Sync(t.Context(), s.phone.ID, &syncproto.Request{
			Protocol: syncproto.Protocol, Device: s.phone.ID, Clock: syncproto.Instant(time.Now().UnixMilli()), High: s.n, Unsent: unsent,
		})
		s.must(err)
	}
	contact(7)
	s.sets("33", "fever_threshold", "2020-01-01", "36")
	s.follows()
	s.derivedAnew(1)
	s.close()
	s.reopened()
	state, err := s.store.Device(t.Context(), s.phone.ID)
	s.must(err)
	if state.Unsent != 7 {
		t.Errorf("unsent %d", state.Unsent)
	}
	s.sets("33", "fever_threshold", "2020-01-01", "35.5")
	s.temperature(2, "g1", "2020-01-31", "36.4")
	s.expect("fevers", "g1", 20200131, 2)
	s.sound()
}

func TestWhatWaitedForAFormIsTakenUpWhenItIsPublished(t *testing.T) {
	s := newStation(t)
	if v := s.says("clinic", 1, "g1", `{"on":"2020-01-31"}`); v.Verdict != syncproto.Parked || v.Reason.Code != syncproto.CodeUnknownKind {
		t.Fatalf("%+v", v)
	}
	_, err := s.Forms().PutDraft(t.Context(), registry.FormSort, "clinic", []byte(clinic), s.Operator())
	s.must(err)
	_, err = s.Forms().Publish(t.Context(), registry.FormSort, "clinic", s.Operator())
	s.must(err)
	s.expect("clinics", "g1", 20200131, 0)
	s.follows()
	s.expect("clinics", "g1", 20200131, 1)
	s.sound()
}
