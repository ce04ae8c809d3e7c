package simtest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gridsync/clientsdk"
	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// pass lets minutes pass, unless time stands.
func (w *World) pass(minutes int) {
	if !w.standing {
		w.clock.pass(time.Duration(minutes) * time.Minute)
	}
}

type (
	worldStep  func(context.Context, *World, []string) error
	deviceStep func(context.Context, *World, *Device, []string) error
)

// worldSteps are the steps that are no device's.
var worldSteps = map[string]worldStep{
	"device":  addDevice,
	"invite":  invite,
	"hand":    hand,
	"area":    addArea,
	"wait":    wait,
	"time":    standStill,
	"restart": func(ctx context.Context, w *World, _ []string) error { return w.restart(ctx) },
	"servers": serve,
	"backup":  func(ctx context.Context, w *World, _ []string) error { return w.backup(ctx) },
	"restore": func(ctx context.Context, w *World, _ []string) error { return w.restore(ctx) },
	"all":     expectAll,
	"server":  expectServer,
	"review":  expectReview,
	"queue":   expectQueue,
	"totals":  expectTotals,
	"on":      onDay,
	"parked":  expectParked,
	"waits":   expectWaits,
	"late":    expectLate,
	"day":     expectDay,
	"purge":   purgeOld,
	"publish": publish,
	"setting": setting,
	"gone":    expectGone,

	"round":     expectRound,
	"unvisited": expectUnvisited,
	"duties":    expectDuties,
	"unread":    expectUnread,
	"stock":     expectStock,
}

// deviceSteps are what a device can do, and what can be expected of it.
var deviceSteps map[string]deviceStep

func init() { // "refused" names other steps
	deviceSteps = map[string]deviceStep{
		"put":      put,
		"force":    force,
		"decide":   decide,
		"exit":     exit,
		"return":   comeBack,
		"move":     move,
		"relocate": relocate,
		"merge":    mergeOnPhone,
		"rule":     rule,
		"undo":     undo,
		"resubmit": resubmit,
		"told":     expectTold,
		"returned": expectReturned,
		"sign":     sign,
		"close":    closeDay,
		"sendback": sendBack,
		"as":       switchAuthor,
		"post":     takePost,
		"read":     readNotice,
		"granted":  granted,
		"stands":   stand,
		"lock":     lock,
		"unlock":   unlock,
		"deliver":  deliver,
		"holds":    expectHolds,
		"closed":   expectClosed,
		"clock":    setClock,
		"sync":     syncNow,
		"offline":  func(_ context.Context, _ *World, d *Device, _ []string) error { d.link.offline = true; return nil },
		"online":   func(_ context.Context, _ *World, d *Device, _ []string) error { d.link.offline = false; return nil },
		"link":     planFaults,
		"replay":   func(_ context.Context, _ *World, d *Device, _ []string) error { return d.link.replay() },
		"open":     openCase,
		"order":    order,
		"bulk":     bulk,
		"refused":  refused,
		"repeat":   repeat,
		"sees":     expectSees,
		"disputes": expectDisputes,
		"lacks":    expectLacks,
		"says":     expectSays,
		"log":      expectLog,
		"form":     expectForm,
		"held":     expectHeld,
	}
}

// addDevice: device NAME AREA[,AREA] [ROLE] [AUTHOR…]
func addDevice(ctx context.Context, w *World, args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("device NAME AREA[,AREA] [ROLE] [AUTHOR…]")
	}
	var areas []syncproto.AreaID
	for a := range strings.SplitSeq(args[1], ",") {
		areas = append(areas, syncproto.AreaID(a))
	}
	role, authors := identity.Volunteer, args[2:]
	if len(authors) > 0 && slices.Contains(identity.Roles, identity.Role(authors[0])) {
		role, authors = identity.Role(authors[0]), authors[1:]
	}
	if len(authors) == 0 {
		authors = []string{args[0]}
	}
	return w.enrol(ctx, args[0], authors, areas, role)
}

// serve: servers COUNT; that many run over the one folder from now on, and each request goes
// to one of them.
func serve(ctx context.Context, w *World, args []string) error {
	count, err := strconv.Atoi(strings.Join(args, " "))
	if err != nil || count < 1 || count > 9 {
		return fmt.Errorf("servers COUNT, from 1 to 9")
	}
	w.fleet = count
	return w.restart(ctx)
}

// addArea: area CODE PARENT; a code that is there already gets the new parent.
func addArea(ctx context.Context, w *World, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("area CODE PARENT")
	}
	node := area.Node{ID: syncproto.AreaID(args[0]), Name: args[0], Parent: syncproto.AreaID(args[1])}
	do := func(ctx context.Context) error {
		if err := w.server().PutAreas(ctx, []area.Node{node}); err != nil {
			return err
		}
		return w.retry(ctx)
	}
	w.lies(node.ID, node.Parent)
	w.since = append(w.since, do)
	return do(ctx)
}

// wait: wait 90m
func wait(_ context.Context, w *World, args []string) error {
	d, err := time.ParseDuration(strings.Join(args, ""))
	w.clock.pass(d)
	return err
}

// standStill: time stands | time goes — while it stands, steps take no time.
func standStill(_ context.Context, w *World, args []string) error {
	w.standing = slices.Equal(args, []string{"stands"})
	return nil
}

// repeat: a repeat N STEP… — the step so many times, with each % in it replaced by 1 to N.
func repeat(ctx context.Context, w *World, d *Device, args []string) error {
	if len(args) < 2 || deviceSteps[args[1]] == nil {
		return fmt.Errorf("repeat N STEP…")
	}
	times, err := number(args[0])
	for i := 1; i <= times && err == nil; i++ {
		words := slices.Clone(args[2:])
		for j := range words {
			words[j] = strings.ReplaceAll(words[j], "%", strconv.Itoa(i))
		}
		w.learn(words)
		err = deviceSteps[args[1]](ctx, w, d, words)
	}
	return err
}

// defaults are the fields that a new record needs and that a script needn't say.
var defaults = map[syncproto.Kind]syncproto.Fields{
	"household": {"address": `"某路1号"`, "found_on": `"2020-01-27"`, "tenure": `"rented"`},
	"person":    {"name": `"某人"`, "found_on": `"2020-01-27"`},
	"round":     {"name": `"一轮"`, "starts": `"2020-01-27"`},
	"visit":     {"visited_at": "1580083200000", "outcome": `"met"`},

	"observation": {"start": `"2020-01-27"`},
	"temperature": {"taken_at": "1580083200000", "value": "36.5"},
	"task":        {"what": `"check_person"`, "issued_on": `"2020-01-27"`},
	"notice":      {"title": `"通知"`, "issued_on": `"2020-01-27"`},
	"lead":        {"text": `"有人说"`, "received_at": "1580083200000"},
	"supply":      {"item": `"mask"`, "day": `"2020-01-27"`},
}

// edit reads RECORD [in AREA] field=value…
func (w *World) edit(ctx context.Context, d *Device, args []string) (clientsdk.Edit, error) {
	if len(args) == 0 {
		return clientsdk.Edit{}, fmt.Errorf("which record?")
	}
	e := clientsdk.Edit{Record: recordID(args[0]), Kind: kindOf(args[0]), Fields: syncproto.Fields{}}
	rest := args[1:]
	if len(rest) > 1 && rest[0] == "in" {
		e.Area, rest = syncproto.AreaID(rest[1]), rest[2:]
	}
	if _, err := d.client.Get(ctx, e.Record); err != nil {
		if e.Area == "" {
			e.Area = "grid-1"
		}
		for name, v := range defaults[e.Kind] {
			e.Fields[name] = v
		}
	}
	given, err := pairs(rest)
	for _, p := range given {
		e.Fields[p[0]] = value(e.Kind, p[0], p[1])
	}
	return e, err
}

// builtIn are the forms that every world has.
var builtIn = sync.OnceValues(form.BuiltIn)

// value writes a script's word as a field's value: records by their names, lists
// with commas, the rest by the field's type. "-" clears.
func value(kind syncproto.Kind, name, word string) syncproto.Value {
	set, err := builtIn()
	if err != nil {
		panic(err) // the forms are in the program: a test of theirs says what is wrong
	}
	field, _ := set.Newest(kind).Field(name)
	if word == "-" {
		return syncproto.Null
	}
	if raw, ok := strings.CutPrefix(word, "json:"); ok { // with ' for ", which a word can't hold
		return syncproto.Value(strings.ReplaceAll(raw, "'", `"`))
	}
	switch field.Type {
	case form.Integer, form.Decimal, form.Boolean, form.Time:
		return syncproto.Value(word)
	case form.Choices:
		return syncproto.ValueOf(list(word))
	case form.Refs:
		ids := list(word)
		for i := range ids {
			ids[i] = recordID(ids[i]).String()
		}
		return syncproto.ValueOf(ids)
	case form.Ref:
		return syncproto.TextValue(recordID(word).String())
	}
	return syncproto.TextValue(word)
}

func list(word string) []string {
	if word == "" {
		return []string{}
	}
	members := strings.Split(word, ",")
	slices.Sort(members)
	return members
}

func (d *Device) author() *clientsdk.Author { return d.client.As(d.typing()) }

// typing is who types on the device.
func (d *Device) typing() syncproto.AuthorID {
	for _, person := range d.people {
		if person.Name == d.as {
			return person.ID
		}
	}
	return syncproto.AuthorID{}
}

func put(ctx context.Context, w *World, d *Device, args []string) error {
	e, err := w.edit(ctx, d, args)
	if err != nil {
		return err
	}
	_, err = d.author().Put(ctx, e)
	return err
}

// force records what the form rejects.
func force(ctx context.Context, w *World, d *Device, args []string) error {
	e, err := w.edit(ctx, d, args)
	if err != nil {
		return err
	}
	e.Anyway = true
	_, err = d.author().Put(ctx, e)
	return err
}

func decide(ctx context.Context, w *World, d *Device, args []string) error {
	e, err := w.edit(ctx, d, args)
	if err != nil {
		return err
	}
	e.Decides = true
	_, err = d.author().Put(ctx, e)
	return err
}

// exit: a exit person/1 moved 2020-01-30
func exit(ctx context.Context, _ *World, d *Device, args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("exit RECORD REASON DATE")
	}
	return d.author().Exit(ctx, recordID(args[0]), syncproto.Exit{Reason: args[1], Date: args[2]})
}

func comeBack(ctx context.Context, _ *World, d *Device, args []string) error {
	return d.author().Return(ctx, recordID(args[0]))
}

// move: a move person/1 grid-2
func move(ctx context.Context, _ *World, d *Device, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("move RECORD AREA")
	}
	return d.author().Move(ctx, recordID(args[0]), syncproto.AreaID(args[1]))
}

func switchAuthor(_ context.Context, _ *World, d *Device, args []string) error {
	for _, person := range d.people {
		if person.Name == args[0] {
			d.as = args[0]
			return nil
		}
	}
	return fmt.Errorf("%s does not record on %s", args[0], d.name)
}

// setClock: a clock +5m | a clock 2030-01-01
func setClock(_ context.Context, w *World, d *Device, args []string) error {
	if day, err := time.ParseInLocation(time.DateOnly, args[0], form.Zone); err == nil {
		d.skew = day.Sub(w.clock.now())
		return nil
	}
	skew, err := time.ParseDuration(strings.TrimPrefix(args[0], "+"))
	d.skew = skew
	return err
}

// syncNow: a sync | a sync fails
func syncNow(ctx context.Context, _ *World, d *Device, args []string) error {
	_, err := d.client.Sync(ctx)
	if len(args) == 0 {
		return err
	}
	if err == nil {
		return fmt.Errorf("it was to fail, and did not")
	}
	return nil
}

// planFaults: a link drop-answer cut-request
func planFaults(_ context.Context, _ *World, d *Device, args []string) error {
	for _, arg := range args {
		f := fault(arg)
		if !slices.Contains([]fault{dropAnswer, cutRequest, cutAnswer, duplicate}, f) {
			return fmt.Errorf("no such fault: %q", arg)
		}
		d.link.planned = append(d.link.planned, f)
	}
	return nil
}

func number(word string) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil {
		return 0, fmt.Errorf("not a number: %q", word)
	}
	return n, nil
}
