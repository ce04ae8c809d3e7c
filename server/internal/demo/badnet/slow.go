package badnet

import (
	"context"
	"net"
	"time"
)

// Dialer opens connections, as http.Transport.DialContext does.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Slow returns a dialer whose connections pass bitsPerSecond in each direction,
// not counting what the operating system holds. pause waits: time.Sleep.
func Slow(dial Dialer, bitsPerSecond int, pause func(time.Duration)) Dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &slowConn{Conn: conn, perSecond: max(1, bitsPerSecond/8), pause: pause}, nil
	}
}

// slowConn pauses after each piece for as long as the piece takes on a slow link.
type slowConn struct {
	net.Conn
	perSecond int // bytes
	pause     func(time.Duration)
}

// piece bounds what passes at once, so that a deadline can fall between two pieces.
const piece = 4 << 10

func (c *slowConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b[:min(len(b), piece)])
	c.wait(n)
	return n, err
}

func (c *slowConn) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := c.Conn.Write(b[done:min(len(b), done+piece)])
		done += n
		c.wait(n)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (c *slowConn) wait(n int) {
	if n > 0 {
		c.pause(time.Duration(n) * time.Second / time.Duration(c.perSecond))
	}
}
