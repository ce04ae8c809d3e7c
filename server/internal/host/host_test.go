package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/hook/courier"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

const county = "33,浙江省,\n3307,金华市,33\ng1,一网格,3307\n"

// start starts a server over a folder, with areas.
func start(t *testing.T, dir string) *Server {
	t.Helper()
	// The test asks the server to look at its registry itself, and never waits for it.
	s, err := Start(t.Context(), Config{Dir: dir, Listen: "127.0.0.1:0", Poll: time.Hour, Hooks: courier.Policy{Private: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if _, problems, err := s.ImportAreas(t.Context(), strings.NewReader(county)); err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return s
}

func add(t *testing.T, d *Data, area syncproto.AreaID) Enrolled {
	t.Helper()
	e, err := d.AddDevice(t.Context(), Device{Name: "甲手机", Areas: []syncproto.AreaID{area}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// visit is a change of the device's only author about a new household in an area.
func visit(e *Enrolled, n uint64, area syncproto.AreaID) json.RawMessage {
	id := syncproto.RecordID{byte(n), 1}
	return json.RawMessage(fmt.Sprintf(
		`{"id":%q,"n":%d,"author":%q,"kind":"household","record":%q,"area":%q,"base":0,"fields":{"address":"一号","found_on":"2020-01-31"},"at":%d,"form":1}`,
		syncproto.ChangeID{byte(n), 2}, n, e.Authors[0].ID, id, area, time.Now().UnixMilli(),
	))
}

// exchangeWith makes one round trip.
func exchangeWith(t *testing.T, s *Server, e *Enrolled, changes ...json.RawMessage) (int, syncproto.Answer) {
	t.Helper()
	body, err := json.Marshal(syncproto.Request{
		Protocol: syncproto.Protocol, Device: e.ID, Clock: syncproto.Instant(time.Now().UnixMilli()),
		High: uint64(len(changes)), Changes: changes,
	})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/v1/sync", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+e.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer syncproto.Answer
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, answer
}

func TestWhatWasAcknowledgedIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	e := add(t, s.Data, "g1")
	change := visit(&e, 1, "g1")
	status, first := exchangeWith(t, s, &e, change)
	if status != http.StatusOK || len(first.Verdicts) != 1 || first.Verdicts[0].Verdict != syncproto.Applied {
		t.Fatalf("%d %+v", status, first.Verdicts)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = start(t, dir)
	// The token was signed before the restart.
	status, second := exchangeWith(t, s, &e, change)
	if status != http.StatusOK || second.Verdicts[0].Verdict != syncproto.Duplicate || second.Verdicts[0].Version != first.Verdicts[0].Version {
		t.Errorf("%d %+v", status, second.Verdicts)
	}
	if second.Receipt.Held != 1 || second.Receipt.Digest != first.Receipt.Digest || second.Epoch != first.Epoch {
		t.Errorf("receipts %+v and %+v", first.Receipt, second.Receipt)
	}
	diff, err := s.Rebuild(t.Context())
	if err != nil || !diff.None() || diff.Changes != 1 {
		t.Errorf("rebuild: %+v %v", diff, err)
	}
}

func TestAFolderHasOneServer(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	if _, err := Start(t.Context(), Config{Dir: dir, Listen: "127.0.0.1:0"}); !errors.Is(err, ErrServing) {
		t.Errorf("a second server: %v", err)
	}
	d, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.NewEpoch(t.Context()); !errors.Is(err, ErrServing) {
		t.Errorf("a new epoch beside a server: %v", err)
	}
	if _, err := d.RebuildAlone(t.Context()); !errors.Is(err, ErrServing) {
		t.Errorf("a check beside a server: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.NewEpoch(t.Context()); err != nil {
		t.Errorf("after the server: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestAStartThatFailsLetsGoOfTheFolder(t *testing.T) {
	dir := t.TempDir()
	if _, err := Start(t.Context(), Config{Dir: dir, Listen: "no address"}); err == nil {
		t.Fatal("it starts")
	}
	start(t, dir)
}

func TestADeviceAddedBesideTheServerSyncsAtOnce(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	beside, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := add(t, beside, "g1")
	if err := beside.Close(); err != nil {
		t.Fatal(err)
	}
	if status, answer := exchangeWith(t, s, &e, visit(&e, 1, "g1")); status != http.StatusOK || answer.Verdicts[0].Verdict != syncproto.Applied {
		t.Errorf("%d %+v", status, answer.Verdicts)
	}
}

func TestAnAreaThatComesLaterTakesUpWhatWaited(t *testing.T) {
	s := start(t, t.TempDir())
	e := add(t, s.Data, "3307")
	_, answer := exchangeWith(t, s, &e, visit(&e, 1, "g9"))
	if v := answer.Verdicts[0]; v.Verdict != syncproto.Parked || v.Reason.Code != syncproto.CodeUnknownArea {
		t.Fatalf("%+v", v)
	}
	if _, _, err := s.ImportAreas(t.Context(), strings.NewReader("g9,九网格,3307\n")); err != nil {
		t.Fatal(err)
	}
	if err := s.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, answer = exchangeWith(t, s, &e); len(answer.Receipt.Parked) != 0 || answer.Receipt.Held != 1 {
		t.Errorf("still waits: %+v", answer.Receipt)
	}
}

func TestANewEpochChangesWhatPhonesAreTold(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	e := add(t, s.Data, "g1")
	_, before := exchangeWith(t, s, &e)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	epoch, err := d.NewEpoch(t.Context())
	if err := errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	if _, after := exchangeWith(t, start(t, dir), &e); after.Epoch != epoch || after.Epoch == before.Epoch {
		t.Errorf("before %v, new %v, after %v", before.Epoch, epoch, after.Epoch)
	}
}

func TestHalfAnImportIsNoImport(t *testing.T) {
	d, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	n, problems, err := d.ImportAreas(t.Context(), strings.NewReader(county+"g2,二网格,nowhere\n"))
	if err != nil || n != 0 || len(problems) != 1 || problems[0].Line != 4 {
		t.Fatal(n, problems, err)
	}
	if tree, err := d.Areas(t.Context()); err != nil || tree.Len() != 0 {
		t.Errorf("%d areas, %v", tree.Len(), err)
	}
}

func TestADeviceThatCannotBeIsNotAdded(t *testing.T) {
	s := start(t, t.TempDir())
	g1 := []syncproto.AreaID{"g1"}
	for name, c := range map[string]struct {
		device Device
		want   error
	}{
		"no name":       {Device{Areas: g1}, ErrNoName},
		"no area":       {Device{Name: "a"}, ErrNoArea},
		"no such area":  {Device{Name: "a", Areas: []syncproto.AreaID{"g1", "g7"}}, ErrUnknownArea},
		"no such role":  {Device{Name: "a", Areas: g1, Role: "king"}, ErrUnknownRole},
		"for an hour":   {Device{Name: "a", Areas: g1, Valid: time.Hour}, ErrBadValidity},
		"for a century": {Device{Name: "a", Areas: g1, Valid: 36500 * 24 * time.Hour}, ErrBadValidity},
	} {
		good := Device{ID: syncproto.DeviceID{7}, Name: "good", Areas: g1}
		if _, err := s.AddDevices(t.Context(), []Device{good, c.device}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, added := s.registry.Current().People.Device(syncproto.DeviceID{7}); added {
		t.Error("half of a list was added")
	}
}

func TestSeveralAuthorsShareADevice(t *testing.T) {
	s := start(t, t.TempDir())
	there := add(t, s.Data, "g1").Authors[0]
	e, err := s.AddDevice(t.Context(), Device{
		Name: "共用手机", Areas: []syncproto.AreaID{"g1", "33"}, Role: identity.Secretary, Authors: []identity.Author{{Name: "乙"}, there},
	})
	if err != nil {
		t.Fatal(err)
	}
	people := s.registry.Current().People
	device, _ := people.Device(e.ID)
	if len(device.Authors) != 2 || device.Authors[1] != there.ID || device.Authors[0].IsZero() {
		t.Errorf("authors %v", device.Authors)
	}
	now := syncproto.Instant(time.Now().UnixMilli())
	if err := people.Entitled(s.registry.Current().Areas, device.Authors[0], "3307", now, true); err != nil {
		t.Error(err)
	}
}

func TestKeysAreTheirOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	first, err := openKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, firstKey))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("files %v, %v", files, err)
	}
	again, err := openKeys(dir)
	if err != nil || !again.signing.Equal(first.signing) {
		t.Errorf("another key after a restart: %v", err)
	}
	if err := makeKey(filepath.Join(dir, "token-0002.pem")); err != nil {
		t.Fatal(err)
	}
	both, err := openKeys(dir)
	if err != nil || len(both.public) != 2 || both.signing.Equal(first.signing) {
		t.Errorf("the newer key doesn't sign: %v", err)
	}
	// A second process that makes the first key at the same moment keeps the first's.
	if err := makeKey(filepath.Join(dir, firstKey)); err != nil {
		t.Fatal(err)
	}
	if kept, err := readKey(filepath.Join(dir, firstKey)); err != nil || !kept.Equal(first.signing) {
		t.Errorf("the first key was replaced: %v", err)
	}
}

func TestAKeyFileThatIsNoneIsAnError(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "no PEM": "secret", "no key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"a certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.pem"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openKeys(dir); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCloseMayBeCalledTwice(t *testing.T) {
	s := start(t, t.TempDir())
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if err, failed := <-s.Failed(); failed {
		t.Errorf("answering broke down: %v", err)
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.URL()+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(req); err == nil {
		t.Errorf("still answers: %v", errors.Join(errors.New(res.Status), res.Body.Close()))
	}
}
