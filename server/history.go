package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"gridsync/server/internal/host"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

type historyCommand struct {
	Record string `arg:"" help:"history_record"`
	dataFlag
	JSON bool `name:"json" help:"print_json"`
}

// Run tells what was ever said about a record and about those that turned out to be it,
// the oldest first. It only reads, and works beside a running server.
func (c *historyCommand) Run(ctx context.Context, t *terminal) error {
	record, err := syncproto.ParseID[syncproto.RecordID](c.Record)
	if err != nil {
		return usageError{errNoRecord}
	}
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		log, err := d.History(ctx, record)
		if err != nil {
			return err
		}
		forms, err := form.BuiltIn()
		if err != nil {
			return fmt.Errorf("forms: %w", err)
		}
		told, err := (&teller{record: record, forms: forms, people: d.People()}).tell(log)
		if err != nil {
			return err
		}
		if c.JSON {
			enc := json.NewEncoder(t.out)
			enc.SetIndent("", "  ")
			return enc.Encode(told)
		}
		return printHistory(t.out, told)
	})
}

func printHistory(w io.Writer, told []entry) error {
	var b strings.Builder
	for i := range told {
		e := &told[i]
		fmt.Fprintf(&b, "%s  %s  %s  #%d  %s\n", moment(e.Stamp), e.Author, e.Device, e.Seq, e.marks())
		for _, f := range e.Fields {
			fmt.Fprintf(&b, "    %s %s：%s → %s\n", f.Label.ZH, f.Label.EN, f.Old, f.New)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// moment says when something was entered, by the corrected clock, and between which
// moments it must have been.
func moment(s syncproto.Stamp) string {
	at := func(t syncproto.Instant) string {
		return time.UnixMilli(int64(t)).In(form.Zone).Format("01-02 15:04:05")
	}
	text := time.UnixMilli(int64(s.Time)).In(form.Zone).Format(time.DateTime)
	if s.Earliest == 0 {
		return text + fmt.Sprintf(" (… – %s)", at(s.Latest))
	}
	return text + fmt.Sprintf(" (%s – %s)", at(s.Earliest), at(s.Latest))
}
