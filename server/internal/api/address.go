package api

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// proxies are the networks of our own proxies: they are believed when they say for whom
// they ask, and nobody else is.
type proxies []netip.Prefix

func (p proxies) has(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(a) })
}

// client is the address from which a request really came. Each proxy adds at the right
// whom it heard, so the list is read from there, as far as it was written by proxies of
// ours: whatever stands further left is what the client says of itself.
func (p proxies) client(c *fiber.Ctx) netip.Addr {
	from, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	from = from.Unmap()
	said := c.Request().Header.PeekAll(fiber.HeaderXForwardedFor)
	for i := len(said) - 1; i >= 0; i-- {
		hops := strings.Split(string(said[i]), ",")
		for j := len(hops) - 1; j >= 0; j-- {
			if !p.has(from) {
				return from
			}
			hop, ok := readHop(hops[j])
			if !ok {
				return from
			}
			from = hop
		}
	}
	return from
}

// readHop reads an address that a proxy wrote, with or without a port.
func readHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if a, err := netip.ParseAddr(text); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if a, err := netip.ParseAddrPort(text); err == nil {
		return a.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

// household is what is counted as one address: of IPv6 a /64, which is what one
// subscriber has.
func household(a netip.Addr) netip.Addr {
	if !a.Is6() || a.Is4In6() {
		return a
	}
	return netip.PrefixFrom(a, 64).Masked().Addr()
}
