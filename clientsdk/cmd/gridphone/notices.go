package main

import (
	"fmt"
	"strconv"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

type noticesCommand struct{}

// Run lists what was said to this phone's areas, the latest first, each under the number
// by which read names it.
func (noticesCommand) Run(s *session) error {
	author, err := s.as()
	if err != nil {
		return err
	}
	notices, err := author.Notices(s.ctx)
	if err != nil {
		return err
	}
	unread := 0
	for i := range notices {
		n := &notices[i]
		marks := ""
		if n.Urgent() {
			marks = s.say["urgent"] + " "
		}
		if !n.Read {
			unread++
			marks += s.say["unread"] + " "
		}
		fmt.Fprintf(s.out, "%d  %s  %s  %s%s\n", i+1, n.Text("issued_on"), n.Area, marks, n.Text("title"))
		if body := n.Text("body"); body != "" {
			fmt.Fprintf(s.out, "    %s\n", body)
		}
	}
	s.printf("noticed", len(notices), unread)
	return nil
}

type readCommand struct {
	Notice string `arg:"" help:"${help_notice}"`
}

// Run says that its author has read a notice.
func (r *readCommand) Run(s *session) error {
	author, err := s.as()
	if err != nil {
		return err
	}
	notices, err := author.Notices(s.ctx)
	if err != nil {
		return err
	}
	n := r.find(notices)
	if n == nil {
		return fmt.Errorf("notice %q: %w", r.Notice, clientsdk.ErrNotFound)
	}
	if err := author.Read(s.ctx, n.ID); err != nil {
		return s.rejected(syncproto.KindNoticeRead, err)
	}
	s.printf("noted", n.Text("title"))
	return nil
}

// find finds a notice by its number in the list, or by its id.
func (r *readCommand) find(notices []clientsdk.Notice) *clientsdk.Notice {
	if n, err := strconv.Atoi(r.Notice); err == nil && n >= 1 && n <= len(notices) {
		return &notices[n-1]
	}
	for i := range notices {
		if notices[i].ID.String() == r.Notice {
			return &notices[i]
		}
	}
	return nil
}
