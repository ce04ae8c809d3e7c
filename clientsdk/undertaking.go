package clientsdk

import (
	"context"

	"gridsync/syncproto"
)

// Undertaking asks for the undertaking in force: Status.Undertaking says when there is a
// newer one than was accepted.
//
// Errors: ErrNoServer; ErrOffline; *BusyError; a *syncproto.Error.
func (c *Client) Undertaking(ctx context.Context) (syncproto.Undertaking, error) {
	var u syncproto.Undertaking
	l := line{opt: c.opt, http: c.http}
	err := l.fetch(ctx, "/v1/undertaking", &u)
	return u, err
}

// Accept keeps that the phone's person has read and accepted a version of the
// undertaking. The server is told at the next renewal of the tokens.
//
// Errors: ErrNoKeys for a client that was given its token.
func (c *Client) Accept(version int) error {
	return c.amend(func(k *credentials) { k.Accepted = version })
}
