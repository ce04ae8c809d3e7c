package host

import (
	"gridsync/server/internal/formbook"
	"gridsync/syncproto"
)

// Forms are forms, templates and settings through their life. A server that runs over the
// folder hears of what is published and set here at its next look.
func (d *Data) Forms() *formbook.Service { return formbook.NewService(d.store, d.registry) }

// Operator is whoever sits at the machine, now.
func (d *Data) Operator() formbook.Editor {
	return formbook.Editor{At: syncproto.Instant(d.now().UnixMilli())}
}
