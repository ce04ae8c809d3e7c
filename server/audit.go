package main

import (
	"context"
	"errors"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/host"
	"gridsync/syncproto"
)

// errNoAuthor is a command line with something that is no author's id.
var errNoAuthor = errors.New("not an author's id")

type auditCommand struct {
	dataFlag
	Area  syncproto.AreaID `placeholder:"CODE" help:"audit_area"`
	Who   string           `placeholder:"ID" help:"audit_who"`
	Act   audit.Act        `placeholder:"ACT" help:"audit_act"`
	Lines int              `default:"100" help:"audit_lines"`
	JSON  bool             `name:"json" help:"print_json"`
}

// Run lists what was noted, the newest first. It works beside a running server, and is
// itself noted.
func (c *auditCommand) Run(ctx context.Context, t *terminal) error {
	want := audit.Want{Act: c.Act}
	if c.Who != "" {
		var err error
		if want.Who, err = syncproto.ParseID[syncproto.AuthorID](c.Who); err != nil {
			return usageError{errNoAuthor}
		}
	}
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		if c.Area != "" {
			tree, err := d.Areas(ctx)
			if err != nil {
				return err
			}
			want.Areas = []syncproto.AreaID{}
			for _, n := range tree.Subtree(c.Area) {
				want.Areas = append(want.Areas, n.ID)
			}
		}
		return c.list(ctx, d, want, t)
	})
}

// list prints page after page until there are as many lines as were asked for.
func (c *auditCommand) list(ctx context.Context, d *host.Data, want audit.Want, t *terminal) error {
	var all []audit.Shown
	for before := int64(0); len(all) < c.Lines; {
		page, err := d.Audit(ctx, want, before, c.Lines-len(all))
		if err != nil {
			return err
		}
		all = append(all, page.Lines...)
		if before = page.Next; before == 0 {
			break
		}
	}
	if c.JSON {
		return printJSON(t, all)
	}
	return printLines(t.out, all)
}
