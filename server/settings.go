package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"gridsync/server/internal/formbook"
	"gridsync/server/internal/host"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

type settingsCommand struct {
	Area syncproto.AreaID `arg:"" help:"settings_area"`
	Set  []string         `arg:"" optional:"" placeholder:"NAME=VALUE" help:"settings_set"`
	From string           `placeholder:"DAY" help:"settings_from"`
	dataFlag
}

// Run sets what is given, and shows what holds in the area then.
func (c *settingsCommand) Run(ctx context.Context, t *terminal) error {
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		held, err := c.held(ctx, d)
		if err != nil {
			return refused(err)
		}
		for _, h := range held.Held {
			where := nameOr(string(h.From), textByDefault)
			if h.Own {
				where = textSetHere.ZH + " / " + textSetHere.EN
			}
			fmt.Fprintf(t.out, "%s = %s  %s / %s  (%s)\n", h.Name, h.Value, h.Label.ZH, h.Label.EN, where)
		}
		for _, s := range held.History {
			fmt.Fprintf(t.out, "%s  %s  %s = %s  %s\n", form.DayOf(s.At), s.From, s.Name, s.Value, nameOr(s.ByName, textAtMachine))
		}
		return nil
	})
}

func (c *settingsCommand) held(ctx context.Context, d *host.Data) (*formbook.InArea, error) {
	changes := make([]formbook.Change, 0, len(c.Set))
	for _, word := range c.Set {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			return nil, &syncproto.Error{Code: syncproto.CodeBadSetting, Field: word, Detail: "NAME=VALUE"}
		}
		changes = append(changes, formbook.Change{Name: name, From: c.From, Value: settingValue(value)})
	}
	now := d.Operator()
	if len(changes) > 0 {
		return d.Forms().Set(ctx, c.Area, changes, now)
	}
	day := form.DayOf(now.At)
	if c.From != "" {
		var ok bool
		if day, ok = form.ParseDay(c.From); !ok {
			return nil, &syncproto.Error{Code: syncproto.CodeBadSetting, Field: "from", Detail: "a date such as 2020-01-31"}
		}
	}
	return d.Forms().Settings(c.Area, day)
}

// settingValue is a value as somebody types it: JSON, or a text without quotes; nothing is
// what holds above.
func settingValue(word string) syncproto.Value {
	switch {
	case word == "":
		return syncproto.Null
	case json.Valid([]byte(word)):
		return syncproto.Value(word)
	}
	return syncproto.TextValue(word)
}
