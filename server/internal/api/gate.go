package api

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// gate says who is asking and what they may see.
type gate struct {
	tokens   Tokens
	registry Registry
	now      func() time.Time
	// looked is when a token of an unknown device last made the registry look for
	// newer devices, in nanoseconds.
	looked atomic.Int64
}

// lookAgain is how often unknown devices may make the registry look.
const lookAgain = 100 * time.Millisecond

// admit finds the device that a request's Authorization header speaks for. It
// fails with no_token, bad_token, token_expired or device_revoked.
func (g *gate) admit(ctx context.Context, header []byte) (identity.Device, error) {
	token, ok := bearer(header)
	if !ok {
		return identity.Device{}, &syncproto.Error{Code: syncproto.CodeNoToken}
	}
	b, err := g.tokens.Verify(token)
	if err != nil {
		return identity.Device{}, err
	}
	device, known := g.registry.Current().People.Device(b.Device)
	if !known {
		if err := g.look(ctx); err != nil {
			return identity.Device{}, err
		}
		device, known = g.registry.Current().People.Device(b.Device)
	}
	switch {
	case !known:
		return identity.Device{}, &syncproto.Error{Code: syncproto.CodeBadToken, Detail: "the device is not known"}
	case device.Revoked:
		return identity.Device{}, &syncproto.Error{Code: syncproto.CodeDeviceRevoked}
	}
	return device, nil
}

// look refreshes the registry: a device that was added a moment ago by another
// process must not be turned away.
func (g *gate) look(ctx context.Context) error {
	now, last := g.now().UnixNano(), g.looked.Load()
	if last != 0 && now-last < int64(lookAgain) && now >= last {
		return nil
	}
	if !g.looked.CompareAndSwap(last, now) {
		return nil
	}
	if _, err := g.registry.Refresh(ctx); err != nil {
		return fmt.Errorf("look for a device: %w", err)
	}
	return nil
}

func bearer(header []byte) ([]byte, bool) {
	const scheme = "bearer "
	if len(header) <= len(scheme) || !bytes.EqualFold(header[:len(scheme)], []byte(scheme)) {
		return nil, false
	}
	token := bytes.TrimSpace(header[len(scheme):])
	return token, len(token) > 0
}

// allowed says whether a device may see an area. Outside its scope it fails with
// forbidden whether or not there is such an area, so that codes can't be guessed.
func allowed(snap *registry.Snapshot, device syncproto.DeviceID, id syncproto.AreaID, now time.Time) error {
	for _, root := range snap.People.Scope(snap.Areas, device, syncproto.Instant(now.UnixMilli())) {
		if snap.Areas.Within(id, root) {
			return nil
		}
	}
	return &syncproto.Error{Code: syncproto.CodeForbidden, Field: "area"}
}
