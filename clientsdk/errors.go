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
	if errors.As(err, &e) {
		s := e.Status()
		return s >= 400 && s < 500 && s != 413 && s != 429
	}
	return errors.Is(err, ErrNoServer)
}
