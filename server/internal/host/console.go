package host

import (
	"context"
	"crypto/rand"
	"net"
	"net/netip"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/console"
	"gridsync/syncproto"
)

// console makes the service by which people sign in.
func (d *Data) console(log audit.Log) *console.Service {
	return console.New(console.Config{
		Store: d.store, Registry: d.registry, Audit: log, Sealer: d.secrets.ring, Digest: d.secrets.digester.Digest, Random: rand.Reader, NewID: d.newID,
	})
}

// Begin makes an administrator, and a link with which they set their password. It works
// beside a running server.
func (d *Data) Begin(ctx context.Context, first console.First) (*console.Welcome, error) {
	if _, err := d.registry.Refresh(ctx); err != nil {
		return nil, err
	}
	welcome, err := d.console(audit.NewKeeper(d.store)).Begin(ctx, first, d.instant())
	if err != nil {
		return nil, err
	}
	_, err = d.registry.Refresh(ctx)
	return welcome, err
}

// Relink makes another link for a login. It works beside a running server.
func (d *Data) Relink(ctx context.Context, login string) (*console.Welcome, error) {
	return d.console(audit.NewKeeper(d.store)).Relink(ctx, login, d.instant())
}

func (d *Data) instant() syncproto.Instant { return syncproto.Instant(d.now().UnixMilli()) }

// ownMachine says whether an address to listen on can be reached from this machine alone,
// where no TLS is needed to keep a cookie from strangers.
func ownMachine(listen string) bool {
	name, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if name == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.IsLoopback()
}
