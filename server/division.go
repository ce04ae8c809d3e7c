package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gridsync/server/internal/division"
	"gridsync/server/internal/host"
)

type areasDivisionCommand struct {
	Source string `arg:"" help:"division_source"`
	Prefix string `placeholder:"CODE" help:"division_prefix"`
	dataFlag
}

// Run imports a part of the divisions; what is there already gets the names and the places
// that the package gives it.
func (c *areasDivisionCommand) Run(ctx context.Context, t *terminal) error {
	part, err := c.read()
	if err != nil {
		return err
	}
	return withNewData(ctx, c.dataFlag, func(d *host.Data) error {
		tree, err := d.Areas(ctx)
		if err != nil {
			return err
		}
		nodes := part.Areas(tree)
		if err := d.PutAreas(ctx, nodes); err != nil {
			return err
		}
		if tree, err = d.Areas(ctx); err != nil {
			return err
		}
		n := part.Counts()
		say(t.err, textImported, len(nodes), tree.Len())
		say(t.err, textDivision, n.Cities, n.Counties, n.Townships, n.Villages)
		return nil
	})
}

func (c *areasDivisionCommand) read() (*division.Part, error) {
	info, err := os.Stat(c.Source)
	if err != nil {
		return nil, err
	}
	prefix := strings.TrimSpace(c.Prefix)
	if info.IsDir() {
		return division.ReadFolder(func(name string) (io.ReadCloser, error) {
			return os.Open(filepath.Join(c.Source, name))
		}, prefix)
	}
	f, err := os.Open(c.Source)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only: closing loses nothing
	part, err := division.ReadArchive(f, prefix)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Source, err)
	}
	return part, nil
}
