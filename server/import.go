package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gridsync/server/internal/host"
	"gridsync/server/internal/intake"
	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
)

type importCommand struct {
	File string `arg:"" help:"import_file"`
	dataFlag
	Kind    syncproto.Kind     `enum:"area,household,person" default:"person" help:"import_kind"`
	Area    syncproto.AreaID   `required:"" placeholder:"CODE" help:"import_area"`
	Author  syncproto.AuthorID `placeholder:"ID" help:"import_author"`
	Sheet   string             `placeholder:"NAME" help:"import_sheet"`
	Map     map[string]string  `placeholder:"HEADING=FIELD" help:"import_map"`
	Apply   bool               `help:"import_apply"`
	SkipBad bool               `help:"import_skip"`
	JSON    bool               `name:"json" help:"print_json"`
}

// Run says what a file would do, and with -apply does it.
func (c *importCommand) Run(ctx context.Context, t *terminal) error {
	if c.Apply && c.Author.IsZero() && c.Kind != intake.KindArea {
		return usageError{errNoAuthor}
	}
	file, err := c.read(t)
	if err != nil {
		return err
	}
	o := intake.Order{
		Author: c.Author, Kind: c.Kind, Area: c.Area, Name: filepath.Base(c.File), File: file, Sheet: c.Sheet, Mapping: c.Map,
	}
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		p, err := d.PlanImport(ctx, o)
		if err == nil && c.Apply && p.Token != "" && (c.SkipBad || p.Counts.Bad+p.Counts.Unsure == 0) {
			p, err = d.ImportAlone(ctx, o, c.SkipBad)
		}
		if err != nil {
			return err
		}
		if c.JSON {
			if err := printJSON(t, p); err != nil {
				return err
			}
			return c.outcome(p)
		}
		c.tell(t, p)
		return c.outcome(p)
	})
}

// read reads the file, no further than what may be read.
func (c *importCommand) read(t *terminal) (file []byte, err error) {
	in := t.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // read only: closing loses nothing
		in = f
	}
	return io.ReadAll(io.LimitReader(in, sheet.DefaultLimits.Bytes+1))
}

// tell prints a plan: what is wrong, what differs, and how many there are of each.
func (c *importCommand) tell(t *terminal, p *intake.Plan) {
	for _, list := range [][]intake.Problem{p.Problems, p.Remarks} {
		for _, one := range list {
			fmt.Fprintln(t.err, problemLine(&one))
		}
	}
	if len(p.Ignored) > 0 {
		say(t.err, textIgnored, strings.Join(p.Ignored, "、"))
	}
	all := p.All()
	for i := range all {
		for _, one := range all[i].Problems {
			fmt.Fprintln(t.out, problemLine(&one))
		}
		for _, d := range all[i].Differs {
			say(t.out, textDiffers, all[i].Row, all[i].Name, d.Label.ZH, shownValue(d.Roster), shownValue(d.File))
		}
	}
	n := p.Counts
	say(t.err, textPlanned, n.Rows, n.New, n.Same, n.Differs, n.Bad, n.Unsure)
	switch {
	case p.Applied != nil:
		say(t.err, textEntered, p.Applied.Changes, p.Applied.New, p.Applied.Differs, p.Applied.Households, p.Applied.Left)
	case c.outcome(p) == nil:
		say(t.err, textOnlyPlanned)
	}
}

// outcome is an error where nothing can be done with a file, or wasn't though it was to be.
func (c *importCommand) outcome(p *intake.Plan) error {
	if p.Applied == nil && (p.Token == "" || c.Apply) {
		return badFile(len(p.Problems) + p.Counts.Bad + p.Counts.Unsure)
	}
	return nil
}

// problemLine is a problem with its place, in both languages.
func problemLine(p *intake.Problem) string {
	place := p.Cell
	switch {
	case place == "" && p.Row > 0:
		place = fmt.Sprint(p.Row)
	case place == "":
		place = p.Column
	}
	return fmt.Sprintf("%s  %s / %s", place, p.ZH, p.EN)
}

// shownValue is a value as a person reads it.
func shownValue(v syncproto.Value) string {
	if text, ok := v.Text(); ok {
		return text
	}
	if v.IsNull() {
		return "—"
	}
	return string(v)
}
