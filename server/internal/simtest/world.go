// Package simtest runs many devices against one server, in one process and over
// real HTTP, by scripts that read like a page of a diary.
//
// It refuses to know what a script expects beyond what the script says, except
// that at its end all replicas must agree and nothing may be lost.
package simtest

import (
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
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gridsync/clientsdk"
	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// World is one server and its devices. Its clock moves only when a step says so.
type World struct {
	dir     string
	clock   clock
	ids     uint64
	server  *host.Server
	devices map[string]*Device
	order   []string
	desk    string // a token that sees everything
}

// clock is the world's time in nanoseconds since 1970. The server reads it from
// goroutines of its own.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(0, c.at.Load()) }

func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

// Device is one phone.
type Device struct {
	name    string
	client  *clientsdk.Client
	link    *link
	skew    time.Duration
	authors map[string]syncproto.AuthorID
	as      string // who is typing
	areas   []syncproto.AreaID
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

// NewWorld starts a server in dir.
func NewWorld(ctx context.Context, dir string) (*World, error) {
	w := &World{dir: dir, devices: make(map[string]*Device)}
	w.clock.pass(time.Duration(time.Date(2020, 1, 27, 8, 0, 0, 0, form.Zone).UnixNano()))
	if err := w.start(ctx); err != nil {
		return nil, err
	}
	if _, problems, err := w.server.ImportAreas(ctx, strings.NewReader(areasCSV)); err != nil || len(problems) > 0 {
		return nil, fmt.Errorf("areas: %v %w", problems, err)
	}
	desk, err := w.server.AddDevice(ctx, host.Device{Name: "指挥部", Areas: []syncproto.AreaID{"county"}, Role: identity.County})
	if err != nil {
		return nil, err
	}
	w.desk = desk.Token
	return w, w.server.Retry(ctx)
}

func (w *World) start(ctx context.Context) error {
	server, err := host.Start(ctx, host.Config{
		Dir: w.data(), Listen: "127.0.0.1:0",
		Now:   w.clock.now,
		NewID: func() (uuid.UUID, error) { return w.newID(), nil },
		Poll:  time.Hour, // the script says when the registry is looked at
	})
	if err != nil {
		return err
	}
	w.server = server
	return nil
}

func (w *World) data() string { return filepath.Join(w.dir, "server") }

// Close ends the devices and the server.
func (w *World) Close() error {
	errs := []error{w.server.Close()}
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

// enrol adds a device for authors with grants in areas.
func (w *World) enrol(ctx context.Context, name string, authors []string, areas []syncproto.AreaID, role identity.Role) error {
	people := make([]identity.Author, len(authors))
	for i, a := range authors {
		people[i] = identity.Author{Name: a}
	}
	enrolled, err := w.server.AddDevice(ctx, host.Device{Name: name, Authors: people, Areas: areas, Role: role})
	if err != nil {
		return err
	}
	if err := w.server.Retry(ctx); err != nil {
		return err
	}
	d := &Device{name: name, link: &link{world: w}, authors: make(map[string]syncproto.AuthorID), as: authors[0], areas: areas}
	for _, a := range enrolled.Authors {
		d.authors[a.Name] = a.ID
	}
	d.client, err = clientsdk.Open(ctx, filepath.Join(w.dir, name+".db"), clientsdk.Options{
		Server: "http://server.invalid", Token: enrolled.Token, Device: enrolled.ID, AppName: "simtest",
		Transport: d.link,
		Now:       func() time.Time { return w.clock.now().Add(d.skew) },
		NewID:     w.newID,
		Rand:      func() float64 { return 0.5 },
		Wait:      func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		return err
	}
	w.devices[name] = d
	w.order = append(w.order, name)
	return nil
}

// get asks the API as the desk does, and decodes the answer.
func (w *World) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL()+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+w.desk)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %s", path, res.Status, body)
	}
	return json.Unmarshal(body, into)
}

// restart stops the server and starts it on the same folder.
func (w *World) restart(ctx context.Context) error {
	if err := w.server.Close(); err != nil {
		return err
	}
	return w.start(ctx)
}

// backup copies the server's folder aside.
func (w *World) backup(ctx context.Context) error {
	if err := w.server.Close(); err != nil {
		return err
	}
	aside := filepath.Join(w.dir, "backup")
	if err := errors.Join(os.RemoveAll(aside), os.CopyFS(aside, os.DirFS(w.data()))); err != nil {
		return err
	}
	return w.start(ctx)
}

// restore puts the copy back and begins a new epoch, as an operator does after a
// disk was lost.
func (w *World) restore(ctx context.Context) error {
	if err := w.server.Close(); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(w.data()), os.CopyFS(w.data(), os.DirFS(filepath.Join(w.dir, "backup")))); err != nil {
		return err
	}
	data, err := host.Open(ctx, w.data(), host.Options{
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
	return w.start(ctx)
}
