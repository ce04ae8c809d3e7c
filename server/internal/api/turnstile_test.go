package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// watched is a listener that tells when a connection is closed at the server's side.
type watched struct {
	net.Listener
	closed chan struct{}
}

func (w *watched) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &told{Conn: conn, tell: sync.OnceFunc(func() { w.closed <- struct{}{} })}, nil
}

type told struct {
	net.Conn
	tell func()
}

func (c *told) Close() error {
	defer c.tell()
	return c.Conn.Close()
}

// serving answers on a loopback port, with bounds of the test's own.
func serving(t *testing.T, b Bounds) (w *world, ln *watched) {
	t.Helper()
	w = newWorld(t)
	w.Guard.Bounds = b.withDefaults()
	c := w.app.Server()
	c.ReadTimeout, c.WriteTimeout, c.IdleTimeout = w.Guard.Bounds.Read, w.Guard.Bounds.Write, w.Guard.Bounds.Idle
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln = &watched{inner, make(chan struct{}, 1000)}
	served := make(chan error, 1)
	go func() { served <- w.Serve(ln) }()
	t.Cleanup(func() {
		stopped := w.Shutdown(context.Background())
		_ = ln.Close() // where it is stopped before it begins to answer, it begins now
		if err := errors.Join(stopped, <-served); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return w, ln
}

// dial connects and sends some bytes.
func (w *watched) dial(t *testing.T, send string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", w.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, send); err != nil {
		t.Fatal(err)
	}
	tcp, _ := conn.(*net.TCPConn)
	return tcp
}

// answered reads an answer whole.
func answered(t *testing.T, conn net.Conn) reply {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, body}
}

const alive = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

func TestWhoSendsTooSlowlyIsCutAndHoldsUpNobody(t *testing.T) {
	for name, begin := range map[string]string{
		"a header that never ends": "POST /v1/sync HTTP/1.1\r\nHost: x\r\n",
		"a body that never ends":   "POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n{",
		"nothing at all":           "",
	} {
		t.Run(name, func(t *testing.T) {
			_, ln := serving(t, Bounds{Read: 200 * time.Millisecond, Idle: 200 * time.Millisecond})
			var slow []*net.TCPConn
			for range 64 {
				slow = append(slow, ln.dial(t, begin))
			}
			if r := answered(t, ln.dial(t, alive)); r.status != http.StatusOK {
				t.Errorf("beside them: %d %s", r.status, r.body)
			}
			for _, conn := range slow {
				drip(conn, begin != "")
			}
		})
	}
}

// drip sends a byte now and then until the other side hangs up; if it never does, the test
// ends by its own deadline.
func drip(conn net.Conn, drop bool) {
	rest := make([]byte, 1024)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		if _, err := conn.Read(rest); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if drop {
			if _, err := conn.Write([]byte("x")); err != nil {
				return
			}
		}
	}
}

func TestWhoTakesTheAnswerTooSlowlyIsCut(t *testing.T) {
	w, ln := serving(t, Bounds{Write: 200 * time.Millisecond})
	much := syncproto.Value(`"` + strings.Repeat("x", 32<<20) + `"`)
	w.answer = func(context.Context, syncproto.DeviceID, *syncproto.Request) (*syncproto.Answer, error) {
		return &syncproto.Answer{Records: []syncproto.Record{{Live: []syncproto.Part{{Fields: syncproto.Fields{"note": much}}}}}}, nil
	}
	var request bytes.Buffer
	if err := w.request(t, http.MethodPost, "/v1/sync", syncBody()).Write(&request); err != nil {
		t.Fatal(err)
	}
	ln.dial(t, request.String()) // and reads nothing
	<-ln.closed
	if r := answered(t, ln.dial(t, alive)); r.status != http.StatusOK {
		t.Errorf("afterwards: %d", r.status)
	}
}

func TestAnAddressHasSoManyConnectionsAndNoMore(t *testing.T) {
	_, ln := serving(t, Bounds{PerAddress: 2})
	first, second := ln.dial(t, alive), ln.dial(t, alive)
	answered(t, first)
	answered(t, second)
	r := answered(t, ln.dial(t, ""))
	if p := r.problem(t); r.status != http.StatusTooManyRequests || p.Code != syncproto.CodeTooFast || p.Message.ZH == "" || r.header.Get("Retry-After") == "" {
		t.Errorf("the third: %d %+v %v", r.status, p, r.header)
	}
	<-ln.closed // the third's
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	<-ln.closed
	if r := answered(t, ln.dial(t, alive)); r.status != http.StatusOK {
		t.Errorf("after one has gone: %d", r.status)
	}
}

func TestAHeaderTooLargeIsAnsweredInTheProtocolsWords(t *testing.T) {
	_, ln := serving(t, Bounds{})
	r := answered(t, ln.dial(t, "GET /v1/areas HTTP/1.1\r\nHost: x\r\nX-Much: "+strings.Repeat("secret-value", 1000)+"\r\n\r\n"))
	if r.status != http.StatusBadRequest || r.problem(t).Code != syncproto.CodeBadRequest || strings.Contains(string(r.body), "secret-value") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// The bodies never end: what is answered was answered by the header alone.
func TestOnlyWhoHasATokenOfOursMaySendMuch(t *testing.T) {
	w, ln := serving(t, Bounds{Read: 200 * time.Millisecond})
	old, err := identity.NewSigner(w.key).Sign(ours, syncproto.AuthorID{1}, noon.Add(-time.Hour), noon)
	if err != nil {
		t.Fatal(err)
	}
	send := func(token, length string) reply {
		return answered(t, ln.dial(t, "POST /v1/sync HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\n"+length+"\r\n\r\n"))
	}
	const much = "Content-Length: 300000"
	for name, c := range map[string]struct {
		token, length string
		refused       bool
	}{
		"a token":                {w.token(t, ours), much, false},
		"one that has expired":   {old, much, false},
		"none of ours":           {"nonsense", much, true},
		"none, an ordinary body": {"nonsense", "Content-Length: 200000", false},
		"too much for anybody":   {w.token(t, ours), "Content-Length: 5000000", true},
		"none, in chunks":        {"nonsense", "Transfer-Encoding: chunked\r\n\r\n493E0", true}, // 300,000 in hexadecimal
	} {
		if p := send(c.token, c.length).problem(t); (p.Code == syncproto.CodeBodyTooLarge) != c.refused {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// A file from a desk is larger than any phone's batch. Another site's page can have the
// cookie sent along, and gets no more room by it.
func TestOnlyWhoIsSignedInMaySendAFile(t *testing.T) {
	w, ln := serving(t, Bounds{Read: 200 * time.Millisecond})
	w.gate.sessions = &consoles{}
	const page = PageHeader + ": 1\r\n"
	for name, c := range map[string]struct {
		headers string
		refused bool
	}{
		"a session":               {"Cookie: gridsync=good\r\n" + page, false},
		"one that is over":        {"Cookie: gridsync=old\r\n" + page, true},
		"none":                    {page, true},
		"not from our page":       {"Cookie: gridsync=good\r\n", true},
		"from another site":       {"Cookie: gridsync=good\r\n" + page + "Sec-Fetch-Site: cross-site\r\n", true},
		"a session and bad token": {"Cookie: gridsync=good\r\nAuthorization: Bearer nonsense\r\n" + page, true},
	} {
		r := answered(t, ln.dial(t, "POST /v1/review HTTP/1.1\r\nHost: x\r\n"+c.headers+"Content-Length: 300000\r\n\r\n"))
		if p := r.problem(t); (p.Code == syncproto.CodeBodyTooLarge) != c.refused {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestAFileThatIsTooLargeComesBackWithWhatToDo(t *testing.T) {
	w, ln := serving(t, Bounds{Read: 200 * time.Millisecond})
	for path, told := range map[string]bool{
		"/v1/areas/g1/import?kind=person": true, "/v1/areas/g1/lists?name=x": true, "/v1/forms/import": true, "/v1/sync": false,
	} {
		r := answered(t, ln.dial(t, "POST "+path+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+w.token(t, ours)+"\r\nContent-Length: 5000000\r\n\r\n"))
		if p := r.problem(t); p.Code != syncproto.CodeBodyTooLarge || strings.Contains(string(r.body), "另存为 .xlsx") != told || strings.Contains(string(r.body), "4 MB") != told {
			t.Errorf("%s: %s", path, r.body)
		}
	}
}

func TestOnlyOurOwnProxiesSayWhereARequestComesFrom(t *testing.T) {
	ours := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/32"), netip.MustParsePrefix("10.0.0.0/8")}
	for name, c := range map[string]struct {
		proxies []netip.Prefix
		said    []string
		// want is who is counted; nobody if a proxy of ours doesn't say for whom it asks.
		want string
	}{
		"nobody between":                   {ours, nil, ""},
		"a proxy of ours":                  {ours, []string{"203.0.113.7"}, "203.0.113.7"},
		"nobody trusted":                   {nil, []string{"203.0.113.7"}, "0.0.0.0"},
		"the client says something itself": {ours, []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		"two proxies of ours":              {ours, []string{"198.51.100.1, 203.0.113.7, 10.1.2.3"}, "203.0.113.7"},
		"in two headers":                   {ours, []string{"198.51.100.1", "203.0.113.7, 10.1.2.3"}, "203.0.113.7"},
		"with a port":                      {ours, []string{"203.0.113.7:5000"}, "203.0.113.7"},
		"IPv6":                             {ours, []string{"2001:db8:1:2:3:4:5:6"}, "2001:db8:1:2::"},
		"IPv6 with a port":                 {ours, []string{"[2001:db8:1:2:3:4:5:6]:80"}, "2001:db8:1:2::"},
		"IPv4 in IPv6":                     {ours, []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		"nonsense":                         {ours, []string{"203.0.113.7, \x1b[31m"}, ""},
		"nothing":                          {ours, []string{""}, ""},
	} {
		w := newWorld(t)
		w.limiter = newLimiter(Guard{Limits: Limits{LimitReadAddress: {1, 100}}, Proxies: c.proxies}, noon)
		req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		for _, s := range c.said {
			req.Header.Add("X-Forwarded-For", s)
		}
		w.do(t, req)
		var counted []string
		for i := range w.limiter.seen.shard {
			for who := range w.limiter.seen.shard[i].newer {
				counted = append(counted, netip.AddrFrom16(who.id).Unmap().String())
			}
		}
		if strings.Join(counted, " ") != c.want {
			t.Errorf("%s: %v is counted, want %q", name, counted, c.want)
		}
	}
}
