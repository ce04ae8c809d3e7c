// Package handset is one phone that several people use, one after the other: a folder
// with a profile for each, which has a file, a device id, a key and a PIN of its own. So
// numbers, receipts, and what somebody has seen when he writes stay true for each of
// them, and who has the phone in hand reads his own.
//
// It refuses to look into a profile that is locked. It delivers for it, though: what
// the morning shift recorded leaves with the evening shift's signal.
package handset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/google/uuid"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// Options say what a handset works with.
type Options struct {
	// Client are those of every profile; Device, Keys and Token are each profile's own.
	Client clientsdk.Options
	// Keys gives the keystore of the profile with a folder: a file in that folder.
	Keys func(folder string) clientsdk.Keystore
}

// The files in a profile's folder.
const (
	fileName = "phone.db"
	keysName = "keys"
)

// Handset is a phone. Its methods may be called from several goroutines.
type Handset struct {
	dir string
	opt Options

	adding   sync.Mutex // one comes in at a time: who taps twice comes in once
	mu       sync.Mutex // guards what follows
	profiles []*Profile
	broken   map[string]error
}

// Profile is one person on a phone.
type Profile struct {
	// Name is how the person enrolled, which can be read while the profile is locked.
	Name string
	// Client is the person's replica.
	*clientsdk.Client
}

// Open opens the phone in a folder, which it makes if there is none. A profile that can't
// be opened stands in no one's way: see Broken. One whose time is over, and whose copy
// was destroyed, is taken away.
func Open(ctx context.Context, dir string, options Options) (*Handset, error) {
	if options.Keys == nil {
		options.Keys = func(folder string) clientsdk.Keystore {
			return clientsdk.FileKeystore(filepath.Join(folder, keysName))
		}
	}
	if options.Client.NewID == nil {
		options.Client.NewID = func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	}
	h := &Handset{dir: dir, opt: options, broken: make(map[string]error)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the phone: %w", err)
	}
	folders, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the phone: %w", err)
	}
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		if err := h.load(ctx, filepath.Join(dir, f.Name())); err != nil {
			h.broken[f.Name()] = err
		}
	}
	return h, nil
}

// load opens the profile in a folder, unless its enrolment has not ended.
func (h *Handset) load(ctx context.Context, folder string) error {
	keys := h.opt.Keys(folder)
	holder, known, err := clientsdk.HolderOf(keys)
	if err != nil {
		return err
	}
	_, err = os.Stat(filepath.Join(folder, fileName))
	if errors.Is(err, fs.ErrNotExist) && (!known || holder.Author.IsZero()) {
		return nil // the enrolment has not ended
	}
	p, err := h.open(ctx, folder, holder.Enrolment.Name)
	if err != nil {
		return err
	}
	status, err := p.Status(ctx)
	if err == nil && status.Closed {
		return errors.Join(p.Close(), os.RemoveAll(folder))
	}
	if err != nil {
		return errors.Join(err, p.Close())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.profiles = append(h.profiles, p)
	return nil
}

func (h *Handset) open(ctx context.Context, folder, name string) (*Profile, error) {
	opt := h.opt.Client
	opt.Keys, opt.Token, opt.Device = h.opt.Keys(folder), "", syncproto.DeviceID{}
	c, err := clientsdk.Open(ctx, filepath.Join(folder, fileName), opt)
	if err != nil {
		return nil, err
	}
	return &Profile{Name: name, Client: c}, nil
}

// Profiles are the people on this phone, in the order in which they came.
func (h *Handset) Profiles() []*Profile {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.profiles)
}

// Broken tells of profiles that could not be opened, by folder, and why.
func (h *Handset) Broken() map[string]error { return h.broken }

// Add lets a person in with an invitation, in a new profile under a PIN, which is
// unlocked then; an empty PIN leaves the profile open to everybody. Whenever it is cut
// off, calling it again with the same code and name goes on where it stopped.
//
// Errors: those of clientsdk.Enrol and Client.Seal.
func (h *Handset) Add(ctx context.Context, e clientsdk.Enrolment, pin string) (*Profile, error) {
	p, err := h.add(ctx, e, pin)
	if err != nil {
		return nil, fmt.Errorf("adding %s: %w", e.Name, err)
	}
	return p, nil
}

func (h *Handset) add(ctx context.Context, e clientsdk.Enrolment, pin string) (*Profile, error) {
	if pin != "" {
		if err := clientsdk.CheckPIN(pin); err != nil {
			return nil, err // before the code is spent
		}
	}
	h.adding.Lock()
	defer h.adding.Unlock()
	if p := h.came(e); p != nil {
		h.lockOthers(p)
		return p, seal(ctx, p, pin)
	}
	folder, device, err := h.folderFor(e)
	if err != nil {
		return nil, err
	}
	opt := h.opt.Client
	opt.Keys, opt.Device = h.opt.Keys(folder), device
	if _, err := clientsdk.Enrol(ctx, opt, e); err != nil {
		return nil, err
	}
	p, err := h.open(ctx, folder, e.Name)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.profiles = append(h.profiles, p)
	h.mu.Unlock()
	h.lockOthers(p)
	return p, seal(ctx, p, pin)
}

// seal seals a profile that isn't yet.
func seal(ctx context.Context, p *Profile, pin string) error {
	if pin == "" {
		return nil
	}
	err := p.Seal(ctx, pin)
	if errors.Is(err, clientsdk.ErrSealed) {
		err = p.Unlock(ctx, pin)
	}
	return err
}

// came finds the profile that has come with an enrolment; nil if none has.
func (h *Handset) came(e clientsdk.Enrolment) *Profile {
	for _, p := range h.Profiles() {
		holder, known, err := clientsdk.HolderOf(h.opt.Keys(h.folderOf(p.Device())))
		if err == nil && known && holder.Enrolment.Code == e.Code && holder.Enrolment.Name == e.Name {
			return p
		}
	}
	return nil
}

// folderFor is the folder of an enrolment that was cut off, or a new one.
func (h *Handset) folderFor(e clientsdk.Enrolment) (string, syncproto.DeviceID, error) {
	folders, err := filepath.Glob(filepath.Join(h.dir, "*"))
	if err != nil {
		return "", syncproto.DeviceID{}, err
	}
	for _, folder := range folders {
		holder, known, err := clientsdk.HolderOf(h.opt.Keys(folder))
		if err == nil && known && holder.Author.IsZero() && holder.Enrolment.Code == e.Code && holder.Enrolment.Name == e.Name {
			return folder, holder.Device, nil
		}
	}
	device := syncproto.DeviceID(h.opt.Client.NewID())
	folder := h.folderOf(device)
	return folder, device, os.MkdirAll(folder, 0o700)
}

func (h *Handset) folderOf(device syncproto.DeviceID) string {
	return filepath.Join(h.dir, device.String())
}

// Unlock gives the phone to a person: every other profile is locked.
//
// Errors: those of Client.Unlock.
func (h *Handset) Unlock(ctx context.Context, p *Profile, pin string) error {
	h.lockOthers(p)
	return p.Unlock(ctx, pin)
}

func (h *Handset) lockOthers(p *Profile) {
	for _, other := range h.Profiles() {
		if other != p {
			other.Lock()
		}
	}
}

// Lock locks every profile: nobody has the phone in hand.
func (h *Handset) Lock() { h.lockOthers(nil) }

// Delivered is what Deliver did for one profile.
type Delivered struct {
	Profile *Profile
	Report  clientsdk.Report
	Err     error
}

// Deliver delivers for everybody on the phone, whoever has it in hand. One person's
// failure is not another's. A profile whose time is over is left out.
func (h *Handset) Deliver(ctx context.Context) []Delivered {
	var all []Delivered
	for _, p := range h.Profiles() {
		report, err := p.Deliver(ctx)
		if errors.Is(err, clientsdk.ErrClosed) {
			continue
		}
		all = append(all, Delivered{p, report, err})
	}
	return all
}

// Close closes every profile.
func (h *Handset) Close() error {
	var err error
	for _, p := range h.Profiles() {
		err = errors.Join(err, p.Close())
	}
	return err
}
