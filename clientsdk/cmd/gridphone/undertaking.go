package main

import "fmt"

type undertakingCommand struct {
	Accept bool `help:"${help_accept}"`
}

// Run shows the undertaking in force if it is newer than the one that was accepted, and
// asks whether it is accepted.
func (c *undertakingCommand) Run(s *session) error {
	st, err := s.client.Status(s.ctx)
	if err != nil {
		return err
	}
	if st.Undertaking == 0 {
		s.printf("undertaking_none")
		return nil
	}
	u, err := s.client.Undertaking(s.ctx)
	if err != nil {
		return err
	}
	s.printf("undertaking_version", u.Version)
	fmt.Fprintln(s.out, s.pick(u.Text))
	if !c.Accept {
		if err := s.accepts("undertaking_not_accepted"); err != nil {
			return err
		}
	}
	if err := s.client.Accept(u.Version); err != nil {
		return err
	}
	s.printf("undertaking_accepted")
	return nil
}
