package enrol

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// How long tokens last. Whoever hasn't renewed for half a year is retired: the phone
// delivers, and receives nothing until a person has looked.
const (
	accessFor  = 15 * time.Minute
	refreshFor = 180 * 24 * time.Hour
)

// firstRefresh begins a device's refresh tokens.
func firstRefresh(random io.Reader, now syncproto.Instant) (Refresh, error) {
	r := Refresh{Generation: 1, Expires: later(now, refreshFor)}
	if _, err := io.ReadFull(random, r.Secret[:]); err != nil {
		return r, fmt.Errorf("draw a secret: %w", err)
	}
	return r, nil
}

func later(t syncproto.Instant, d time.Duration) syncproto.Instant {
	return t + syncproto.Instant(d.Milliseconds())
}

// token writes a refresh token: the device, the generation, and what only this server can
// have made of them.
func (r *Refresh) token(device syncproto.DeviceID, generation uint64) string {
	body := binary.BigEndian.AppendUint64(device[:], generation)
	return base64.RawURLEncoding.EncodeToString(append(body, r.mac(body)...))
}

func (r *Refresh) mac(body []byte) []byte {
	h := hmac.New(sha256.New, r.Secret[:])
	h.Write([]byte("gridsync refresh 1\x00"))
	h.Write(body)
	return h.Sum(nil)
}

// generationOf reads a token; false for one that we didn't make for this device.
func (r *Refresh) generationOf(device syncproto.DeviceID, token string) (uint64, bool) {
	const body = 16 + 8
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != body+sha256.Size || syncproto.DeviceID(raw[:16]) != device {
		return 0, false
	}
	return binary.BigEndian.Uint64(raw[16:body]), hmac.Equal(raw[body:], r.mac(raw[:body]))
}

// Renew gives a phone its next tokens, once what makes them so is durable. The token
// before the current one is an answer that was lost, and gets the same next one again; an
// older one was copied: the device is suspended (refresh_reused). Any other fails with
// bad_token and changes nothing; bad_signature says that the device's key didn't ask.
//
// Work must arrive whatever has ended. A device that receives nothing any more (it is not
// in use, or nobody on it has a grant) needs no refresh token that is good: its key is
// enough for an access token, and there is no refresh token in the answer. A device that
// was suspended a moment ago asks again and gets that.
func (s *Service) Renew(ctx context.Context, in *syncproto.Renewing, now syncproto.Instant) (answer *syncproto.Tokens, err error) {
	err = s.again(ctx, "renew", func() error {
		answer, err = s.renew(ctx, in, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (s *Service) renew(ctx context.Context, in *syncproto.Renewing, now syncproto.Instant) (*syncproto.Tokens, error) {
	_, device, err := s.device(ctx, in.Device)
	if err != nil {
		return nil, err
	}
	if device.ID.IsZero() {
		return nil, code(syncproto.CodeBadToken, "device")
	}
	if !syncproto.SignedBy(device.Key, in.SigningText(), in.Signature) {
		return nil, code(syncproto.CodeBadSignature, "signature")
	}
	if device.Status != identity.InUse {
		return s.tokens(ctx, device, device.Authors, Refresh{}, now)
	}
	refresh, err := s.refresh(ctx, device.ID)
	if err != nil {
		return nil, err
	}
	next, err := s.rotate(ctx, device, refresh, in, now)
	if errors.Is(err, errNotGood) {
		return s.deliverOnly(ctx, device, refresh, in.Refresh, now)
	}
	if err != nil {
		return nil, err
	}
	return s.tokens(ctx, device, device.Authors, next, now)
}

// errNotGood says that a refresh token isn't ours, or has expired.
var errNotGood = errors.New("no good refresh token")

// rotate returns the refresh token that follows the one shown, having kept it, and with it
// that somebody has accepted the undertaking in force.
func (s *Service) rotate(ctx context.Context, device identity.Device, r Refresh, in *syncproto.Renewing, now syncproto.Instant) (Refresh, error) {
	generation, ours := r.generationOf(device.ID, in.Refresh)
	switch {
	case r.Vouched && (!ours || generation != r.Generation):
		return r, nil
	case r.Generation == 0 || !ours || now >= r.Expires:
		return r, errNotGood
	case generation+1 == r.Generation:
		return r, nil // the answer was lost: the same again
	case generation < r.Generation:
		return r, s.suspend(ctx, device, now)
	}
	// One that is newer than ours was given out before a backup was restored.
	next := Refresh{Secret: r.Secret, Generation: generation + 1, Expires: later(now, refreshFor)}
	w := Write{Rotations: []Rotation{{device.ID, r.Generation, next}}, At: now}
	if in.Accepted == InForce && len(device.Authors) == 1 { // of several nobody knows whose word it is
		w.Undertakings = []Accepted{{Author: device.Authors[0], Version: in.Accepted, Device: device.ID}}
	}
	return next, s.Store.SaveEnrol(ctx, &w)
}

// vouch lets a suspended device in again by its key alone, once: which token it holds is
// anybody's guess, as somebody else has turned them.
func (s *Service) vouch(ctx context.Context, id syncproto.DeviceID, now syncproto.Instant) ([]Rotation, error) {
	r, err := s.refresh(ctx, id)
	if err != nil || r.Generation == 0 {
		return nil, err
	}
	is := Refresh{Secret: r.Secret, Generation: r.Generation + 1, Expires: later(now, refreshFor), Vouched: true}
	return []Rotation{{id, r.Generation, is}}, nil
}

// suspend ends a device's right to receive, and fails with refresh_reused.
func (s *Service) suspend(ctx context.Context, device identity.Device, now syncproto.Instant) error {
	line := audit.Entry{At: now, Act: audit.SuspendedBy, Detail: "device " + device.ID.String()}
	if err := s.restand(ctx, device, identity.Suspended, line, now); err != nil {
		return err
	}
	return code(syncproto.CodeRefreshReused, "refresh")
}

// restand gives a device another standing, and notes it.
func (s *Service) restand(ctx context.Context, device identity.Device, status identity.Status, line audit.Entry, now syncproto.Instant) error {
	w := Write{
		Standings: []Restanding{{device.ID, device.Standing, standing(device.Standing, status, now)}},
		Lines:     []audit.Entry{line}, At: now,
	}
	if device.Status == identity.Suspended && status == identity.InUse {
		var err error
		if w.Rotations, err = s.vouch(ctx, device.ID, now); err != nil {
			return err
		}
	}
	if err := s.Store.SaveEnrol(ctx, &w); err != nil {
		return err
	}
	_, err := s.Registry.Refresh(ctx)
	return err
}

// standing is what a device's standing becomes. One that wasn't trusted before stays so
// since then: what came meanwhile must not count as its people's for being looked at.
func standing(was identity.Standing, status identity.Status, now syncproto.Instant) identity.Standing {
	if !was.Status.Trusted() && !status.Trusted() {
		now = was.Since
	}
	return identity.Standing{Status: status, Since: now}
}

// deliverOnly answers a device in use that has no good refresh token. One on which nobody
// has a grant receives nothing anyhow; one that slept for too long is retired, so that it
// doesn't; any other must show its token.
func (s *Service) deliverOnly(ctx context.Context, device identity.Device, r Refresh, shown string, now syncproto.Instant) (*syncproto.Tokens, error) {
	if s.holds(device, now) {
		if _, ours := r.generationOf(device.ID, shown); r.Generation == 0 || !ours {
			return nil, code(syncproto.CodeBadToken, "refresh")
		}
		line := audit.Entry{At: now, Act: audit.SetDevice, Detail: "device " + device.ID.String() + " retired asleep"}
		if err := s.restand(ctx, device, identity.Retired, line, now); err != nil {
			return nil, err
		}
	}
	return s.tokens(ctx, device, device.Authors, Refresh{}, now)
}

// holds reports whether somebody on a device has a grant now.
func (s *Service) holds(device identity.Device, now syncproto.Instant) bool {
	for _, a := range device.Authors {
		for _, g := range s.Registry.Current().People.Grants(a) {
			if g.At(now) {
				return true
			}
		}
	}
	return false
}

func (s *Service) refresh(ctx context.Context, id syncproto.DeviceID) (Refresh, error) {
	phones, err := s.Store.Phones(ctx, []syncproto.DeviceID{id})
	if err != nil || len(phones) == 0 {
		return Refresh{}, err
	}
	return phones[0].Refresh, nil
}

// enrolled answers a phone that was let in, now or before.
func (s *Service) enrolled(ctx context.Context, device identity.Device, author syncproto.AuthorID, now syncproto.Instant) (*syncproto.Enrolled, error) {
	refresh := Refresh{}
	if device.Status == identity.InUse {
		var err error
		if refresh, err = s.refresh(ctx, device.ID); err != nil {
			return nil, err
		}
	}
	tokens, err := s.tokens(ctx, device, []syncproto.AuthorID{author}, refresh, now)
	if err != nil {
		return nil, err
	}
	return &syncproto.Enrolled{Author: author, Tokens: *tokens}, nil
}

// tokens writes tokens for a device; no refresh token for a zero Refresh.
func (s *Service) tokens(ctx context.Context, device identity.Device, authors []syncproto.AuthorID, r Refresh, now syncproto.Instant) (*syncproto.Tokens, error) {
	var author syncproto.AuthorID
	if len(authors) > 0 {
		author = authors[0]
	}
	from := time.UnixMilli(int64(now))
	access, err := s.Signer.Sign(device.ID, author, from, from.Add(accessFor))
	if err != nil {
		return nil, err
	}
	t := &syncproto.Tokens{
		Access: access, AccessUntil: later(now, accessFor), Now: now,
		Box: s.Box(), State: syncproto.EnrolmentActive, Undertaking: InForce,
	}
	if r.Generation > 0 {
		t.Refresh, t.RefreshUntil = r.token(device.ID, r.Generation), r.Expires
	}
	states, err := s.Store.Enrolments(ctx, EnrolmentsWanted{Devices: []syncproto.DeviceID{device.ID}})
	if err != nil {
		return nil, err
	}
	if n := len(states); n > 0 {
		t.State = states[n-1].State
	}
	return t, nil
}
