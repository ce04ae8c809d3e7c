package clientsdk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"gridsync/syncproto"
)

// line asks a server small questions, which need no token.
type line struct {
	opt  Options
	http *http.Client
}

// newLine prepares a line for a caller who has no client yet.
func newLine(options Options) (*line, error) {
	opt := options.withDefaults()
	if opt.Server == "" {
		return nil, ErrNoServer
	}
	return &line{opt: opt, http: &http.Client{Transport: opt.Transport, CheckRedirect: noRedirect}}, nil
}

func (l *line) now() syncproto.Instant { return syncproto.Instant(l.opt.Now().UnixMilli()) }

// ask is tell with an error that says what became of it.
func (l *line) ask(ctx context.Context, path string, question, answer any) error {
	if f := l.tell(ctx, path, question, answer); f != nil {
		return f.err
	}
	return nil
}

// tell posts a question and reads the answer into answer.
func (l *line) tell(ctx context.Context, path string, question, answer any) *failure {
	body, err := syncproto.Encode(question)
	if err != nil {
		return &failure{err: err, stop: true}
	}
	return l.send(ctx, http.MethodPost, path, bytes.NewReader(body), answer)
}

// fetch gets what anybody may read.
func (l *line) fetch(ctx context.Context, path string, answer any) error {
	if f := l.send(ctx, http.MethodGet, path, http.NoBody, answer); f != nil {
		return f.err
	}
	return nil
}

func (l *line) send(ctx context.Context, method, path string, body io.Reader, answer any) *failure {
	within, cancel := context.WithTimeout(ctx, l.opt.RequestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(within, method, l.opt.Server+path, body)
	if err != nil {
		return &failure{err: err, stop: true}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", l.opt.AppName)
	resp, err := l.http.Do(req)
	if err != nil {
		return small(brokenRequest(ctx, err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return turnedAway(resp, l.opt)
	}
	return readInto(resp, answer)
}

// readInto reads the answer to a small question.
func readInto(resp *http.Response, answer any) *failure {
	body, err := readBody(resp)
	if errors.Is(err, ErrBadAnswer) {
		return &failure{err: err, stop: true}
	}
	if err != nil {
		return &failure{err: offline(fmt.Errorf("the answer was cut: %w", err))}
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return &failure{err: fmt.Errorf("%w: %w", ErrBadAnswer, err), stop: true}
	}
	return nil
}

// small says of a failure that the size of what was sent has nothing to do with it.
func small(f *failure) *failure {
	f.halve, f.shrink = false, false
	return f
}
