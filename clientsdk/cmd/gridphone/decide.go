package main

import (
	"errors"
	"fmt"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

type mergeCommand struct {
	Absorbed string `arg:"" help:"${help_absorbed}"`
	Survivor string `arg:"" help:"${help_survivor}"`
}

// Run decides that a record is another one.
func (c *mergeCommand) Run(s *session) error {
	author, err := s.as()
	if err != nil {
		return err
	}
	ids, err := recordIDs(c.Absorbed, c.Survivor)
	if err != nil {
		return err
	}
	if err := author.Merge(s.ctx, ids[0], ids[1]); err != nil {
		return err
	}
	s.printf("decided")
	return nil
}

type differentCommand struct {
	One    string `arg:"" help:"${help_id}"`
	Other  string `arg:"" help:"${help_id}"`
	Visits bool   `help:"${help_visits}"`
	Reason string `help:"${help_reason}"`
}

// Run decides that two records are not one.
func (c *differentCommand) Run(s *session) error {
	author, err := s.as()
	if err != nil {
		return err
	}
	ids, err := recordIDs(c.One, c.Other)
	if err != nil {
		return err
	}
	item := syncproto.ItemDuplicate
	if c.Visits {
		item = syncproto.ItemDoubleVisit
	}
	if err := author.Different(s.ctx, item, ids[0], ids[1], c.Reason); err != nil {
		return err
	}
	s.printf("decided")
	return nil
}

// waiting names a change that waits at a desk.
type waiting struct {
	Record string `arg:"" help:"${help_id}"`
	Device string `arg:"" help:"${help_from_device}"`
	N      uint64 `arg:"" help:"${help_its_n}"`
	Area   string `short:"a" help:"${help_desk}"`
}

// decide lets the author who types decide on a change that waits.
func (w *waiting) decide(s *session, says func(*clientsdk.Author, clientsdk.Waiting) error) error {
	author, err := s.as()
	if err != nil {
		return err
	}
	ids, err := recordIDs(w.Record)
	if err != nil {
		return err
	}
	device, err := syncproto.ParseID[syncproto.DeviceID](w.Device)
	if err != nil {
		return fmt.Errorf("device: %w", err)
	}
	about := clientsdk.Waiting{Record: ids[0], Change: syncproto.Origin{Device: device, N: w.N}, Area: syncproto.AreaID(w.Area)}
	err = says(author, about)
	if errors.Is(err, clientsdk.ErrNotFound) {
		return rejection(s.say["desk_needed"])
	}
	if err != nil {
		return err
	}
	s.printf("decided")
	return nil
}

type acceptCommand struct {
	waiting
	Reason  string   `help:"${help_reason}"`
	Without []string `help:"${help_without}"`
}

// Run takes a change that waits as it is, but without some of its fields.
func (c *acceptCommand) Run(s *session) error {
	return c.decide(s, func(a *clientsdk.Author, w clientsdk.Waiting) error {
		return a.Accept(s.ctx, w, c.Reason, c.Without...)
	})
}

type returnCommand struct {
	waiting
	Reason string `required:"" help:"${help_reason}"`
}

// Run gives a change that waits back to its author.
func (c *returnCommand) Run(s *session) error {
	return c.decide(s, func(a *clientsdk.Author, w clientsdk.Waiting) error { return a.ReturnToAuthor(s.ctx, w, c.Reason) })
}

type undoCommand struct {
	ID     string `arg:"" help:"${help_id}"`
	Device string `arg:"" optional:"" help:"${help_of_device}"`
	N      uint64 `arg:"" optional:"" help:"${help_n}"`
}

// Run withdraws a decision, or lists those that can be withdrawn if none is named.
func (c *undoCommand) Run(s *session) error {
	ids, err := recordIDs(c.ID)
	if err != nil {
		return err
	}
	if c.N == 0 {
		return s.decisions(ids[0])
	}
	author, err := s.as()
	if err != nil {
		return err
	}
	origin := syncproto.Origin{Device: s.client.Device(), N: c.N}
	if c.Device != "-" {
		if origin.Device, err = syncproto.ParseID[syncproto.DeviceID](c.Device); err != nil {
			return fmt.Errorf("device: %w", err)
		}
	}
	if err := author.Undo(s.ctx, ids[0], origin); err != nil {
		return err
	}
	s.printf("undone")
	return nil
}

// decisions lists those about a record, each with what undo needs to know of it.
func (s *session) decisions(id syncproto.RecordID) error {
	decisions, err := s.client.Decisions(s.ctx, id)
	if err != nil {
		return err
	}
	for _, d := range decisions {
		fmt.Fprintf(s.out, "%s %d  %s  %s  %s\n", d.Device, d.N, moment(d.Time), d.Author, d.Fields.Encode())
	}
	if len(decisions) == 0 {
		s.printf("decisions_none")
	}
	return nil
}

// recordIDs reads ids of records.
func recordIDs(texts ...string) ([]syncproto.RecordID, error) {
	ids := make([]syncproto.RecordID, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = syncproto.ParseID[syncproto.RecordID](text); err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
	}
	return ids, nil
}
