package clientsdk

import (
	"context"
	"fmt"

	"gridsync/syncproto"
)

// Enrolment is how a person comes in with a phone.
type Enrolment struct {
	// Code is the invitation's.
	Code string `json:"code"`
	// Name is the person's, Phone says what the device is.
	Name  string `json:"name"`
	Phone string `json:"phone,omitempty"`
	// Undertaking is the version of the undertaking that the person has read, as Look
	// gave it, and accepted.
	Undertaking int `json:"undertaking"`
}

// Look asks what an invitation is for, and for the undertaking that goes with it. It
// redeems nothing. Of the options it needs Server.
//
// Errors: ErrNoServer; ErrOffline; *BusyError; a *syncproto.Error (invite_unknown,
// invite_spent, invite_expired).
func Look(ctx context.Context, options Options, code string) (syncproto.Invited, error) {
	var invited syncproto.Invited
	l, err := newLine(options)
	if err == nil {
		err = l.ask(ctx, "/v1/enrol/look", map[string]string{"code": code}, &invited)
	}
	if err != nil {
		return invited, fmt.Errorf("looking at an invitation: %w", err)
	}
	return invited, nil
}

// Enrol redeems an invitation and keeps in options.Keys what the phone is known by from
// then on; Open takes it from there. A keystore that is enrolled already keeps its
// device and its key: its person has another grant then.
//
// The attempt is kept before it is sent. Whenever Enrol is cut off, calling it again
// with the same code makes the same request, and the server gives the same answer. Once
// the answer is kept the code is spent, and Enrol asks nothing: the server's answer would
// bring back a refresh token that was used since.
//
// Errors: those of Look, and undertaking_needed, bad_signature.
func Enrol(ctx context.Context, options Options, e Enrolment) (syncproto.AuthorID, error) {
	author, err := enrol(ctx, options, e)
	if err != nil {
		return author, fmt.Errorf("enrolling: %w", err)
	}
	return author, nil
}

func enrol(ctx context.Context, options Options, e Enrolment) (syncproto.AuthorID, error) {
	l, err := newLine(options)
	if err != nil {
		return syncproto.AuthorID{}, err
	}
	creds, err := l.attempt(e)
	if err != nil {
		return syncproto.AuthorID{}, err
	}
	if creds.has(e.Code) {
		return creds.Author, nil
	}
	request := syncproto.Enrolling{
		Code: e.Code, Device: creds.Device, Key: creds.public(), Name: e.Name, Phone: e.Phone,
		App: l.opt.AppName, Undertaking: e.Undertaking,
	}
	request.Signature = creds.sign(request.SigningText())
	var answer syncproto.Enrolled
	if err := l.ask(ctx, "/v1/enrol", &request, &answer); err != nil {
		return syncproto.AuthorID{}, err
	}
	if answer.Author.IsZero() || answer.Access == "" {
		return syncproto.AuthorID{}, fmt.Errorf("%w: no author or no token", ErrBadAnswer)
	}
	creds.Author, creds.Redeemed, creds.Accepted = answer.Author, e.Code, e.Undertaking
	creds.take(&answer.Tokens, l.now())
	return answer.Author, creds.save(l.opt.Keys)
}

// attempt keeps what is about to be sent, with a device and a key of its own if the
// phone has none yet.
func (l *line) attempt(e Enrolment) (credentials, error) {
	if l.opt.Keys == nil {
		return credentials{}, ErrNoKeys
	}
	creds, known, err := loadCredentials(l.opt.Keys)
	if err == nil && !known {
		device := l.opt.Device
		if device.IsZero() {
			device = syncproto.DeviceID(l.opt.NewID())
		}
		creds, err = newCredentials(device)
	}
	if err != nil {
		return creds, err
	}
	if !creds.Author.IsZero() && creds.Server != l.opt.Server {
		return creds, ErrOtherServer
	}
	if creds.has(e.Code) {
		return creds, nil
	}
	creds.Server, creds.Attempt = l.opt.Server, e
	err = creds.save(l.opt.Keys)
	return creds, err
}
