package host

import (
	"context"
	"crypto/rand"

	"gridsync/server/internal/api"
	"gridsync/server/internal/enrol"
)

// letting makes the service by which people and phones are let in.
func (d *Data) letting() *enrol.Service {
	return enrol.NewService(enrol.Config{
		Store: d.store, Registry: d.registry, Signer: d.keys, Box: d.keys.Box,
		Digest: d.secrets.digester.Digest, Random: rand.Reader, NewID: d.newID,
	})
}

// lettingIn is the same as the API knows it.
func (d *Data) lettingIn(base string) api.Letting {
	s := d.letting()
	return api.Letting{Invitations: s, Entry: s, Confirmations: s, Posts: s, Phones: s, Base: base}
}

// Letting is the service by which people and phones are let in and looked after, for
// commands, and who acts: whoever sits at the machine. It works beside a running server.
func (d *Data) Letting(ctx context.Context) (*enrol.Service, enrol.By, error) {
	if _, err := d.registry.Refresh(ctx); err != nil {
		return nil, enrol.By{}, err
	}
	return d.letting(), enrol.By{Operator: true, Now: d.instant()}, nil
}
