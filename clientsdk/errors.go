package clientsdk

import (
	"errors"
	"fmt"
	"time"

	"gridsync/syncproto"
)

// Errors of the client itself. Errors of the protocol are *syncproto.Error.
var (
	// ErrOffline wraps every failure to get an answer: no signal, a cut link, a
	// server that is down. Everything recorded is kept and will be sent.
	ErrOffline = errors.New("no answer from the server")
	// ErrNoServer says that Sync was called on a client opened without a server.
	ErrNoServer = errors.New("no server is set")
	// ErrOtherDevice says that the file belongs to another device than Options.Device.
	ErrOtherDevice = errors.New("this file belongs to another device")
	// ErrNoDevice says that a new file needs Options.Device.
	ErrNoDevice = errors.New("a new file needs a device id")
	// ErrNotFound says that the device holds no such record.
	ErrNotFound = errors.New("no such record on this device")
	// ErrNoProgress says that the server answers but takes nothing and sends nothing.
	ErrNoProgress = errors.New("the server's answers bring nothing forward")
	// ErrLocked says that the file is sealed and must be unlocked first.
	ErrLocked = errors.New("the file is locked")
	// ErrSealed says that the file is sealed already, ErrNotSealed that it isn't.
	ErrSealed    = errors.New("the file is sealed already")
	ErrNotSealed = errors.New("the file isn't sealed")
	// ErrReopen says that another process has sealed the file, or changed its PIN, since
	// it was looked at.
	ErrReopen = errors.New("another process has sealed the file anew: open it again")
	// ErrWeakPIN says that a PIN is too short or among those that everybody tries first.
	ErrWeakPIN = errors.New("a PIN of at least six characters, neither all alike nor in a row")
	// ErrNoKeys says that the phone has no keystore, or nothing in it.
	ErrNoKeys = errors.New("the phone has no keys")
	// ErrOtherKeys says that the keystore isn't the one that the file was sealed with.
	ErrOtherKeys = errors.New("these are not the keys of this file")
	// ErrOtherServer says that the phone is enrolled at another server.
	ErrOtherServer = errors.New("the phone is enrolled at another server")
	// ErrClosed says that the device's time is over: see Status.Closed.
	ErrClosed = errors.New("this device is not in use any more")
	// ErrMasked says that an edit would write a value that its author isn't shown.
	ErrMasked = errors.New("a masked value is not written")
	// ErrBadAnswer says that what came back isn't an answer of the protocol.
	ErrBadAnswer = errors.New("the answer can't be read")
)

// BusyError says that the server asked to wait longer than Sync is willing to.
// Err is what it said.
type BusyError struct {
	After time.Duration
	Err   *syncproto.Error
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("try again in %s: %v", e.After, e.Err)
}

// Unwrap gives the protocol's error.
func (e *BusyError) Unwrap() error { return e.Err }

// final reports whether trying again by itself is useless: somebody has to renew
// a token, update the program, or look at the server's address.
func final(err error) bool {
	var e *syncproto.Error
	if errors.Is(err, ErrBadAnswer) { // nobody of ours has said so
		return false
	}
	if errors.As(err, &e) {
		s := e.Status()
		return s >= 400 && s < 500 && s != 413 && s != 429 && e.Code != syncproto.CodeEnrolmentWaits
	}
	return errors.Is(err, ErrNoServer) || errors.Is(err, ErrClosed)
}
