package main

import (
	"context"

	"gridsync/server/internal/enrol"
	"gridsync/syncproto"
)

type handoverCommand struct {
	dataFlag
	From   syncproto.AuthorID `required:"" placeholder:"ID" help:"handover_from"`
	To     syncproto.AuthorID `required:"" placeholder:"ID" help:"handover_to"`
	Area   syncproto.AreaID   `required:"" placeholder:"CODE" help:"handover_area"`
	DryRun bool               `help:"handover_dry"`
}

// Run passes what one person does in an area on to another, or says what that comes to.
func (c *handoverCommand) Run(ctx context.Context, t *terminal) error {
	return withLetting(ctx, c.dataFlag, func(s *enrol.Service, by enrol.By) error {
		done, err := s.HandOver(ctx, by, enrol.HandOver{From: c.From, To: c.To, Area: c.Area, DryRun: c.DryRun})
		if err != nil {
			return err
		}
		for i := range done.Phones {
			tellLine(t.out, &done.Phones[i])
		}
		for _, g := range done.Gives {
			say(t.out, textGrant, g.Area, g.Role, clock(g.From), clockOr(g.To, textOpenEnd))
		}
		text := textPassed
		if c.DryRun {
			text = textWillPass
		}
		say(t.err, text, len(done.Gives), done.Unsent)
		return nil
	})
}
