package desk

import (
	"strconv"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Witness is who said something, where and when.
type Witness struct {
	Author Person `json:"author"`
	// Role and Post are those of the grant under which the author acted; Post is the
	// name of its area. Both are empty if the author had none at that time.
	Role string `json:"role,omitempty"`
	Post string `json:"post,omitempty"`
	// DeviceName is empty for what was decided at the server's own desk.
	DeviceName string             `json:"device_name"`
	Change     syncproto.ChangeID `json:"change"`
	Record     syncproto.RecordID `json:"record"`
	syncproto.Origin
	Version syncproto.Version `json:"version"`
	// Observed is when it happened, as the form's time field says; 0 if it has none.
	Observed syncproto.Instant `json:"observed,omitempty"`
	// Entered is the corrected time of entry with its bounds, At the device's own clock.
	Entered  syncproto.Stamp   `json:"entered"`
	At       syncproto.Instant `json:"at"`
	Received syncproto.Instant `json:"received"`
	Decides  bool              `json:"decides,omitempty"`
}

// Statement is one change of the log, for people to read.
type Statement struct {
	Witness
	Kind syncproto.Kind   `json:"kind"`
	Area syncproto.AreaID `json:"area"`
	// Fields are what its author wrote, whether or not it was taken.
	Fields syncproto.Fields `json:"fields"`
	// Verdict is what was said at first, and parked while it waits.
	Verdict syncproto.Outcome `json:"verdict"`
	// Reason is why a parked change waits, or a remark.
	Reason *syncproto.Error `json:"reason,omitempty"`
	// Answers is the returned change that this one answers.
	Answers *syncproto.ChangeID `json:"answers,omitempty"`
	// Undone says that this was a decision, and was withdrawn.
	Undone bool `json:"undone,omitempty"`
	// Purged says that what its author wrote is gone, as it was too old to be kept.
	Purged bool `json:"purged,omitempty"`
}

// witnessOf says who a row of the log is by. shown is what its record shows: the time
// at which a thing was observed may stand in another change than a correction of it.
func witnessOf(snap *registry.Snapshot, l *exchange.Logged, shown syncproto.Fields) Witness {
	c := &l.Change
	fields, _ := c.Values() // a logged change was read when it came
	device, _ := snap.People.Device(c.Device)
	w := Witness{
		Author: *personOf(snap, c.Author), DeviceName: device.Name,
		Change: c.ID, Record: c.Record, Origin: originOf(l), Version: l.Version,
		Observed: observed(snap.Forms.Newest(c.Kind), fields, shown),
		Entered:  l.Stamp, At: c.At, Received: l.Received, Decides: c.Decides,
	}
	w.Role, w.Post = post(snap, c.Author, c.Area, l.Time, c.Decides)
	return w
}

// post names the grant under which an author acted.
func post(snap *registry.Snapshot, author syncproto.AuthorID, id syncproto.AreaID, at syncproto.Instant, decides bool) (role, name string) {
	grant, ok := snap.People.ActedAs(snap.Areas, author, id, at, decides)
	if !ok {
		return "", ""
	}
	n, _ := snap.Areas.Find(grant.Area)
	return string(grant.Role), n.Name
}

// statementOf shows a row of the log.
func statementOf(snap *registry.Snapshot, l *exchange.Logged) Statement {
	c := &l.Change
	fields, _ := c.Values()
	st := Statement{Witness: witnessOf(snap, l, nil), Kind: c.Kind, Area: c.Area, Fields: fields, Verdict: l.Verdict}
	st.Purged = l.Purged != (syncproto.Hash{})
	if l.Reason != "" {
		st.Reason = &syncproto.Error{Code: l.Reason, Field: l.Field}
	}
	if answered, _ := c.Answers(); !answered.IsZero() {
		st.Answers = &answered
	}
	return st
}

// observed reads when something happened: the form's first time field, as written or,
// if it wasn't, as shown.
func observed(f *form.Form, written, shown syncproto.Fields) syncproto.Instant {
	if f == nil {
		return 0
	}
	for i := range f.Fields {
		name := f.Fields[i].Name
		if f.Fields[i].Type != form.Time {
			continue
		}
		if t := instantOf(written[name]); t != 0 {
			return t
		}
		return instantOf(shown[name])
	}
	return 0
}

func instantOf(v syncproto.Value) syncproto.Instant {
	t, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil {
		return 0
	}
	return syncproto.Instant(t)
}
