package main

import (
	"fmt"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

type toldCommand struct {
	Mine bool `help:"${help_mine}"`
	Read bool `help:"${help_read}"`
}

// Run lists what authors were told, the newest first, what nobody has read with a mark.
func (c *toldCommand) Run(s *session) error {
	list := s.client.Told
	if c.Mine {
		author, err := s.as()
		if err != nil {
			return err
		}
		list = author.Told
	}
	heard, err := list(s.ctx)
	if err != nil {
		return err
	}
	for i := range heard {
		mark := "*"
		if heard[i].Read {
			mark = " "
		}
		fmt.Fprintf(s.out, "%s %d  %s  %s\n", mark, heard[i].N, heard[i].Record, s.news(&heard[i]))
	}
	if len(heard) == 0 {
		s.printf("told_none")
	}
	if c.Read {
		return s.client.MarkRead(s.ctx, heard...)
	}
	return nil
}

// news says in one line how a question ended.
func (s *session) news(t *clientsdk.Told) string {
	line := moment(t.At) + "  " + s.say["item_"+t.Item]
	if t.Field != "" {
		line += " (" + s.label(t.Kind, t.Field) + ")"
	}
	line += s.say["colon"] + s.say["said_"+string(t.Said)]
	if t.Shows != "" {
		line += "  " + s.shown(t.Shows)
	}
	if !t.Other.IsZero() {
		line += "  " + t.Other.String()
	}
	if t.Reason != "" {
		line += "  — " + t.Reason
	}
	return line
}

type returnedCommand struct{}

// Run lists the author's changes that came back, with the reasons.
func (returnedCommand) Run(s *session) error {
	author, err := s.as()
	if err != nil {
		return err
	}
	back, err := author.Returned(s.ctx)
	if err != nil {
		return err
	}
	for i := range back {
		r := &back[i]
		fmt.Fprintf(s.out, "%d  %s  %s %s  %s  — %s\n", r.N, s.stands(&r.Entry), r.Kind, r.Record, r.Fields, r.Why)
	}
	if len(back) == 0 {
		s.printf("returned_none")
	}
	return nil
}

type resubmitCommand struct {
	N      uint64   `arg:"" help:"${help_n}"`
	Fields []string `arg:"" optional:"" help:"${help_fields}"`
	Area   string   `short:"a" help:"${help_area}"`
	Anyway bool     `help:"${help_anyway}"`
}

// Run submits a returned change anew, with corrections.
func (c *resubmitCommand) Run(s *session) error {
	author, err := s.as()
	if err != nil {
		return err
	}
	back, err := author.Returned(s.ctx)
	if err != nil {
		return err
	}
	e := clientsdk.Edit{Area: syncproto.AreaID(c.Area), Anyway: c.Anyway}
	for i := range back {
		if back[i].N == c.N {
			e.Kind = back[i].Kind
		}
	}
	if e.Fields, err = fieldsOf(s.client.Forms().Newest(e.Kind), c.Fields); err != nil {
		return err
	}
	id, err := author.Resubmit(s.ctx, c.N, e)
	if err != nil {
		return s.rejected(e.Kind, err)
	}
	s.printf("recorded", id)
	return nil
}
