package simtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// fault is what goes wrong with one request.
type fault string

const (
	dropAnswer fault = "drop-answer" // the server does its work, the answer is lost
	cutRequest fault = "cut-request" // half of the request gets through
	cutAnswer  fault = "cut-answer"  // half of the answer gets through
	duplicate  fault = "duplicate"   // the request is delivered twice
)

// link carries a device's requests to the world's server, and does to each what
// the script planned.
type link struct {
	world   *World
	offline bool
	planned []fault
	// last is the last push that went out, for delivering it again much later.
	last *http.Request
	body []byte
}

var errLink = errors.New("the link broke")

// RoundTrip is http.RoundTripper's.
func (l *link) RoundTrip(req *http.Request) (*http.Response, error) {
	if l.offline {
		return nil, errLink
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if err := req.Body.Close(); err != nil {
		return nil, err
	}
	l.last, l.body = req, body
	var f fault
	if len(l.planned) > 0 {
		f, l.planned = l.planned[0], l.planned[1:]
	}
	switch f {
	case cutRequest:
		half := io.MultiReader(bytes.NewReader(body[:len(body)/2]), failing{})
		res, err := l.send(req, half, int64(len(body)))
		if err == nil {
			return nil, errors.Join(fmt.Errorf("half a request was answered with %s", res.Status), res.Body.Close())
		}
		return nil, err
	case duplicate:
		if err := l.replay(); err != nil {
			return nil, err
		}
	}
	res, err := l.send(req, bytes.NewReader(body), int64(len(body)))
	switch {
	case err != nil:
		return nil, err
	case f == dropAnswer:
		_, err := io.Copy(io.Discard, res.Body)
		return nil, errors.Join(errLink, err, res.Body.Close())
	case f == cutAnswer:
		whole, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			return nil, err
		}
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(whole[:len(whole)/2]), failing{}))
	}
	return res, nil
}

// replay delivers the last request once more and throws the answer away.
func (l *link) replay() error {
	if l.last == nil {
		return errNothing
	}
	res, err := l.send(l.last, bytes.NewReader(l.body), int64(len(l.body)))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return errors.Join(err, res.Body.Close())
}

func (l *link) send(req *http.Request, body io.Reader, length int64) (*http.Response, error) {
	to, err := url.Parse(l.world.server().URL())
	if err != nil {
		return nil, err
	}
	out := req.Clone(context.WithoutCancel(req.Context())) // a network holds copies back for longer than anybody waits
	out.URL.Scheme, out.URL.Host, out.Host = to.Scheme, to.Host, to.Host
	out.Body, out.ContentLength, out.GetBody = io.NopCloser(body), length, nil
	return http.DefaultTransport.RoundTrip(out)
}

// failing is a reader that breaks.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
