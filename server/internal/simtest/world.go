// Package simtest runs many devices against one server, in one process and over
// real HTTP, by scripts that read like a page of a diary.
//
// It refuses to know what a script expects beyond what the script says, except
// that at its end all replicas must agree and nothing may be lost.
package simtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gridsync/clientsdk"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/review"
	"gridsync/server/internal/simtest/oracle"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Place is where a world lives.
type Place struct {
	// Dir is an empty folder, DB an empty database; without one the folder holds everything.
	Dir string
	DB  Database
}

// Database is one beside the folder.
type Database interface {
	// Address is what host.Config.DB says of it.
	Address() string
	// Backup copies it aside, and takes the place of a copy that is there; Restore puts the
	// copy in its place. Nobody uses it meanwhile.
	Backup(ctx context.Context) error
	Restore(ctx context.Context) error
}

// World is one server, or some over one database, and their devices. Its clock moves only
// when a step says so.
type World struct {
	dir   string
	db    Database // nil when the folder holds everything
	clock clock
	ids   uint64
	// servers run over one database; each request goes to one of them, as picked says.
	servers []*host.Server
	picked  atomic.Uint64
	fleet   int
	devices map[string]*Device
	order   []string
	// authors are people by name: one may record on several devices.
	authors map[string]syncproto.AuthorID
	// names are what a script calls records.
	names map[syncproto.RecordID]string
	// buckets are the questions about how somebody's entries came that were spoken of.
	buckets map[string]review.Key
	desk    string // a token that sees everything
	// standing says that the clock does not move.
	standing bool
	counted  Counted
	// overlook plants a fault: the oracle does not see these questions.
	overlook func(review.Key) bool
	day      form.Day // whose totals are asked for; 0 for today's
	// since is what an operator did after the last backup, and does again once it is
	// restored.
	since []func(context.Context) error
	// grants are all that were given, as they are now; kept is who the backup knows.
	grants []identity.Grant
	kept   kept
	// lay are the areas in which each area ever lay.
	lay map[syncproto.AreaID][]syncproto.AreaID
	// purged is what was taken away, as it was, by its hash; purges are the times at which it
	// was, done those of them that the backup knows.
	purged map[syncproto.Hash]exchange.Logged
	purges []purge
	done   int
	// published are the forms that the script has published, said what it has set.
	published []*form.Form
	said      []oracle.Said
}

// kept is what a backup has of people and phones.
type kept struct {
	grants    []identity.Grant
	standings map[*Device]identity.Standing
}

// clock is the world's time in nanoseconds since 1970. The server reads it from
// goroutines of its own.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(0, c.at.Load()) }

func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

// Device is one phone.
type Device struct {
	name   string
	id     syncproto.DeviceID
	client *clientsdk.Client
	link   *link
	skew   time.Duration
	people []identity.Author
	as     string // who is typing
	role   identity.Role
	// standing is how far it is trusted; revoked says that it ever was not in use, and
	// closed that it destroyed its copy then.
	standing        identity.Standing
	revoked, closed bool
	token           string
	until           time.Time                         // when the token ends
	seen            map[syncproto.RecordID]*desk.Case // the cases that were opened
}

// The areas that every world has: a county, a township, a community and grids,
// besides a post that lies outside the community.
const areasCSV = `code,name,parent
county,县,
township,镇,county
community,社区,township
grid-1,一组,community
grid-2,二组,community
grid-3,三组,community
post,卡点,township
`

// NewWorld starts a server in a place.
func NewWorld(ctx context.Context, place Place) (*World, error) {
	w := &World{
		dir: place.Dir, db: place.DB, fleet: 1, devices: make(map[string]*Device),
		authors: make(map[string]syncproto.AuthorID), names: make(map[syncproto.RecordID]string),
		buckets: make(map[string]review.Key), purged: make(map[syncproto.Hash]exchange.Logged),
		lay: make(map[syncproto.AreaID][]syncproto.AreaID),
	}
	for line := range strings.Lines(areasCSV) {
		words := strings.Split(strings.TrimSpace(line), ",")
		w.lies(syncproto.AreaID(words[0]), syncproto.AreaID(words[2]))
	}
	w.clock.pass(time.Duration(time.Date(2020, 1, 27, 8, 0, 0, 0, form.Zone).UnixNano()))
	if err := w.start(ctx); err != nil {
		return nil, err
	}
	if _, problems, err := w.server().ImportAreas(ctx, strings.NewReader(areasCSV)); err != nil || len(problems) > 0 {
		return nil, fmt.Errorf("areas: %v %w", problems, err)
	}
	// It reads with a secretary's eyes, as what a county sees is masked.
	enrolled, err := w.server().AddDevice(ctx, host.Device{Name: "指挥部", Areas: []syncproto.AreaID{"county"}, Role: identity.Secretary})
	if err != nil {
		return nil, err
	}
	w.desk = enrolled.Token
	err = w.retry(ctx)
	return w, err
}

// Overlook plants a fault in a world, so that it can be tested how one is found: the
// slow reading no longer sees the questions that the function says.
func (w *World) Overlook(question func(review.Key) bool) { w.overlook = question }

func (w *World) start(ctx context.Context) error {
	for range w.fleet {
		server, err := host.Start(ctx, host.Config{
			Dir: w.data(), DB: w.address(), Listen: "127.0.0.1:0",
			Now:   w.clock.now,
			NewID: func() (uuid.UUID, error) { return w.newID(), nil },
			Poll:  time.Hour, // the script says when the registry is looked at
			Among: w.fleet > 1 && w.db == nil,
		})
		if err != nil {
			return err
		}
		w.servers = append(w.servers, server)
	}
	return w.retry(ctx) // at once, as the servers' own first looks come when they come
}

// server is the one to which the next request goes: which one looks like chance, and is the
// same in every run.
func (w *World) server() *host.Server {
	at := w.picked.Add(1) * 0x9e3779b97f4a7c15
	return w.servers[(at^at>>29)*0xbf58476d1ce4e5b9>>33%uint64(len(w.servers))]
}

// retry lets every server look at the registry, as each does by itself every second.
func (w *World) retry(ctx context.Context) error {
	for _, server := range w.servers {
		if err := server.Retry(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stop ends the servers.
func (w *World) stop() error {
	var errs []error
	for _, server := range w.servers {
		errs = append(errs, server.Close())
	}
	w.servers = nil
	return errors.Join(errs...)
}

func (w *World) data() string { return filepath.Join(w.dir, "server") }

// address is the database's; empty when the folder holds everything.
func (w *World) address() string {
	if w.db == nil {
		return ""
	}
	return w.db.Address()
}

// Close ends the devices and the server.
func (w *World) Close() error {
	errs := []error{w.stop()}
	for _, d := range w.devices {
		errs = append(errs, d.client.Close())
	}
	return errors.Join(errs...)
}

// newID makes ids in order, the same ones in every run.
func (w *World) newID() uuid.UUID {
	w.ids++
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(w.clock.now().UnixMilli())<<16)
	binary.BigEndian.PutUint64(id[8:], w.ids)
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// recordID gives a script's name, such as household/1, its id.
func recordID(name string) syncproto.RecordID {
	sum := sha256.Sum256([]byte(name))
	id := syncproto.RecordID(sum[:16])
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return id
}

func kindOf(name string) syncproto.Kind {
	kind, _, _ := strings.Cut(name, "/")
	return syncproto.Kind(kind)
}

// enrol adds a device for people with grants in areas.
func (w *World) enrol(ctx context.Context, name string, people []string, areas []syncproto.AreaID, role identity.Role) error {
	d := &Device{
		name: name, id: syncproto.DeviceID(w.newID()), link: &link{world: w}, as: people[0], role: role,
		seen: make(map[syncproto.RecordID]*desk.Case),
	}
	for _, person := range people {
		if w.authors[person].IsZero() {
			w.authors[person] = syncproto.AuthorID(w.newID())
		}
		d.people = append(d.people, identity.Author{ID: w.authors[person], Name: person})
	}
	if err := w.give(ctx, d, areas, host.DefaultValid); err != nil {
		return err
	}
	options := w.options(d)
	options.Token = d.token
	client, err := clientsdk.Open(ctx, filepath.Join(w.dir, name+".db"), options)
	if err != nil {
		return err
	}
	d.client = client
	w.devices[name] = d
	w.order = append(w.order, name)
	return nil
}

// options are what a device's client works with.
func (w *World) options(d *Device) clientsdk.Options {
	return clientsdk.Options{
		Server: "http://server.invalid", Device: d.id, AppName: "simtest",
		Transport: d.link,
		Now:       func() time.Time { return w.clock.now().Add(d.skew) },
		NewID:     w.newID,
		Rand:      func() float64 { return 0.5 },
		Wait:      func(context.Context, time.Duration) error { return nil },
	}
}

// give gives a device's people grants in areas for a while, and the device a token
// that lasts as long.
func (w *World) give(ctx context.Context, d *Device, areas []syncproto.AreaID, valid time.Duration) error {
	until := w.clock.now().Add(valid)
	do := func(ctx context.Context) error {
		left := until.Sub(w.clock.now())
		if left < 24*time.Hour { // too little for a grant; it was given before the backup or is over
			return nil
		}
		enrolled, err := w.server().AddDevice(ctx, host.Device{
			ID: d.id, Name: d.name, Authors: d.people, Areas: areas, Role: d.role, Valid: left,
		})
		if err != nil {
			return err
		}
		d.standing = identity.Standing{} // whoever is added is in use
		for _, person := range d.people {
			for _, a := range areas {
				w.holds(identity.Grant{
					Author: person.ID, Area: a, Role: d.role,
					From: syncproto.Instant(w.clock.now().Add(-24 * time.Hour).UnixMilli()), To: syncproto.Instant(enrolled.Until.UnixMilli()),
				})
			}
		}
		d.token, d.until = enrolled.Token, enrolled.Until
		if d.client != nil {
			d.client.SetToken(d.token)
		}
		return w.retry(ctx)
	}
	w.since = append(w.since, do)
	return do(ctx)
}

// holds notes grants: of each author, area, role and beginning there is one, whose end is
// that which was said last.
func (w *World) holds(grants ...identity.Grant) {
	for _, g := range grants {
		w.grants = slices.DeleteFunc(slices.Clone(w.grants), func(old identity.Grant) bool {
			old.To = g.To
			return old == g
		})
		w.grants = append(w.grants, g)
	}
}

// lies notes that an area lies in another one now.
func (w *World) lies(id, parent syncproto.AreaID) { w.lay[id] = append(w.lay[id], parent) }

// again does what an operator does again once a backup is restored that lacks it. What
// can't be done again is left: who it was about is not there any more.
func (w *World) again(ctx context.Context, do func(context.Context) error) error {
	w.since = append(w.since, func(ctx context.Context) error {
		if err := do(ctx); !turnedAway(err) {
			return err
		}
		return nil
	})
	return do(ctx)
}

// scope is where a device's people have grants now, wherever they were given.
func (w *World) scope(d *Device) []syncproto.AreaID {
	if d.closed || d.standing.Status != identity.InUse {
		return nil
	}
	now := w.instant()
	var areas []syncproto.AreaID
	for _, g := range w.grants {
		mine := slices.ContainsFunc(d.people, func(a identity.Author) bool { return a.ID == g.Author })
		if mine && g.At(now) && !slices.Contains(areas, g.Area) {
			areas = append(areas, g.Area)
		}
	}
	return areas
}

// get asks the API as headquarters does, and decodes the answer.
func (w *World) get(ctx context.Context, path string, into any) error {
	return w.ask(ctx, http.MethodGet, path, w.desk, nil, into)
}

// ask asks the API with a token, and decodes the answer. It fails with a
// *syncproto.Error when the request is turned away.
func (w *World) ask(ctx context.Context, method, path, token string, body, into any) error {
	var sent io.Reader
	if body != nil {
		encoded, err := syncproto.Encode(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, w.server().URL()+path, sent)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusOK {
		return json.Unmarshal(answer, into)
	}
	said := &syncproto.Error{}
	if json.Unmarshal(answer, said) == nil && said.Code != "" {
		return fmt.Errorf("%s %s: %w", method, path, said)
	}
	return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, answer)
}

// restart stops the servers and starts them on the same database.
func (w *World) restart(ctx context.Context) error {
	if err := w.stop(); err != nil {
		return err
	}
	return w.start(ctx)
}

// backup copies what the servers keep aside.
func (w *World) backup(ctx context.Context) error {
	if err := w.stop(); err != nil {
		return err
	}
	w.since, w.done = nil, len(w.purges)
	w.kept = kept{slices.Clone(w.grants), make(map[*Device]identity.Standing)}
	for _, d := range w.devices {
		w.kept.standings[d] = d.standing
	}
	if err := errors.Join(os.RemoveAll(w.aside()), os.CopyFS(w.aside(), os.DirFS(w.data()))); err != nil {
		return err
	}
	if w.db != nil {
		if err := w.db.Backup(ctx); err != nil {
			return err
		}
	}
	return w.start(ctx)
}

func (w *World) aside() string { return filepath.Join(w.dir, "backup") }

var errNoBackup = errors.New("there is no backup")

// restore puts the copy back and begins a new epoch, as an operator does after a
// disk was lost; areas, grants and standings that were given meanwhile are given again.
// Two things an operator can't do again, and no script may ask for: a phone that came in
// meanwhile is unknown and must be invited anew, which only its person can do; and what a
// phone destroyed meanwhile, as the server held it, is nowhere.
func (w *World) restore(ctx context.Context) error {
	if _, err := os.Stat(w.aside()); err != nil {
		return errNoBackup
	}
	if err := w.stop(); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(w.data()), os.CopyFS(w.data(), os.DirFS(w.aside()))); err != nil {
		return err
	}
	if w.db != nil {
		if err := w.db.Restore(ctx); err != nil {
			return err
		}
	}
	data, err := host.Open(ctx, w.data(), host.Options{
		DB:    w.address(),
		Now:   w.clock.now,
		NewID: func() (uuid.UUID, error) { return w.newID(), nil },
	})
	if err != nil {
		return err
	}
	_, err = data.NewEpoch(ctx)
	if err := errors.Join(err, data.Close()); err != nil {
		return err
	}
	if err := w.start(ctx); err != nil {
		return err
	}
	w.grants, w.purges = slices.Clone(w.kept.grants), w.purges[:w.done]
	for d, was := range w.kept.standings {
		d.standing = was
	}
	for _, again := range w.since {
		if err := again(ctx); err != nil {
			return err
		}
	}
	return nil
}
