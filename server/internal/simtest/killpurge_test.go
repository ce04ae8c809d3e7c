//go:build !race

package simtest_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridsync/clientsdk"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

const (
	agedRecords  = 2400 // purged in twelve groups
	comers       = 24
	purgeKills   = 5
	comersAtOnce = 3
)

// The server is killed with no warning while it takes old content away and people come in
// by one code. After each kill every row is whole or purged, and counted so; whoever was
// told that they are in is in, once, and the code was used once for each; and in the end
// all that is old is gone and everybody's work is there.
func TestPurgesAndEnrolmentsSurviveKill9(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), killTestLimit)
	defer cancel()
	dir := t.TempDir()
	f := &fleet{
		binary: build(t), data: filepath.Join(dir, "server"), acked: make(chan struct{}, 1),
		serving: []string{"-retain", "temperature=5d"},
	}
	hashes := age(ctx, t, f.data)
	code := inviteAll(ctx, t, f.data)
	watch := open(ctx, t, f.data)
	f.start(t)

	in := make(chan *phone, comers)
	var coming sync.WaitGroup
	for first := range comersAtOnce {
		coming.Go(func() {
			for i := first; i < comers && ctx.Err() == nil; i += comersAtOnce {
				in <- come(ctx, f, dir, fmt.Sprintf("comer-%d", i), code)
			}
		})
	}
	gone, amid := 0, 0
	for kill := range purgeKills {
		for n := gone; n == gone && n < agedRecords; n = purged(ctx, t, watch) {
		}
		f.kill(t)
		for len(in) > 0 {
			f.phones = append(f.phones, <-in)
		}
		before := gone
		if gone = f.verifyPurge(ctx, t, kill+1, watch, hashes); gone > before && gone < agedRecords {
			amid++
		}
		f.start(t)
	}
	if amid == 0 {
		t.Error("no kill came amid the purge")
	}
	t.Logf("%d kills, %d of them amid the purge of %d records; %d people had come in by then", purgeKills, amid, agedRecords, len(f.phones))
	for len(f.phones) < comers {
		select {
		case p := <-in:
			f.phones = append(f.phones, p)
		case <-ctx.Done():
			t.Fatal("not everybody came in")
		}
	}
	coming.Wait()
	for purged(ctx, t, watch) < agedRecords {
	}
	f.kill(t)
	if gone := f.verifyPurge(ctx, t, purgeKills+1, watch, hashes); gone != agedRecords {
		t.Errorf("in the end %d of %d are purged", gone, agedRecords)
	}
	f.verify(ctx, t, purgeKills+1)
}

// age fills a folder with what was recorded ten days ago, a reading a minute so that nobody
// is asked about it, and returns the hash of each change by its number.
func age(ctx context.Context, t *testing.T, data string) map[uint64]syncproto.Hash {
	t.Helper()
	// The server looks at the time by itself, whenever its own rounds come, while time goes on.
	var then atomic.Int64
	then.Store(time.Now().Add(-10 * 24 * time.Hour).UnixMilli())
	now := func() time.Time { return time.UnixMilli(then.Load()) }
	server, err := host.Start(ctx, host.Config{Dir: data, Listen: "127.0.0.1:0", Now: now, NewID: uuid.NewV7, Poll: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	raise(t, server.Data)
	enrolled, err := server.AddDevice(ctx, host.Device{Name: "old", Areas: []syncproto.AreaID{"grid"}})
	if err == nil {
		err = server.Retry(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	client, err := clientsdk.Open(ctx, filepath.Join(t.TempDir(), "old.db"), clientsdk.Options{
		Server: server.URL(), Token: enrolled.Token, Device: enrolled.ID, Transport: &http.Transport{DisableKeepAlives: true}, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range agedRecords {
		taken := then.Add(time.Minute.Milliseconds())
		_, err := client.As(enrolled.Authors[0].ID).Put(ctx, clientsdk.Edit{Kind: "temperature", Area: "grid", Fields: syncproto.Fields{
			"person": syncproto.TextValue(uuid.NewString()), "value": syncproto.Value(fmt.Sprintf("36.%d", i%10)), "taken_at": syncproto.Value(fmt.Sprint(taken)),
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	hashes := make(map[uint64]syncproto.Hash)
	log, err := client.Log(ctx)
	for i := range log {
		hashes[log[i].N] = log[i].Hash()
	}
	if err != nil || len(hashes) != agedRecords || client.Close() != nil || server.Close() != nil {
		t.Fatalf("%d recorded, %v", len(hashes), err)
	}
	return hashes
}

// inviteAll makes the one code by which everybody comes in.
func inviteAll(ctx context.Context, t *testing.T, folder string) string {
	t.Helper()
	letting, by, err := open(ctx, t, folder).Letting(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, code, err := letting.Invite(ctx, by, enrol.Inviting{Area: "grid", Role: identity.Volunteer, Uses: comers + 5})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// come lets somebody in, however often the server dies meanwhile, and has them record.
func come(ctx context.Context, f *fleet, dir, name, code string) *phone {
	options := clientsdk.Options{
		Server: "http://server.invalid", Transport: f, Keys: clientsdk.FileKeystore(filepath.Join(dir, name+".keys")),
		Attempts: 2, FirstWait: time.Millisecond, MaxWait: 10 * time.Millisecond,
	}
	var author syncproto.AuthorID
	for author.IsZero() && ctx.Err() == nil {
		var look syncproto.Invited
		var err error
		if look, err = clientsdk.Look(ctx, options, code); err != nil {
			continue // the server is dead
		}
		author, _ = clientsdk.Enrol(ctx, options, clientsdk.Enrolment{Code: code, Name: name, Undertaking: look.Undertaking.Version})
	}
	client, err := clientsdk.Open(ctx, filepath.Join(dir, name+".db"), options)
	if err != nil {
		panic(err) // whoever is in has a phone
	}
	_, err = client.As(author).Put(ctx, clientsdk.Edit{Kind: "household", Area: "grid", Fields: syncproto.Fields{
		"address": syncproto.TextValue(name), "found_on": `"2020-01-27"`,
	}})
	if err != nil {
		panic(err)
	}
	for ctx.Err() == nil {
		if _, err := client.Sync(ctx); err == nil {
			break
		}
	}
	return &phone{name: name, client: client, author: author}
}

// open opens a folder beside whichever server runs over it.
func open(ctx context.Context, t *testing.T, folder string) *host.Data {
	t.Helper()
	data, err := host.Open(ctx, folder, host.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	})
	return data
}

// purged counts what purges say that they took.
func purged(ctx context.Context, t *testing.T, data *host.Data) int {
	t.Helper()
	lines, err := data.Purges(ctx)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, line := range lines {
		n += line.Records
	}
	return n
}

// verifyPurge holds a dead server's folder against what was old and who came in, and
// returns how many records were purged.
func (f *fleet) verifyPurge(ctx context.Context, t *testing.T, kill int, data *host.Data, hashes map[uint64]syncproto.Hash) int {
	t.Helper()
	held, gone := 0, 0
	err := data.Histories(ctx, func(log []exchange.Logged, stored *syncproto.Record) error {
		for i := range log {
			l := &log[i]
			if l.Change.Kind != "temperature" {
				continue
			}
			held++
			empty := l.Purged != (syncproto.Hash{})
			if empty {
				gone++
			}
			there := stored != nil && len(stored.Live) > 0
			if l.Hash() != hashes[l.Change.N] || there == empty || empty && string(l.Change.Fields) != "{}" {
				t.Errorf("kill %d: change %d is neither whole nor gone", kill, l.Change.N)
			}
		}
		return nil
	})
	if said := purged(ctx, t, data); err != nil || held != agedRecords || gone != said {
		t.Errorf("kill %d: %d of %d are held, %d gone, %d said to be, %v", kill, held, agedRecords, gone, said, err)
	}
	difference, err := data.Rebuild(ctx)
	if err != nil || !difference.None() || difference.BadRow != "" {
		t.Errorf("kill %d: rebuild: %+v %v", kill, difference, err)
	}
	f.verifyPeople(ctx, t, kill, data)
	return gone
}

// verifyPeople holds who was told that they are in against those who are.
func (f *fleet) verifyPeople(ctx context.Context, t *testing.T, kill int, data *host.Data) {
	t.Helper()
	letting, by, err := data.Letting(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range f.phones {
		if grants := data.People().Grants(p.author); len(grants) != 1 || grants[0].Area != "grid" {
			t.Errorf("kill %d: %s has %+v", kill, p.name, grants)
		}
	}
	invites, err := letting.Invites(ctx, by, "grid")
	if err != nil || len(invites) != 1 {
		t.Fatalf("%d invitations, %v", len(invites), err)
	}
	came, err := letting.Enrolments(ctx, by, "grid", "", enrol.Place{}, 100)
	if used := invites[0].Uses - invites[0].Left; err != nil || used != len(came) || used < len(f.phones) || used > comers {
		t.Errorf("kill %d: %d were told, %d came, the code was used %d times, %v", kill, len(f.phones), len(came), used, err)
	}
}
