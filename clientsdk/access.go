package clientsdk

import "context"

// Access returns a token that lets this phone's people read the server's lists and totals,
// renewed if it is about to end; it is good for some minutes. A client that was given its
// token returns that.
//
// Errors: ErrOffline; *BusyError; a *syncproto.Error when the server turned the request
// away.
func (c *Client) Access(ctx context.Context) (string, error) {
	if f := c.fresh(ctx, false); f != nil {
		return "", f.err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token, nil
}
