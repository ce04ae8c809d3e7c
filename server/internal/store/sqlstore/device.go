package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/seal"
	"gridsync/syncproto"
)

const deviceSelect = `SELECT d.id, s.high, COALESCE(s.missing, ''), s.held, s.digest,
	s.stamp_time, s.stamp_earliest, s.stamp_latest, s.contact_server, s.contact_device, s.contact_high,
	s.unsent, s.app, COALESCE(s.parked, ''), s.told, s.device, s.beats, s.pulse_after FROM device_state s JOIN device d ON d.key = s.device `

func scanDevice(q querier) func(*sql.Rows, *exchange.DeviceState) error {
	return func(rows *sql.Rows, s *exchange.DeviceState) error { return readDevice(q.ring(), rows, s) }
}

func readDevice(ring *seal.Ring, rows *sql.Rows, s *exchange.DeviceState) error {
	var missing, parked string
	var digest []byte
	var key int64
	var beats sealedColumn
	err := rows.Scan(intoID(&s.Device), &s.High, &missing, &s.Held, &digest,
		&s.LastStamp.Time, &s.LastStamp.Earliest, &s.LastStamp.Latest,
		&s.ContactServer, &s.ContactDevice, &s.ContactHigh, &s.Unsent, &s.App, &parked, &s.Told, &key, &beats, &s.PulseAfter)
	if err != nil {
		return fmt.Errorf("a row of a device: %w", err)
	}
	if len(digest) != len(s.Digest) {
		return fmt.Errorf("device %s: a stored digest of %d bytes", s.Device, len(digest))
	}
	copy(s.Digest[:], digest)
	if s.Missing, err = unlist[syncproto.Span](missing); err != nil {
		return err
	}
	if s.Pulse, err = open(ring, beatsPlace(key), beats); err != nil {
		return err
	}
	s.Parked, err = unlist[syncproto.Waiting](parked)
	return err
}

// Device implements exchange.Store.
func (s *Store) Device(ctx context.Context, id syncproto.DeviceID) (exchange.DeviceState, error) {
	rows, err := s.read.query(ctx, deviceSelect+"WHERE d.id = $1", id[:])
	found, err := collect(rows, err, scanDevice(s.read))
	if err != nil {
		return exchange.DeviceState{}, fmt.Errorf("store: device %s: %w", id, err)
	}
	if len(found) == 0 {
		return exchange.DeviceState{Device: id}, nil
	}
	return found[0], nil
}

var devicesOf = search{deviceSelect + "WHERE d.id IN (", "?", ")"}

// Devices implements exchange.Tx.
func (t *tx) Devices(ids []syncproto.DeviceID) ([]exchange.DeviceState, error) {
	var found []exchange.DeviceState
	err := find(t.ctx, t.w, t.s.dialect, devicesOf, ids, idArg, nil, func(rows *sql.Rows) error {
		var s exchange.DeviceState
		err := readDevice(t.w.ring(), rows, &s)
		found = append(found, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("devices: %w", err)
	}
	return found, nil
}

var putDevice = insertion{
	head: `INSERT INTO device_state (device, high, missing, held, digest, stamp_time, stamp_earliest, stamp_latest,
		contact_server, contact_device, contact_high, unsent, app, parked, told, beats, pulse_after) VALUES `,
	columns: 17, types: "nntnbnnnnnnnttnbn",
	tail: ` ON CONFLICT (device) DO UPDATE SET high = excluded.high, missing = excluded.missing,
		held = excluded.held, digest = excluded.digest, stamp_time = excluded.stamp_time,
		stamp_earliest = excluded.stamp_earliest, stamp_latest = excluded.stamp_latest,
		contact_server = excluded.contact_server, contact_device = excluded.contact_device,
		contact_high = excluded.contact_high, unsent = excluded.unsent, app = excluded.app, parked = excluded.parked,
		told = excluded.told, beats = excluded.beats, pulse_after = excluded.pulse_after`,
}

func (t *tx) saveDevices(b *exchange.Batch) error {
	args := make([]any, 0, len(b.Devices)*putDevice.columns)
	sealer := sealer{ring: t.w.ring()}
	for _, s := range lastOf(b.Devices, func(s *exchange.DeviceState) syncproto.DeviceID { return s.Device }) {
		args = append(args, t.device(s.Device), int64(s.High), orNull(list(s.Missing)), int64(s.Held), s.Digest[:],
			int64(s.LastStamp.Time), int64(s.LastStamp.Earliest), int64(s.LastStamp.Latest),
			int64(s.ContactServer), int64(s.ContactDevice), int64(s.ContactHigh), int64(s.Unsent), s.App, orNull(list(s.Parked)), int64(s.Told),
			sealer.pulse(t.device(s.Device), s.Pulse), int64(s.PulseAfter))
	}
	if sealer.err != nil {
		return sealer.err
	}
	return t.put(&putDevice, args)
}

// pulse seals what is remembered of a device's entries; NULL where nobody watches.
func (s *sealer) pulse(device int64, pulse []byte) any {
	if pulse == nil {
		return nil
	}
	return s.seal(beatsPlace(device), pulse)
}

var contactsOf = search{
	`SELECT d.id, s.contact_server, s.unsent, s.contact_server - s.contact_device
		FROM device d JOIN device_state s ON s.device = d.key WHERE s.contact_server > 0 AND d.id IN (`, "?", ")",
}

// Contacts implements exchange.Store: in the order asked for, without devices that
// were never heard of.
func (s *Store) Contacts(ctx context.Context, devices []syncproto.DeviceID) ([]rollup.Contact, error) {
	known := make(map[syncproto.DeviceID]rollup.Contact, len(devices))
	err := find(ctx, s.read, s.dialect, contactsOf, devices, idArg, nil, func(rows *sql.Rows) error {
		var c rollup.Contact
		err := rows.Scan(intoID(&c.Device), &c.At, &c.Unsent, &c.Offset)
		known[c.Device] = c
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: contacts of devices: %w", err)
	}
	contacts := make([]rollup.Contact, 0, len(known))
	for _, id := range once(devices) {
		if c, ok := known[id]; ok {
			contacts = append(contacts, c)
		}
	}
	return contacts, nil
}

// errNoMeta says that the database was migrated but never given an epoch.
var errNoMeta = errors.New("the database has no epoch")
