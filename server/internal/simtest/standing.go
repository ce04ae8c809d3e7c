package simtest

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"gridsync/clientsdk"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// pin opens the sealed phones of every script.
const pin = "246813"

// invite: invite NAME AREA [ROLE] — somebody is invited and comes in with a phone of their
// own, over its link, whose file is sealed under a PIN.
func invite(ctx context.Context, w *World, args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("invite NAME AREA [ROLE]")
	}
	name, area, role := args[0], syncproto.AreaID(args[1]), identity.Volunteer
	if len(args) == 3 {
		role = identity.Role(args[2])
	}
	d := &Device{
		name: name, id: syncproto.DeviceID(w.newID()), link: &link{world: w}, as: name, role: role,
		seen: make(map[syncproto.RecordID]*desk.Case),
	}
	author, code, err := w.invited(ctx, name, area, role)
	if err != nil {
		return err
	}
	d.people = []identity.Author{author}
	options := w.options(d)
	options.Keys = clientsdk.FileKeystore(filepath.Join(w.dir, name+".keys"))
	look, err := clientsdk.Look(ctx, options, code)
	if err != nil {
		return err
	}
	_, err = clientsdk.Enrol(ctx, options, clientsdk.Enrolment{Code: code, Name: name, Undertaking: look.Undertaking.Version})
	if err != nil {
		return err
	}
	if d.client, err = clientsdk.Open(ctx, filepath.Join(w.dir, name+".db"), options); err != nil {
		return err
	}
	w.devices[name] = d
	w.order = append(w.order, name)
	w.holds(identity.Grant{Author: author.ID, Area: area, Role: role, From: w.instant() - day})
	return d.client.Seal(ctx, pin)
}

// day is how much earlier than now a grant may begin, for phones whose clock is behind.
const day = syncproto.Instant(24 * time.Hour / time.Millisecond)

// invited makes somebody known and returns the code of their invitation.
func (w *World) invited(ctx context.Context, name string, area syncproto.AreaID, role identity.Role) (identity.Author, string, error) {
	if w.authors[name].IsZero() {
		w.authors[name] = syncproto.AuthorID(w.newID())
	}
	author := identity.Author{ID: w.authors[name], Name: name}
	if err := w.server().AddPeople(ctx, []identity.Author{author}); err != nil {
		return author, "", err
	}
	letting, by, err := w.server().Letting(ctx)
	if err != nil {
		return author, "", err
	}
	_, code, err := letting.Invite(ctx, by, enrol.Inviting{Area: area, Role: role, Author: author.ID})
	return author, code, err
}

func (w *World) instant() syncproto.Instant { return syncproto.Instant(w.clock.now().UnixMilli()) }

// hand: hand AREA FROM TO [dry phones=N unsent=N] — what one person does in an area passes
// to another; dry only asks what that comes to.
func hand(ctx context.Context, w *World, args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("hand AREA FROM TO [dry phones=N unsent=N]")
	}
	wanted := enrol.HandOver{
		Area: syncproto.AreaID(args[0]), From: w.authors[args[1]], To: w.authors[args[2]],
		DryRun: len(args) > 3 && args[3] == "dry",
	}
	if !wanted.DryRun {
		return w.again(ctx, func(ctx context.Context) error {
			out, err := w.handOver(ctx, wanted)
			if err != nil {
				return err
			}
			w.holds(append(out.Ends, out.Gives...)...)
			return w.retry(ctx)
		})
	}
	out, err := w.handOver(ctx, wanted)
	if err != nil {
		return err
	}
	got := fmt.Sprintf("phones=%d unsent=%d", len(out.Phones), out.Unsent)
	if want := strings.Join(args[4:], " "); got != want {
		return fmt.Errorf("it comes to %s, not %s", got, want)
	}
	return nil
}

func (w *World) handOver(ctx context.Context, wanted enrol.HandOver) (*enrol.HandedOver, error) {
	letting, by, err := w.server().Letting(ctx)
	if err != nil {
		return nil, err
	}
	return letting.HandOver(ctx, by, wanted)
}

// stand: a stands in_use | retired | lost
func stand(ctx context.Context, w *World, d *Device, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("stands in_use | retired | lost")
	}
	return w.again(ctx, func(ctx context.Context) error {
		letting, by, err := w.server().Letting(ctx)
		if err != nil {
			return err
		}
		if _, err := letting.SetDevice(ctx, by, d.id, enrol.Restand{Status: args[0]}); err != nil {
			return err
		}
		status := identity.Status(args[0])
		if status == "in_use" {
			status = identity.InUse
		}
		if d.standing.Status != status {
			d.standing = identity.Standing{Status: status, Since: by.Now}
		}
		d.revoked = d.revoked || status != identity.InUse
		return w.retry(ctx)
	})
}

func lock(_ context.Context, _ *World, d *Device, _ []string) error {
	d.client.Lock()
	return nil
}

// unlock: a unlock [PIN]
func unlock(ctx context.Context, _ *World, d *Device, args []string) error {
	typed := pin
	if len(args) > 0 {
		typed = args[0]
	}
	return d.client.Unlock(ctx, typed)
}

func deliver(ctx context.Context, _ *World, d *Device, _ []string) error {
	_, err := d.client.Deliver(ctx)
	return err
}

// expectHolds: a holds N — so many records, of whatever kind.
func expectHolds(ctx context.Context, _ *World, d *Device, args []string) error {
	want, err := number(args[0])
	if err != nil {
		return err
	}
	n := 0
	for _, kind := range d.client.Forms().Kinds() {
		records, err := d.client.List(ctx, kind)
		if err != nil {
			return err
		}
		n += len(records)
	}
	if n != want {
		return fmt.Errorf("it holds %d records, not %d", n, want)
	}
	return nil
}

// expectClosed: a is closed — its copy is destroyed.
func expectClosed(ctx context.Context, _ *World, d *Device, _ []string) error {
	status, err := d.client.Status(ctx)
	if err == nil && !status.Closed {
		err = fmt.Errorf("it still has its copy")
	}
	return err
}

// granted: a granted AREA [for DURATION] — the device's people, who came in by an
// invitation, may act there too.
func granted(ctx context.Context, w *World, d *Device, args []string) error {
	g := identity.Grant{Area: syncproto.AreaID(args[0]), Role: d.role, From: w.instant() - day}
	if len(args) == 3 && args[1] == "for" {
		valid, err := time.ParseDuration(args[2])
		if err != nil {
			return err
		}
		g.To = w.instant() + syncproto.Instant(valid.Milliseconds())
	}
	return w.again(ctx, func(ctx context.Context) error {
		letting, by, err := w.server().Letting(ctx)
		if err != nil {
			return err
		}
		for _, person := range d.people {
			g.Author = person.ID
			given, err := letting.Give(ctx, by, g)
			if err != nil {
				return err
			}
			w.holds(given)
		}
		return w.retry(ctx)
	})
}
