package sqlstore

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// Identities implements identity.Store: everything in the order in which it was
// first heard of.
func (s *Store) Identities(ctx context.Context) (identity.Everyone, error) {
	var all identity.Everyone
	err := s.read.moment(ctx, func(q querier) (err error) {
		if all.Devices, err = devicesFrom(ctx, q); err != nil {
			return fmt.Errorf("devices: %w", err)
		}
		rows, err := q.query(ctx, "SELECT id, name FROM author WHERE name IS NOT NULL ORDER BY key")
		all.Authors, err = collect(rows, err, func(rows *sql.Rows, a *identity.Author) error {
			return rows.Scan(intoID(&a.ID), &a.Name)
		})
		if err != nil {
			return fmt.Errorf("authors: %w", err)
		}
		rows, err = q.query(ctx, `SELECT a.id, e.area, e.role, e.from_at, e.to_at
			FROM entitlement e JOIN author a ON a.key = e.author ORDER BY e.key`)
		all.Grants, err = collect(rows, err, func(rows *sql.Rows, g *identity.Grant) error {
			return rows.Scan(intoID(&g.Author), &g.Area, &g.Role, &g.From, &g.To)
		})
		if err != nil {
			return fmt.Errorf("grants: %w", err)
		}
		return nil
	})
	if err != nil {
		return identity.Everyone{}, fmt.Errorf("store: identities: %w", err)
	}
	return all, nil
}

// devicesFrom reads the enrolled devices with their authors.
func devicesFrom(ctx context.Context, q querier) ([]identity.Device, error) {
	at := make(map[int64]int)
	rows, err := q.query(ctx, "SELECT key, id, name, status, since, public FROM device WHERE name IS NOT NULL ORDER BY key")
	var devices []identity.Device
	err = each(rows, err, func(rows *sql.Rows) error {
		var key int64
		var d identity.Device
		err := rows.Scan(&key, intoID(&d.ID), &d.Name, &d.Status, &d.Since, (*[]byte)(&d.Key))
		at[key] = len(devices)
		devices = append(devices, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	rows, err = q.query(ctx, "SELECT o.device, a.id FROM device_author o JOIN author a ON a.key = o.author ORDER BY o.device, o.ordinal")
	err = each(rows, err, func(rows *sql.Rows) error {
		var key int64
		var id syncproto.AuthorID
		err := rows.Scan(&key, intoID(&id))
		if i, ok := at[key]; ok {
			devices[i].Authors = append(devices[i].Authors, id)
		}
		return err
	})
	return devices, err
}

// AddIdentities implements identity.Store. A grant that is there already gets the end
// that is given.
func (s *Store) AddIdentities(ctx context.Context, add identity.Everyone) error {
	if len(add.Devices)+len(add.Authors)+len(add.Grants) == 0 {
		return nil
	}
	if err := s.transact(ctx, func(t *tx) error { return t.addIdentities(&add) }); err != nil {
		return fmt.Errorf("store: add identities: %w", err)
	}
	return nil
}

func (t *tx) addIdentities(add *identity.Everyone) error {
	for _, step := range []func(*identity.Everyone) error{t.learnPeople, t.putDevices, t.putAuthors, t.putGrants} {
		if err := step(add); err != nil {
			return err
		}
	}
	return t.revise()
}

// learnPeople gives keys to everyone who is named, authors in the order given first.
func (t *tx) learnPeople(add *identity.Everyone) error {
	var devices, authors values
	for _, a := range add.Authors {
		authors.add(string(a.ID[:]))
	}
	for _, d := range add.Devices {
		devices.add(string(d.ID[:]))
		for _, a := range d.Authors {
			authors.add(string(a[:]))
		}
	}
	for _, g := range add.Grants {
		authors.add(string(g.Author[:]))
	}
	if err := t.learn(t.s.keys.devices, devices.all); err != nil {
		return err
	}
	return t.learn(t.s.keys.authors, authors.all)
}

var (
	nameDevices = insertion{
		head: "WITH given (key, name, status, since, public) AS (VALUES ", columns: 5, types: "nttnb",
		tail: `) UPDATE device SET name = given.name, status = given.status, since = given.since, public = given.public
			FROM given WHERE device.key = given.key`,
	}
	dropOwners  = insertion{head: "DELETE FROM device_author WHERE device IN (VALUES ", columns: 1, types: "n", tail: ")"}
	putOwners   = insertion{head: "INSERT INTO device_author (device, ordinal, author) VALUES ", columns: 3, types: "nnn"}
	nameAuthors = insertion{
		head: "WITH given (key, name) AS (VALUES ", columns: 2, types: "nt",
		tail: ") UPDATE author SET name = given.name FROM given WHERE author.key = given.key",
	}
	putGrant = insertion{
		head: "INSERT INTO entitlement (key, author, area, role, from_at, to_at) VALUES ", columns: 6, types: "nnttnn",
		tail: " ON CONFLICT (author, area, role, from_at) DO UPDATE SET to_at = excluded.to_at",
	}
)

func (t *tx) putDevices(add *identity.Everyone) error {
	last := make(map[syncproto.DeviceID]*identity.Device, len(add.Devices))
	for i := range add.Devices {
		last[add.Devices[i].ID] = &add.Devices[i]
	}
	var names, keys, owners []any
	for _, d := range last {
		key := t.device(d.ID)
		names = append(names, key, d.Name, string(d.Status), int64(d.Since), keyOrNull(d.Key))
		keys = append(keys, key)
		for i, a := range d.Authors {
			owners = append(owners, key, int64(i), t.author(a))
		}
	}
	if err := t.put(&nameDevices, names); err != nil {
		return err
	}
	if err := t.put(&dropOwners, keys); err != nil {
		return err
	}
	return t.put(&putOwners, owners)
}

// keyOrNull is NULL for a device without a key.
func keyOrNull(key ed25519.PublicKey) any {
	if len(key) == 0 {
		return nil
	}
	return []byte(key)
}

func (t *tx) putAuthors(add *identity.Everyone) error {
	last := make(map[syncproto.AuthorID]string, len(add.Authors))
	for _, a := range add.Authors {
		last[a.ID] = a.Name
	}
	var args []any
	for id, name := range last {
		args = append(args, t.author(id), name)
	}
	return t.put(&nameAuthors, args)
}

func (t *tx) putGrants(add *identity.Everyone) error {
	next, err := t.nextKey("entitlement")
	if err != nil {
		return err
	}
	var args []any
	for i, g := range lastOf(add.Grants, grantKey) {
		args = append(args, next+int64(i), t.author(g.Author), string(g.Area), string(g.Role), int64(g.From), int64(g.To))
	}
	return t.put(&putGrant, args)
}

// grantKey is what makes a grant another one.
func grantKey(g *identity.Grant) identity.Grant {
	return identity.Grant{Author: g.Author, Area: g.Area, Role: g.Role, From: g.From}
}
