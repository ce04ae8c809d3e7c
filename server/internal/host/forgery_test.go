package host

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/api"
	"gridsync/syncproto"
)

// alter changes one member of a change, or a text in it.
func alter(change json.RawMessage, text, by string) json.RawMessage {
	return json.RawMessage(strings.Replace(string(change), text, by, 1))
}

// What a phone says of others is kept, as everything that can be read is, and lands where it
// does nothing to them.
func TestAPhoneThatSpeaksForOthersChangesNothingOfTheirs(t *testing.T) {
	s := newSiege(t)
	if _, answer := exchangeWith(t, s.Server, &s.ours, visit(&s.ours, 1, "g1")); answer.Verdicts[0].Verdict != syncproto.Applied {
		t.Fatalf("%+v", answer.Verdicts)
	}
	mine := func(n uint64) json.RawMessage { return visit(&s.ours, n, "g1") }
	own, theirs := s.ours.Authors[0].ID.String(), s.theirs.Authors[0].ID.String()
	record := syncproto.RecordID{5, 1}.String()
	note := func(text string) json.RawMessage { return alter(mine(6), `"一号"`, text) }
	for _, c := range []struct {
		name    string
		change  json.RawMessage
		verdict syncproto.Outcome
		code    syncproto.Code
	}{
		{"another author's", alter(mine(2), own, theirs), syncproto.Parked, syncproto.CodeUnknownAuthor},
		{"an author's that there is not", alter(mine(3), own, syncproto.AuthorID{9}.String()), syncproto.Parked, syncproto.CodeUnknownAuthor},
		{"about another grid's household", alter(mine(4), syncproto.RecordID{4, 1}.String(), s.household.String()), syncproto.Parked, syncproto.CodeOutOfArea},
		{"of another phone", alter(mine(5), `{"id"`, `{"device":"`+s.theirs.ID.String()+`","id"`), syncproto.Refused, syncproto.CodeWrongDevice},
		{"with a number that is used", alter(mine(1), `"一号"`, `"二号"`), syncproto.Refused, syncproto.CodeNReused},
		{"with no number", alter(mine(5), `"n":5`, `"n":0`), syncproto.Refused, syncproto.CodeBadChange},
		{"with a number beyond all", alter(mine(5), `"n":5`, `"n":9007199254740992`), syncproto.Refused, syncproto.CodeBadChange},
		{"with a member twice", alter(mine(5), `"record":"`+record+`"`, `"record":"`+record+`","record":"`+s.household.String()+`"`), syncproto.Parked, syncproto.CodeOutOfArea},
		{"with half a character", note(`"\ud800"`), syncproto.Applied, ""}, // of its own household; it reads as U+FFFD
		{"that decides", alter(mine(7), `"base":0`, `"base":0,"decides":true`), syncproto.Parked, syncproto.CodeNotEntitled},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := s.others(t)
			status, answer := exchangeWith(t, s.Server, &s.ours, c.change)
			if status != http.StatusOK || len(answer.Verdicts) != 1 {
				t.Fatalf("%d %+v", status, answer)
			}
			v := answer.Verdicts[0]
			var code syncproto.Code
			if v.Reason != nil {
				code = v.Reason.Code
			}
			if v.Verdict != c.verdict || code != c.code {
				t.Errorf("%s %s, want %s %s", v.Verdict, code, c.verdict, c.code)
			}
			if after := s.others(t); after != before {
				t.Errorf("before %s\nafter  %s", before, after)
			}
		})
	}
}

// others is what a change of ours can't alter: the other grid's household, and what is held
// of the other phones.
func (s *siege) others(t *testing.T) string {
	t.Helper()
	records, err := s.store.RecordsByID(t.Context(), []syncproto.RecordID{s.household, {1, 1}})
	if err != nil {
		t.Fatal(err)
	}
	state, err := s.store.Device(t.Context(), s.theirs.ID)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%+v %d %s", records, state.Held, state.Digest)
}

// comer is a phone that enrols over the wire.
type comer struct {
	device syncproto.DeviceID
	key    ed25519.PrivateKey
}

func newComer(name string) comer {
	seed := sha256.Sum256([]byte(name))
	return comer{syncproto.DeviceID(seed[:16]), ed25519.NewKeyFromSeed(seed[:])}
}

func (p comer) public() ed25519.PublicKey {
	public, _ := p.key.Public().(ed25519.PublicKey)
	return public
}

// enrolling is what it sends to redeem a code.
func (p comer) enrolling(code string) syncproto.Enrolling {
	e := syncproto.Enrolling{Code: code, Device: p.device, Key: p.public(), Name: "丙", Undertaking: 1}
	e.Signature = ed25519.Sign(p.key, e.SigningText())
	return e
}

func (p comer) renewing(refresh string) syncproto.Renewing {
	r := syncproto.Renewing{Device: p.device, Refresh: refresh, Clock: syncproto.Instant(time.Now().UnixMilli())}
	r.Signature = ed25519.Sign(p.key, r.SigningText())
	return r
}

// ask posts a value and reads the answer into another.
func (s *siege) ask(t *testing.T, path, token string, body, into any) answer {
	t.Helper()
	r := s.raw(t, post(path, token, string(syncproto.ValueOf(body))))
	if into != nil && (r.status != http.StatusOK || json.Unmarshal(r.body, into) != nil) {
		t.Fatalf("%s: %d %s", path, r.status, r.body)
	}
	return r
}

func TestNobodyComesInByAnothersInvitationKeyOrToken(t *testing.T) {
	s := newSiege(t)
	var invite api.NewInvite
	s.ask(t, "/v1/invites", s.secretary.Token, map[string]any{"area": "g1", "role": "volunteer"}, &invite)
	guest, thief := newComer("guest"), newComer("thief")
	refused := func(name, path string, body any, status int, code syncproto.Code) {
		t.Helper()
		before := s.standing(t)
		if r := s.ask(t, path, "", body, nil); r.status != status || r.problem().Code != code {
			t.Errorf("%s: %d %s, want %d %s", name, r.status, r.body, status, code)
		}
		if after := s.standing(t); after != before {
			t.Errorf("%s: before %s\nafter  %s", name, before, after)
		}
	}
	guess, taken, swapped := guest.enrolling("AAAA-AAAA-AAAA-AAAA"), thief.enrolling(invite.Code), thief.enrolling(invite.Code)
	taken.Device = s.theirs.ID
	taken.Signature = ed25519.Sign(thief.key, taken.SigningText())
	swapped.Key = guest.public()
	refused("a guessed code", "/v1/enrol", guess, 404, syncproto.CodeInviteUnknown)
	refused("a look at a guessed code", "/v1/enrol/look", api.CodeTyped{Code: guess.Code}, 404, syncproto.CodeInviteUnknown)
	refused("no code", "/v1/enrol/look", api.CodeTyped{}, 404, syncproto.CodeInviteUnknown)
	refused("a phone that is somebody's", "/v1/enrol", taken, 401, syncproto.CodeBadSignature)
	refused("another key's signature", "/v1/enrol", swapped, 401, syncproto.CodeBadSignature)

	var enrolled syncproto.Enrolled
	s.ask(t, "/v1/enrol", "", guest.enrolling(invite.Code), &enrolled)
	refused("a code that is spent", "/v1/enrol", thief.enrolling(invite.Code), 410, syncproto.CodeInviteSpent)
	stolen := thief.renewing(enrolled.Refresh)
	stolen.Device = guest.device
	stolen.Signature = ed25519.Sign(thief.key, stolen.SigningText())
	refused("a refresh token without its phone's key", "/v1/token", stolen, 401, syncproto.CodeBadSignature)
	refused("a refresh token on another phone", "/v1/token", thief.renewing(enrolled.Refresh), 401, syncproto.CodeBadToken)

	var next, last syncproto.Tokens
	s.ask(t, "/v1/token", "", guest.renewing(enrolled.Refresh), &next)
	s.ask(t, "/v1/token", "", guest.renewing(next.Refresh), &last)
	if r := s.raw(t, get("/v1/areas", last.Access)); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := s.ask(t, "/v1/token", "", guest.renewing(enrolled.Refresh), nil); r.status != 401 || r.problem().Code != syncproto.CodeRefreshReused {
		t.Errorf("a copied refresh token: %d %s", r.status, r.body)
	}
	if r := s.raw(t, get("/v1/areas", last.Access)); r.status != http.StatusForbidden || r.problem().Code != syncproto.CodeDeviceRevoked {
		t.Errorf("reading after that: %d %s", r.status, r.body)
	}
}
