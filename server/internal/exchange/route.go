package exchange

import (
	"fmt"
	"slices"
	"strings"

	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// route decides where a stored change lands: nil to apply it, or the reason why
// it waits. It never decides whether a change survives.
func (g *group) route(l *Logged, d *decoded, w *working, state *DeviceState) *syncproto.Error {
	c, fields := &l.Change, d.fields
	if w.purged {
		return &syncproto.Error{Code: syncproto.CodePurged, Field: "record"}
	}
	if why := g.authorized(l, w, d.here); why != nil {
		return why
	}
	if why := g.decidable(l, d, w); why != nil {
		return why
	}
	if v, moves := fields[syncproto.FieldArea]; moves {
		to, _ := v.Text()
		if _, ok := g.snap.Areas.Find(syncproto.AreaID(to)); !ok {
			return &syncproto.Error{Code: syncproto.CodeUnknownArea, Field: syncproto.FieldArea}
		}
	}
	if v, lived := fields[syncproto.FieldResidences]; lived && !g.haveAll(v) {
		return &syncproto.Error{Code: syncproto.CodeUnknownArea, Field: syncproto.FieldResidences}
	}
	if !g.snap.Forms.Has(c.Kind) {
		return &syncproto.Error{Code: syncproto.CodeUnknownKind, Field: "kind"}
	}
	f := g.snap.Forms.Version(c.Kind, c.Form)
	switch {
	case f == nil:
		return &syncproto.Error{Code: syncproto.CodeUnknownForm, Field: "form"}
	case w.now != nil && w.now.Kind != c.Kind:
		return &syncproto.Error{Code: syncproto.CodeKindDiffers, Field: "kind"}
	case !w.there() && c.Base > 0:
		return &syncproto.Error{Code: syncproto.CodeUnknownRecord, Field: "record"}
	}
	// By the time of the entry as it was corrected: no device's clock decides what passes.
	o := form.Occasion{At: l.Stamp.Time, Env: g.snap.Settings.Of(c.Area)}
	if d.checked != f || f.Asks() {
		d.check(f, o)
	}
	if d.problem != nil {
		return d.problem
	}
	if w.there() {
		return nil
	}
	why := f.CheckComplete(fields, o)
	if why != nil && len(state.Missing) > 0 && state.Missing[0].From < c.N {
		// An edit that overtook the change that makes the record.
		return &syncproto.Error{Code: syncproto.CodeUnknownRecord, Field: "record"}
	}
	return why
}

// haveAll reports whether all areas that a write to residences names are there.
func (g *group) haveAll(v syncproto.Value) bool {
	add, _ := form.Members(v)
	for _, residence := range add {
		_, id, _ := strings.Cut(residence, " ")
		if _, ok := g.snap.Areas.Find(syncproto.AreaID(id)); !ok {
			return false
		}
	}
	return true
}

// authorized holds the author against the area named and the area where the
// record belongs; here says that the change was made at the server.
func (g *group) authorized(l *Logged, w *working, here bool) *syncproto.Error {
	c, named := &l.Change, l.area()
	if _, ok := g.snap.Areas.Find(named); !ok {
		return &syncproto.Error{Code: syncproto.CodeUnknownArea, Field: "area"}
	}
	device, _ := g.snap.People.Device(c.Device)
	if !here && !slices.Contains(device.Authors, c.Author) {
		return &syncproto.Error{Code: syncproto.CodeUnknownAuthor, Field: "author"}
	}
	if !device.Status.Trusted() && l.Received >= device.Since {
		return &syncproto.Error{Code: syncproto.CodeDeviceUntrusted, Field: "device"}
	}
	why := g.snap.People.Entitled(g.snap.Areas, c.Author, named, l.Time, c.Decides)
	if why == nil && w.there() && w.now.Area != named {
		why = g.snap.People.Entitled(g.snap.Areas, c.Author, w.now.Area, l.Time, c.Decides)
	}
	return why
}

// waitsForRegistry lists the reasons that a change of areas, people or forms may end.
var waitsForRegistry = []syncproto.Code{
	syncproto.CodeUnknownAuthor, syncproto.CodeDeviceUntrusted, syncproto.CodeOutOfArea, syncproto.CodeGrantExpired, syncproto.CodeNotEntitled,
	syncproto.CodeUnknownArea, syncproto.CodeUnknownKind, syncproto.CodeUnknownForm, syncproto.CodeFailsForm,
}

// retryBatch bounds how many parked changes are read at a time.
const retryBatch = 1000

// release tries again what is parked: for records that this group touched, and
// for a retry job everything that waits for areas, people or forms.
func (g *group) release(jobs []*job) error {
	for _, j := range jobs {
		if !j.retry {
			continue
		}
		g.reshaped = g.snap.Areas.Shape() != g.w.shape
		if err := g.retryAll(); err != nil {
			return err
		}
		break
	}
	if err := g.follow(); err != nil {
		return err
	}
	// A change that is released may be what another one waits for.
	tried := make(map[syncproto.RecordID]int)
	for {
		var ids []syncproto.RecordID
		for _, w := range g.order {
			if g.waits(w.id) && w.applied > tried[w.id] {
				tried[w.id] = w.applied
				ids = append(ids, w.id)
			}
		}
		if len(ids) == 0 {
			return nil
		}
		if err := g.retryFor(ids); err != nil {
			return err
		}
		if err := g.follow(); err != nil {
			return err
		}
	}
}

func (g *group) waits(id syncproto.RecordID) bool {
	_, now := g.nowWaiting[id]
	_, before := g.w.waiting[id]
	return now || before
}

// retryAll tries everything that waits for areas, people or forms.
func (g *group) retryAll() error {
	for after := syncproto.Version(0); ; {
		rows, err := g.tx.Parked(waitsForRegistry, after, retryBatch)
		if err != nil {
			return fmt.Errorf("group: parked changes: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		after = rows[len(rows)-1].Seq
		ids := make([]syncproto.RecordID, len(rows))
		for i := range rows {
			ids[i] = rows[i].Change.Record
		}
		if err := g.loadRecords(ids); err != nil {
			return err
		}
		if err := g.retry(rows); err != nil {
			return err
		}
		for i := range rows {
			g.reasked = append(g.reasked, g.settled(&rows[i]))
		}
	}
}

// retryFor tries what is parked of records, the oldest first.
func (g *group) retryFor(ids []syncproto.RecordID) error {
	rows, err := g.tx.Logs(ids)
	if err != nil {
		return fmt.Errorf("group: logs: %w", err)
	}
	for _, id := range ids {
		for _, l := range g.records[id].rows {
			rows = append(rows, *l)
		}
	}
	left := make(map[syncproto.RecordID]bool)
	parked := rows[:0]
	for _, l := range rows {
		if l.Version == 0 {
			parked = append(parked, l)
		}
	}
	if err := g.retry(parked); err != nil {
		return err
	}
	for _, l := range parked {
		if g.prior[origin{l.Change.Device, l.Change.N}].Version == 0 {
			left[l.Change.Record] = true
		}
	}
	for _, id := range ids {
		if !left[id] {
			delete(g.nowWaiting, id)
			g.noLongerWaiting[id] = struct{}{}
		}
	}
	return nil
}

// waits reports whether a row is one that is routed again.
func (l *Logged) waits() bool { return l.Version == 0 && l.Reason != syncproto.CodeResubmitted }

// waitingOf returns the devices of those of the rows that still wait.
func (g *group) waitingOf(rows []Logged) []syncproto.DeviceID {
	var ids []syncproto.DeviceID
	for i := range rows {
		if l := g.settled(&rows[i]); l.waits() {
			ids = append(ids, l.Change.Device)
		}
	}
	return ids
}

// retry routes parked rows once more.
func (g *group) retry(rows []Logged) error {
	keys := make([]review.Key, len(rows))
	for i := range rows {
		keys[i] = parkedKey(&rows[i])
	}
	if err := g.loadRulings(keys); err != nil {
		return err
	}
	if err := g.loadDevices(g.waitingOf(rows)); err != nil {
		return err
	}
	for i := range rows {
		l := g.settled(&rows[i])
		if !l.waits() {
			continue
		}
		state, err := g.device(l.Change.Device)
		if err != nil {
			return err
		}
		fields, err := l.Change.Values()
		if err != nil {
			return fmt.Errorf("group: fields of a parked change: %w", err)
		}
		w := g.touch(l.Change.Record)
		d := &decoded{fields: fields}
		if why := g.admit(l, d, w, state, g.rulingOn(l)); why != nil {
			g.repark(l, why, state)
			continue
		}
		g.next++
		l.Version, l.Reason, l.Field = g.next, "", ""
		state.unpark(l.Change.N)
		g.parked--
		if err := g.apply(l, d, w, true); err != nil {
			return err
		}
		g.note(l)
	}
	return nil
}

// note remembers a row of an earlier group that this one settled.
func (g *group) note(l *Logged) {
	if l.Seq <= g.w.last && !slices.Contains(g.released, l) {
		g.released = append(g.released, l)
	}
}

// settled returns the group's own copy of a row, which knows what the group did
// to it already.
func (g *group) settled(l *Logged) *Logged {
	key := origin{l.Change.Device, l.Change.N}
	if mine := g.prior[key]; mine != nil {
		return mine
	}
	g.prior[key] = l
	return l
}

// repark notes a reason that is no longer the same.
func (g *group) repark(l *Logged, why *syncproto.Error, state *DeviceState) {
	if l.Reason == why.Code && l.Field == why.Field {
		return
	}
	l.Reason, l.Field = why.Code, why.Field
	state.park(l.Change.N, why.Code)
	g.note(l)
}
