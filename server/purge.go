package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/host"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

type purgeCommand struct {
	dataFlag
	Kind   syncproto.Kind   `placeholder:"KIND" help:"purge_kind"`
	Older  age              `placeholder:"DAYS" help:"purge_older"`
	Area   syncproto.AreaID `placeholder:"CODE" help:"purge_area"`
	DryRun bool             `help:"purge_dry"`
	List   bool             `help:"purge_list"`
	JSON   bool             `name:"json" help:"print_json"`
}

// errAge is an age that is none, or a kind without one.
var errAge = errors.New("a kind and an age of 1 to 36500 days")

// maxAge bounds an age: a hundred years.
const maxAge = 36500

// age is a number of days, written as 90 or 90d; 0 is for good.
type age int

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *age) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(strings.TrimSuffix(string(text), "d"))
	if err != nil || n < 0 || n > maxAge {
		return fmt.Errorf("%s: %w", text, errAge)
	}
	*a = age(n)
	return nil
}

// Run takes the content of old records away, or tells what was ever taken away.
func (c *purgeCommand) Run(ctx context.Context, t *terminal) error {
	if !c.List && (c.Kind == "" || c.Older == 0) {
		return usageError{errAge}
	}
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		if c.List {
			return c.list(ctx, t, d)
		}
		done, err := d.PurgeAlone(ctx, exchange.PurgeOrder{Kind: c.Kind, Area: c.Area, Days: int(c.Older), Dry: c.DryRun})
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(t, done)
		}
		text := textPurged
		if c.DryRun {
			text = textWouldPurge
		}
		say(t.out, text, done.Records, done.Changes, done.Older, done.Kept)
		return nil
	})
}

func (c *purgeCommand) list(ctx context.Context, t *terminal, d *host.Data) error {
	lines, err := d.Purges(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(t, append([]exchange.Purge{}, lines...))
	}
	for i := range lines {
		l := &lines[i]
		at := time.UnixMilli(int64(l.At)).In(form.Zone).Format(time.DateTime)
		say(t.out, textPurgeLine, at, l.Kind, areaOrAll(l.Area), l.Older, l.Records, l.Changes)
	}
	return nil
}

func areaOrAll(id syncproto.AreaID) string {
	if id == "" {
		return "*"
	}
	return string(id)
}

func printJSON(t *terminal, v any) error {
	enc := json.NewEncoder(t.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// errRetain is a retention of a kind that is never purged, or of none that there is.
var errRetain = errors.New("a kind of record and its days, such as passage=90d")

// retention is what -retain asks for.
func retention(given map[syncproto.Kind]age) (host.Retention, error) {
	forms, err := form.BuiltIn()
	if err != nil {
		return nil, fmt.Errorf("forms: %w", err)
	}
	keep := make(host.Retention, len(given))
	for kind, days := range given {
		if !forms.Has(kind) || exchange.NeverPurged(kind) {
			return nil, fmt.Errorf("--retain %s: %w", kind, errRetain)
		}
		keep[kind] = int(days)
	}
	return keep, nil
}
