package main

import (
	"context"

	"gridsync/server/internal/enrol"
	"gridsync/syncproto"
)

type peopleCommand struct {
	dataFlag
	Area syncproto.AreaID `required:"" placeholder:"CODE" help:"people_area"`
}

// Run lists who has anything to do in an area.
func (c *peopleCommand) Run(ctx context.Context, t *terminal) error {
	return withLetting(ctx, c.dataFlag, func(s *enrol.Service, by enrol.By) error {
		var after syncproto.AuthorID
		for {
			page, err := s.People(ctx, by, c.Area, after, pageOfTerminal)
			if err != nil {
				return err
			}
			for i := range page.People {
				tellPerson(t, &page.People[i])
			}
			if after = page.Next; after.IsZero() {
				return nil
			}
		}
	})
}

// pageOfTerminal is how many lines are asked for at a time.
const pageOfTerminal = 200

func tellPerson(t *terminal, p *enrol.Person) {
	say(t.out, textPerson, p.Author, p.Name)
	for _, g := range p.Grants {
		say(t.out, textGrant, g.Area, g.Role, clock(g.From), clockOr(g.To, textOpenEnd))
	}
	for _, d := range p.Devices {
		say(t.out, textPhone, d.ID, d.Name, d.Status)
	}
}
