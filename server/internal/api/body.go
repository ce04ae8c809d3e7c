package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"

	"gridsync/syncproto"
)

// decoding bounds how many large bodies are inflated and read at a time: each
// may take some 30 times its size in memory, and more at once than there are
// processors finish no sooner.
var decoding = make(chan struct{}, 2*runtime.GOMAXPROCS(0))

// largeBody is what counts as large: no phone's ordinary batch.
const largeBody = 256 << 10

var readers = sync.Pool{New: func() any { return new(gzip.Reader) }}

// readRequest reads the body of a sync. It fails with bad_encoding,
// body_too_large, malformed, bad_request, unknown_protocol or too_many_changes.
func readRequest(c *fiber.Ctx) (req *syncproto.Request, err error) {
	err = readBody(c, func(body []byte) error {
		req, err = decodeRequest(body)
		return err
	})
	return req, err
}

// readBody hands a request's body, inflated, to decode. It fails with bad_encoding,
// body_too_large, malformed, and as decode does.
//
// The body's bytes belong to the connection and are overwritten by its next
// request; decode must not keep anything that points into them.
func readBody(c *fiber.Ctx, decode func(body []byte) error) error {
	body := c.Request().Body()
	switch encoding := strings.ToLower(strings.TrimSpace(string(c.Request().Header.ContentEncoding()))); encoding {
	case "", "identity":
	case "gzip":
		b := takeBuffer()
		defer giveBuffer(b)
		if err := inflate(b, body); err != nil {
			return err
		}
		body = b.Bytes()
	default:
		return &syncproto.Error{Code: syncproto.CodeBadEncoding, Detail: "gzip or none"}
	}
	if len(body) > largeBody {
		decoding <- struct{}{}
		defer func() { <-decoding }()
	}
	return decode(body)
}

// inflate unpacks a body, up to the limit and no further.
func inflate(into *bytes.Buffer, body []byte) error {
	r, _ := readers.Get().(*gzip.Reader)
	defer readers.Put(r)
	if err := r.Reset(bytes.NewReader(body)); err != nil {
		return &syncproto.Error{Code: syncproto.CodeMalformed, Detail: "not gzip"}
	}
	n, err := into.ReadFrom(io.LimitReader(r, syncproto.MaxBodyBytes+1))
	switch {
	case n > syncproto.MaxBodyBytes:
		return &syncproto.Error{Code: syncproto.CodeBodyTooLarge, Detail: "inflated"}
	case err != nil:
		return &syncproto.Error{Code: syncproto.CodeMalformed, Detail: "gzip is cut short or damaged"}
	}
	return nil
}

func decodeRequest(body []byte) (*syncproto.Request, error) {
	if !syncproto.Valid(body) {
		return nil, &syncproto.Error{Code: syncproto.CodeMalformed, Detail: "not JSON"}
	}
	var req syncproto.Request
	err := req.UnmarshalJSON(body) // which json.Unmarshal would call after going through the body twice
	if err != nil {
		// A newer protocol may have another shape: its number is what matters then.
		req.Protocol = protocolOf(body, req.Protocol)
	}
	switch {
	case req.Protocol != 0 && (req.Protocol < syncproto.OldestProtocol || req.Protocol > syncproto.Protocol):
		return nil, &syncproto.Error{Code: syncproto.CodeUnknownProtocol, Field: "protocol"}
	case err != nil:
		return nil, wrongType(err)
	case req.Protocol == 0:
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "protocol", Detail: "missing"}
	case len(req.Changes) > syncproto.MaxBatchChanges:
		return nil, &syncproto.Error{Code: syncproto.CodeTooManyChanges, Field: "changes"}
	}
	return &req, nil
}

// protocolOf reads the protocol's number alone; otherwise is what to return if
// it can't.
func protocolOf(body []byte, otherwise int) int {
	var only struct {
		Protocol int `json:"protocol"`
	}
	if json.Unmarshal(body, &only) != nil {
		return otherwise
	}
	return only.Protocol
}

// wrongType names the member that has the wrong type, and never its value.
func wrongType(err error) error {
	e := &syncproto.Error{Code: syncproto.CodeBadRequest, Detail: "wrong type"}
	var typed *json.UnmarshalTypeError
	if errors.As(err, &typed) {
		e.Field, _, _ = strings.Cut(typed.Field, ".")
	}
	return e
}
