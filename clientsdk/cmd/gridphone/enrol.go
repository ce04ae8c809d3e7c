package main

import (
	"errors"
	"fmt"
	"os"

	"gridsync/clientsdk"
	"gridsync/clientsdk/handset"
)

const app = "gridphone/1"

type enrolCommand struct {
	Code   string `arg:"" help:"${help_code}"`
	Name   string `required:"" help:"${help_name}"`
	Model  string `help:"${help_model}"`
	Accept bool   `help:"${help_accept}"`
}

// Run shows what an invitation is for, asks whether the undertaking is accepted, and
// comes in.
func (e *enrolCommand) Run(s *session) error {
	options := clientsdk.Options{Server: s.flags.Server, AppName: app}
	invited, err := clientsdk.Look(s.ctx, options, e.Code)
	if err != nil {
		return err
	}
	s.printf("invited", invited.AreaName, invited.AreaID, s.roleName(invited.Role), moment(invited.From))
	if invited.Confirmed {
		s.printf("invited_confirmed")
	}
	fmt.Fprintln(s.out, s.pick(invited.Undertaking.Text))
	if !e.Accept {
		if err := s.accepts("not_accepted"); err != nil {
			return err
		}
	}
	if err := s.enrol(options, clientsdk.Enrolment{Code: e.Code, Name: e.Name, Phone: e.Model, Undertaking: invited.Undertaking.Version}); err != nil {
		return err
	}
	status, err := s.client.Status(s.ctx)
	if err != nil {
		return err
	}
	s.printf("enrolled", e.Name, s.client.Me(), s.client.Device())
	s.standing(&status)
	return nil
}

// enrol comes in as a profile of a shared phone, or as the one person of a file.
func (s *session) enrol(options clientsdk.Options, e clientsdk.Enrolment) (err error) {
	if s.flags.Phone == "" {
		if err := s.unused(); err != nil {
			return err
		}
		options.Keys = s.keys()
		if _, err := clientsdk.Enrol(s.ctx, options, e); err != nil {
			return err
		}
		s.client, err = clientsdk.Open(s.ctx, s.flags.File, options)
		return err
	}
	if s.phone, err = handset.Open(s.ctx, s.flags.Phone, handset.Options{Client: options}); err != nil {
		return err
	}
	pin, err := s.ask("pin_new")
	if err != nil {
		return err
	}
	p, err := s.phone.Add(s.ctx, e, pin)
	if err == nil {
		s.client = p.Client
	}
	return err
}

// unused refuses to come in with a file that holds another device's work already: the
// code would be spent, and the file would not open.
func (s *session) unused() error {
	_, known, err := clientsdk.HolderOf(s.keys())
	if err != nil || known {
		return err
	}
	if _, err := os.Stat(s.flags.File); err == nil {
		return rejection(s.say["file_taken"])
	}
	return nil
}

// keys is the keystore beside the file: there is no safer place without a phone.
func (s *session) keys() clientsdk.FileKeystore {
	return clientsdk.FileKeystore(s.flags.File + ".keys")
}

func (s *session) roleName(role string) string {
	if name := s.say["role_"+role]; name != "" {
		return name
	}
	return role
}

// standing tells how far the enrolment has come, and what stands in the way.
func (s *session) standing(st *clientsdk.Status) {
	for _, told := range []struct {
		key   string
		holds bool
	}{
		{"enrolment_" + string(st.Enrolment), s.say["enrolment_"+string(st.Enrolment)] != ""},
		{"status_suspended", st.Suspended},
		{"status_closed", st.Closed},
		{"status_locked", st.Locked},
	} {
		if told.holds {
			s.printf(told.key)
		}
	}
	if st.Undertaking > 0 {
		s.printf("status_undertaking", st.Undertaking)
	}
	if st.Notice != nil {
		fmt.Fprintln(s.out, s.pick(st.Notice.Message()))
	}
}

type pinCommand struct{}

// Run seals the file under a PIN, or changes the PIN.
func (pinCommand) Run(s *session) error {
	if !s.sealed {
		pin, err := s.ask("pin_new")
		if err != nil {
			return err
		}
		if err := s.client.Seal(s.ctx, pin); err != nil {
			return err
		}
		s.printf("pin_set")
		return nil
	}
	fresh, err := s.secret("pin_new")
	if err != nil {
		return err
	}
	if err := s.client.ChangePIN(s.ctx, s.pin, fresh); err != nil {
		return err
	}
	s.printf("pin_set")
	return nil
}

type usersCommand struct{}

// Run lists the people on a shared phone, and what waits of each.
func (usersCommand) Run(s *session) error {
	for _, p := range s.phone.Profiles() {
		st, err := p.Status(s.ctx)
		if err != nil {
			return err
		}
		s.printf("user", p.Name, p.Device(), st.Unsent, st.Delivered)
	}
	for folder, err := range s.phone.Broken() {
		s.printf("user_broken", folder, err)
	}
	return nil
}

type deliverCommand struct{}

// Run delivers, for everybody on a shared phone, without a PIN.
func (deliverCommand) Run(s *session) error {
	if s.phone == nil {
		report, err := s.client.Deliver(s.ctx)
		return s.delivered("", &report, err)
	}
	var failed error
	for _, d := range s.phone.Deliver(s.ctx) {
		failed = errors.Join(failed, s.delivered(d.Profile.Name, &d.Report, d.Err))
	}
	return failed
}

func (s *session) delivered(name string, report *clientsdk.Report, err error) error {
	held := 0
	for outcome, n := range report.Sent {
		if outcome.Held() {
			held += n
		}
	}
	if name != "" {
		name += " "
	}
	s.printf("deliver_done", name, held, report.Requests, report.Retries)
	if report.Withheld > 0 {
		s.printf("deliver_withheld", report.Withheld)
	}
	return err
}

// openPhone opens a shared phone and takes the profile that was asked for.
func (s *session) openPhone(needed bool) error {
	options := clientsdk.Options{Server: s.flags.Server, AppName: app}
	var err error
	if s.phone, err = handset.Open(s.ctx, s.flags.Phone, handset.Options{Client: options}); err != nil || !needed {
		return err
	}
	var found []*handset.Profile
	for _, p := range s.phone.Profiles() {
		if s.flags.User == "" || p.Name == s.flags.User || p.Device().String() == s.flags.User {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		return rejection(s.say["which_user"])
	}
	s.client = found[0].Client
	return nil
}

// unlock opens the file with a PIN if it is sealed, for commands that read or record.
func (s *session) unlock() error {
	if s.sealed = s.client.Locked(); !s.sealed {
		return nil
	}
	var err error
	if s.pin, err = s.ask("pin_prompt"); err != nil {
		return err
	}
	return s.client.Unlock(s.ctx, s.pin)
}
