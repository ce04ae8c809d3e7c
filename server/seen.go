package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/host"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

type seenCommand struct {
	Record string `arg:"" help:"history_record"`
	dataFlag
	JSON bool `name:"json" help:"print_json"`
}

// Run tells who was shown a record, and on whose phones it is or was. It works beside a
// running server, and is itself noted.
func (c *seenCommand) Run(ctx context.Context, t *terminal) error {
	record, err := syncproto.ParseID[syncproto.RecordID](c.Record)
	if err != nil {
		return usageError{errNoRecord}
	}
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		seen, err := d.Seen(ctx, record)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(t, seen)
		}
		if err := printLines(t.out, seen.Lines); err != nil {
			return err
		}
		return printPhones(t.out, seen.Phones)
	})
}

// printPhones lists the phones that hold or held a copy.
func printPhones(w io.Writer, phones []audit.Phone) error {
	if len(phones) == 0 {
		return nil
	}
	var b strings.Builder
	say(&b, textOnPhones)
	for i := range phones {
		p := &phones[i]
		until := textStillThere.ZH + " " + textStillThere.EN
		if p.Until != 0 {
			until = timeOf(p.Until)
		}
		fmt.Fprintf(&b, "  %s  %s  %s  %s  %s – %s\n", p.Name, p.HolderName, p.Role, p.Area, timeOf(p.From), until)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printLines lists lines of the audit, one each.
func printLines(w io.Writer, lines []audit.Shown) error {
	var b strings.Builder
	for i := range lines {
		l := &lines[i]
		fmt.Fprintf(&b, "%s  %-13s  %s  %s  %s  %s  %s", timeOf(l.At), l.Act, either(l.Name, idOf(l.Who)), l.Role, either(l.DeviceName, idOf(l.Device)), l.Area, l.Detail)
		if n := len(l.Records); n > 0 {
			fmt.Fprintf(&b, "  ×%d", n)
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// timeOf writes an instant as people there read it.
func timeOf(at syncproto.Instant) string {
	return time.UnixMilli(int64(at)).In(form.Zone).Format(time.DateTime)
}

func either(name, id string) string {
	if name == "" {
		return id
	}
	return name
}

// idOf is an id, or a dash for none.
func idOf[T interface {
	~[16]byte
	IsZero() bool
	String() string
}](id T) string {
	if id.IsZero() {
		return "–"
	}
	return id.String()
}
