package bench

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"gridsync/syncproto"
)

// client is one phone on one keep-alive connection. It looks at answers only as
// far as it must to be sure of them, so that the machine's time goes to those who
// are measured.
type client struct {
	side   string
	device Device
	http   *fasthttp.HostClient
	req    *fasthttp.Request
	resp   *fasthttp.Response
	base   string
	body   []byte
	// epoch and cursor are those of the last answer.
	epoch, cursor string
}

// requestTimeout is how long one answer may take: anything slower is no figure
// but a fault.
const requestTimeout = 60 * time.Second

func newClient(p *process, d Device, token string) *client {
	c := &client{
		side: p.side, device: d, base: "http://" + p.address,
		http: &fasthttp.HostClient{
			Addr: p.address, MaxConns: 1, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
			MaxResponseBodySize: 64 << 20, NoDefaultUserAgentHeader: true, MaxIdemponentCallAttempts: 1,
		},
		req: fasthttp.AcquireRequest(), resp: fasthttp.AcquireResponse(),
	}
	c.req.Header.SetMethod(fasthttp.MethodPost)
	c.req.Header.SetContentType("application/json")
	c.req.Header.Set("Authorization", "Bearer "+token)
	return c
}

func (c *client) close() {
	c.http.CloseIdleConnections()
	fasthttp.ReleaseRequest(c.req)
	fasthttp.ReleaseResponse(c.resp)
}

// sync sends a request with changes, a JSON array or nil, of which high is the
// last number. The answer is good until the next call.
func (c *client) sync(ctx context.Context, path string, high uint64, unsent int, changes []byte) ([]byte, error) {
	c.body = c.request(c.body[:0], high, unsent, changes)
	answer, err := c.do(ctx, path)
	if err != nil {
		return nil, err
	}
	c.keep(answer)
	return answer, nil
}

// keep takes what the next request carries from an answer. The floor's have
// nothing to keep: its phones carry what a phone of the server would.
func (c *client) keep(answer []byte) {
	if epoch, ok := text(answer, `"epoch":"`); ok {
		c.epoch = epoch
	}
	if cursor, ok := text(answer, `"cursor":"`); ok {
		c.cursor = cursor
	}
}

func (c *client) do(ctx context.Context, path string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.req.SetRequestURI(c.base + path)
	c.req.SetBodyRaw(c.body)
	if err := c.http.Do(c.req, c.resp); err != nil {
		return nil, fmt.Errorf("POST %s: %w", path, err)
	}
	answer := c.resp.Body()
	if c.resp.StatusCode() != fasthttp.StatusOK {
		return nil, fmt.Errorf("POST %s: status %d: %.300s", path, c.resp.StatusCode(), answer)
	}
	return answer, nil
}

// request writes a syncproto.Request, with the changes as they are.
func (c *client) request(b []byte, high uint64, unsent int, changes []byte) []byte {
	b = append(b, `{"protocol":`...)
	b = strconv.AppendInt(b, syncproto.Protocol, 10)
	b = append(b, `,"device":"`...)
	b = append(b, c.device.ID.String()...)
	b = append(b, `","clock":`...)
	b = strconv.AppendInt(b, time.Now().UnixMilli(), 10)
	if c.epoch != "" {
		b = append(b, `,"epoch":"`...)
		b = append(b, c.epoch...)
		b = append(b, `","cursor":"`...)
		b = append(b, c.cursor...)
		b = append(b, '"')
	}
	b = append(b, `,"high":`...)
	b = strconv.AppendUint(b, high, 10)
	b = append(b, `,"unsent":`...)
	b = strconv.AppendInt(b, int64(unsent), 10)
	b = append(b, `,"app":"bench/1"`...)
	if changes != nil {
		b = append(b, `,"changes":`...)
		b = append(b, changes...)
	}
	return append(b, '}')
}

// connect opens the connection and, on the server, brings the phone up to date.
func (c *client) connect(ctx context.Context) error {
	if c.side == floorSide {
		c.epoch, c.cursor = syncproto.Epoch(c.device.ID).String(), floorCursor
		_, err := c.sync(ctx, floorIdlePath(1), 0, 0, nil)
		return err
	}
	for {
		answer, err := c.sync(ctx, syncPath, 0, 0, nil)
		if err != nil {
			return err
		}
		if !more(answer) {
			return nil
		}
	}
}

// connect opens a connection for each device, to one process after the other. It returns
// those that were opened, whether or not all were.
func (r *run) connect(ctx context.Context, processes []*process, devices []Device) ([]*client, error) {
	clients := make([]*client, 0, len(devices))
	for i, d := range devices {
		c := newClient(processes[i%len(processes)], d, r.tokens[d.ID])
		clients = append(clients, c)
		if err := c.connect(ctx); err != nil {
			return clients, err
		}
	}
	return clients, nil
}

func closeAll(clients []*client) {
	for _, c := range clients {
		c.close()
	}
}

// more reports whether the server has another page.
func more(answer []byte) bool { return bytes.Contains(answer, []byte(`"more":true`)) }

// text returns the string after the last place where key stands. A text that a
// person typed can't hold key, as its quotes are escaped.
func text(answer []byte, key string) (string, bool) {
	i := bytes.LastIndex(answer, []byte(key))
	if i < 0 {
		return "", false
	}
	rest := answer[i+len(key):]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return "", false
	}
	return string(rest[:end]), true
}

// accepted makes sure that the answer to a push says of every change that it is
// in its record; of the floor's, that it is in its table.
func (c *client) accepted(answer []byte, count int) error {
	if c.side == floorSide {
		if want := floorAnswer(count); !bytes.Equal(answer, want) {
			return fmt.Errorf("the floor answered %.300q, want %q", answer, want)
		}
		return nil
	}
	if held := bytes.Count(answer, []byte(`"verdict":"applied"`)); held != count {
		return fmt.Errorf("%d of %d changes were applied: %.600s", held, count, answer)
	}
	return nil
}
