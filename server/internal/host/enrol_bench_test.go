package host

import (
	"crypto/ed25519"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"gridsync/server/internal/enrol"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// BenchmarkWave lets 200 phones in at the same time by one code, beside 5,000 that are
// known. An operation is one phone.
func BenchmarkWave(b *testing.B) {
	const wave = 200
	d, err := Open(b.Context(), b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if _, _, err := d.ImportAreas(b.Context(), strings.NewReader(county)); err != nil {
		b.Fatal(err)
	}
	known := make([]Device, 5000)
	for i := range known {
		known[i] = Device{Name: fmt.Sprint(i), Areas: []syncproto.AreaID{"g1"}}
	}
	if _, err := d.AddDevices(b.Context(), known); err != nil {
		b.Fatal(err)
	}
	service, by, err := d.Letting(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for done := 0; done < b.N; done += wave {
		_, code, err := service.Invite(b.Context(), by, enrol.Inviting{Area: "g1", Role: identity.Volunteer, Uses: wave, Confirm: true})
		if err != nil {
			b.Fatal(err)
		}
		var work sync.WaitGroup
		for i := range min(wave, b.N-done) {
			work.Go(func() {
				h := newHandset(fmt.Sprint("wave ", done+i, b.N))
				in := syncproto.Enrolling{Code: code, Device: h.id, Key: h.key.Public().(ed25519.PublicKey), Name: fmt.Sprint(i), Undertaking: enrol.InForce}
				in.Signature = ed25519.Sign(h.key, in.SigningText())
				if _, err := service.Enrol(b.Context(), &in, syncproto.Instant(time.Now().UnixMilli())); err != nil {
					b.Error(err)
				}
			})
		}
		work.Wait()
	}
}
