package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"gridsync/syncproto"
)

// Problem is the body of every answer that turns a request away.
type Problem struct {
	Code    syncproto.Code `json:"code"`
	Field   string         `json:"field,omitempty"`
	Detail  string         `json:"detail,omitempty"`
	Message syncproto.Text `json:"message"`
	// Reference names the log line of an unexpected failure.
	Reference string `json:"reference,omitempty"`
}

// fail writes an error as an answer and returns its status. Whatever isn't an
// error of the protocol is logged under a reference and shown without detail.
func (a *API) fail(c *fiber.Ctx, err error) int {
	refusal := a.refusal(err)
	p := Problem{Code: refusal.Code, Field: refusal.Field, Detail: refusal.Detail, Message: refusal.Message()}
	switch refusal.Code {
	case syncproto.CodeInternal:
		p.Reference = a.NewReference()
		a.Log.LogAttrs(context.Background(), slog.LevelError, "request failed",
			slog.String("reference", p.Reference), slog.String("error", err.Error()))
	case syncproto.CodeBusy:
		_, wait := a.Exchange.Queue()
		c.Set(fiber.HeaderRetryAfter, retryAfter(wait))
	case syncproto.CodeTooFast:
		c.Set(fiber.HeaderRetryAfter, retryAfter(roomIn(err)))
	case syncproto.CodeLocked:
		c.Set(fiber.HeaderRetryAfter, retryAfter(lockedFor(err)))
	case syncproto.CodeNoToken, syncproto.CodeBadToken, syncproto.CodeTokenExpired:
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
	}
	secure(c)
	body, err := json.Marshal(p)
	if err != nil {
		// A Problem is texts only: this can't happen, and if it does the status still tells.
		body = nil
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	c.Status(refusal.Status()).Response().SetBody(body)
	return refusal.Status()
}

// lockedFor is how long nobody may try, as whoever locked it says.
func lockedFor(err error) time.Duration {
	var locked interface{ RetryAfter() time.Duration }
	if !errors.As(err, &locked) {
		return 0
	}
	return locked.RetryAfter()
}

// refusal finds the protocol's error in err, or says which one it amounts to.
func (a *API) refusal(err error) *syncproto.Error {
	var known *syncproto.Error
	if errors.As(err, &known) && known.Status() < fiber.StatusInternalServerError {
		return known
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &syncproto.Error{Code: syncproto.CodeBusy, Detail: "the request took too long"}
	}
	if a.Away != nil && a.Away(err) {
		a.Log.LogAttrs(context.Background(), slog.LevelWarn, "the store is away", slog.Any("error", err))
		return &syncproto.Error{Code: syncproto.CodeBusy, Detail: "the store is away"}
	}
	var routing *fiber.Error
	if errors.As(err, &routing) {
		return &syncproto.Error{Code: codeOf(routing.Code)}
	}
	return &syncproto.Error{Code: syncproto.CodeInternal}
}

// codeOf maps the statuses with which the framework itself turns requests away.
func codeOf(status int) syncproto.Code {
	switch {
	case status == fiber.StatusNotFound:
		return syncproto.CodeNotFound
	case status == fiber.StatusMethodNotAllowed:
		return syncproto.CodeMethod
	case status == fiber.StatusRequestEntityTooLarge:
		return syncproto.CodeBodyTooLarge
	case status == fiber.StatusServiceUnavailable, status == fiber.StatusTooManyRequests:
		return syncproto.CodeBusy
	case status >= 400 && status < 500, status == fiber.StatusBadGateway:
		// Bad gateway is the framework's word for a connection that broke amid the request.
		return syncproto.CodeBadRequest
	}
	return syncproto.CodeInternal
}

// retryAfter is a wait in whole seconds, one at least.
func retryAfter(wait time.Duration) string { return strconv.Itoa(retrySeconds(wait)) }

// roomIn is how long until there is room for a request that came too soon.
func roomIn(err error) time.Duration {
	var soon *tooFast
	if errors.As(err, &soon) {
		return soon.wait
	}
	return 0
}

// panicked is what was recovered. A value that isn't a run-time error is named by
// its type only: it may hold anything.
func panicked(value any) error {
	if err, ok := value.(interface{ RuntimeError() }); ok {
		return fmt.Errorf("panic: %v", err)
	}
	return fmt.Errorf("panic: %T", value)
}

// unrouted answers what reached no route: no such path, a method that the path
// doesn't have, a request that couldn't be read at all.
func (a *API) unrouted(c *fiber.Ctx, err error) error {
	status := a.fail(c, tooLarge(c, err))
	a.metrics.requests.WithLabelValues("none", statusText(status)).Inc()
	return nil
}

// tooLarge tells whoever sends a file what to do with one that is too large; a phone's batch
// is halved.
func tooLarge(c *fiber.Ctx, err error) error {
	var routing *fiber.Error
	if !errors.As(err, &routing) || codeOf(routing.Code) != syncproto.CodeBodyTooLarge || !takesFile(c.Path()) {
		return err
	}
	return &syncproto.Error{Code: syncproto.CodeBodyTooLarge, Detail: fileTooLarge}
}

const fileTooLarge = "a file has at most 4 MB: save it as .xlsx, or take it apart"

// takesFile reports whether a path takes a file as its body.
func takesFile(path string) bool {
	return strings.HasSuffix(path, "/import") || strings.HasPrefix(path, "/v1/areas/") && strings.HasSuffix(path, "/lists")
}
