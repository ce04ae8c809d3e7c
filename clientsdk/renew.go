package clientsdk

import (
	"context"
	"errors"

	"gridsync/syncproto"
)

// fresh sees to it that the next request has a token that lets it in: the phone's own,
// renewed if it is about to end or if the server has just said that it has. A client
// that was given its token has nothing to renew.
func (c *Client) fresh(ctx context.Context, turnedAway bool) *failure {
	if !c.renews() {
		return nil
	}
	c.mu.Lock()
	stale := c.creds.stale(c.now())
	c.mu.Unlock()
	if !stale && !turnedAway {
		return nil
	}
	return c.renew(ctx)
}

// renews reports whether the phone was enrolled, and so renews its tokens itself.
func (c *Client) renews() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opt.Keys != nil && c.creds.Redeemed != ""
}

// renew asks for the next tokens and keeps them before the first of them is used. If
// the answer is lost, or the phone dies before they are kept, it shows the same refresh
// token again, and gets the same next one.
func (c *Client) renew(ctx context.Context) *failure {
	creds, known, err := loadCredentials(c.opt.Keys) // anew: another process may have been here
	if err != nil || !known {
		return &failure{err: errors.Join(err, ErrNoKeys), stop: true}
	}
	c.mu.Lock()
	renewed := creds.Tokens.Access != c.creds.Tokens.Access
	c.mu.Unlock()
	if renewed && !creds.stale(c.now()) {
		c.use(&creds)
		return nil
	}
	l := line{opt: c.opt, http: c.http}
	var tokens syncproto.Tokens
	f := l.tell(ctx, "/v1/token", creds.renewing(l.now()), &tokens)
	if f != nil && errors.Is(f.err, &syncproto.Error{Code: syncproto.CodeRefreshReused}) {
		// It is suspended from now on, and asks once more for a token that delivers.
		if err := c.amend(func(k *credentials) { k.Suspended = true }); err != nil {
			return &failure{err: err, stop: true}
		}
		f = l.tell(ctx, "/v1/token", creds.renewing(l.now()), &tokens)
	}
	if f != nil {
		return f
	}
	if tokens.Access == "" {
		return &failure{err: ErrBadAnswer, stop: true}
	}
	received, shown := l.now(), creds.Tokens.Refresh
	err = c.amend(func(k *credentials) {
		if k.Tokens.Refresh == shown { // else there are later ones, such as another invitation's
			k.take(&tokens, received)
		}
	})
	if err != nil {
		return &failure{err: err, stop: true}
	}
	return nil
}

// renewing is the request for the next tokens.
func (k *credentials) renewing(now syncproto.Instant) *syncproto.Renewing {
	r := &syncproto.Renewing{Device: k.Device, Refresh: k.Tokens.Refresh, Clock: now, Accepted: k.Accepted}
	r.Signature = k.sign(r.SigningText())
	return r
}

// amend alters what the keystore holds now, which may be more than was read before a
// request went out, and only then lets it be used.
func (c *Client) amend(alter func(*credentials)) error {
	c.amending.Lock()
	defer c.amending.Unlock()
	creds, known, err := loadCredentials(c.opt.Keys)
	if err != nil || !known {
		return errors.Join(err, ErrNoKeys)
	}
	alter(&creds)
	if err := creds.save(c.opt.Keys); err != nil {
		return err
	}
	c.use(&creds)
	return nil
}

func (c *Client) use(creds *credentials) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.creds, c.token = *creds, creds.Tokens.Access
}

// tokenEnded reports whether a request failed because its token isn't valid any more.
func tokenEnded(f *failure) bool {
	return errors.Is(f.err, &syncproto.Error{Code: syncproto.CodeTokenExpired}) ||
		errors.Is(f.err, &syncproto.Error{Code: syncproto.CodeBadToken})
}
