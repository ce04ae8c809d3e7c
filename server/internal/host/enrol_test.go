package host

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// asked is the answer to one request.
type asked struct {
	status int
	body   []byte
}

// code is the code with which it was turned away.
func (a asked) code() string {
	var problem struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(a.body, &problem)
	return problem.Code
}

// ask makes one request, with a token or without one; into gets the answer.
func ask(t *testing.T, s *Server, method, path, token string, body, into any) asked {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer := asked{status: res.StatusCode}
	if answer.body, err = io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	if into != nil && answer.status == http.StatusOK {
		if err := json.Unmarshal(answer.body, into); err != nil {
			t.Fatalf("%s: %v", answer.body, err)
		}
	}
	return answer
}

// handset is a phone that enrols itself.
type handset struct {
	id     syncproto.DeviceID
	key    ed25519.PrivateKey
	tokens syncproto.Enrolled
}

func newHandset(name string) *handset {
	seed := sha256.Sum256([]byte(name))
	return &handset{id: syncproto.DeviceID(uuid.NewSHA1(uuid.NameSpaceOID, []byte(name))), key: ed25519.NewKeyFromSeed(seed[:])}
}

func (h *handset) enrols(t *testing.T, s *Server, code, name string) asked {
	t.Helper()
	in := syncproto.Enrolling{
		Code: code, Device: h.id, Key: h.key.Public().(ed25519.PublicKey), Name: name, Phone: "小米 8", Undertaking: enrol.InForce,
	}
	in.Signature = ed25519.Sign(h.key, in.SigningText())
	return ask(t, s, http.MethodPost, "/v1/enrol", "", in, &h.tokens)
}

func (h *handset) renews(t *testing.T, s *Server) asked {
	t.Helper()
	in := syncproto.Renewing{Device: h.id, Refresh: h.tokens.Refresh, Clock: 1}
	in.Signature = ed25519.Sign(h.key, in.SigningText())
	return ask(t, s, http.MethodPost, "/v1/token", "", in, &h.tokens.Tokens)
}

// seat is the handset as the other tests know a device.
func (h *handset) seat() *Enrolled {
	return &Enrolled{Device: identity.Device{ID: h.id}, Authors: []identity.Author{{ID: h.tokens.Author}}, Token: h.tokens.Access}
}

// secretaryOf is a secretary's token, of a device that was provided.
func secretaryOf(t *testing.T, s *Server, area syncproto.AreaID) Enrolled {
	t.Helper()
	e, err := s.AddDevice(t.Context(), Device{Name: "书记", Areas: []syncproto.AreaID{area}, Role: identity.Secretary})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

type newInvite struct {
	ID             string
	Code, Link, QR string
	Left           int
}

func invites(t *testing.T, s *Server, by *Enrolled, in enrol.Inviting) newInvite {
	t.Helper()
	var made newInvite
	if got := ask(t, s, http.MethodPost, "/v1/invites", by.Token, in, &made); got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	return made
}

func TestWhoWaitsRecordsAndIsLetThroughWhenConfirmed(t *testing.T) {
	s := start(t, t.TempDir())
	boss := secretaryOf(t, s, "3307")
	made := invites(t, s, &boss, enrol.Inviting{Area: "g1", Role: identity.Volunteer, Uses: 9, Confirm: true})
	if made.Link != s.URL()+"/#enrol="+made.Code || !strings.HasPrefix(made.QR, "data:image/svg+xml;base64,") || made.Left != 9 {
		t.Errorf("%+v", made)
	}
	var seen syncproto.Invited
	if got := ask(t, s, http.MethodPost, "/v1/enrol/look", "", map[string]string{"code": strings.ToLower(made.Code)}, &seen); got.status != http.StatusOK || !seen.Confirmed || seen.AreaID != "g1" {
		t.Errorf("%d %s", got.status, got.body)
	}
	h := newHandset("a")
	if got := h.enrols(t, s, made.Code, "李伟"); got.status != http.StatusOK || h.tokens.State != syncproto.EnrolmentWaiting {
		t.Fatalf("%d %s", got.status, got.body)
	}
	change := visit(h.seat(), 1, "g1")
	status, answer := exchangeWith(t, s, h.seat(), change)
	if status != http.StatusOK || answer.Verdicts[0].Verdict != syncproto.Parked || len(answer.Areas)+len(answer.Records) != 0 {
		t.Fatalf("waiting: %d %+v", status, answer)
	}
	if got := ask(t, s, http.MethodGet, "/v1/areas/g1/roster", h.tokens.Access, nil, nil); got.status != http.StatusForbidden {
		t.Errorf("who waits reads the roster: %d", got.status)
	}
	var list struct {
		Enrolments []enrol.Enrolment
		Next       string
	}
	if got := ask(t, s, http.MethodGet, "/v1/areas/3307/enrolments?state=waiting", boss.Token, nil, &list); got.status != http.StatusOK || len(list.Enrolments) != 1 || list.Next != "" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	settled := ask(t, s, http.MethodPost, "/v1/enrolments", boss.Token, enrol.Settling{IDs: []uuid.UUID{list.Enrolments[0].ID}, State: syncproto.EnrolmentActive}, nil)
	if settled.status != http.StatusOK || strings.Contains(string(settled.body), "error") {
		t.Fatalf("%d %s", settled.status, settled.body)
	}
	if err := s.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	status, answer = exchangeWith(t, s, h.seat(), change)
	if status != http.StatusOK || len(answer.Receipt.Parked) != 0 || !slices.Equal(own(answer.Areas), []syncproto.AreaID{"g1"}) || len(answer.Records) != 1 {
		t.Errorf("confirmed: %d parked %+v, areas %v, %d records", status, answer.Receipt.Parked, answer.Areas, len(answer.Records))
	}
	if got := h.renews(t, s); got.status != http.StatusOK || h.tokens.State != syncproto.EnrolmentActive {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// own are the areas of which a phone is given records: of those above it knows the names, and
// what holds there.
func own(areas []syncproto.Area) (ids []syncproto.AreaID) {
	for i := range areas {
		if !areas[i].Above {
			ids = append(ids, areas[i].ID)
		}
	}
	return ids
}

func TestALostPhoneDeliversAndReceivesNothing(t *testing.T) {
	s := start(t, t.TempDir())
	boss := secretaryOf(t, s, "3307")
	h := newHandset("a")
	h.enrols(t, s, invites(t, s, &boss, enrol.Inviting{Area: "g1", Role: identity.Volunteer}).Code, "李伟")
	if _, answer := exchangeWith(t, s, h.seat()); !slices.Equal(own(answer.Areas), []syncproto.AreaID{"g1"}) {
		t.Fatalf("before: %+v", answer.Areas)
	}
	path := "/v1/devices/" + h.id.String() + "/status"
	var line enrol.BoardLine
	if got := ask(t, s, http.MethodPost, path, boss.Token, enrol.Restand{Status: "lost", Reason: "stolen"}, &line); got.status != http.StatusOK || line.Status != "lost" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := h.renews(t, s); got.status != http.StatusOK || h.tokens.Refresh != "" || strings.Contains(string(got.body), `"refresh":"ey`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	status, answer := exchangeWith(t, s, h.seat(), visit(h.seat(), 1, "g1"))
	if status != http.StatusOK || answer.Verdicts[0].Verdict != syncproto.Parked || len(answer.Areas)+len(answer.Records) != 0 {
		t.Errorf("%d %+v", status, answer)
	}
	if got := ask(t, s, http.MethodGet, "/v1/areas", h.tokens.Access, nil, nil); got.code() != "device_revoked" {
		t.Errorf("%d %s", got.status, got.body)
	}
	var board enrol.Board
	ask(t, s, http.MethodGet, "/v1/areas/g1/devices", boss.Token, nil, &board)
	if len(board.Devices) != 1 || board.Devices[0].Status != "lost" {
		t.Errorf("%+v", board)
	}
}

// What must not be seen from where: codes of invitations, secrets, and whether something
// is there at all.
func TestOutsideTheirAreaNobodyLearnsWhatIsThere(t *testing.T) {
	s := start(t, t.TempDir())
	boss, worker := secretaryOf(t, s, "3307"), add(t, s.Data, "g1")
	if _, problems, err := s.ImportAreas(t.Context(), strings.NewReader("34,安徽省,\n")); err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	other := secretaryOf(t, s, "34")
	made := invites(t, s, &boss, enrol.Inviting{Area: "g1", Role: identity.Volunteer, Uses: 2})
	h := newHandset("a")
	h.enrols(t, s, made.Code, "李伟")
	id := h.tokens.Author
	for _, token := range []string{other.Token, worker.Token} {
		for _, at := range []string{"g1", "nowhere"} {
			for _, list := range []string{"invites", "enrolments", "people", "devices"} {
				if got := ask(t, s, http.MethodGet, "/v1/areas/"+at+"/"+list, token, nil, nil); got.status != http.StatusForbidden || got.code() != "forbidden" {
					t.Errorf("%s of %s: %d %s", list, at, got.status, got.body)
				}
			}
			for path, body := range map[string]any{
				"/v1/invites":    enrol.Inviting{Area: syncproto.AreaID(at), Role: identity.Volunteer},
				"/v1/grants":     identity.Grant{Author: id, Area: syncproto.AreaID(at), Role: identity.Volunteer},
				"/v1/grants/end": enrol.Ending{Author: id, Area: syncproto.AreaID(at)},
				"/v1/handover":   enrol.HandOver{From: id, To: boss.Authors[0].ID, Area: syncproto.AreaID(at)},
			} {
				if got := ask(t, s, http.MethodPost, path, token, body, nil); got.code() != "forbidden" {
					t.Errorf("%s in %s: %d %s", path, at, got.status, got.body)
				}
			}
		}
		for _, device := range []string{h.id.String(), uuid.NewString()} {
			if got := ask(t, s, http.MethodPost, "/v1/devices/"+device+"/status", token, enrol.Restand{Status: "lost"}, nil); got.code() != "not_found" {
				t.Errorf("device: %d %s", got.status, got.body)
			}
		}
		for _, invite := range []string{made.ID, uuid.NewString()} {
			if got := ask(t, s, http.MethodPost, "/v1/invites/"+invite+"/withdraw", token, nil, nil); got.code() != "not_found" {
				t.Errorf("invite: %d %s", got.status, got.body)
			}
		}
	}
	for _, list := range []string{"invites", "enrolments", "people", "devices"} {
		got := ask(t, s, http.MethodGet, "/v1/areas/3307/"+list, boss.Token, nil, nil)
		if got.status != http.StatusOK || strings.Contains(string(got.body), made.Code) || strings.Contains(string(got.body), h.tokens.Refresh) {
			t.Errorf("%s: %d %s", list, got.status, got.body)
		}
		if got := ask(t, s, http.MethodGet, "/v1/areas/3307/"+list, "", nil, nil); got.code() != "no_token" {
			t.Errorf("%s without a token: %d %s", list, got.status, got.body)
		}
	}
	// Nor is a code, a token or a secret in any file but the keys'.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(s.dir(t), "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if text, err := os.ReadFile(name); err == nil && (bytes.Contains(text, []byte(strings.ReplaceAll(made.Code, "-", ""))) || bytes.Contains(text, []byte(made.Code))) {
			t.Errorf("%s holds the code", name)
		}
	}
}

// dir is the server's folder: its keys lie in it.
func (s *Server) dir(t *testing.T) string {
	t.Helper()
	return filepath.Dir(s.keys.dir)
}

func TestARunningServerTakesUpANewTokenKey(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	boss := secretaryOf(t, s, "3307") // its token is signed by the first key
	h := newHandset("a")
	h.enrols(t, s, invites(t, s, &boss, enrol.Inviting{Area: "g1", Role: identity.Volunteer}).Code, "李伟")
	first := h.tokens.Access
	file, key, err := AddTokenKey(dir, Options{})
	if err != nil || filepath.Base(file) != "token-0002.pem" {
		t.Fatal(file, err)
	}
	if err := s.keys.refresh(); err != nil {
		t.Fatal(err)
	}
	h.renews(t, s)
	if got := kid(t, h.tokens.Access); got != key || kid(t, first) == key {
		t.Errorf("signed by %s, not %s", got, key)
	}
	for name, token := range map[string]string{"the older key's": first, "the newer key's": h.tokens.Access} {
		if got := ask(t, s, http.MethodGet, "/v1/areas", token, nil, nil); got.status != http.StatusOK {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if err := os.Remove(filepath.Join(dir, "keys", firstKey)); err != nil {
		t.Fatal(err)
	}
	if err := s.keys.refresh(); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, s, http.MethodGet, "/v1/areas", first, nil, nil); got.code() != "bad_token" {
		t.Errorf("a key that was removed: %d %s", got.status, got.body)
	}
	if err := os.WriteFile(filepath.Join(dir, "keys", "token-0003.pem"), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.keys.refresh(); err == nil {
		t.Error("a torn key is taken")
	}
	if got := ask(t, s, http.MethodGet, "/v1/areas", h.tokens.Access, nil, nil); got.status != http.StatusOK {
		t.Errorf("after a torn key: %d", got.status)
	}
}

func kid(t *testing.T, token string) string {
	t.Helper()
	header, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		t.Fatal(err)
	}
	var h struct{ Kid string }
	if err := json.Unmarshal(raw, &h); err != nil {
		t.Fatal(err)
	}
	return h.Kid
}

func TestPhonesSealForTheNewestBoxAndAllBoxesOpen(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	boss := secretaryOf(t, s, "3307")
	h := newHandset("a")
	h.enrols(t, s, invites(t, s, &boss, enrol.Inviting{Area: "g1", Role: identity.Volunteer}).Code, "李伟")
	older := h.tokens.Box
	if info, err := os.Stat(filepath.Join(dir, "keys", firstBox)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if err := makeSecret(filepath.Join(dir, "keys", "box-0002.key")); err != nil {
		t.Fatal(err)
	}
	if err := s.keys.refresh(); err != nil {
		t.Fatal(err)
	}
	h.renews(t, s)
	if bytes.Equal(older, h.tokens.Box) {
		t.Error("phones go on with the older box")
	}
	sealed := make([]json.RawMessage, 2)
	for i, box := range [][]byte{older, h.tokens.Box} {
		n := uint64(i + 1)
		var err error
		if sealed[i], err = syncproto.Seal(box, h.id, n, visit(h.seat(), n, "g1")); err != nil {
			t.Fatal(err)
		}
	}
	status, answer := exchangeWith(t, s, h.seat(), sealed...)
	for _, v := range answer.Verdicts {
		if v.Verdict != syncproto.Applied {
			t.Errorf("%d %+v", status, v)
		}
	}
	if len(answer.Verdicts) != 2 {
		t.Errorf("%d %+v", status, answer.Verdicts)
	}
}

func TestEveryActIsInTheAudit(t *testing.T) {
	s := start(t, t.TempDir())
	boss := secretaryOf(t, s, "3307")
	made := invites(t, s, &boss, enrol.Inviting{Area: "g1", Role: identity.Volunteer})
	h := newHandset("a")
	h.enrols(t, s, made.Code, "李伟")
	ask(t, s, http.MethodPost, "/v1/grants/end", boss.Token, enrol.Ending{Author: h.tokens.Author, Area: "g1"}, nil)
	ask(t, s, http.MethodPost, "/v1/grants", boss.Token, identity.Grant{Author: h.tokens.Author, Area: "g1", Role: identity.Volunteer}, nil)
	ask(t, s, http.MethodPost, "/v1/devices/"+h.id.String()+"/status", boss.Token, enrol.Restand{Status: "retired"}, nil)
	lines, _, err := s.store.AuditLines(t.Context(), audit.Want{}, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var acts []string
	for _, line := range lines {
		acts = append(acts, string(line.Act))
		if strings.Contains(line.Detail, "李伟") || strings.Contains(line.Detail, made.Code) {
			t.Errorf("tells %q", line.Detail)
		}
		if line.Act != audit.Enrolled && (line.Who != boss.Authors[0].ID || line.Device != boss.ID) || line.Area != "g1" {
			t.Errorf("%+v", line)
		}
	}
	if got := strings.Join(acts, " "); got != "set_device granted ended_grant enrolled invited" {
		t.Error(got)
	}
}

func TestACommandLetsPeopleInBesideARunningServer(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	d, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	service, by, err := d.Letting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, code, err := service.Invite(t.Context(), by, enrol.Inviting{Area: "33", Role: identity.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	h := newHandset("a")
	if got := h.enrols(t, s, code, "管理员"); got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	invites(t, s, h.seat(), enrol.Inviting{Area: "3307", Role: identity.Secretary})
}

// BenchmarkEnrol enrols phones one after the other beside many that are known.
func BenchmarkEnrol(b *testing.B) {
	d, err := Open(b.Context(), b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if _, _, err := d.ImportAreas(b.Context(), strings.NewReader(county)); err != nil {
		b.Fatal(err)
	}
	known := make([]Device, 5000)
	for i := range known {
		known[i] = Device{Name: fmt.Sprint(i), Areas: []syncproto.AreaID{"g1"}}
	}
	if _, err := d.AddDevices(b.Context(), known); err != nil {
		b.Fatal(err)
	}
	service, by, err := d.Letting(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	for i := range b.N {
		_, code, err := service.Invite(b.Context(), by, enrol.Inviting{Area: "g1", Role: identity.Volunteer})
		if err != nil {
			b.Fatal(err)
		}
		h := newHandset(fmt.Sprint("phone ", i))
		in := syncproto.Enrolling{Code: code, Device: h.id, Key: h.key.Public().(ed25519.PublicKey), Name: "李", Undertaking: enrol.InForce}
		in.Signature = ed25519.Sign(h.key, in.SigningText())
		if _, err := service.Enrol(b.Context(), &in, syncproto.Instant(time.Now().UnixMilli())); err != nil {
			b.Fatal(err)
		}
	}
}
