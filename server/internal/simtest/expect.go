package simtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"gridsync/clientsdk"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/desk"
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

// expectReview: review RECORD field… | review RECORD none — the open questions about it.
func expectReview(ctx context.Context, w *World, args []string) error {
	var page desk.Page
	if err := w.get(ctx, "/v1/areas/county/review?limit=500", &page); err != nil {
		return err
	}
	var fields []string
	for _, item := range page.Items {
		if item.Record != nil && item.Record.ID == recordID(args[0]) {
			fields = append(fields, item.Field)
		}
	}
	return sameNames(fields, args[1:])
}

func (w *World) summary(ctx context.Context, at string) (*rollup.Summary, error) {
	var sum rollup.Summary
	day := form.DayOf(syncproto.Instant(w.clock.now().UnixMilli()))
	return &sum, w.get(ctx, "/v1/areas/"+at+"/summary?day="+day.String(), &sum)
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
func expectParked(_ context.Context, w *World, args []string) error {
	want, err := number(args[0])
	if err != nil {
		return err
	}
	if got := w.server.Exchange().Stats().Parked; got != want {
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

// quiet lets everybody sync until nothing is new, and then holds what must be true
// after every script.
func (w *World) quiet(ctx context.Context) error {
	for range 3 {
		for _, name := range w.order {
			d := w.devices[name]
			d.link.offline, d.link.planned = false, nil
			w.pass(1)
			report, err := d.client.Sync(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if len(report.Drifted) > 0 {
				return fmt.Errorf("%s: its copy of %v has drifted", name, report.Drifted)
			}
		}
	}
	difference, err := w.server.Rebuild(ctx)
	if err != nil {
		return err
	}
	if !difference.None() {
		return fmt.Errorf("a rebuild differs: %s", strings.Join(difference.Found, "; "))
	}
	return errors.Join(w.replicasAgree(ctx), w.nothingLost(ctx))
}

// replicasAgree holds every device's records against the server's.
func (w *World) replicasAgree(ctx context.Context) error {
	rows, err := w.rows(ctx, "county", "")
	if err != nil {
		return err
	}
	server := make(map[syncproto.RecordID]roster.Row, len(rows))
	for _, r := range rows {
		server[r.ID] = r
	}
	tree, err := w.server.Areas(ctx)
	if err != nil {
		return err
	}
	for _, name := range w.order {
		d := w.devices[name]
		has := make(map[syncproto.RecordID]bool)
		for _, kind := range d.client.Forms().Kinds() {
			records, err := d.client.List(ctx, kind)
			if err != nil {
				return err
			}
			for i := range records {
				has[records[i].ID] = true
				if err := same(&records[i], server); err != nil {
					return fmt.Errorf("%s: %s %s: %w", name, kind, records[i].ID, err)
				}
			}
		}
		for _, r := range rows {
			within := func(root syncproto.AreaID) bool { return tree.Within(r.Area, root) }
			if slices.ContainsFunc(d.areas, within) && !has[r.ID] {
				return fmt.Errorf("%s lacks %s %s of %s", name, r.Kind, r.ID, r.Area)
			}
		}
	}
	return nil
}

// same holds one record of a device against the server's, unless it only exists in
// changes that wait there.
func same(r *clientsdk.Record, server map[syncproto.RecordID]roster.Row) error {
	if r.Pending {
		return nil
	}
	row, ok := server[r.ID]
	if !ok {
		return errors.New("the server does not have it")
	}
	if row.Version != r.Version || row.Area != r.Area {
		return fmt.Errorf("version %d in %s, the server has %d in %s", r.Version, r.Area, row.Version, row.Area)
	}
	got := r.Fields()
	for _, name := range append(got.Names(), row.Fields.Names()...) {
		if got[name] != row.Fields[name] {
			return fmt.Errorf("%s is %s, the server's is %s", name, got[name], row.Fields[name])
		}
	}
	for name := range row.Disputed {
		if !r.Disputed(name) {
			return fmt.Errorf("%s is disputed on the server only", name)
		}
	}
	return nil
}

// nothingLost holds every device's own log against the server's change log.
func (w *World) nothingLost(ctx context.Context) error {
	held := make(map[syncproto.ChangeID]int)
	err := w.server.Histories(ctx, func(log []exchange.Logged, _ *syncproto.Record) error {
		for i := range log {
			held[log[i].Change.ID]++
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range w.order {
		log, err := w.devices[name].client.Log(ctx)
		if err != nil {
			return err
		}
		for _, e := range log {
			want := 1
			if e.Outcome == syncproto.Refused {
				want = 0
			}
			if held[e.ID] != want {
				return fmt.Errorf("%s: change %d (%s) is held %d times", name, e.N, e.State, held[e.ID])
			}
		}
	}
	return nil
}
