package clientsdk

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"gridsync/syncproto"
)

// Status is where the device stands. All counts are of changes unless they say
// otherwise.
type Status struct {
	Device syncproto.DeviceID
	Server string
	Epoch  syncproto.Epoch
	// High is the greatest n given out.
	High uint64
	// Unsent (待上传) are on this device only; Sent (待确认) are held as the server
	// says; Delivered (已送达) are covered by a confirmed receipt.
	Unsent, Sent, Delivered int
	// Parked are those of Sent and Delivered that wait at a desk.
	Parked int
	// Returned (退回) are work for their authors again: see Author.Returned.
	Returned int
	// Unread counts what authors were told and nobody has read: see Client.Told.
	Unread int
	// Attention (需要处理) could not be read by the server.
	Attention int
	// Superseded were recorded again under another number.
	Superseded int
	// Agreed says that the digest of the latest receipt was confirmed. While it
	// wasn't, nothing is delivered.
	Agreed bool
	// Foreign is how many changes the server holds under this device's number that
	// this file doesn't: those of another copy of it. Negative: how many of the
	// pruned ones the server has lost.
	Foreign int64
	// Records and Areas count what the device holds of the server's.
	Records, Areas int
	// Drifted are areas whose copy disagrees with the server's, Restarts how often one
	// was fetched again for that.
	Drifted  []syncproto.AreaID
	Restarts int
	// Complete says that the last answer was the last page.
	Complete bool
	// LastSync is when the last answer came, by this device's clock; zero for never.
	LastSync time.Time
	// ClockOff is what to add to this device's clock to get the server's.
	ClockOff time.Duration
	// Notice is what the server last remarked.
	Notice *syncproto.Error
	// Sealed says that the file is sealed under a PIN, Locked that it isn't open now.
	Sealed, Locked bool
	// Closed says that the device's time is over: the server holds all that was ever
	// written on it, and the copies, keys and tokens were destroyed.
	Closed bool
	// Enrolment is how far the latest enrolment has come; empty for a device that was
	// given its token.
	Enrolment syncproto.EnrolmentState
	// Undertaking is the version that is in force if it is newer than the one that was
	// accepted, and is to be put before the person; 0 otherwise.
	Undertaking int
	// Suspended says that somebody else has used this device's credentials. It delivers.
	Suspended bool
}

// Status tells where the device stands. It asks the file, not the server.
func (c *Client) Status(ctx context.Context) (Status, error) {
	s := Status{Device: c.device, Server: c.opt.Server}
	c.standing(&s)
	err := c.view(ctx, func(tx *sql.Tx) error {
		m, err := readMeta(tx)
		if err != nil {
			return err
		}
		s.Epoch, s.High, s.Agreed, s.Foreign = m.Epoch, m.High, m.Agreed, m.ForeignCount
		s.Restarts, s.Notice, s.Closed = m.Restarts, m.Notice, m.Closed
		s.Complete = m.LastSync != 0 && !m.More
		s.ClockOff = time.Duration(m.Offset) * time.Millisecond
		if m.LastSync != 0 {
			s.LastSync = time.UnixMilli(int64(m.LastSync))
		}
		if err := tx.QueryRow("SELECT count(*) FROM told WHERE seen = 0").Scan(&s.Unread); err != nil {
			return err
		}
		if err := s.countChanges(tx, &m); err != nil {
			return err
		}
		return s.countCopies(tx)
	})
	if err != nil {
		return s, fmt.Errorf("reading the status: %w", err)
	}
	return s, nil
}

// standing tells what the keystore knows.
func (c *Client) standing(s *Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Sealed, s.Locked = c.vault.sealed(), c.vault.locked()
	s.Enrolment, s.Suspended = c.creds.Tokens.State, c.creds.Suspended
	if c.creds.Tokens.Undertaking > c.creds.Accepted {
		s.Undertaking = c.creds.Tokens.Undertaking
	}
}

func (s *Status) countChanges(tx *sql.Tx, m *meta) error {
	rows, err := tx.Query("SELECT state, covered, desk, count(*) FROM outbox GROUP BY 1, 2, 3")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var at stage
		var covered bool
		var lies desk
		var n int
		if err := rows.Scan(&at, &covered, &lies, &n); err != nil {
			return err
		}
		if lies == returned || lies == lookAgain {
			s.Returned += n
		}
		switch at {
		case unsent:
			s.Unsent += n
		case refused:
			s.Attention += n
		case superseded:
			s.Superseded += n
		case parked, sent:
			if at == parked && lies == nowhere {
				s.Parked += n
			}
			if covered && m.Agreed {
				s.Delivered += n
			} else {
				s.Sent += n
			}
		}
	}
	if m.Agreed {
		s.Delivered += int(m.Pruned)
	}
	return rows.Err()
}

func (s *Status) countCopies(tx *sql.Tx) error {
	rows, err := tx.Query("SELECT id, known, records, drifted FROM areas ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id syncproto.AreaID
		var known, drifted bool
		var records int
		if err := rows.Scan(&id, &known, &records, &drifted); err != nil {
			return err
		}
		s.Records += records
		if known {
			s.Areas++
		}
		if drifted {
			s.Drifted = append(s.Drifted, id)
		}
	}
	return rows.Err()
}

// Areas returns the areas that the server has told this device of, in order of
// their codes: its own, and those above them, of which it gets what they broadcast.
func (c *Client) Areas(ctx context.Context) ([]syncproto.Area, error) {
	var areas []syncproto.Area
	err := c.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query("SELECT id, name, parent, above FROM areas WHERE known = 1 ORDER BY id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var a syncproto.Area
			if err := rows.Scan(&a.ID, &a.Name, &a.Parent, &a.Above); err != nil {
				return err
			}
			areas = append(areas, a)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("reading areas: %w", err)
	}
	return areas, nil
}

// Attention returns the changes that the server could not read (需要处理), with the
// reason, in order of n. They stay until somebody sees to them.
func (c *Client) Attention(ctx context.Context) ([]Entry, error) {
	return c.entries(ctx, "state > 1 AND state = 3 ORDER BY n")
}

// Resolve takes a change off the list of those that need attention, once somebody
// has seen to it: recorded it anew, or carried its export to an office. It stays in
// the log for Options.Keep. ErrNotFound if it isn't on the list.
func (c *Client) Resolve(ctx context.Context, n uint64) error {
	return c.update(ctx, func(tx *sql.Tx) error {
		result, err := tx.Exec("UPDATE outbox SET state = 5 WHERE n = ? AND state = 3", int64(n))
		if err != nil {
			return fmt.Errorf("resolving change %d: %w", n, err)
		}
		if changed, err := result.RowsAffected(); err != nil || changed > 0 {
			return err
		}
		return fmt.Errorf("change %d needs no attention: %w", n, ErrNotFound)
	})
}

// Exported is one line of Export.
type Exported struct {
	Device syncproto.DeviceID `json:"device"`
	// Change is what would have been sent, byte for byte.
	Change json.RawMessage  `json:"change"`
	Reason *syncproto.Error `json:"reason,omitempty"`
}

// Export writes what needs attention as JSON, one Exported a line, so that it can
// be carried to an office.
func (c *Client) Export(ctx context.Context, w io.Writer) error {
	entries, err := c.Attention(ctx)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range entries {
		body, _, err := encodeChange(&entries[i].Change)
		if err != nil {
			return fmt.Errorf("exporting change %d: %w", entries[i].N, err)
		}
		if err := enc.Encode(Exported{Device: c.device, Change: body, Reason: entries[i].Reason}); err != nil {
			return fmt.Errorf("exporting change %d: %w", entries[i].N, err)
		}
	}
	return nil
}
