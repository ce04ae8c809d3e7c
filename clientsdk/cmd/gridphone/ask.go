package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// stdin is where answers are typed.
var stdin = func() *bufio.Reader { return bufio.NewReader(os.Stdin) }

// hidden reads a line without showing what is typed.
type hidden interface {
	readLine() (string, error)
	// restore shows again what is typed, if reading was broken off.
	restore() error
}

// terminal is what somebody sits at, nil if nobody does: answers come from a script then.
var terminal = func() hidden {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil
	}
	return &screen{fd, before}
}

// screen is a terminal as it was before anything was asked.
type screen struct {
	fd     int
	before *term.State
}

func (s *screen) readLine() (string, error) {
	line, err := term.ReadPassword(s.fd)
	return string(line), err
}

func (s *screen) restore() error { return term.Restore(s.fd, s.before) }

// accepts asks whether the undertaking is accepted; the text of key says what it means
// that it isn't.
func (s *session) accepts(key string) error {
	s.printf("accept_prompt")
	line, err := s.answer(func() (string, error) { return s.in.ReadString('\n') })
	if s.ctx.Err() != nil {
		return err
	}
	if !slices.Contains([]string{"接受", "accept"}, strings.TrimSpace(line)) { // an end without an answer is none
		return rejection(s.say[key])
	}
	return nil
}

// ask takes a PIN from the environment, or asks for it.
func (s *session) ask(prompt string) (string, error) {
	if pin := os.Getenv("GRIDPHONE_PIN"); pin != "" {
		return pin, nil
	}
	return s.secret(prompt)
}

// secret asks for a PIN, which isn't shown while it is typed at a terminal.
func (s *session) secret(prompt string) (line string, err error) {
	s.printf(prompt)
	if at := terminal(); at != nil {
		line, err = s.answer(at.readLine)
		if s.ctx.Err() != nil {
			return "", errors.Join(err, at.restore())
		}
		fmt.Fprintln(s.out) // the one that was typed wasn't shown, either
	} else {
		line, err = s.answer(func() (string, error) { return s.in.ReadString('\n') })
	}
	if line == "" && err != nil {
		return "", rejection(s.say["pin_needed"])
	}
	return strings.TrimSpace(line), nil
}

// answer waits for an answer, or until somebody has had enough of the question.
func (s *session) answer(read func() (string, error)) (string, error) {
	type answer struct {
		line string
		err  error
	}
	typed := make(chan answer, 1)
	go func() {
		line, err := read()
		typed <- answer{line, err}
	}()
	select {
	case a := <-typed:
		return a.line, a.err
	case <-s.ctx.Done():
		return "", s.ctx.Err()
	}
}
