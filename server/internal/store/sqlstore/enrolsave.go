package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"gridsync/server/internal/enrol"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// SaveEnrol implements enrol.Store. What must be so is looked at in the transaction that
// writes, the only one there is.
func (s *Store) SaveEnrol(ctx context.Context, w *enrol.Write) error {
	err := s.transact(ctx, func(t *tx) error {
		for _, step := range []struct {
			what string
			do   func(*enrol.Write) error
		}{
			{"keys", t.learnEnrolling},
			{"invitations", t.saveInvites},
			{"people", t.saveLetIn},
			{"standings", t.saveStandings},
			{"enrolments", t.saveEnrolments},
			{"undertakings", t.saveUndertakings},
			{"refresh tokens", t.saveRotations},
			{"the audit", func(w *enrol.Write) error { return t.appendAudit(w.Lines) }},
		} {
			if err := step.do(w); err != nil {
				return fmt.Errorf("%s: %w", step.what, err)
			}
		}
		if len(w.Devices)+len(w.Authors)+len(w.Grants)+len(w.Joins)+len(w.Standings) == 0 {
			return nil
		}
		return t.revise()
	})
	if err != nil {
		return fmt.Errorf("store: save what lets people in: %w", err)
	}
	return nil
}

// learnEnrolling gives keys to everyone who is named, those who are new in the order given.
func (t *tx) learnEnrolling(w *enrol.Write) error {
	named := identity.Everyone{Devices: slices.Clone(w.Devices), Authors: w.Authors, Grants: w.Grants}
	name := func(device syncproto.DeviceID, authors ...syncproto.AuthorID) {
		named.Devices = append(named.Devices, identity.Device{ID: device, Authors: authors})
	}
	for i := range w.Enrolments {
		name(w.Enrolments[i].Device, w.Enrolments[i].Author)
	}
	for _, j := range w.Joins {
		name(j.Device, j.Author)
	}
	for _, a := range w.Undertakings {
		name(a.Device, a.Author)
	}
	for _, r := range w.Standings {
		name(r.Device)
	}
	for _, r := range w.Rotations {
		name(r.Device)
	}
	return t.learnPeople(&named)
}

var putInvite = insertion{
	head: `INSERT INTO invite (id, code, area, role, from_at, to_at, expires, uses, total, confirm, author, label, by, made, ended) VALUES `, columns: 15, types: "bbttnnnnnnbtbnn",
}

func (t *tx) saveInvites(w *enrol.Write) error {
	var args []any
	for i := range w.Invites {
		v := &w.Invites[i]
		args = append(args, v.ID[:], v.Code[:], string(v.Area), string(v.Role), int64(v.From), int64(v.To), int64(v.Expires),
			v.Left, v.Uses, flag(v.Confirm), idOrNull(v.Author), v.Label, v.By[:], int64(v.Made), int64(v.Ended))
	}
	if err := t.put(&putInvite, args); err != nil {
		return err
	}
	for _, id := range w.Spent {
		if err := t.must("UPDATE invite SET uses = uses - 1 WHERE id = $1 AND uses > 0 AND ended = 0 RETURNING 1", id[:]); err != nil {
			return err
		}
	}
	for _, id := range w.Withdrawn {
		if err := t.w.exec(t.ctx, "UPDATE invite SET ended = $2 WHERE id = $1 AND ended = 0", id[:], int64(w.At)); err != nil {
			return err
		}
	}
	return nil
}

// must runs a statement that returns a row if what must be so is, and fails with
// enrol.ErrMovedOn if it returns none.
func (t *tx) must(text string, args ...any) error {
	met := false
	rows, err := t.w.query(t.ctx, text, args...)
	if err := each(rows, err, func(*sql.Rows) error { met = true; return nil }); err != nil {
		return err
	}
	if !met {
		return enrol.ErrMovedOn
	}
	return nil
}

// saveLetIn writes new authors and devices, who records on what, and grants.
func (t *tx) saveLetIn(w *enrol.Write) error {
	for _, d := range w.Devices {
		if err := t.must("SELECT 1 FROM device WHERE key = $1 AND name IS NULL", t.device(d.ID)); err != nil {
			return err
		}
	}
	everyone := identity.Everyone{Devices: w.Devices, Authors: w.Authors, Grants: w.Grants}
	for _, put := range []func(*identity.Everyone) error{t.putDevices, t.putAuthors, t.putGrants} {
		if err := put(&everyone); err != nil {
			return err
		}
	}
	for _, j := range w.Joins {
		err := t.w.exec(t.ctx, `INSERT INTO device_author (device, ordinal, author)
			SELECT $1, (SELECT COALESCE(MAX(ordinal), -1) + 1 FROM device_author WHERE device = $1), $2
			WHERE NOT EXISTS (SELECT 1 FROM device_author WHERE device = $1 AND author = $2)`, t.device(j.Device), t.author(j.Author))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) saveStandings(w *enrol.Write) error {
	for _, r := range w.Standings {
		err := t.must("UPDATE device SET status = $2, since = $3 WHERE key = $1 AND name IS NOT NULL AND status = $4 AND since = $5 RETURNING 1",
			t.device(r.Device), string(r.Is.Status), int64(r.Is.Since), string(r.Was.Status), int64(r.Was.Since))
		if err != nil {
			return err
		}
	}
	return nil
}

var putUndertaking = insertion{
	head: "INSERT INTO undertaking (author, version, device, at) VALUES ", columns: 4, types: "nnbn", tail: " ON CONFLICT (author, version) DO NOTHING",
}

func (t *tx) saveUndertakings(w *enrol.Write) error {
	var args []any
	for _, a := range w.Undertakings {
		args = append(args, t.author(a.Author), a.Version, a.Device[:], int64(w.At))
	}
	return t.put(&putUndertaking, args)
}

func (t *tx) saveEnrolments(w *enrol.Write) error {
	s := sealer{ring: t.w.ring()}
	for i := range w.Enrolments {
		e := &w.Enrolments[i]
		phone := s.sealText(phonePlace(e.ID), e.Phone)
		if s.err != nil {
			return s.err
		}
		err := t.must(`INSERT INTO enrolment (id, invite, device, author, area, role, from_at, to_at, name, phone, state, at, by, settled)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (invite, device) DO NOTHING RETURNING 1`,
			e.ID[:], e.Invite[:], t.device(e.Device), t.author(e.Author), string(e.Area), string(e.Role), int64(e.From), int64(e.To),
			e.Name, phone, string(e.State), int64(e.At), idOrNull(e.By), int64(e.Settled))
		if err != nil {
			return err
		}
	}
	for i := range w.Settled {
		e := &w.Settled[i]
		err := t.must("UPDATE enrolment SET state = $2, by = $3, settled = $4 WHERE id = $1 AND state = 'waiting' RETURNING 1",
			e.ID[:], string(e.State), idOrNull(e.By), int64(e.Settled))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) saveRotations(w *enrol.Write) error {
	s := sealer{ring: t.w.ring()}
	for _, r := range w.Rotations {
		secret := s.seal(refreshPlace(t.device(r.Device)), r.Is.Secret[:])
		if s.err != nil {
			return s.err
		}
		var err error
		if r.Was == 0 {
			err = t.must(`INSERT INTO refresh (device, secret, generation, expires, vouched) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (device) DO NOTHING RETURNING 1`,
				t.device(r.Device), secret, int64(r.Is.Generation), int64(r.Is.Expires), flag(r.Is.Vouched))
		} else {
			err = t.must(`UPDATE refresh SET secret = $2, generation = $3, expires = $4, vouched = $5
				WHERE device = $1 AND generation = $6 RETURNING 1`,
				t.device(r.Device), secret, int64(r.Is.Generation), int64(r.Is.Expires), flag(r.Is.Vouched), int64(r.Was))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
