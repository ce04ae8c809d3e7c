package clientsdk

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"gridsync/syncproto"
)

// remove takes away copies of records.
func (a *applying) remove(where string, args ...any) error {
	rows, err := a.tx.Query("SELECT id, area, version FROM records WHERE "+where, args...) // #nosec G202 -- where is a constant of this package
	if err != nil {
		return fmt.Errorf("removing copies: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id []byte
		var r syncproto.Record
		if err := rows.Scan(&id, &r.Area, &r.Version); err != nil {
			return fmt.Errorf("removing copies: %w", err)
		}
		copy(r.ID[:], id)
		a.touched[r.ID] = struct{}{}
		a.tally(r.Area, -1, -syncproto.RowSum(r.ID, r.Version))
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("removing copies: %w", err)
	}
	return a.exec("DELETE FROM records WHERE "+where, args...)
}

// tally notes that an area's records and their sum have moved.
func (a *applying) tally(area syncproto.AreaID, records int64, sum syncproto.Sum) {
	t := a.tallies[area]
	if t == nil {
		t = &tally{}
		a.tallies[area] = t
	}
	t.records += records
	t.sum += sum // modulo 2^64, so that taking away is adding the negative
}

// records takes the copies that are newer than the device's own: first those that
// it made itself, unless everything is to come again, and then what was sent.
func (a *applying) records() error {
	if !a.answer.Reset {
		for i := range a.made {
			if _, err := a.take(&a.made[i]); err != nil {
				return err
			}
		}
	}
	for i := range a.answer.Records {
		newer, err := a.take(&a.answer.Records[i])
		if err != nil {
			return err
		}
		if newer {
			a.report.Received++
		}
	}
	return nil
}

// take keeps one copy if it is newer than the device's.
func (a *applying) take(r *syncproto.Record) (newer bool, err error) {
	newer, err = a.replace(r)
	if err != nil {
		return false, fmt.Errorf("keeping record %s: %w", r.ID, err)
	}
	if !newer {
		return false, nil
	}
	a.progress = true
	a.touched[r.ID] = struct{}{}
	return true, a.noteOwnParts(r)
}

// replace writes one copy, unless the device's is as new.
func (a *applying) replace(r *syncproto.Record) (newer bool, err error) {
	old := syncproto.Record{ID: r.ID}
	err = a.row("SELECT area, version FROM records WHERE id = ?", []any{r.ID[:]}, &old.Area, &old.Version)
	switch {
	case err == nil && old.Version >= r.Version:
		return false, nil
	case err == nil:
		a.tally(old.Area, -1, -syncproto.RowSum(r.ID, old.Version))
	case !errors.Is(err, sql.ErrNoRows):
		return false, err
	}
	a.tally(r.Area, 1, syncproto.RowSum(r.ID, r.Version))
	live, err := encodeLive(r.Live)
	if err != nil {
		return false, err
	}
	stored, err := a.c.box().shut(recordRow(r.ID), live)
	if err != nil {
		return false, err
	}
	return true, a.exec(`INSERT INTO records (id, kind, area, version, live, joins) VALUES (?,?,?,?,?,?)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, area = excluded.area, version = excluded.version, live = excluded.live,
		joins = excluded.joins`,
		r.ID[:], string(r.Kind), string(r.Area), int64(r.Version), stored, mayJoin(live))
}

// encodeLive keeps values byte for byte: without escaping <, > and &.
func encodeLive(live []syncproto.Part) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(live)
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), err
}

// noteOwnParts learns from a copy under which version own changes became visible.
func (a *applying) noteOwnParts(r *syncproto.Record) error {
	for i := range r.Live {
		p := &r.Live[i]
		if p.Device != a.c.device {
			continue
		}
		err := a.exec(`UPDATE outbox SET version = ?, overlay = 0, state = 1, outcome = iif(state = 2, '', outcome), reason = iif(state = 2, '', reason)
			WHERE n = ? AND record = ? AND state IN (1, 2)`, int64(p.Version), int64(p.N), r.ID[:])
		if err != nil {
			return err
		}
	}
	return nil
}

// gone takes away copies of records that have left an area for one that the
// device may not see. One that came back, or that has been sent from its new area
// already, stays.
func (a *applying) gone() error {
	for _, g := range a.answer.Gone {
		before := len(a.touched)
		if err := a.remove("id = ? AND area = ? AND version <= ?", g.Record[:], string(g.Area), int64(g.Version)); err != nil {
			return err
		}
		if len(a.touched) > before {
			a.report.Gone++
		}
		err := a.exec("UPDATE outbox SET overlay = 0 WHERE record = ? AND overlay = 1 AND state = 1 AND version > 0 AND version <= ?",
			g.Record[:], int64(g.Version))
		if err != nil {
			return err
		}
	}
	return nil
}

// settle takes the overlay off changes with which their record's copy has caught
// up. Of a change that was parked and no longer is nobody told the version: when
// the last page is here, the copy has it, or the record isn't the device's.
func (a *applying) settle() error {
	err := a.exec(`UPDATE outbox SET overlay = 0 WHERE overlay = 1 AND state = 1 AND version > 0
		AND EXISTS (SELECT 1 FROM records r WHERE r.id = outbox.record AND r.version >= outbox.version)`)
	if err != nil || a.answer.More {
		return err
	}
	return a.exec("UPDATE outbox SET overlay = 0 WHERE overlay = 1 AND state = 1 AND version = 0")
}

// compareSums writes the areas' new sums, and holds them against those of the
// server for areas that the answer completes. An area that has drifted is asked
// for again, once a session.
func (a *applying) compareSums() error {
	for area, t := range a.tallies {
		ours, err := a.areaSum(area)
		if err != nil {
			return err
		}
		ours += t.sum // here and not in SQL, whose integers don't wrap around
		err = a.exec(`INSERT INTO areas (id, records, sum) VALUES (?1,?2,?3)
			ON CONFLICT (id) DO UPDATE SET records = records + ?2, sum = ?3`, string(area), t.records, int64(ours))
		if err != nil {
			return err
		}
	}
	for area, theirs := range a.answer.Sums {
		ours, err := a.areaSum(area)
		if err != nil {
			return err
		}
		if ours == theirs {
			if err := a.exec("UPDATE areas SET drifted = 0 WHERE id = ?", string(area)); err != nil {
				return err
			}
			continue
		}
		if err := a.drifted(area); err != nil {
			return err
		}
	}
	return nil
}

func (a *applying) areaSum(area syncproto.AreaID) (syncproto.Sum, error) {
	var sum int64
	err := a.row("SELECT sum FROM areas WHERE id = ?", []any{string(area)}, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return syncproto.Sum(sum), err
}

func (a *applying) drifted(area syncproto.AreaID) error {
	if a.restarted[area] {
		if !slices.Contains(a.report.Drifted, area) {
			a.report.Drifted = append(a.report.Drifted, area)
		}
	} else {
		a.report.Restarted = append(a.report.Restarted, area)
		a.m.Restarts++
	}
	return a.exec("INSERT INTO areas (id, drifted) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET drifted = 1", string(area))
}
