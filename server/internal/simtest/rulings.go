package simtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gridsync/clientsdk"
	"gridsync/server/internal/host"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

// takePost: a post AREA[,AREA] [for DURATION] — the people of a device get grants
// there, and the device a token that lasts as long.
func takePost(ctx context.Context, w *World, d *Device, args []string) error {
	valid := host.DefaultValid
	if len(args) == 3 && args[1] == "for" {
		var err error
		if valid, err = time.ParseDuration(args[2]); err != nil {
			return err
		}
	} else if len(args) != 1 {
		return fmt.Errorf("post AREA[,AREA] [for DURATION]")
	}
	var areas []syncproto.AreaID
	for a := range strings.SplitSeq(args[0], ",") {
		areas = append(areas, syncproto.AreaID(a))
	}
	return w.give(ctx, d, areas, valid)
}

// relocate: a relocate RECORD AREA DATE — whoever lived here until that day lives
// there since.
func relocate(ctx context.Context, _ *World, d *Device, args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("relocate RECORD AREA DATE")
	}
	return d.author().Relocate(ctx, recordID(args[0]), syncproto.AreaID(args[1]), args[2])
}

// mergeOnPhone: s merge RECORD into RECORD | s merge RECORD into - — a decision made
// on the phone, with or without a signal.
func mergeOnPhone(ctx context.Context, _ *World, d *Device, args []string) error {
	if len(args) != 3 || args[1] != "into" {
		return fmt.Errorf("merge RECORD into RECORD")
	}
	if args[2] != "-" {
		err := d.author().Merge(ctx, recordID(args[0]), recordID(args[2]))
		if errors.Is(err, clientsdk.ErrSame) {
			return errNothing
		}
		return err
	}
	_, err := d.author().Put(ctx, clientsdk.Edit{
		Record: recordID(args[0]), Kind: kindOf(args[0]), Decides: true,
		Fields: syncproto.Fields{syncproto.FieldSameAs: syncproto.Null},
	})
	return err
}

// undo: s undo RECORD N — the decision under the device's own number N is withdrawn.
func undo(ctx context.Context, _ *World, d *Device, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("undo RECORD N")
	}
	n, err := number(args[1])
	if err != nil {
		return err
	}
	id, err := syncproto.ParseID[syncproto.RecordID](args[0]) // a ruling has no other name
	if err != nil {
		id = recordID(args[0])
	}
	return d.author().Undo(ctx, id, syncproto.Origin{Device: d.id, N: uint64(n)})
}

// rule: s rule AREA QUESTION VERDICT [REASON] — a ruling about a question as such,
// made on the phone, with or without a signal.
func rule(ctx context.Context, w *World, d *Device, args []string) error {
	if len(args) < 4 {
		return fmt.Errorf("rule AREA QUESTION VERDICT [REASON]")
	}
	key, rest, err := w.key(ctx, args[1:])
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return fmt.Errorf("which verdict?")
	}
	_, err = d.author().Rule(ctx, clientsdk.Ruling{
		Question: syncproto.Question{Item: string(key.Kind), Record: key.Record, Field: key.Field},
		Says:     syncproto.Ruling(rest[0]), Area: syncproto.AreaID(args[0]), Reason: strings.Join(rest[1:], " "),
	})
	return err
}

// resubmit: a resubmit N field=value… — a change that came back is submitted anew.
func resubmit(ctx context.Context, _ *World, d *Device, args []string) error {
	n, err := number(args[0])
	if err != nil {
		return err
	}
	back, err := d.author().Returned(ctx)
	if err != nil {
		return err
	}
	for i := range back {
		if back[i].N != uint64(n) {
			continue
		}
		corrections := clientsdk.Edit{Fields: syncproto.Fields{}}
		given, err := pairs(args[1:])
		for _, p := range given {
			corrections.Fields[p[0]] = value(back[i].Kind, p[0], p[1])
		}
		if err == nil {
			_, err = d.author().Resubmit(ctx, uint64(n), corrections)
		}
		if errors.Is(err, clientsdk.ErrAnswered) {
			return errNothing
		}
		return err
	}
	return errNothing
}

// expectTold: a told SAID QUESTION-KIND RECORD [FIELD] | a told nothing — the last
// thing that the device's authors were told.
func expectTold(ctx context.Context, w *World, d *Device, args []string) error {
	told, err := d.client.Told(ctx)
	if err != nil {
		return err
	}
	var lines []string
	for i := range told {
		t := &told[i]
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", t.Said, t.Item, w.name(t.Record), t.Field)))
	}
	want := strings.Join(args, " ")
	if want == "nothing" && len(lines) == 0 || slices.Contains(lines, want) {
		return nil
	}
	return fmt.Errorf("it was told %q", lines)
}

// expectReturned: a returned N… | a returned none — which of its changes are back with
// whoever is typing.
func expectReturned(ctx context.Context, _ *World, d *Device, args []string) error {
	back, err := d.author().Returned(ctx)
	if err != nil {
		return err
	}
	var got []string
	for i := range back {
		got = append(got, strconv.FormatUint(back[i].N, 10))
	}
	return sameNames(got, args)
}

// sign: s sign RECORD AREA DAY measure=N… — a day is signed with these figures, or
// with those that stand if none are given.
func sign(ctx context.Context, w *World, d *Device, args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("sign RECORD AREA DAY [measure=N…]")
	}
	given, err := pairs(args[3:])
	if err != nil {
		return err
	}
	figures := make(map[string]int64)
	for _, p := range given {
		n, err := number(p[1])
		if err != nil {
			return err
		}
		figures[p[0]] = int64(n)
	}
	if len(given) == 0 {
		var sum rollup.Summary
		if err := w.get(ctx, "/v1/areas/"+args[1]+"/summary?"+url.Values{"day": {args[2]}}.Encode(), &sum); err != nil {
			return err
		}
		for _, m := range sum.Measures {
			figures[m.Name] = m.Value
		}
	}
	_, err = d.author().Put(ctx, clientsdk.Edit{
		Record: recordID(args[0]), Kind: review.DayCloseKind, Area: syncproto.AreaID(args[1]), Decides: true,
		Fields: syncproto.Fields{
			"day": syncproto.TextValue(args[2]), "figures": syncproto.TextValue(string(syncproto.ValueOf(figures))),
		},
	})
	return err
}
