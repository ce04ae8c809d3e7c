package clientsdk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"gridsync/syncproto"
)

// maxAnswer bounds an answer after decompression: many times what a server sends
// for the largest page.
const maxAnswer = 32 << 20

// failure is why a request brought no answer, and what to do about it.
type failure struct {
	err error
	// stop says that trying again now is useless.
	stop bool
	// halve says that the request may have been too much for the link or the server.
	halve bool
	// tooLarge says that the server said so (413).
	tooLarge bool
	// shrink says that the answer may have been.
	shrink bool
	// after is how long the server asked to wait; 0 if it didn't.
	after time.Duration
}

func offline(err error) error { return fmt.Errorf("%w: %w", ErrOffline, err) }

// post sends one request and reads its answer.
func (c *Client) post(ctx context.Context, req *syncproto.Request) (*syncproto.Answer, *failure) {
	body, err := encodeRequest(req)
	if err != nil {
		return nil, &failure{err: err, stop: true}
	}
	within, cancel := context.WithTimeout(ctx, c.opt.RequestTimeout)
	defer cancel()
	resp, err := c.roundTrip(within, body)
	if err != nil {
		return nil, brokenRequest(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, turnedAway(resp, c.opt)
	}
	answer, f := readAnswer(resp)
	if f != nil && ctx.Err() != nil {
		return nil, &failure{err: ctx.Err(), stop: true}
	}
	return answer, f
}

// brokenRequest says what it means that no answer came.
func brokenRequest(ctx context.Context, err error) *failure {
	if ctx.Err() != nil {
		return &failure{err: ctx.Err(), stop: true}
	}
	var op *net.OpError
	var dns *net.DNSError
	if errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns) {
		return &failure{err: offline(err), stop: true} // nobody there: no size of batch helps
	}
	return &failure{err: offline(err), halve: true, shrink: errors.Is(err, context.DeadlineExceeded)}
}

// roundTrip sends the body, and once more at once if a kept connection turned out
// to have been closed by the other side: nothing is wrong then.
func (c *Client) roundTrip(ctx context.Context, body []byte) (*http.Response, error) {
	for again := false; ; again = true {
		var reused, answered atomic.Bool
		trace := &httptrace.ClientTrace{
			GotConn:              func(i httptrace.GotConnInfo) { reused.Store(i.Reused) },
			GotFirstResponseByte: func() { answered.Store(true) },
		}
		req, err := c.request(httptrace.WithClientTrace(ctx, trace), body)
		if err != nil {
			return nil, err
		}
		resp, err := c.http.Do(req)
		if err == nil || again || ctx.Err() != nil || !reused.Load() || answered.Load() {
			return resp, err
		}
	}
}

func (c *Client) request(ctx context.Context, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.opt.Server+"/v1/sync", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	token := c.token
	c.mu.Unlock()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", c.opt.AppName)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req, nil
}

// zippers are shared: one takes some hundred kilobytes, which hundreds of
// clients in a process would each hold.
var zippers sync.Pool

func zipper(out io.Writer) (*gzip.Writer, error) {
	if w, ok := zippers.Get().(*gzip.Writer); ok {
		w.Reset(out)
		return w, nil
	}
	return gzip.NewWriterLevel(out, 5)
}

// encodeRequest writes the request compressed. It doesn't escape <, > and &: the
// changes go as they were kept, byte for byte.
func encodeRequest(req *syncproto.Request) ([]byte, error) {
	var out bytes.Buffer
	w, err := zipper(&out)
	if err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	defer zippers.Put(w)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(req); err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	return out.Bytes(), nil
}

// readAnswer reads an answer, at most maxAnswer bytes of it.
func readAnswer(resp *http.Response) (*syncproto.Answer, *failure) {
	body, err := readBody(resp)
	if errors.Is(err, ErrBadAnswer) {
		return nil, &failure{err: err, stop: true}
	}
	if err != nil {
		return nil, &failure{err: offline(fmt.Errorf("the answer was cut: %w", err)), shrink: true}
	}
	var answer syncproto.Answer
	if err := json.Unmarshal(body, &answer); err != nil {
		// Something in between answered, such as a hotel's login page.
		return nil, &failure{err: fmt.Errorf("%w: %w", ErrBadAnswer, err), stop: true}
	}
	if answer.Epoch.IsZero() {
		return nil, &failure{err: fmt.Errorf("%w: no epoch", ErrBadAnswer), stop: true}
	}
	return &answer, nil
}

func readBody(resp *http.Response) ([]byte, error) {
	var from io.Reader = resp.Body
	if resp.Header.Get("Content-Encoding") == "gzip" {
		zip, err := gzip.NewReader(resp.Body)
		if err != nil {
			return nil, err
		}
		from = zip
	}
	body, err := io.ReadAll(io.LimitReader(from, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("%w: over %d bytes", ErrBadAnswer, maxAnswer)
	}
	return body, err
}

// turnedAway says what an answer other than 200 means.
func turnedAway(resp *http.Response, opt Options) *failure {
	said, ours := statusError(resp)
	f := &failure{err: fmt.Errorf("the server turned the request away (%d): %w", resp.StatusCode, said)}
	if !ours {
		f.err = fmt.Errorf("%w: %w", ErrBadAnswer, f.err)
	}
	switch status := resp.StatusCode; {
	case status == http.StatusRequestEntityTooLarge:
		f.halve, f.tooLarge = true, true
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		f.after = retryAfter(resp.Header.Get("Retry-After"), opt.Now())
		if f.after > opt.MaxWait {
			f.err, f.stop = &BusyError{After: f.after, Err: said}, true
		}
	case status < 500:
		f.stop = true
	}
	return f
}

// statusError reads the protocol's error from a body, or makes one up from the status:
// ours is false then, as something in between may have answered.
func statusError(resp *http.Response) (said *syncproto.Error, ours bool) {
	said = &syncproto.Error{}
	body, err := readBody(resp)
	if err == nil && json.Unmarshal(body, said) == nil && said.Code != "" {
		return said, true
	}
	codes := map[int]syncproto.Code{
		401: syncproto.CodeBadToken, 403: syncproto.CodeForbidden, 404: syncproto.CodeNotFound, 405: syncproto.CodeMethod,
		413: syncproto.CodeBodyTooLarge, 415: syncproto.CodeBadEncoding, 426: syncproto.CodeUnknownProtocol,
		429: syncproto.CodeBusy, 503: syncproto.CodeBusy,
	}
	code, known := codes[resp.StatusCode]
	if !known {
		code = syncproto.CodeInternal
		if resp.StatusCode < 500 {
			code = syncproto.CodeBadRequest
		}
	}
	return &syncproto.Error{Code: code, Detail: "HTTP status " + strconv.Itoa(resp.StatusCode)}, false
}

// retryAfter reads the header: seconds, or a date.
func retryAfter(s string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(s); err == nil {
		return time.Duration(min(max(seconds, 0), 86400)) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
