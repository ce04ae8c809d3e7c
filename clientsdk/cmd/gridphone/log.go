package main

import (
	"fmt"
	"strings"

	"gridsync/clientsdk"
)

type logCommand struct {
	Mine bool `help:"${help_mine}"`
}

// Run lists the device's own changes: who said what when, and what became of it.
func (l *logCommand) Run(s *session) error {
	list := s.client.Log
	if l.Mine {
		author, err := s.as()
		if err != nil {
			return err
		}
		list = author.Log
	}
	entries, err := list(s.ctx)
	if err != nil {
		return err
	}
	s.entries(entries)
	return nil
}

// entries prints changes, one a line, and under each what its author was told of it.
func (s *session) entries(entries []clientsdk.Entry) {
	for i := range entries {
		e := &entries[i]
		fmt.Fprintf(s.out, "%d  %s  %s  %s  %s %s  %s", e.N, s.stands(e), moment(e.At), e.Author, e.Kind, e.Record, e.Fields)
		if e.Reason != nil {
			fmt.Fprintf(s.out, "  — %s", s.pick(e.Reason.Message()))
		}
		fmt.Fprintln(s.out)
		for j := range e.Told {
			fmt.Fprintf(s.out, "    %s\n", s.news(&e.Told[j]))
		}
	}
}

// stands says in a few words where a change stands.
func (s *session) stands(e *clientsdk.Entry) string {
	stands := []string{s.say["state_"+string(e.State)]}
	if e.Outcome != "" {
		stands = append(stands, s.say["outcome_"+string(e.Outcome)])
	}
	if e.Parked {
		stands = append(stands, s.say["parked"])
	}
	if e.Returned {
		stands = append(stands, s.say["returned"])
	}
	if e.Answer > 0 {
		stands = append(stands, fmt.Sprintf(s.say["answered"], e.Answer))
	}
	return strings.Join(stands, s.say["comma"])
}
