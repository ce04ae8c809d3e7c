package host

import (
	"context"
	"fmt"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// atTheMachine marks lines of the audit about whoever runs commands: the machine knows no
// names, but that somebody looked is known.
const atTheMachine = "command"

// Audit returns a page of what was noted, the newest first, from below a number on (0: the
// newest). That it was read is noted.
func (d *Data) Audit(ctx context.Context, want audit.Want, before int64, limit int) (*audit.Page, error) {
	if err := d.noteCommand(ctx, audit.Entry{Act: audit.ReadAudit}); err != nil {
		return nil, err
	}
	lines, next, err := d.store.AuditLines(ctx, want, before, limit)
	if err != nil {
		return nil, err
	}
	return &audit.Page{Lines: audit.Name(d.registry.Current(), lines), Next: next}, nil
}

// Seen says who saw a record, and on whose phones it is or was. That somebody asked is
// noted. It fails with code not_found where nothing was ever said.
func (d *Data) Seen(ctx context.Context, record syncproto.RecordID) (*audit.Seen, error) {
	where, err := desk.NewService(d.store, nil, d.registry, desk.Config{}).Where(ctx, record)
	if err != nil {
		return nil, err
	}
	if err := d.noteCommand(ctx, audit.Entry{Act: audit.AskedWho, Area: where.Areas[0], Records: []syncproto.RecordID{record}}); err != nil {
		return nil, err
	}
	snap := d.registry.Current()
	seen := &audit.Seen{Record: record, Areas: where.Areas, Phones: audit.Phones(snap, where.Areas, where.Since, d.instant())}
	for before := int64(0); ; {
		lines, err := d.store.AuditOf(ctx, record, before, roster.MaxRows)
		if err != nil {
			return nil, err
		}
		seen.Lines = append(seen.Lines, audit.Name(snap, lines)...)
		if len(lines) < roster.MaxRows {
			return seen, nil
		}
		before = lines[len(lines)-1].N
	}
}

func (d *Data) noteCommand(ctx context.Context, e audit.Entry) error {
	e.At, e.Detail = d.instant(), atTheMachine
	if err := d.store.AppendAudit(ctx, []audit.Entry{e}); err != nil {
		return fmt.Errorf("note a command: %w", err)
	}
	return nil
}
