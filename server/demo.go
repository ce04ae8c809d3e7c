package main

import (
	"context"
	"errors"
	"io"
	"os"

	"gridsync/server/internal/demo"
	"gridsync/server/internal/host"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/server/web"
)

type demoCommand struct {
	Once   bool   `help:"demo_once"`
	JSON   bool   `name:"json" help:"demo_json"`
	Listen string `default:"127.0.0.1:0" placeholder:"ADDR" help:"listen"`
	Data   string `placeholder:"DIR" help:"demo_data"`
	DB     string `name:"db" env:"GRIDSYNC_DEMO_DB" placeholder:"postgres://…" help:"demo_db"`
	Seed   uint64 `default:"2020" help:"demo_seed"`
	Scale  int    `default:"1" help:"demo_scale"`
}

// Run plays the demo against a server that it starts.
func (c *demoCommand) Run(ctx context.Context, t *terminal) error {
	_, err := demo.Run(ctx, demo.Options{
		Start: c.start, Dir: c.Data, Seed: c.Seed, Scale: c.Scale, Once: c.Once, JSON: c.JSON,
		Out: t.out, Notes: t.err, Colour: coloured() && screen(t.out), Bar: screen(t.err),
	})
	return err
}

// start gives the demo a server as everybody runs it, but for clock and ids,
// which belong to the story.
func (c *demoCommand) start(ctx context.Context, setup demo.Setup) (*demo.Server, error) {
	if err := c.unused(ctx, setup); err != nil {
		return nil, err
	}
	s, err := host.Start(ctx, host.Config{
		Dir: setup.Dir, DB: c.DB, Listen: c.Listen, Now: setup.Now, NewID: setup.NewID, Page: web.Files,
	})
	if err != nil {
		return nil, err
	}
	if err := s.PutAreas(ctx, setup.Areas); err != nil {
		_ = s.Close() // the areas' error tells more
		return nil, err
	}
	return demo.Around(s), nil
}

// errInUse says that a database holds something already.
var errInUse = errors.New("the database is not empty")

// unused makes sure that the story isn't told into somebody's database, before a server works
// there under the story's clock.
func (c *demoCommand) unused(ctx context.Context, setup demo.Setup) error {
	if c.DB == "" {
		return nil
	}
	d, err := host.Open(ctx, setup.Dir, host.Options{DB: c.DB, Now: setup.Now})
	if errors.Is(err, host.ErrNoDataKey) || errors.Is(err, &sqlstore.WrongKeyError{}) {
		// Whoever has other keys can't look, and knows enough.
		return errors.Join(errInUse, err)
	}
	if err != nil {
		return err
	}
	tree, err := d.Areas(ctx)
	if err == nil && tree.Len() > 0 {
		err = errInUse
	}
	return errors.Join(err, d.Close())
}

// coloured says whether nobody asked for no colours (no-color.org).
func coloured() bool { return os.Getenv("NO_COLOR") == "" }

// screen says whether w is a terminal on which a line can be drawn again.
func screen(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
