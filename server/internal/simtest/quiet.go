package simtest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// Broken says which of the promises that hold after every script was broken.
type Broken struct {
	// Check is the promise's name in checks.
	Check string
	Err   error
}

func (b *Broken) Error() string { return b.Check + ": " + b.Err.Error() }

// Unwrap gives what was found.
func (b *Broken) Unwrap() error { return b.Err }

// check is one promise that must hold once nothing moves any more.
type check struct {
	name string
	hold func(context.Context, *World) error
}

// checks are held in this order: each looks at what those before it have proved.
var checks = []check{
	{"rebuild", rebuildFindsNothing},
	{"lost", nothingLost},
	{"records", recordsAgree},
	{"waiting", waitingAgrees},
	{"replicas", replicasAgree},
	{"fresh", freshReplicaAgrees},
	{"roster", rosterAgrees},
	{"queue", queueAgrees},
	{"totals", totalsAgree},
	{"days", daysAgree},
	{"field work", fieldAgrees},
}

// quiet lets everybody sync until nothing is new, and then holds what must be true
// after every script.
func (w *World) quiet(ctx context.Context) error {
	if err := w.settle(ctx); err != nil {
		return &Broken{"settle", err}
	}
	for _, c := range checks {
		if err := c.hold(ctx, w); err != nil {
			return &Broken{c.name, err}
		}
	}
	return nil
}

// maxRounds bounds how often everybody syncs: what one sends reaches the others in
// the next round, and what that sets free at the server in the one after.
const maxRounds = 12

// settle lets everybody sync until nothing moves. No time passes, or a grant could end
// between somebody's last sync and the checks.
func (w *World) settle(ctx context.Context) error {
	w.standing = true
	for range maxRounds {
		moved := false
		for _, name := range w.order {
			d := w.devices[name]
			d.link.offline, d.link.planned = false, nil
			if d.client.Locked() {
				if err := d.client.Unlock(ctx, pin); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			report, err := d.client.Sync(ctx)
			switch {
			case errors.Is(err, clientsdk.ErrClosed) && d.revoked:
				d.closed = true
				continue
			case err != nil && w.scope(d) == nil && turnedAway(err): // nobody gave its grants back
				continue
			case err != nil:
				return fmt.Errorf("%s: %w", name, err)
			}
			if len(report.Drifted) > 0 {
				return fmt.Errorf("%s: its copy of %v has drifted", name, report.Drifted)
			}
			moved = moved || len(report.Sent) > 0 || report.Received > 0 || report.Gone > 0
		}
		if !moved {
			return nil
		}
	}
	return errors.New("the devices sync without end")
}

// rebuildFindsNothing works everything out again from the log.
func rebuildFindsNothing(ctx context.Context, w *World) error {
	difference, err := w.server().Rebuild(ctx)
	if err != nil {
		return err
	}
	if !difference.None() {
		return fmt.Errorf("a rebuild differs: %s", strings.Join(difference.Found, "; "))
	}
	return nil
}

// nothingLost holds what every device gave a number against the server's change log.
func nothingLost(ctx context.Context, w *World) error {
	held := make(map[syncproto.ChangeID]int)
	numbers := make(map[syncproto.Origin]int)
	log, err := w.readLog(ctx)
	if err != nil {
		return err
	}
	rows := w.recalled(log.rows)
	for i := range rows {
		c := &rows[i].Change
		held[c.ID]++
		numbers[syncproto.Origin{Device: c.Device, N: c.N}]++
	}
	for _, name := range w.order {
		if err := w.devices[name].delivered(ctx, held, numbers); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// delivered holds one device's own log, and every number that it ever gave, against
// what the server holds.
func (d *Device) delivered(ctx context.Context, held map[syncproto.ChangeID]int, numbers map[syncproto.Origin]int) error {
	log, err := d.client.Log(ctx)
	if err != nil {
		return err
	}
	refused := make(map[uint64]bool)
	for _, e := range log {
		want := 1
		if e.Outcome == syncproto.Refused {
			want, refused[e.N] = 0, true
		}
		if held[e.ID] != want {
			return fmt.Errorf("change %d (%s) is held %d times", e.N, e.State, held[e.ID])
		}
	}
	status, err := d.client.Status(ctx)
	if err != nil {
		return err
	}
	for n := uint64(1); n <= status.High; n++ { // those that it has forgotten since, too
		if numbers[syncproto.Origin{Device: d.id, N: n}] != 1 && !refused[n] {
			return fmt.Errorf("of number %d the server holds %d", n, numbers[syncproto.Origin{Device: d.id, N: n}])
		}
	}
	return nil
}
