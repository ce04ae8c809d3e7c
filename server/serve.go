package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"gridsync/server/internal/api"
	"gridsync/server/internal/hook/courier"
	"gridsync/server/internal/host"
	"gridsync/server/internal/review"
	"gridsync/server/web"
	"gridsync/syncproto"
)

// memory is how much the Go side of a server may use before it collects garbage more
// often: with SQLite's caches beside it (at most 24 MB) a server stays below 200 MB.
// Up to there it collects half as often as Go does by itself, as most of what a push
// leaves behind dies with it. A larger installation sets GOMEMLIMIT.
const (
	memory = 112 << 20
	growth = 200 // percent of what lives, before the next collection
)

// limitMemory sets both unless the environment has set them.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(growth)
	}
}

type serveCommand struct {
	dataFlag
	Listen  string `default:"127.0.0.1:8080" env:"GRIDSYNC_LISTEN" placeholder:"ADDR" help:"listen"`
	Log     string `default:"text" enum:"text,json" env:"GRIDSYNC_LOG" help:"log"`
	Verbose bool   `help:"verbose"`
	Base    string `env:"GRIDSYNC_BASE" placeholder:"URL" help:"base_outside"`
	// Due is how long questions may lie, by kind.
	Due map[review.Kind]time.Duration `env:"GRIDSYNC_DUE" placeholder:"KIND=TIME" help:"due"`
	// Retain is for how many days records keep their content, by kind.
	Retain map[syncproto.Kind]age `env:"GRIDSYNC_RETAIN" mapsep:"," placeholder:"KIND=DAYS" help:"retain"`
	// Limit replaces limits of the API's own, by class.
	Limit map[api.Class]api.Limit `env:"GRIDSYNC_LIMIT" placeholder:"CLASS=RATE/BURST" help:"limit"`
	Proxy []netip.Prefix          `default:"127.0.0.0/8,::1/128" env:"GRIDSYNC_PROXY" placeholder:"CIDR" help:"proxy"`
	// HooksPrivate lets hooks be machines inside.
	HooksPrivate bool  `env:"GRIDSYNC_HOOKS_PRIVATE" help:"serve_private"`
	Small        int64 `default:"5" env:"GRIDSYNC_SMALL" placeholder:"N" help:"small"`
}

// errDue says that a question is not of a kind that there is, or has no time to lie.
var errDue = errors.New("a kind of question and a time above 0, such as conflict=24h")

// Validate implements kong's check of a command's flags.
func (c *serveCommand) Validate() error {
	for kind, due := range c.Due {
		if !slices.Contains(review.Kinds, kind) || due <= 0 {
			return fmt.Errorf("--due %s=%s: %w", kind, due, errDue)
		}
	}
	_, err := retention(c.Retain)
	return errors.Join(err, api.Limits(c.Limit).Check())
}

// guard is the API's own limits with those that were given.
func (c *serveCommand) guard() api.Guard {
	limits := api.DefaultLimits()
	maps.Copy(limits, c.Limit)
	return api.Guard{Limits: limits, Proxies: c.Proxy}
}

// Run serves until ctx ends. The first line of standard output is the address, so
// that whoever started the process on port 0 learns it.
func (c *serveCommand) Run(ctx context.Context, t *terminal) error {
	limitMemory()
	keep, err := retention(c.Retain)
	if err != nil {
		return err
	}
	server, err := host.Start(ctx, host.Config{Dir: c.Data, DB: c.DB, Keys: c.Keys, Listen: c.Listen, Log: c.logger(t.err), Page: web.Files, Base: c.Base, Due: c.Due, Guard: c.guard(), Retain: keep, Small: c.Small, Hooks: courier.Policy{Private: c.HooksPrivate}})
	if err != nil {
		return err
	}
	fmt.Fprintln(t.out, server.URL())
	say(t.err, textServing, server.URL(), server.Place())
	select {
	case <-ctx.Done():
		say(t.err, textStopping)
	case err = <-server.Failed():
	}
	if err := errors.Join(err, server.Close()); err != nil {
		return err
	}
	say(t.err, textStopped)
	return nil
}

func (c *serveCommand) logger(w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: slog.LevelInfo}
	if c.Verbose {
		opts.Level = slog.LevelDebug
	}
	if c.Log == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
