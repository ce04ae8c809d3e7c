package simtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gridsync/server/internal/formbook"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/simtest/oracle"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// definitions is where scripts find the forms that they publish.
const definitions = "../../../testdata/forms"

// forms are those of the program and those that the script has published.
func (w *World) forms() (form.Set, error) {
	set, err := builtIn()
	for _, f := range w.published {
		set = set.With(f)
	}
	return set, err
}

// publish: publish FILE — a form of testdata/forms, as the next version of its kind.
func publish(ctx context.Context, w *World, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("publish FILE")
	}
	source, err := os.ReadFile(filepath.Join(definitions, filepath.Base(args[0])))
	if err != nil {
		return err
	}
	f, err := form.Parse(source)
	if err != nil {
		return err
	}
	w.published = append(w.published, f)
	return w.operate(ctx, func(ctx context.Context) error {
		book := w.server().Forms()
		if _, err := book.PutDraft(ctx, registry.FormSort, string(f.Kind), source, w.server().Operator()); err != nil {
			return err
		}
		_, err := book.Publish(ctx, registry.FormSort, string(f.Kind), w.server().Operator())
		return err
	})
}

// setting: setting AREA name=value [from DAY]
func setting(ctx context.Context, w *World, args []string) error {
	words, from := cutFrom(args)
	if len(words) != 2 {
		return fmt.Errorf("setting AREA name=value [from DAY]")
	}
	given, err := pairs(words[1:])
	if err != nil {
		return err
	}
	day, ok := form.ParseDay(from)
	if !ok {
		return fmt.Errorf("not a day: %q", from)
	}
	id, value := syncproto.AreaID(words[0]), settingValue(given[0][1])
	w.said = append(w.said, oracle.Said{Area: id, Name: given[0][0], From: day, Value: value})
	change := formbook.Change{Name: given[0][0], From: from, Value: value}
	return w.operate(ctx, func(ctx context.Context) error {
		_, err := w.server().Forms().Set(ctx, id, []formbook.Change{change}, w.server().Operator())
		return err
	})
}

// operate does what an operator does, now and once a backup from before is restored.
func (w *World) operate(ctx context.Context, do func(context.Context) error) error {
	whole := func(ctx context.Context) error {
		if err := do(ctx); err != nil {
			return err
		}
		return w.retry(ctx)
	}
	w.since = append(w.since, whole)
	return whole(ctx)
}

// cutFrom takes "from DAY" off the end of a step; the first day of every script is what is
// meant without it.
func cutFrom(args []string) (words []string, from string) {
	if i := slices.Index(args, "from"); i >= 0 && i == len(args)-2 {
		return args[:i], args[i+1]
	}
	return args, "2020-01-27"
}

// settingValue is a number as it stands, "-" for what holds above, and else a text.
func settingValue(word string) syncproto.Value {
	switch {
	case word == "-":
		return syncproto.Null
	case strings.Trim(word, "0123456789.") == "":
		return syncproto.Value(word)
	}
	return syncproto.TextValue(word)
}

// expectForm: a form household=2 — the newest version that the phone has.
func expectForm(_ context.Context, _ *World, d *Device, args []string) error {
	want, err := pairs(args)
	for _, p := range want {
		f := d.client.Forms().Newest(syncproto.Kind(p[0]))
		if f == nil || fmt.Sprint(f.Version) != p[1] {
			return fmt.Errorf("it has %+v", f)
		}
	}
	return err
}

// expectHeld: a held grid-1 fever_threshold=37.5 [from DAY] — what the phone goes by there
// on that day.
func expectHeld(_ context.Context, _ *World, d *Device, args []string) error {
	words, day := cutFrom(args)
	if len(words) < 2 {
		return fmt.Errorf("held AREA name=value [from DAY]")
	}
	on, ok := form.ParseDay(day)
	if !ok {
		return fmt.Errorf("not a day: %q", day)
	}
	want, err := pairs(words[1:])
	for _, p := range want {
		got := d.client.Settings(syncproto.AreaID(words[0])).Setting(p[0], on)
		if got != settingValue(p[1]) {
			return fmt.Errorf("%s is %s", p[0], got)
		}
	}
	return err
}
