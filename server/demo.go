package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"gridsync/server/internal/demo"
	"gridsync/server/internal/host"
	"gridsync/server/web"
	"gridsync/syncproto"
)

type demoCommand struct {
	Once   bool   `help:"${demo_once}"`
	JSON   bool   `name:"json" help:"${demo_json}"`
	Listen string `default:"127.0.0.1:0" placeholder:"ADDR" help:"${listen}"`
	Data   string `placeholder:"DIR" help:"${demo_data}"`
	Seed   uint64 `default:"2020" help:"${demo_seed}"`
	Scale  int    `default:"1" help:"${demo_scale}"`
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
	s, err := host.Start(ctx, host.Config{
		Dir: setup.Dir, Listen: c.Listen, Now: setup.Now, NewID: setup.NewID, Page: web.Files,
	})
	if err != nil {
		return nil, err
	}
	if err := s.PutAreas(ctx, setup.Areas); err != nil {
		_ = s.Close() // the areas' error tells more
		return nil, err
	}
	return &demo.Server{
		URL: s.URL(), Histories: s.Histories, Close: s.Close, Settle: s.Retry,
		Enrol: func(ctx context.Context, asked []demo.Enrolment) ([]demo.Enrolled, error) {
			return enrolAll(ctx, s, asked)
		},
		Rebuild: func(ctx context.Context) ([]string, error) { return differences(ctx, s.Data) },
	}, nil
}

func enrolAll(ctx context.Context, s *host.Server, asked []demo.Enrolment) ([]demo.Enrolled, error) {
	devices := make([]host.Device, 0, len(asked))
	for _, a := range asked {
		devices = append(devices, host.Device{
			Name: a.Name, Authors: a.Authors, Areas: []syncproto.AreaID{a.Area}, Role: a.Role,
		})
	}
	enrolled, err := s.AddDevices(ctx, devices)
	if err != nil {
		return nil, err
	}
	out := make([]demo.Enrolled, 0, len(enrolled))
	for _, e := range enrolled {
		out = append(out, demo.Enrolled{Device: e.ID, Token: e.Token})
	}
	return out, nil
}

// differences describes what a rebuild finds; nothing if all agrees.
func differences(ctx context.Context, d *host.Data) ([]string, error) {
	diff, err := d.Rebuild(ctx)
	if err != nil {
		return nil, err
	}
	found := diff.Found
	if more := diff.Total - len(found); more > 0 {
		found = append(found, fmt.Sprintf("and %d more", more))
	}
	return found, nil
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
