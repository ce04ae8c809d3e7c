package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"gridsync/clientsdk"
	"gridsync/clientsdk/handset"
	"gridsync/syncproto"
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
	if !e.Accept && !s.accepts() {
		return rejection(s.say["not_accepted"])
	}
	client, err := s.enrol(options, clientsdk.Enrolment{Code: e.Code, Name: e.Name, Phone: e.Model, Undertaking: invited.Undertaking.Version})
	if err != nil {
		return err
	}
	status, err := client.Status(s.ctx)
	if err == nil {
		s.printf("enrolled", e.Name, client.Me(), client.Device())
		s.standing(&status)
	}
	return errors.Join(err, client.Close())
}

// enrol comes in as a profile of a shared phone, or as the one person of a file.
func (s *session) enrol(options clientsdk.Options, e clientsdk.Enrolment) (*clientsdk.Client, error) {
	if s.flags.Phone == "" {
		if err := s.unused(); err != nil {
			return nil, err
		}
		options.Keys = s.keys()
		if _, err := clientsdk.Enrol(s.ctx, options, e); err != nil {
			return nil, err
		}
		return clientsdk.Open(s.ctx, s.flags.File, options)
	}
	phone, err := handset.Open(s.ctx, s.flags.Phone, handset.Options{Client: options})
	if err != nil {
		return nil, err
	}
	pin, err := s.ask("pin_new")
	if err != nil {
		return nil, err
	}
	p, err := phone.Add(s.ctx, e, pin)
	if err != nil {
		return nil, errors.Join(err, phone.Close())
	}
	return p.Client, nil
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

// accepts asks whether the undertaking is accepted.
func (s *session) accepts() bool {
	s.printf("accept_prompt")
	line, _ := s.in.ReadString('\n') // an end without an answer is none
	return slices.Contains([]string{"接受", "accept"}, strings.TrimSpace(line))
}

// ask takes a PIN from the environment, or asks for it.
func (s *session) ask(prompt string) (string, error) {
	if pin := os.Getenv("GRIDPHONE_PIN"); pin != "" {
		return pin, nil
	}
	s.printf(prompt)
	line, err := s.in.ReadString('\n')
	if line == "" && err != nil {
		return "", rejection(s.say["pin_needed"])
	}
	return strings.TrimSpace(line), nil
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
	if st.Enrolment != "" {
		s.printf("enrolment_" + string(st.Enrolment))
	}
	for key, holds := range map[string]bool{"status_suspended": st.Suspended, "status_closed": st.Closed, "status_locked": st.Locked} {
		if holds {
			s.printf(key)
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
	s.printf("pin_new")
	fresh, _ := s.in.ReadString('\n') // an end without an answer is too short a PIN
	if err := s.client.ChangePIN(s.ctx, s.pin, strings.TrimSpace(fresh)); err != nil {
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
	s.printf("deliver_done", name, held, report.Requests, report.Retries)
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

// stdin is where answers are typed.
var stdin = func() *bufio.Reader { return bufio.NewReader(os.Stdin) }

// shownText is a value as a person reads it.
func shownText(v syncproto.Value) string {
	if m, is := v.Masked(); is {
		return m.Masked
	}
	if text, ok := v.Text(); ok {
		return text
	}
	return string(v)
}
