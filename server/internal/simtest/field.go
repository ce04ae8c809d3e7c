package simtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"gridsync/server/internal/fieldwork"
	"gridsync/server/internal/simtest/oracle"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// rowsOfField is how many rows a page has where everything is compared: so many that a
// history has few pages, and more than one.
const rowsOfField = 40

// today is the day on which things are looked at.
func (w *World) today() form.Day {
	if w.day != 0 {
		return w.day
	}
	return form.DayOf(syncproto.Instant(w.clock.now().UnixMilli()))
}

func (w *World) round(ctx context.Context, at syncproto.AreaID, round syncproto.RecordID) (*fieldwork.RoundStatus, error) {
	var status fieldwork.RoundStatus
	return &status, w.get(ctx, fmt.Sprintf("/v1/areas/%s/rounds/%s?day=%s", at, round, w.today()), &status)
}

// expectRound: round AREA ROUND name=N… — the four numbers, and whatever else is counted.
func expectRound(ctx context.Context, w *World, args []string) error {
	if len(args) < 3 {
		return errors.New("round AREA ROUND name=N…")
	}
	s, err := w.round(ctx, syncproto.AreaID(args[0]), recordID(args[1]))
	if err != nil {
		return err
	}
	return expectNumbers(map[string]int{
		"households": s.Households, "met": s.Met, "not_home": s.NotHome, "refused": s.Refused,
		"never_heard_of": s.NeverHeardOf, "people_met": s.PeopleMet, "elsewhere": s.Elsewhere,
	}, args[2:])
}

// expectNumbers holds numbers against name=N….
func expectNumbers(got map[string]int, args []string) error {
	want, err := pairs(args)
	if err != nil {
		return err
	}
	for _, p := range want {
		n, err := number(p[1])
		if there, known := got[p[0]]; err != nil || !known || there != n {
			return errors.Join(err, fmt.Errorf("got %v", got))
		}
	}
	return nil
}

// households reads which households a round reached in some ways.
func (w *World) households(ctx context.Context, at syncproto.AreaID, round syncproto.RecordID, ways string, rows int) ([]fieldwork.RoundHousehold, error) {
	var all []fieldwork.RoundHousehold
	for after := ""; ; {
		var page fieldwork.HouseholdPage
		q := url.Values{"reached": {ways}, "limit": {strconv.Itoa(rows)}, "after": {after}, "day": {w.today().String()}}
		if err := w.get(ctx, fmt.Sprintf("/v1/areas/%s/rounds/%s/households?%s", at, round, q.Encode()), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Households...)
		if after = page.Next; after == "" {
			return all, nil
		}
	}
}

// expectUnvisited: unvisited AREA ROUND RECORD… | none — the households of which nobody has
// heard.
func expectUnvisited(ctx context.Context, w *World, args []string) error {
	if len(args) < 3 {
		return errors.New("unvisited AREA ROUND RECORD…")
	}
	all, err := w.households(ctx, syncproto.AreaID(args[0]), recordID(args[1]), "never", 2)
	if err != nil {
		return err
	}
	var got []string
	for i := range all {
		got = append(got, w.name(all[i].Household))
	}
	return sameNames(got, args[2:])
}

// duties reads what is to be done, all pages of it.
func (w *World) duties(ctx context.Context, at string, rows int) (*fieldwork.Duties, error) {
	var all *fieldwork.Duties
	for after := ""; ; {
		var page fieldwork.Duties
		q := url.Values{"day": {w.today().String()}, "limit": {strconv.Itoa(rows)}, "after": {after}}
		if err := w.get(ctx, "/v1/areas/"+at+"/duties?"+q.Encode(), &page); err != nil {
			return nil, err
		}
		if all == nil {
			all = &fieldwork.Duties{Counts: page.Counts, Children: page.Children}
		}
		all.Duties = append(all.Duties, page.Duties...)
		if after = page.Next; after == "" {
			return all, nil
		}
	}
}

// counted are counts by their names: "task" those open, "task!" those whose time is past.
func counted(counts []fieldwork.DutyCount) map[string]int {
	by := make(map[string]int)
	for _, c := range counts {
		by[string(c.Kind)] = c.Open
		if c.Overdue > 0 {
			by[string(c.Kind)+"!"] = c.Overdue
		}
	}
	return by
}

// expectDuties: duties AREA kind=N… — how many there are to do; kind! those overdue.
func expectDuties(ctx context.Context, w *World, args []string) error {
	if len(args) < 2 {
		return errors.New("duties AREA kind=N…")
	}
	duties, err := w.duties(ctx, args[0], 3)
	if err != nil {
		return err
	}
	got := counted(duties.Counts)
	for _, kind := range fieldwork.DutyKinds {
		for _, name := range []string{string(kind), string(kind) + "!"} {
			got[name] += 0
		}
	}
	return expectNumbers(got, args[1:])
}

// expectUnread: unread AREA NOTICE AUTHOR… | none — who of those posted there has not said
// that they read it.
func expectUnread(ctx context.Context, w *World, args []string) error {
	if len(args) < 3 {
		return errors.New("unread AREA NOTICE AUTHOR…")
	}
	var got []string
	for after := ""; ; {
		var page fieldwork.Receipts
		q := url.Values{"area": {args[0]}, "limit": {"2"}, "after": {after}}
		if err := w.get(ctx, fmt.Sprintf("/v1/notices/%s/receipts?%s", recordID(args[1]), q.Encode()), &page); err != nil {
			return err
		}
		for _, p := range page.People {
			if p.ReadAt == nil {
				got = append(got, p.Name)
			}
		}
		if after = page.Next; after == "" {
			return sameNames(got, args[2:])
		}
	}
}

// expectStock: stock AREA item=N…
func expectStock(ctx context.Context, w *World, args []string) error {
	if len(args) < 2 {
		return errors.New("stock AREA item=N…")
	}
	ledger, err := w.supplies(ctx, args[0])
	if err != nil {
		return err
	}
	got := make(map[string]int)
	for _, item := range ledger.Items {
		got[item.Item] += int(item.Stock)
	}
	return expectNumbers(got, args[1:])
}

func (w *World) supplies(ctx context.Context, at string) (*fieldwork.Ledger, error) {
	var ledger fieldwork.Ledger
	return &ledger, w.get(ctx, "/v1/areas/"+at+"/supplies?day="+w.today().String(), &ledger)
}

// readNotice: a read NOTICE — whoever types on the device has read it.
func readNotice(ctx context.Context, _ *World, d *Device, args []string) error {
	if len(args) != 1 {
		return errors.New("read NOTICE")
	}
	return d.author().Read(ctx, recordID(args[0]))
}

// fieldAgrees holds rounds, supplies and duties against the oracle's, for a few areas, today
// and on one of the days on which something happened.
func fieldAgrees(ctx context.Context, w *World) error {
	r, err := w.read(ctx)
	if err != nil {
		return err
	}
	now := syncproto.Instant(w.clock.now().UnixMilli())
	days := []form.Day{form.DayOf(now)}
	if all := r.Days(); len(all) > 0 {
		days = append(days, all[len(all)/2])
	}
	defer func() { w.day = 0 }()
	for _, w.day = range slices.Compact(days) {
		for _, root := range []syncproto.AreaID{"county", "community", "grid-1"} {
			if err := w.fieldAgrees(ctx, r, root, w.day, now); err != nil {
				return fmt.Errorf("%s on %s: %w", root, w.day, err)
			}
		}
	}
	return nil
}

func (w *World) fieldAgrees(ctx context.Context, r *oracle.Reading, root syncproto.AreaID, day form.Day, now syncproto.Instant) error {
	ledger, err := w.supplies(ctx, string(root))
	if err != nil {
		return err
	}
	stock := r.Stock(root, day)
	for _, item := range ledger.Items {
		stock[item.Item] -= item.Stock
	}
	for item, n := range stock {
		if n != 0 {
			return fmt.Errorf("stock of %s: the log says %d more", item, n)
		}
	}
	duties, err := w.duties(ctx, string(root), rowsOfField)
	if err != nil {
		return err
	}
	if err := dutiesAgree(duties, r.Duties(root, day, now)); err != nil {
		return err
	}
	for id, rec := range r.Records {
		if rec.Kind != "round" || r.Root(id) != id {
			continue
		}
		if err := w.roundAgrees(ctx, root, id, r.Reached(id, root, day)); err != nil {
			return err
		}
	}
	return nil
}

func dutiesAgree(got *fieldwork.Duties, want map[string]int) error {
	counts := counted(got.Counts)
	listed := make(map[string]int)
	for i := range got.Duties {
		listed[string(got.Duties[i].Kind)]++
	}
	below := make(map[string]int)
	for _, child := range got.Children {
		for name, n := range counted(child.Counts) {
			below[name] += n
		}
	}
	for _, kind := range []string{"task", "lead", "observation_release", "observation_check", "household_unvisited"} {
		if counts[kind] != want[kind] || counts[kind+"!"] != want[kind+"!"] {
			return fmt.Errorf("%s: %d to do, %d late; the log says %d and %d", kind, counts[kind], counts[kind+"!"], want[kind], want[kind+"!"])
		}
		if listed[kind] != counts[kind] {
			return fmt.Errorf("%s: %d are counted, %d listed", kind, counts[kind], listed[kind])
		}
		if len(got.Children) > 0 && (below[kind] != counts[kind] || below[kind+"!"] != counts[kind+"!"]) {
			return fmt.Errorf("%s: the areas below come to %d, and not to %d", kind, below[kind], counts[kind])
		}
	}
	return nil
}

func (w *World) roundAgrees(ctx context.Context, root syncproto.AreaID, id syncproto.RecordID, want map[syncproto.RecordID]string) error {
	status, err := w.round(ctx, root, id)
	if err != nil {
		return err
	}
	counts := make(map[string]int)
	for _, how := range want {
		counts[how]++
	}
	if status.Households != len(want) || status.Met != counts["met"] || status.Refused != counts["refused"] ||
		status.NotHome != counts["not_home"] || status.NeverHeardOf != counts["never"] {
		return fmt.Errorf("%s: %+v, the log says %v", w.name(id), status.RoundNumbers, counts)
	}
	sum := 0
	for _, child := range status.Children {
		sum += child.Households
	}
	if len(status.Children) > 0 && sum != status.Households {
		return fmt.Errorf("%s: the areas below have %d households, and not %d", w.name(id), sum, status.Households)
	}
	all, err := w.households(ctx, root, id, "never,met,refused,not_home,other", rowsOfField)
	if err != nil {
		return err
	}
	if len(all) != len(want) {
		return fmt.Errorf("%s: %d households are listed, the log says %d", w.name(id), len(all), len(want))
	}
	for i := range all {
		if all[i].Reached != want[all[i].Household] {
			return fmt.Errorf("%s: %s was reached as %s, the log says %s", w.name(id), w.name(all[i].Household), all[i].Reached, want[all[i].Household])
		}
	}
	return nil
}
