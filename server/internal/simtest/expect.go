package simtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"gridsync/clientsdk"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// expectAll: all RECORD field=value… — every device and the server show this.
func expectAll(ctx context.Context, w *World, args []string) error {
	for _, name := range w.order {
		if err := expectSees(ctx, w, w.devices[name], args); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return expectServer(ctx, w, args)
}

// expectSees: a sees RECORD field=value…
func expectSees(ctx context.Context, _ *World, d *Device, args []string) error {
	r, err := d.client.Get(ctx, recordID(args[0]))
	if err != nil {
		return err
	}
	return compare(kindOf(args[0]), r.Fields(), r.Area, args[1:])
}

func compare(kind syncproto.Kind, shown syncproto.Fields, at syncproto.AreaID, args []string) error {
	want, err := pairs(args)
	if err != nil {
		return err
	}
	for _, p := range want {
		if p[0] == "area" {
			if string(at) != p[1] {
				return fmt.Errorf("it is in %s", at)
			}
			continue
		}
		v := value(kind, p[0], p[1])
		if got := shown[p[0]]; got != v && !(got == "" && v == syncproto.Null) {
			return fmt.Errorf("%s is %s, not %s", p[0], got, v)
		}
	}
	return nil
}

// expectDisputes: a disputes RECORD field… — the device shows these as disputed, and no others.
func expectDisputes(ctx context.Context, _ *World, d *Device, args []string) error {
	r, err := d.client.Get(ctx, recordID(args[0]))
	if err != nil {
		return err
	}
	return sameNames(r.Disputes(), args[1:])
}

func sameNames(got, want []string) error {
	want = slices.DeleteFunc(slices.Clone(want), func(s string) bool { return s == "none" })
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("got %q", got)
	}
	return nil
}

// expectLacks: a lacks RECORD
func expectLacks(ctx context.Context, _ *World, d *Device, args []string) error {
	_, err := d.client.Get(ctx, recordID(args[0]))
	switch {
	case errors.Is(err, clientsdk.ErrNotFound):
		return nil
	case err == nil:
		return errors.New("it is there")
	}
	return err
}

// expectSays: a says N OUTCOME [CODE] — what the device was told of its change N.
func expectSays(ctx context.Context, _ *World, d *Device, args []string) error {
	n, err := number(args[0])
	if err != nil {
		return err
	}
	log, err := d.client.Log(ctx)
	if err != nil {
		return err
	}
	for _, e := range log {
		if e.N != uint64(n) {
			continue
		}
		code := ""
		if e.Reason != nil {
			code = string(e.Reason.Code)
		}
		if string(e.Outcome) != args[1] || len(args) > 2 && code != args[2] {
			return fmt.Errorf("it was told %s %s", e.Outcome, code)
		}
		return nil
	}
	return fmt.Errorf("it has no change %d", n)
}

// expectLog: a log delivered=2 unsent=0 — how many of its changes are in a state.
func expectLog(ctx context.Context, _ *World, d *Device, args []string) error {
	log, err := d.client.Log(ctx)
	if err != nil {
		return err
	}
	states := make(map[string]int)
	for _, e := range log {
		states[string(e.State)]++
	}
	want, err := pairs(args)
	if err != nil {
		return err
	}
	for _, p := range want {
		if n, err := number(p[1]); err != nil || states[p[0]] != n {
			return errors.Join(err, fmt.Errorf("its log is %v", states))
		}
	}
	return nil
}

// rows reads a whole roster through the API.
func (w *World) rows(ctx context.Context, at string, kind syncproto.Kind) ([]roster.Row, error) {
	var rows []roster.Row
	for after := ""; ; {
		var page roster.Page
		q := url.Values{"after": {after}, "kind": {string(kind)}, "limit": {"500"}}
		if err := w.get(ctx, "/v1/areas/"+at+"/roster?"+q.Encode(), &page); err != nil {
			return nil, err
		}
		rows = append(rows, page.Rows...)
		if after = page.Next; after == "" {
			return rows, nil
		}
	}
}

// expectServer: server RECORD field=value… | server RECORD none
func expectServer(ctx context.Context, w *World, args []string) error {
	rows, err := w.rows(ctx, "county", kindOf(args[0]))
	if err != nil {
		return err
	}
	at := slices.IndexFunc(rows, func(r roster.Row) bool { return r.ID == recordID(args[0]) })
	if len(args) == 2 && args[1] == "none" {
		if at >= 0 {
			return errors.New("the server has it")
		}
		return nil
	}
	if at < 0 {
		return errors.New("the server does not have it")
	}
	return compare(kindOf(args[0]), rows[at].Fields, rows[at].Area, args[1:])
}

// expectReview: review RECORD what… | review RECORD none — the open questions about
// it: conflict and exit by their fields, the others by their kinds.
func expectReview(ctx context.Context, w *World, args []string) error {
	lines, err := w.queue(ctx, "county")
	if err != nil {
		return err
	}
	id := recordID(args[0])
	var asked []string
	for i := range lines {
		k := w.keyOf(&lines[i])
		switch {
		case k.Record != id && k.Other() != id:
		case k.Kind == review.Conflict || k.Kind == review.Exit:
			asked = append(asked, k.Field)
		default:
			asked = append(asked, string(k.Kind))
		}
	}
	return sameNames(asked, args[1:])
}

// expectQueue: queue AREA kind=N… — how many questions lie on the desks of an area
// and below, and how many of each kind named.
func expectQueue(ctx context.Context, w *World, args []string) error {
	lines, err := w.queue(ctx, args[0])
	if err != nil {
		return err
	}
	counts := make(map[string]int)
	for i := range lines {
		counts[string(lines[i].Kind)]++
	}
	want, err := pairs(args[1:])
	for _, p := range want {
		if n, err := number(p[1]); err != nil || counts[p[0]] != n {
			return errors.Join(err, fmt.Errorf("there are %v", counts))
		}
	}
	return err
}

// summary reads the totals of an area, on today's day if none is given.
func (w *World) summary(ctx context.Context, at string) (*rollup.Summary, error) {
	var sum rollup.Summary
	day := w.day
	if day == 0 {
		day = form.DayOf(syncproto.Instant(w.clock.now().UnixMilli()))
	}
	return &sum, w.get(ctx, "/v1/areas/"+at+"/summary?day="+day.String(), &sum)
}

// onDay: on DAY totals AREA measure=N… — totals of another day than today.
func onDay(ctx context.Context, w *World, args []string) error {
	day, ok := form.ParseDay(args[0])
	if !ok || len(args) < 3 || args[1] != "totals" {
		return errors.New("on DAY totals AREA measure=N…")
	}
	w.day = day
	defer func() { w.day = 0 }()
	return expectTotals(ctx, w, args[2:])
}

// expectTotals: totals AREA measure=N…
func expectTotals(ctx context.Context, w *World, args []string) error {
	sum, err := w.summary(ctx, args[0])
	if err != nil {
		return err
	}
	want, err := pairs(args[1:])
	if err != nil {
		return err
	}
	for _, p := range want {
		n, err := number(p[1])
		if err != nil {
			return err
		}
		at := slices.IndexFunc(sum.Measures, func(m rollup.Measure) bool { return m.Name == p[0] })
		if at < 0 {
			return fmt.Errorf("there is no measure %q", p[0])
		}
		if got := sum.Measures[at].Value; got != int64(n) {
			return fmt.Errorf("%s is %d", p[0], got)
		}
	}
	return nil
}

// expectParked: parked N — how many changes wait in the whole county.
func expectParked(ctx context.Context, w *World, args []string) error {
	want, err := number(args[0])
	if err != nil {
		return err
	}
	exchange := w.server().Exchange()
	if err := exchange.TakeUp(ctx); err != nil {
		return err
	}
	if got := exchange.Stats().Parked; got != want {
		return fmt.Errorf("%d are parked", got)
	}
	return nil
}

// expectWaits: waits AREA N — how many parked changes the totals of an area tell of.
func expectWaits(ctx context.Context, w *World, args []string) error {
	sum, err := w.summary(ctx, args[0])
	if err != nil {
		return err
	}
	want, err := number(args[1])
	if err != nil {
		return err
	}
	if got := sum.Watermark.Parked; got != want {
		return fmt.Errorf("%d wait", got)
	}
	return nil
}

// expectLate: late ROUND ROUND person… | none — who was met only in the second round.
func expectLate(ctx context.Context, w *World, args []string) error {
	var diff roster.Diff
	path := fmt.Sprintf("/v1/rounds/%s/diff/%s?area=county&limit=500", recordID(args[0]), recordID(args[1]))
	if err := w.get(ctx, path, &diff); err != nil {
		return err
	}
	var got, want []string
	for _, found := range diff.OnlyB {
		got = append(got, found.Person.String())
	}
	for _, name := range args[2:] {
		if name != "none" {
			want = append(want, recordID(name).String())
		}
	}
	if err := sameNames(got, want); err != nil {
		return fmt.Errorf("%d are late: %w", len(got), err)
	}
	return nil
}
