package main

import (
	"fmt"

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
