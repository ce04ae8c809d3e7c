package api

import (
	"fmt"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/privacy"
	"gridsync/syncproto"
)

// disclose takes out of an answer what its reader isn't shown, and notes whose records are
// left: durably, before anything of it leaves. A sync is masked by the exchange, and what a
// phone holds is kept there.
func (a *API) disclose(c *call, r *route, answer any) error {
	shows, ok := answer.(privacy.Disclosed)
	if !ok || r.who != someone && r.who != atDesk {
		return nil
	}
	lens := c.lens(a)
	shows.Disclose(lens)
	records, where := lens.Shown()
	if len(records) == 0 {
		return nil
	}
	if c.asked != "" {
		where = c.asked
	}
	return a.noteShown(c, audit.Looked, where, records, r.id)
}

// lens is what the caller sees.
func (c *call) lens(a *API) *privacy.Lens { return a.Lenses(c.snap, c.caller.Authors, c.instant()) }

// noteShown keeps that the caller was shown records.
func (a *API) noteShown(c *call, act audit.Act, area syncproto.AreaID, records []syncproto.RecordID, detail string) error {
	e := c.entry(act, area)
	e.Records, e.Detail = records, detail
	if err := a.Audit.Note(c.ctx, e); err != nil {
		return fmt.Errorf("note what is shown: %w", err)
	}
	return nil
}

// entry is a line about the caller. Where several people share a phone nobody knows which
// of them looked: the line names the phone alone.
func (c *call) entry(act audit.Act, area syncproto.AreaID) audit.Entry {
	e := audit.Entry{At: c.instant(), Act: act, Device: c.caller.Device.ID, Area: area}
	if len(c.caller.Authors) == 1 {
		e.Who = c.caller.Authors[0]
	}
	return e
}
