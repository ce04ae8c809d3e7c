// Package courier carries what hooks are told over HTTP.
//
// It refuses to reach machines that the open Internet can't reach, to follow where a
// receiver points, and to keep anything.
package courier

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"gridsync/server/internal/hook"
	"gridsync/syncproto"
)

// Policy says which addresses are posted to.
type Policy struct {
	// Private lets hooks be machines of the server's own network, and be reached without
	// TLS: for a receiver on the same machine, and for tests.
	Private bool
}

// errAddress says that a machine is not to be reached.
var errAddress = errors.New("not an address of the open Internet")

// maxURL bounds an address.
const maxURL = 2000

// Allows implements hook.Policy. A name is held against the addresses that it has each time
// that it is posted to, as these may change.
func (p Policy) Allows(text string) (string, error) {
	bad := func(detail string) error {
		return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "url", Detail: detail}
	}
	address, err := url.Parse(text)
	switch {
	case err != nil, len(text) > maxURL, address.Hostname() == "", address.User != nil, address.Fragment != "":
		return "", bad("an address such as https://example.org/gridsync")
	case address.Scheme != "https" && (address.Scheme != "http" || !p.Private):
		return "", bad("must begin with https://")
	}
	if ip, err := netip.ParseAddr(address.Hostname()); err == nil && !p.reaches(ip) {
		return "", bad(errAddress.Error())
	}
	return address.Host, nil
}

// refused are networks that aren't of the open Internet, beside those that netip knows.
var refused = func() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}()

// reaches reports whether a machine may be posted to.
func (p Policy) reaches(ip netip.Addr) bool {
	if p.Private {
		return true
	}
	ip = ip.Unmap().WithZone("")
	if !ip.IsValid() || !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, net := range refused {
		if net.Contains(ip) {
			return false
		}
	}
	return true
}

// Sender posts parcels. It implements hook.Sender.
type Sender struct {
	client http.Client
	now    func() time.Time
}

// within bounds one attempt.
const within = 10 * time.Second

// NewSender makes a sender; now is needed for a Retry-After that names a date.
func NewSender(p Policy, now func() time.Time) *Sender {
	dialer := net.Dialer{Timeout: within, Control: func(_, address string, _ syscall.RawConn) error {
		// Here the name is an address already: what a resolver says between the check and
		// the call can't lead elsewhere.
		at, err := netip.ParseAddrPort(address)
		if err != nil || !p.reaches(at.Addr()) {
			return errAddress
		}
		return nil
	}}
	return &Sender{now: now, client: http.Client{
		Timeout: within,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: within, ResponseHeaderTimeout: within,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 16 << 10,
			ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Send implements hook.Sender.
func (s *Sender) Send(ctx context.Context, p hook.Parcel) hook.Reply {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(p.Body))
	if err != nil {
		return hook.Reply{Failure: "not an address"}
	}
	for name, value := range p.Headers {
		req.Header.Set(name, value)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return hook.Reply{Failure: failure(err)}
	}
	defer func() { _ = res.Body.Close() }() // what it answers besides its status isn't read
	_, _ = io.CopyN(io.Discard, res.Body, 4<<10)
	return hook.Reply{Status: res.StatusCode, RetryAfter: s.retryAfter(res.Header.Get("Retry-After"))}
}

// failure says what went wrong without saying where.
func failure(err error) string {
	var timeout net.Error
	var dns *net.DNSError
	switch {
	case errors.Is(err, errAddress):
		return errAddress.Error()
	case errors.As(err, &dns):
		return "no such machine"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens there"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection broke off"
	}
	return "it could not be reached"
}

// retryAfter reads seconds or a date.
func (s *Sender) retryAfter(text string) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(s.now()), 0)
	}
	return 0
}

// Close lets go of idle connections.
func (s *Sender) Close() { s.client.CloseIdleConnections() }
