package host

import (
	"context"
	"errors"
	"fmt"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/intake"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// PlanImport says what a file would do. It works beside a running server.
func (d *Data) PlanImport(ctx context.Context, o intake.Order) (*intake.Plan, error) {
	if _, err := d.registry.Refresh(ctx); err != nil {
		return nil, err
	}
	return d.intake(nil).Plan(ctx, d.dated(o))
}

// ImportAlone has done what a file would do at this moment, and notes it. leaveOut leaves
// out the rows that can't be entered; otherwise they stand in the way. Nobody else may work
// on the folder meanwhile.
func (d *Data) ImportAlone(ctx context.Context, o intake.Order, leaveOut bool) (done *intake.Plan, err error) {
	o = d.dated(o)
	err = d.alone(ctx, func(ctx context.Context) error {
		if _, err := d.registry.Refresh(ctx); err != nil {
			return err
		}
		service, err := exchange.New(ctx, exchange.Config{
			Store: d.store, Registry: d.registry, Digester: d.secrets.digester, Now: d.now, Alone: true,
		})
		if err != nil {
			return err
		}
		done, err = importNow(ctx, d, d.intake(service), o, leaveOut)
		return errors.Join(err, service.Close(context.WithoutCancel(ctx)))
	})
	return done, err
}

func importNow(ctx context.Context, d *Data, s *intake.Service, o intake.Order, leaveOut bool) (*intake.Plan, error) {
	plan, err := s.Plan(ctx, o)
	if err != nil || plan.Token == "" {
		return plan, err
	}
	done, err := s.Apply(ctx, o, plan.Token, leaveOut)
	if err != nil {
		return nil, err
	}
	return done, audit.NewKeeper(d.store).Note(ctx, audit.Entry{
		At: o.At, Act: audit.Imported, Who: o.Author, Area: o.Area,
		Detail: fmt.Sprintf("%s rows %d entered %d file %s", o.Kind, done.Counts.Rows, done.Applied.Changes, done.Digest[:16]),
	})
}

func (d *Data) intake(desk intake.Desk) *intake.Service {
	return intake.NewService(d.store, desk, roster.NewService(d.store, d.registry), d.registry, d.secrets.digester)
}

// dated gives an order its moment.
func (d *Data) dated(o intake.Order) intake.Order {
	o.At = syncproto.Instant(d.now().UnixMilli())
	o.Today = form.DayOf(o.At)
	return o
}
