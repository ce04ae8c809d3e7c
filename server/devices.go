package main

import (
	"context"

	"gridsync/server/internal/enrol"
	"gridsync/syncproto"
)

type devicesListCommand struct {
	dataFlag
	Area syncproto.AreaID `required:"" placeholder:"CODE" help:"devices_area"`
}

// Run shows the board of an area's devices.
func (c *devicesListCommand) Run(ctx context.Context, t *terminal) error {
	return withLetting(ctx, c.dataFlag, func(s *enrol.Service, by enrol.By) error {
		var after syncproto.DeviceID
		for {
			board, err := s.Devices(ctx, by, c.Area, after, pageOfTerminal)
			if err != nil {
				return err
			}
			for i := range board.Devices {
				tellLine(t.out, &board.Devices[i])
			}
			if after = board.Next; after.IsZero() {
				return nil
			}
		}
	})
}

type devicesSetCommand struct {
	dataFlag
	Device syncproto.DeviceID `required:"" placeholder:"ID" help:"devices_device"`
	Status string             `required:"" enum:"in_use,retired,lost" help:"devices_status"`
	Reason string             `enum:",handed_back,broken,lost,stolen,found,checked,mistake,other" default:"" help:"devices_reason"`
}

// Run revokes a device or takes it back into use.
func (c *devicesSetCommand) Run(ctx context.Context, t *terminal) error {
	return withLetting(ctx, c.dataFlag, func(s *enrol.Service, by enrol.By) error {
		line, err := s.SetDevice(ctx, by, c.Device, enrol.Restand{Status: c.Status, Reason: c.Reason})
		if err != nil {
			return err
		}
		tellLine(t.err, &line)
		return nil
	})
}
