package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"gridsync/server/internal/area"
	"gridsync/server/internal/host"
	"gridsync/syncproto"
)

// badFile is how many problems a file has; they are told before it is returned.
type badFile int

func (n badFile) Error() string { return fmt.Sprintf("%d problems, nothing imported", int(n)) }

type areasImportCommand struct {
	File string `arg:"" help:"areas_file"`
	dataFlag
}

// Run imports a file, or says line by line why not.
func (c *areasImportCommand) Run(ctx context.Context, t *terminal) (err error) {
	in := t.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // read only: closing loses nothing
		in = f
	}
	return withNewData(ctx, c.dataFlag, func(d *host.Data) error { return importAreas(ctx, d, in, t) })
}

func importAreas(ctx context.Context, d *host.Data, in io.Reader, t *terminal) error {
	n, problems, err := d.ImportAreas(ctx, in)
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintf(t.err, textLine.ZH+" / "+textLine.EN+"\n", p.Line, p.ZH, p.Line, p.EN)
	}
	if len(problems) > 0 {
		return badFile(len(problems))
	}
	tree, err := d.Areas(ctx)
	if err != nil {
		return err
	}
	say(t.err, textImported, n, tree.Len())
	return nil
}

type areasListCommand struct{ dataFlag }

// Run prints the tree, each level further in: code, then name.
func (c *areasListCommand) Run(ctx context.Context, t *terminal) error {
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		tree, err := d.Areas(ctx)
		if err != nil {
			return err
		}
		printAreas(t.out, tree, "", "")
		return nil
	})
}

func printAreas(w io.Writer, tree *area.Tree, parent syncproto.AreaID, indent string) {
	for _, n := range tree.Children(parent) {
		fmt.Fprintf(w, "%s%s  %s\n", indent, n.ID, n.Name)
		printAreas(w, tree, n.ID, indent+"  ")
	}
}

// withData opens an installation's data for one piece of work. Of a folder that was mistyped
// nothing may be told, and least of all that it is sound: withNewData is for what begins one.
func withData(ctx context.Context, at dataFlag, work func(*host.Data) error) error {
	opts := at.options()
	opts.Existing = true
	return open(ctx, at.Data, opts, work)
}

// withNewData is withData, and begins an installation where there is none.
func withNewData(ctx context.Context, at dataFlag, work func(*host.Data) error) error {
	return open(ctx, at.Data, at.options(), work)
}

func open(ctx context.Context, dir string, opts host.Options, work func(*host.Data) error) error {
	d, err := host.Open(ctx, dir, opts)
	if err != nil {
		return err
	}
	return errors.Join(work(d), d.Close())
}
