package main

import (
	"context"
	"fmt"
	"time"

	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

type deviceAddCommand struct {
	dataFlag
	Name    string             `placeholder:"NAME" help:"${device_name}"`
	Areas   []syncproto.AreaID `name:"area" placeholder:"CODE" help:"${device_area}"`
	Role    identity.Role      `default:"volunteer" enum:"volunteer,secretary,township,county" help:"${device_role}"`
	Authors []string           `name:"author" sep:"none" placeholder:"NAME" help:"${authors}"`
	Days    int                `default:"400" help:"${days}"`
}

// Run adds the device. Standard output gets its token alone, for a script to
// keep; standard error says whose it is.
func (c *deviceAddCommand) Run(ctx context.Context, t *terminal) error {
	device := host.Device{Name: c.Name, Areas: c.Areas, Role: c.Role, Valid: time.Duration(c.Days) * 24 * time.Hour}
	if c.Days < 1 || c.Days > 3660 {
		return host.ErrBadValidity
	}
	for _, name := range c.Authors {
		device.Authors = append(device.Authors, identity.Author{Name: name})
	}
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		e, err := d.AddDevice(ctx, device)
		if err != nil {
			return err
		}
		say(t.err, textDevice, e.ID, e.Name)
		for _, a := range e.Authors {
			say(t.err, textAuthor, a.ID, a.Name)
		}
		say(t.err, textUntil, e.Until.In(form.Zone).Format(time.DateTime))
		fmt.Fprintln(t.out, e.Token)
		return nil
	})
}
