package simtest_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gridsync/clientsdk"
	"gridsync/server/internal/api"
	"gridsync/server/internal/host"
	"gridsync/syncproto"
)

// morning is a clock that goes on when a phone waits.
type morning struct {
	mu    sync.Mutex
	now   time.Time
	waits int
}

func (m *morning) time() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *morning) wait(_ context.Context, d time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
	m.waits++
	return nil
}

// Phones of one office that ask faster than one address may are told when to come, come
// then by themselves, and deliver all they have: no sync ends with an error.
func TestPhonesThatAreToldToWaitDeliverInTheSameSync(t *testing.T) {
	const phones = 12
	m := &morning{now: time.Date(2020, 1, 27, 0, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	server, err := host.Start(t.Context(), host.Config{
		Dir: dir, Listen: "127.0.0.1:0", Now: m.time, Poll: time.Hour,
		Guard: api.Guard{Limits: api.Limits{
			api.LimitSync: {Rate: 0.5, Burst: 1}, api.LimitSyncAddress: {Rate: 0.2, Burst: 3},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, problems, err := server.ImportAreas(t.Context(), strings.NewReader("code,name,parent\ngrid,网格,\n")); err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	for i := range phones {
		name := fmt.Sprintf("phone-%d", i)
		e, err := server.AddDevice(t.Context(), host.Device{Name: name, Areas: []syncproto.AreaID{"grid"}})
		if err != nil {
			t.Fatal(err)
		}
		client, err := clientsdk.Open(t.Context(), filepath.Join(dir, name+".db"), clientsdk.Options{
			Server: server.URL(), Token: e.Token, Device: e.ID, BatchChanges: 1, Now: m.time, Wait: m.wait,
		})
		if err != nil {
			t.Fatal(err)
		}
		deliver(t, client, e.Authors[0].ID)
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	if m.waits < phones {
		t.Errorf("phones were told to wait %d times", m.waits)
	}
}

// deliver lets a phone record three households, each of which is a request of its own, and
// sync once.
func deliver(t *testing.T, client *clientsdk.Client, author syncproto.AuthorID) {
	t.Helper()
	for range 3 {
		_, err := client.As(author).Put(t.Context(), clientsdk.Edit{
			Kind: "household", Area: "grid", Fields: syncproto.Fields{"address": `"一号"`, "found_on": `"2020-01-27"`},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	report, err := client.Sync(t.Context())
	if err != nil || report.Sent[syncproto.Applied] != 3 {
		t.Errorf("%+v %v", report, err)
	}
}
