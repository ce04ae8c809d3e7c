package simtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"gridsync/clientsdk"
	"gridsync/server/internal/demo/sight"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/simtest/oracle"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// replicasAgree holds every device's records against the server's.
func replicasAgree(ctx context.Context, w *World) error {
	for _, name := range w.order {
		d := w.devices[name]
		if err := w.agrees(ctx, d, w.scope(d)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// freshReplicaAgrees enrols a device that sees everything and fetches it.
func freshReplicaAgrees(ctx context.Context, w *World) error {
	name := fmt.Sprintf("fresh-%d", w.ids)
	areas := []syncproto.AreaID{"county"}
	if err := w.enrol(ctx, name, []string{name}, areas, identity.Secretary); err != nil {
		return err
	}
	d := w.devices[name]
	delete(w.devices, name)
	w.order = w.order[:len(w.order)-1]
	_, err := d.client.Sync(ctx)
	if err == nil {
		err = w.agrees(ctx, d, areas)
	}
	return errors.Join(err, d.client.Close())
}

// replica is one device's copy, and what it must be.
type replica struct {
	world  *World
	client *clientsdk.Client
	eyes   sight.Eyes
	stored map[syncproto.RecordID]*syncproto.Record
	// reading is what the log says of the records within the replica's scope.
	reading *oracle.Reading
	// waits are the records of which something that the replica shows waits at a desk.
	waits map[syncproto.RecordID]bool
}

// agrees holds a replica's records of its scope against the server's: one by one part
// by part, and those that are one against the slow reading.
func (w *World) agrees(ctx context.Context, d *Device, scope []syncproto.AreaID) error {
	h, err := w.readLog(ctx)
	if err != nil {
		return err
	}
	tree, err := w.server().Areas(ctx)
	if err != nil {
		return err
	}
	whole, err := w.read(ctx)
	if err != nil {
		return err
	}
	r := replica{world: w, client: d.client, eyes: sight.Of(d.role, d.client.Forms()), stored: h.stored, waits: make(map[syncproto.RecordID]bool)}
	own, err := d.client.Log(ctx)
	if err != nil {
		return err
	}
	for i := range own {
		r.waits[own[i].Record] = r.waits[own[i].Record] || own[i].Parked
	}
	r.reading = whole.Only(func(id syncproto.RecordID) bool {
		rec := h.stored[id]
		f := d.client.Forms().Newest(rec.Kind)
		return slices.ContainsFunc(scope, func(root syncproto.AreaID) bool {
			return tree.Within(rec.Area, root) || f != nil && f.Stream == form.Broadcast && tree.Within(root, rec.Area)
		})
	})
	return r.check(ctx)
}

// check looks at every record that the replica shows, and for every record that it must
// have.
func (r *replica) check(ctx context.Context) error {
	has := make(map[syncproto.RecordID]bool)
	for _, kind := range r.client.Forms().Kinds() {
		records, err := r.client.List(ctx, kind)
		if err != nil {
			return err
		}
		for i := range records {
			has[records[i].ID] = true
			for _, id := range records[i].Absorbed {
				has[id] = true
			}
			if err := r.same(&records[i]); err != nil {
				return fmt.Errorf("%s: %w", r.world.name(records[i].ID), err)
			}
		}
	}
	for id := range r.reading.Records {
		if !has[id] {
			return fmt.Errorf("%s of %s is missing", r.world.name(id), r.stored[id].Area)
		}
	}
	return nil
}

// same holds one record of the replica against the server's, unless it shows changes
// that wait there.
func (r *replica) same(shown *clientsdk.Record) error {
	if shown.Pending || r.waits[shown.ID] || slices.ContainsFunc(shown.Absorbed, func(id syncproto.RecordID) bool { return r.waits[id] }) {
		return nil
	}
	stored := r.stored[shown.ID]
	if stored == nil && len(shown.Live()) == 0 { // all of it was withdrawn
		return nil
	}
	if stored == nil || r.reading.Records[shown.ID] == nil {
		return errors.New("it should not be there")
	}
	group := r.reading.Group(shown.ID)
	if slices.ContainsFunc(group, func(rec *oracle.Record) bool { return r.waits[rec.ID] }) {
		return nil // it may show here as one with others, or apart
	}
	if root := r.reading.Root(shown.ID); root != shown.ID && shown.MergedInto != root {
		return fmt.Errorf("it turned out to be %s, and shows as %s", r.world.name(root), r.world.name(shown.MergedInto))
	}
	if group[0].ID == shown.ID && len(shown.Absorbed) > 0 || len(group) > 1 && group[0].ID == r.reading.Root(shown.ID) {
		return r.sameTogether(shown, group)
	}
	if stored.Version != shown.Version || stored.Area != shown.Area {
		return fmt.Errorf("version %d in %s, the server has %d in %s", shown.Version, shown.Area, stored.Version, stored.Area)
	}
	here, err := syncproto.Encode(r.eyes.Unmasked(shown.Kind, shown.Live(), stored.Live))
	if err != nil {
		return err
	}
	there, err := syncproto.Encode(stored.Live)
	if err != nil {
		return err
	}
	if !bytes.Equal(here, there) {
		return fmt.Errorf("lives as %s, on the server as %s", here, there)
	}
	return nil
}

// sameTogether holds what is shown of records that are one against the slow reading.
func (r *replica) sameTogether(shown *clientsdk.Record, group []*oracle.Record) error {
	if shown.ID != group[0].ID {
		if group[0].Kind != shown.Kind { // which can be no one with the survivor
			return nil
		}
		return fmt.Errorf("it is shown beside %s, which it turned out to be", r.world.name(group[0].ID))
	}
	joined := r.reading.Joined(group)
	got := shown.Fields()
	for _, name := range append(got.Names(), joined.Values.Names()...) {
		if !r.eyes.Fits(shown.Kind, name, got[name], joined.Values[name]) {
			return fmt.Errorf("%s is %s, the log says %s", name, got[name], joined.Values[name])
		}
	}
	// Two who agree, one of them on this phone, look as if they differed where the other's
	// word is masked: see R92.
	seen := func(names []string) []string {
		return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return r.eyes.Masks(shown.Kind, name) })
	}
	if err := sameNames(seen(shown.Disputes()), seen(joined.Disputed)); err != nil {
		return fmt.Errorf("disputed, where the log says %q: %w", joined.Disputed, err)
	}
	return nil
}
