package clientsdk

import (
	"context"
	"fmt"

	"gridsync/syncproto"
)

// close ends a device that is not in use any more, once the server holds everything that
// was ever written on it: its copy goes. Until then it keeps all of it, and delivers. It
// is decided in the answer's transaction, so that nothing can be recorded in between.
func (a *applying) close() (closed bool, err error) {
	ended := a.answer.Notice != nil && a.answer.Notice.Code == syncproto.CodeDeviceRevoked
	if !ended || !a.m.Agreed {
		return false, nil
	}
	here, err := a.count("SELECT count(*) FROM outbox WHERE state IN (0, 3) OR covered = 0 AND " + alive)
	if err != nil || here > 0 {
		return false, err
	}
	for _, table := range []string{"records", "outbox", "told", "links", "areas", "watch", "lock"} {
		if err := a.exec("DELETE FROM " + table); err != nil {
			return false, err
		}
	}
	a.m = meta{Device: a.m.Device, High: a.m.High, Closed: true, Notice: a.m.Notice}
	return true, nil
}

// bury destroys what a closed device leaves outside its rows: unused pages, keys and
// tokens. It may be repeated, and Open does.
func (c *Client) bury(ctx context.Context) error {
	c.setVault(vault{})
	if err := c.clean(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	c.creds, c.token = credentials{}, ""
	c.mu.Unlock()
	if c.opt.Keys == nil {
		return nil
	}
	if err := c.opt.Keys.Save(nil); err != nil {
		return fmt.Errorf("destroying the device's keys: %w", err)
	}
	return nil
}
