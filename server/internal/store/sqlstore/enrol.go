package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"

	"gridsync/server/internal/enrol"
	"gridsync/server/internal/seal"
	"gridsync/syncproto"
)

const inviteSelect = `SELECT id, code, area, role, from_at, to_at, expires, uses, total, confirm, author, label, by, made, ended FROM invite `

var (
	invitesByID = search{inviteSelect + "WHERE id IN (", "?", ")"}

	enrolmentsByID     = search{enrolmentSelect + "WHERE e.id IN (", "?", ")"}
	enrolmentsByDevice = search{enrolmentSelect + "WHERE d.id IN (", "?", ") ORDER BY e.at, e.id"}

	phonesByDevice = search{
		`SELECT d.id, COALESCE(s.contact_server, 0), COALESCE(s.contact_server - s.contact_device, 0), COALESCE(s.app, ''),
			COALESCE(s.unsent, 0), COALESCE(s.held, 0), COALESCE(s.parked, ''), d.key, r.secret, COALESCE(r.generation, 0), COALESCE(r.expires, 0), COALESCE(r.vouched, 0)
		FROM device d LEFT JOIN device_state s ON s.device = d.key LEFT JOIN refresh r ON r.device = d.key
		WHERE d.name IS NOT NULL AND d.id IN (`, "?", ")",
	}
)

// Invites implements enrol.Store.
func (s *Store) Invites(ctx context.Context, want enrol.InvitesWanted) (found []enrol.Invite, err error) {
	switch {
	case want.Code != (enrol.Digest{}):
		rows, err := s.read.query(ctx, inviteSelect+"WHERE code = $1", want.Code[:])
		found, err = collect(rows, err, scanInvite)
		if err != nil {
			return nil, fmt.Errorf("store: an invitation: %w", err)
		}
		return found, nil
	case len(want.IDs) > 0:
		err = find(ctx, s.read, s.dialect, invitesByID, want.IDs, idArg[uuid.UUID], nil, func(rows *sql.Rows) error {
			var v enrol.Invite
			err := scanInvite(rows, &v)
			found = append(found, v)
			return err
		})
	case len(want.Areas) > 0:
		rows, err := s.read.query(ctx, inviteSelect+"WHERE "+s.dialect.AmongTexts("area", 1)+" ORDER BY made DESC, id DESC LIMIT $2",
			list(want.Areas), want.Limit)
		found, err = collect(rows, err, scanInvite)
		if err != nil {
			return nil, fmt.Errorf("store: invitations: %w", err)
		}
		return found, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store: invitations: %w", err)
	}
	return found, nil
}

func scanInvite(rows *sql.Rows, v *enrol.Invite) error {
	var digest []byte
	err := rows.Scan(intoID(&v.ID), &digest, &v.Area, &v.Role, &v.From, &v.To, &v.Expires, &v.Left, &v.Uses, &v.Confirm,
		intoID(&v.Author), &v.Label, intoID(&v.By), &v.Made, &v.Ended)
	copy(v.Code[:], digest)
	return err
}

const enrolmentSelect = `SELECT e.id, e.invite, d.id, a.id, e.area, e.role, e.from_at, e.to_at, e.name, e.phone, e.state, e.at, e.by, e.settled
	FROM enrolment e JOIN device d ON d.key = e.device JOIN author a ON a.key = e.author `

var undertakingsOf = search{
	"SELECT a.id, u.version, u.device, u.at FROM undertaking u JOIN author a ON a.key = u.author WHERE a.id IN (", "?",
	") AND NOT EXISTS (SELECT 1 FROM undertaking later WHERE later.author = u.author AND later.version > u.version)",
}

// Undertakings implements enrol.Store.
func (s *Store) Undertakings(ctx context.Context, authors []syncproto.AuthorID) (found []enrol.Accepted, err error) {
	err = find(ctx, s.read, s.dialect, undertakingsOf, authors, idArg[syncproto.AuthorID], nil, func(rows *sql.Rows) error {
		var a enrol.Accepted
		err := rows.Scan(intoID(&a.Author), &a.Version, intoID(&a.Device), &a.At)
		found = append(found, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: undertakings: %w", err)
	}
	return found, nil
}

// Enrolments implements enrol.Store.
func (s *Store) Enrolments(ctx context.Context, want enrol.EnrolmentsWanted) (found []enrol.Enrolment, err error) {
	add := func(rows *sql.Rows) error {
		var e enrol.Enrolment
		err := readEnrolment(s.read.ring(), rows, &e)
		found = append(found, e)
		return err
	}
	switch {
	case len(want.IDs) > 0:
		err = find(ctx, s.read, s.dialect, enrolmentsByID, want.IDs, idArg[uuid.UUID], nil, add)
	case len(want.Devices) > 0:
		err = find(ctx, s.read, s.dialect, enrolmentsByDevice, want.Devices, idArg[syncproto.DeviceID], nil, add)
	case len(want.Areas) > 0:
		var rows *sql.Rows
		rows, err = s.read.query(ctx, s.enrolmentsIn(want.State), list(want.Areas), int64(want.After.At), want.After.ID[:], want.Limit, string(want.State))
		err = each(rows, err, add)
	}
	if err != nil {
		return nil, fmt.Errorf("store: enrolments: %w", err)
	}
	return found, nil
}

// enrolmentsIn is the statement for a page of areas' enrolments. Those that wait have an
// index of their own, which a statement must name in so many words.
func (s *Store) enrolmentsIn(state syncproto.EnrolmentState) string {
	which := "($5 = '' OR e.state = $5)"
	if state == syncproto.EnrolmentWaiting {
		which = "e.state = 'waiting' AND $5 <> ''"
	}
	return enrolmentSelect + "WHERE " + which + " AND " + s.dialect.AmongTexts("e.area", 1) +
		" AND (e.at > $2 OR e.at = $2 AND e.id > $3) ORDER BY e.at, e.id LIMIT $4"
}

func readEnrolment(ring *seal.Ring, rows *sql.Rows, e *enrol.Enrolment) error {
	var phone sealedColumn
	err := rows.Scan(intoID(&e.ID), intoID(&e.Invite), intoID(&e.Device), intoID(&e.Author), &e.Area, &e.Role, &e.From, &e.To,
		&e.Name, &phone, &e.State, &e.At, intoID(&e.By), &e.Settled)
	if err != nil {
		return err
	}
	text, err := open(ring, phonePlace(e.ID), phone)
	e.Phone = string(text)
	return err
}

// Phones implements enrol.Store.
func (s *Store) Phones(ctx context.Context, devices []syncproto.DeviceID) (phones []enrol.Phone, err error) {
	err = find(ctx, s.read, s.dialect, phonesByDevice, devices, idArg[syncproto.DeviceID], nil, func(rows *sql.Rows) error {
		var p enrol.Phone
		var parked string
		var key int64
		var secret sealedColumn
		if err := rows.Scan(intoID(&p.Device), &p.Contact, &p.Offset, &p.App, &p.Unsent, &p.Held, &parked,
			&key, &secret, &p.Refresh.Generation, &p.Refresh.Expires, &p.Refresh.Vouched); err != nil {
			return err
		}
		waiting, err := unlist[syncproto.Waiting](parked)
		p.Parked = len(waiting)
		if err != nil {
			return err
		}
		plain, err := open(s.read.ring(), refreshPlace(key), secret)
		copy(p.Refresh.Secret[:], plain)
		phones = append(phones, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: phones: %w", err)
	}
	return phones, nil
}
