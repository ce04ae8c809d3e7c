package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Data is an installation that is open: what commands work on, whether or not servers run
// over the same folder or database.
type Data struct {
	place    place
	store    *sqlstore.Store
	engine   engine
	registry *registry.Registry
	keys     *keychain
	secrets  *secrets
	now      func() time.Time
	newID    func() (uuid.UUID, error)
}

// Options are what a Data takes from outside; zero values mean the real ones.
type Options struct {
	Now   func() time.Time
	NewID func() (uuid.UUID, error)
	// Forms are those that come with the program when nil.
	Forms *form.Set
	// Keys is the folder of all keys; keys in the data folder if it is empty.
	Keys string
	// DB is where the database is: sqlite:DIR, which names the data folder too, or
	// postgres://…; the data folder if it is empty.
	DB string
	// Existing opens what is there and begins nothing: where there is none, that is
	// ErrNothingThere, and neither a folder, a table nor a key is made.
	Existing bool
}

// keysFolder is where the keys of a data folder are.
func (o *Options) keysFolder(dir string) string {
	if o.Keys != "" {
		return o.Keys
	}
	return filepath.Join(dir, "keys")
}

// Open opens the data of an installation, and begins one where there is none (see
// Options.Existing). dir holds what is local: the keys and, unless opts.DB names another
// place, the database.
func Open(ctx context.Context, dir string, opts Options) (*Data, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.NewID == nil {
		opts.NewID = uuid.NewV7
	}
	at, err := placeOf(dir, opts.DB)
	if err != nil {
		return nil, err
	}
	if opts.Existing {
		if err := at.mustExist(ctx); err != nil {
			return nil, err
		}
	}
	forms, err := form.BuiltIn()
	if err != nil {
		return nil, fmt.Errorf("forms: %w", err)
	}
	if opts.Forms != nil {
		forms = *opts.Forms
	}
	folder := opts.keysFolder(at.dir)
	ring, err := openRing(ctx, at, folder)
	if err != nil {
		return nil, err
	}
	engine, store, err := at.open(ctx, ring)
	if err != nil {
		return nil, err
	}
	d := &Data{place: at, store: store, engine: engine, now: opts.Now, newID: opts.NewID}
	// The database has opened under these data keys, so that it is the right folder: from
	// here on keys that aren't in it are made.
	if d.secrets, err = openSecrets(ring, folder); err == nil {
		d.keys, err = openKeychain(folder, opts.Now)
	}
	if err == nil {
		d.registry, err = registry.Open(ctx, store, forms)
	}
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return d, nil
}

// Close lets go of the folder and the database.
func (d *Data) Close() error { return d.engine.Close() }

// Place says where the data is, with nothing in it that lets somebody in.
func (d *Data) Place() string { return d.place.name }

// Shared says whether the data is in a database that may have any number of servers.
func (d *Data) Shared() bool { return d.place.url != "" }

// Servers lists the servers that work on the database; those of a folder are not known.
func (d *Data) Servers(ctx context.Context) ([]Serving, error) { return d.engine.Serving(ctx) }

// Areas returns the tree of areas as it is in the folder now.
func (d *Data) Areas(ctx context.Context) (*area.Tree, error) {
	if _, err := d.registry.Refresh(ctx); err != nil {
		return nil, err
	}
	return d.registry.Current().Areas, nil
}

// ImportAreas reads areas from CSV (code, name, parent) and keeps them all, or
// none when there is any problem: then the problems are returned.
func (d *Data) ImportAreas(ctx context.Context, csv io.Reader) (imported int, problems []area.Problem, err error) {
	tree, err := d.Areas(ctx)
	if err != nil {
		return 0, nil, err
	}
	nodes, problems, err := area.ReadCSV(csv, tree)
	if err != nil || len(problems) > 0 {
		return 0, problems, err
	}
	return len(nodes), nil, d.PutAreas(ctx, nodes)
}

// PutAreas adds areas and updates those whose code is there already.
func (d *Data) PutAreas(ctx context.Context, nodes []area.Node) error {
	if err := d.store.PutAreas(ctx, nodes); err != nil {
		return fmt.Errorf("put areas: %w", err)
	}
	_, err := d.registry.Refresh(ctx)
	return err
}

// AddPeople makes people known, so that they can be invited; one who is known already gets
// the name that is given.
func (d *Data) AddPeople(ctx context.Context, people []identity.Author) error {
	if err := d.store.AddIdentities(ctx, identity.Everyone{Authors: people}); err != nil {
		return fmt.Errorf("add people: %w", err)
	}
	_, err := d.registry.Refresh(ctx)
	return err
}

// Device describes a device that is to be added, the people who record on it, and
// what they may do.
type Device struct {
	// ID is given to the device; a new one if it is zero.
	ID   syncproto.DeviceID
	Name string
	// Authors record on the device. One with an id of its own may be there already,
	// on another phone; one without gets an id. None means one, named as the device.
	Authors []identity.Author
	// Areas are where all of them get a grant, as Role (volunteer if empty).
	Areas []syncproto.AreaID
	Role  identity.Role
	// Valid is how long the grants last, 400 days if 0; Token how long its token is good,
	// as long as the grants if 0. A phone that is let in by an invitation gets tokens that
	// last minutes; these are for tests, benches and the demo.
	Valid, Token time.Duration
}

// DefaultValid is how long grants last by themselves: a year and a month to renew them
// in.
const DefaultValid = 400 * 24 * time.Hour

// Enrolled is a device that was added, with its token.
type Enrolled struct {
	identity.Device
	Authors []identity.Author
	Token   string
	Until   time.Time
}

// Errors of AddDevices that a person can mend.
var (
	ErrNoName      = errors.New("a device needs a name")
	ErrNoArea      = errors.New("a device needs an area")
	ErrUnknownArea = errors.New("there is no such area")
	ErrUnknownRole = errors.New("there is no such role")
	ErrBadValidity = errors.New("a token's validity is a day to ten years")
)

// AddDevice adds one device.
func (d *Data) AddDevice(ctx context.Context, device Device) (Enrolled, error) {
	all, err := d.AddDevices(ctx, []Device{device})
	if err != nil {
		return Enrolled{}, err
	}
	return all[0], nil
}

// AddDevices adds devices with their authors and grants, all or none, and signs
// a token for each.
func (d *Data) AddDevices(ctx context.Context, devices []Device) ([]Enrolled, error) {
	tree, err := d.Areas(ctx)
	if err != nil {
		return nil, err
	}
	var everyone identity.Everyone
	enrolled := make([]Enrolled, 0, len(devices))
	now := d.now()
	for _, device := range devices {
		if err := device.complete(tree); err != nil {
			return nil, err
		}
		e, err := d.enrol(device, now, &everyone)
		if err != nil {
			return nil, err
		}
		enrolled = append(enrolled, e)
	}
	if err := d.store.AddIdentities(ctx, everyone); err != nil {
		return nil, fmt.Errorf("add devices: %w", err)
	}
	_, err = d.registry.Refresh(ctx)
	return enrolled, err
}

// complete fills in what may be left out and says what is wrong.
func (v *Device) complete(tree *area.Tree) error {
	if v.Role == "" {
		v.Role = identity.Volunteer
	}
	if v.Valid == 0 {
		v.Valid = DefaultValid
	}
	if v.Token == 0 {
		v.Token = v.Valid
	}
	if len(v.Authors) == 0 {
		v.Authors = []identity.Author{{Name: v.Name}}
	}
	switch {
	case v.Name == "":
		return ErrNoName
	case len(v.Areas) == 0:
		return ErrNoArea
	case !slices.Contains(identity.Roles, v.Role):
		return fmt.Errorf("%w: %s", ErrUnknownRole, v.Role)
	case v.Valid < 24*time.Hour || v.Valid > 3660*24*time.Hour:
		return ErrBadValidity
	}
	for _, id := range v.Areas {
		if _, ok := tree.Find(id); !ok {
			return fmt.Errorf("%w: %s", ErrUnknownArea, id)
		}
	}
	return nil
}

// enrol gives ids, adds to everyone what the device needs, and signs its token.
// Grants start a day earlier than now: a phone whose clock is behind must not
// find its first work outside of them.
func (d *Data) enrol(device Device, now time.Time, everyone *identity.Everyone) (Enrolled, error) {
	e := Enrolled{
		Device: identity.Device{ID: device.ID, Name: device.Name},
		Until:  now.Add(device.Token),
	}
	if err := d.identify((*uuid.UUID)(&e.ID)); err != nil {
		return Enrolled{}, err
	}
	for _, author := range device.Authors {
		if err := d.identify((*uuid.UUID)(&author.ID)); err != nil {
			return Enrolled{}, err
		}
		e.Authors = append(e.Authors, author)
		e.Device.Authors = append(e.Device.Authors, author.ID)
		for _, a := range device.Areas {
			everyone.Grants = append(everyone.Grants, identity.Grant{
				Author: author.ID, Area: a, Role: device.Role,
				From: syncproto.Instant(now.Add(-24 * time.Hour).UnixMilli()), To: syncproto.Instant(now.Add(device.Valid).UnixMilli()),
			})
		}
	}
	everyone.Devices = append(everyone.Devices, e.Device)
	everyone.Authors = append(everyone.Authors, e.Authors...)
	var err error
	e.Token, err = d.keys.Sign(e.ID, e.Authors[0].ID, now, e.Until)
	return e, err
}

// identify gives an id to whoever has none.
func (d *Data) identify(id *uuid.UUID) (err error) {
	if *id != uuid.Nil {
		return nil
	}
	if *id, err = d.newID(); err != nil {
		return fmt.Errorf("make an id: %w", err)
	}
	return nil
}

// Rebuild works everything out again from the change log and says what differs
// from what is stored. It changes nothing. Nobody may write meanwhile.
func (d *Data) Rebuild(ctx context.Context) (*exchange.Difference, error) {
	if _, err := d.registry.Refresh(ctx); err != nil {
		return nil, err
	}
	return exchange.Rebuild(ctx, d.store, d.registry.Current(), d.secrets.digester)
}

// RebuildAlone is Rebuild where no server runs over the folder, which it makes
// sure of.
func (d *Data) RebuildAlone(ctx context.Context) (diff *exchange.Difference, err error) {
	err = d.alone(ctx, func(ctx context.Context) error {
		diff, err = d.Rebuild(ctx)
		return err
	})
	return diff, err
}

// History returns everything that was ever said about a record and about those that turned
// out to be it, in order of arrival; code not_found if nobody has said anything.
func (d *Data) History(ctx context.Context, record syncproto.RecordID) ([]exchange.Logged, error) {
	links, err := d.store.Absorbed(ctx, []syncproto.RecordID{record})
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", record, err)
	}
	ids := []syncproto.RecordID{record}
	for _, link := range links {
		ids = append(ids, link.Record)
	}
	log, err := d.store.LogOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", record, err)
	}
	if len(log) == 0 {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "record"}
	}
	return log, nil
}

// People returns who is known, to put names beside ids.
func (d *Data) People() *identity.Directory { return d.registry.Current().People }

// Histories calls fn for every record with its log and as it is stored.
func (d *Data) Histories(ctx context.Context, fn func(log []exchange.Logged, stored *syncproto.Record) error) error {
	return d.store.Histories(ctx, fn)
}

// NewEpoch starts a new history after a backup was restored: phones offer again
// what the backup lacks. No server may run over the folder meanwhile.
func (d *Data) NewEpoch(ctx context.Context) (syncproto.Epoch, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return syncproto.Epoch{}, fmt.Errorf("new epoch: %w", err)
	}
	epoch := syncproto.Epoch(id)
	return epoch, d.alone(ctx, func(ctx context.Context) error { return d.store.NewEpoch(ctx, epoch) })
}

// alone does something while no server can run over the data.
func (d *Data) alone(ctx context.Context, work func(context.Context) error) error {
	berth, err := d.engine.Enter(ctx, serverName("command"), d.fingerprints, true)
	if err != nil {
		return err
	}
	return keeping(ctx, berth, work)
}

// keeping does something for as long as a berth is kept, and leaves it.
func keeping(ctx context.Context, b berth, work func(context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	kept := make(chan error, 1)
	go func() {
		err := b.Keep(ctx, func(error) {}) // what can't be kept for now is tried again, and if it is lost the work fails
		if err != nil {
			stop(err) // what is under way would fail at its next write anyway
		}
		kept <- err
	}()
	err := work(ctx)
	stop(nil)
	return errors.Join(err, <-kept, b.Leave(context.WithoutCancel(ctx)))
}
