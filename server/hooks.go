package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"gridsync/server/internal/hook"
	"gridsync/server/internal/host"
	"gridsync/syncproto"
)

// hooksFlags say of which area and which hook a command is.
type hooksFlags struct {
	dataFlag
	Area syncproto.AreaID `required:"" placeholder:"CODE" help:"hooks_area"`
}

// withHooks opens a data folder for a command about hooks, beside a running server.
func withHooks(ctx context.Context, data dataFlag, private bool, work func(*hook.Service, syncproto.Instant) error) error {
	err := withData(ctx, data, func(d *host.Data) error { return work(d.Hooks(private)) })
	var known *syncproto.Error
	if errors.As(err, &known) {
		return refusal{known}
	}
	return err
}

// tellJSON prints one line for programs and people alike.
func tellJSON(t *terminal, value any) error {
	_, err := fmt.Fprintln(t.out, syncproto.ValueOf(value))
	return err
}

type hooksListCommand struct{ hooksFlags }

// Run shows an area's hooks.
func (c *hooksListCommand) Run(ctx context.Context, t *terminal) error {
	return withHooks(ctx, c.dataFlag, false, func(s *hook.Service, _ syncproto.Instant) error {
		hooks, err := s.List(ctx, c.Area)
		if err != nil {
			return err
		}
		for i := range hooks {
			if err := tellJSON(t, &hooks[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

type hooksAddCommand struct {
	hooksFlags
	URL     string   `required:"" name:"url" placeholder:"URL" help:"hooks_url"`
	Events  []string `required:"" placeholder:"EVENT" help:"hooks_events"`
	Private bool     `help:"hooks_private"`
}

// Run makes a hook and prints it with its secret, this once.
func (c *hooksAddCommand) Run(ctx context.Context, t *terminal) error {
	return withHooks(ctx, c.dataFlag, c.Private, func(s *hook.Service, now syncproto.Instant) error {
		made, err := s.Add(ctx, c.Area, hook.Wish{URL: c.URL, Events: c.Events}, syncproto.AuthorID{}, now)
		if err != nil {
			return err
		}
		return tellJSON(t, made)
	})
}

type hooksEndCommand struct {
	hooksFlags
	Hook uuid.UUID `required:"" placeholder:"ID" help:"hooks_hook"`
}

// Run ends a hook.
func (c *hooksEndCommand) Run(ctx context.Context, t *terminal) error {
	return withHooks(ctx, c.dataFlag, false, func(s *hook.Service, now syncproto.Instant) error {
		ended, err := s.End(ctx, c.Area, c.Hook, now)
		if err != nil {
			return err
		}
		return tellJSON(t, ended)
	})
}

type hooksSentCommand struct {
	hooksFlags
	Hook  uuid.UUID  `required:"" placeholder:"ID" help:"hooks_hook"`
	State hook.State `default:"" enum:",waiting,delivered,given_up" help:"hooks_state"`
}

// Run shows what was and is to be sent, the newest first.
func (c *hooksSentCommand) Run(ctx context.Context, t *terminal) error {
	return withHooks(ctx, c.dataFlag, false, func(s *hook.Service, _ syncproto.Instant) error {
		for before := int64(0); ; {
			sent, err := s.Deliveries(ctx, c.Area, c.Hook, c.State, before, pageOfTerminal)
			if err != nil {
				return err
			}
			for i := range sent {
				if err := tellJSON(t, &sent[i]); err != nil {
					return err
				}
				before = sent[i].Seq
			}
			if len(sent) < pageOfTerminal {
				return nil
			}
		}
	})
}

type hooksRetryCommand struct {
	hooksFlags
	Hook uuid.UUID `required:"" placeholder:"ID" help:"hooks_hook"`
	Seq  int64     `help:"hooks_seq"`
}

// Run has what was given up sent again.
func (c *hooksRetryCommand) Run(ctx context.Context, t *terminal) error {
	return withHooks(ctx, c.dataFlag, false, func(s *hook.Service, now syncproto.Instant) error {
		n, err := s.Retry(ctx, c.Area, c.Hook, c.Seq, now)
		if err == nil {
			_, err = fmt.Fprintln(t.out, n)
		}
		return err
	})
}
