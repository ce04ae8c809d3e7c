package api

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"gridsync/syncproto"
)

// Bounds are those of connections. A phone on a 50 kbit/s link needs 80 s for half a
// megabyte; who is slower than that for a whole request, or for taking its answer, is cut
// off, at whatever pace its bytes drip.
type Bounds struct {
	Read, Write, Idle time.Duration
	// PerAddress is how many connections one address may have open.
	PerAddress int
}

const (
	// connections bounds the connections open at a time.
	connections = 16_384
	// perAddress leaves room for others beside the largest office behind one address.
	perAddress = 4096
	// headerBytes bounds the first line and the headers of a request, as each connection
	// holds a buffer of that size.
	headerBytes = 4096
)

func (b Bounds) withDefaults() Bounds {
	for _, d := range []*time.Duration{&b.Read, &b.Write, &b.Idle} {
		if *d == 0 {
			*d = 2 * time.Minute
		}
	}
	if b.PerAddress == 0 {
		b.PerAddress = perAddress
	}
	return b
}

// turnstile is a listener that lets no address have more than a number of connections.
// (The HTTP library has such a bound too, for IPv4 alone, and answers in its own words.)
type turnstile struct {
	net.Listener
	most    int
	proxies proxies
	mu      sync.Mutex
	open    map[netip.Addr]int
	full    []byte
}

func newTurnstile(ln net.Listener, most int, ours proxies) *turnstile {
	body, err := (&syncproto.Error{Code: syncproto.CodeTooFast}).MarshalJSON()
	if err != nil {
		panic(fmt.Sprintf("api: the answer to too many connections: %v", err))
	}
	full := fmt.Sprintf("HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json; charset=utf-8\r\n"+
		"Content-Length: %d\r\nRetry-After: 10\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n%s", len(body), body)
	return &turnstile{Listener: ln, most: most, proxies: ours, open: make(map[netip.Addr]int), full: []byte(full)}
}

// Accept waits for a connection that may come in. Others are told so and closed; what they
// are told fits the kernel's buffer, so that nobody is waited for.
func (t *turnstile) Accept() (net.Conn, error) {
	for {
		conn, err := t.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, ok := addressOf(conn)
		if !ok || t.proxies.has(from) {
			return conn, nil
		}
		if t.enter(from) {
			return &counted{Conn: conn, leave: sync.OnceFunc(func() { t.leave(from) })}, nil
		}
		_, _ = conn.Write(t.full)
		_ = conn.Close()
	}
}

func addressOf(conn net.Conn) (netip.Addr, bool) {
	tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	a := tcp.AddrPort().Addr().Unmap().WithZone("")
	return household(a), true
}

func (t *turnstile) enter(from netip.Addr) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[from] >= t.most {
		return false
	}
	t.open[from]++
	return true
}

func (t *turnstile) leave(from netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[from]--; t.open[from] <= 0 {
		delete(t.open, from)
	}
}

// counted is a connection that is counted until it is closed.
type counted struct {
	net.Conn
	leave func()
}

// Close closes the connection and no longer counts it.
func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
