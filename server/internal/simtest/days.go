package simtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"gridsync/server/internal/dayclose"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/simtest/oracle"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func dayPath(id, day string) string { return "/v1/areas/" + id + "/days/" + day }

// closeDay: s close AREA DAY [zero] — whoever is typing looks at a day and signs it; zero
// says that nothing happened.
func closeDay(ctx context.Context, w *World, d *Device, args []string) error {
	if len(args) < 2 || len(args) > 3 || len(args) == 3 && args[2] != "zero" {
		return errors.New("close AREA DAY [zero]")
	}
	var seen, signed dayclose.Day
	if err := w.ask(ctx, http.MethodGet, dayPath(args[0], args[1]), d.token, nil, &seen); err != nil {
		return err
	}
	order := struct {
		Author syncproto.AuthorID `json:"author"`
		Seen   dayclose.Seen      `json:"seen"`
		Zero   bool               `json:"zero"`
	}{d.typing(), seen.Seen, len(args) == 3}
	return w.ask(ctx, http.MethodPost, dayPath(args[0], args[1])+"/sign", d.token, order, &signed)
}

// sendBack: s sendback AREA DAY REASON — whoever is typing returns a signed day.
func sendBack(ctx context.Context, w *World, d *Device, args []string) error {
	if len(args) != 3 {
		return errors.New("sendback AREA DAY REASON")
	}
	var seen, returned dayclose.Day
	if err := w.ask(ctx, http.MethodGet, dayPath(args[0], args[1]), d.token, nil, &seen); err != nil {
		return err
	}
	order := struct {
		Author syncproto.AuthorID `json:"author"`
		Record syncproto.Version  `json:"record"`
		Reason string             `json:"reason"`
	}{d.typing(), seen.Seen.Record, args[2]}
	return w.ask(ctx, http.MethodPost, dayPath(args[0], args[1])+"/return", d.token, order, &returned)
}

// expectDay: day AREA DAY STATE [MEASURE=N…] [below:AREA=STATE…] [unsigned=N] [zero=true] [by=RECORD,…] [late=true] [late:AREA=true] — how an
// area stands with a day, what was signed, how those below stand, and which records have
// restated it.
func expectDay(ctx context.Context, w *World, args []string) error {
	if len(args) < 3 {
		return errors.New("day AREA DAY STATE [MEASURE=N…] [below:AREA=STATE…] [unsigned=N] [zero=true] [by=RECORD,…] [late=true] [late:AREA=true]")
	}
	var d dayclose.Day
	if err := w.get(ctx, dayPath(args[0], args[1]), &d); err != nil {
		return err
	}
	if string(d.State) != args[2] {
		return fmt.Errorf("it is %s", d.State)
	}
	given, err := pairs(args[3:])
	if err != nil {
		return err
	}
	said := map[string]string{"unsigned": strconv.Itoa(d.Unsigned), "by": w.restaters(&d), "late": strconv.FormatBool(d.Late)}
	if d.Signed != nil {
		said["zero"] = strconv.FormatBool(d.Signed.Zero)
		for name, n := range d.Signed.Figures {
			said[name] = strconv.FormatInt(n, 10)
		}
	}
	for i := range d.Below {
		said["below:"+string(d.Below[i].Area)] = string(d.Below[i].State)
		said["late:"+string(d.Below[i].Area)] = strconv.FormatBool(d.Below[i].Late)
	}
	for _, p := range given {
		if said[p[0]] != p[1] {
			return fmt.Errorf("%s is %q", p[0], said[p[0]])
		}
	}
	return nil
}

// restaters names the records that have restated a day.
func (w *World) restaters(d *dayclose.Day) string {
	names := make([]string, 0, len(d.Changes))
	for i := range d.Changes {
		names = append(names, w.name(d.Changes[i].Record))
	}
	slices.Sort(names)
	text := ""
	for i, name := range slices.Compact(names) {
		if i > 0 {
			text += ","
		}
		text += name
	}
	return text
}

// daysAgree holds every day that was signed at a desk against the log: the figures frozen in
// it are those that the log says up to its version, its hash is that of its text, and what
// has moved since is what its changes, and what no record did, add up to.
func daysAgree(ctx context.Context, w *World) error {
	h, err := w.readLog(ctx)
	if err != nil {
		return err
	}
	r, err := w.read(ctx)
	if err != nil {
		return err
	}
	if err := w.lateAgrees(ctx, r); err != nil {
		return err
	}
	for _, rec := range r.Records {
		day, ok := oracle.Signed(rec)
		if !ok {
			continue
		}
		var d dayclose.Day
		if err := w.get(ctx, dayPath(string(rec.Area), day.String()), &d); err != nil {
			return err
		}
		if d.Signed == nil || d.Signed.Record != rec.ID {
			continue // another record signs the day
		}
		if err := w.deltaAgrees(r, rec, &d, day); err != nil {
			return fmt.Errorf("%s of %s: %w", day, rec.Area, err)
		}
		if d.Signed.Hash == "" || d.Signed.AsOf == 0 {
			continue // signed on a phone, or again at the queue
		}
		if !d.Signed.Holds {
			return fmt.Errorf("%s of %s: the hash is not that of what is signed", day, rec.Area)
		}
		if err := w.frozenAgrees(ctx, h.rows, rec, &d, day); err != nil {
			return fmt.Errorf("%s of %s: %w", day, rec.Area, err)
		}
	}
	return nil
}

// lateAgrees holds who is late with signing today against when the day is closed there.
func (w *World) lateAgrees(ctx context.Context, r *oracle.Reading) error {
	now := syncproto.Instant(w.clock.now().UnixMilli())
	for _, id := range levels {
		var d dayclose.Day
		if err := w.get(ctx, dayPath(string(id), form.DayOf(now).String()), &d); err != nil {
			return err
		}
		waits := d.State == dayclose.Open || d.State == dayclose.Returned
		if want := waits && now >= r.Closes(id, form.DayOf(now)); d.Late != want {
			return fmt.Errorf("%s is %s, and late: %t; by what is set there: %t", id, d.State, d.Late, want)
		}
	}
	return nil
}

// deltaAgrees adds up what restated a day.
func (w *World) deltaAgrees(r *oracle.Reading, rec *oracle.Record, d *dayclose.Day, day form.Day) error {
	if d.State != dayclose.Restated {
		return nil
	}
	moved := make(map[string]int64)
	for i := range d.Changes {
		for _, m := range d.Changes[i].Moves {
			moved[m.Name] += m.N
		}
	}
	for _, m := range d.Otherwise {
		moved[m.Name] += m.N
	}
	now := r.Totals(rec.Area, day)
	for _, m := range d.Delta {
		if m.Signed != d.Signed.Figures[m.Name] || m.Now != now[m.Name] || m.Now-m.Signed != moved[m.Name] {
			return fmt.Errorf("%s was signed as %d and is told to be %d; the log says %d, and its changes come to %d", m.Name, m.Signed, m.Now, now[m.Name], moved[m.Name])
		}
		delete(moved, m.Name)
	}
	for name, n := range moved {
		if n != 0 && !d.More {
			return fmt.Errorf("%s has not moved, and its changes come to %d", name, n)
		}
	}
	return nil
}

// frozenAgrees counts again what was signed, from the log as it was at the figures' version.
// Where content was purged since, or an area lies elsewhere, the log as it is can't say.
func (w *World) frozenAgrees(ctx context.Context, rows []exchange.Logged, rec *oracle.Record, d *dayclose.Day, day form.Day) error {
	if len(w.since) > 0 || slices.ContainsFunc(rows, func(l exchange.Logged) bool { return l.Purged != (syncproto.Hash{}) }) {
		return nil
	}
	then := make([]exchange.Logged, 0, len(rows))
	for i := range rows {
		if l := rows[i]; l.Version != 0 && l.Version <= d.Signed.AsOf {
			then = append(then, l)
		}
	}
	forms, err := w.forms()
	if err != nil {
		return err
	}
	tree, err := w.server().Areas(ctx)
	if err != nil {
		return err
	}
	past, err := oracle.Read(then, forms, tree, identity.NewDirectory(w.everyone()))
	if err != nil {
		return err
	}
	past.Under(w.said)
	counted := past.Totals(rec.Area, day)
	for _, name := range slices.Sorted(maps.Keys(d.Signed.Figures)) {
		if n := d.Signed.Figures[name]; n != counted[name] {
			return fmt.Errorf("%s was signed as %d at version %d; the log up to there says %d", name, n, d.Signed.AsOf, counted[name])
		}
	}
	return nil
}
