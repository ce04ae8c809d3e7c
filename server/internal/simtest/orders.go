package simtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"gridsync/server/internal/desk"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// ordered is the body of POST /v1/review.
type ordered struct {
	Author syncproto.AuthorID `json:"author"`
	Orders []desk.Order       `json:"orders"`
}

// results is its answer.
type results struct {
	Results []desk.Result `json:"results"`
}

// open: s open QUESTION — the decider reads the case; what is ordered later is
// ordered by what stands in it.
func openCase(ctx context.Context, w *World, d *Device, args []string) error {
	id, _, err := w.question(ctx, args)
	if err != nil {
		return err
	}
	c, err := w.readCase(ctx, d, id)
	if err == nil {
		d.seen[id] = c
	}
	return err
}

func (w *World) readCase(ctx context.Context, d *Device, id syncproto.RecordID) (*desk.Case, error) {
	var c desk.Case
	return &c, w.ask(ctx, http.MethodGet, "/v1/review/"+id.String(), d.token, nil, &c)
}

// order: s order QUESTION ACT ARGS… — see acts for what each takes.
func order(ctx context.Context, w *World, d *Device, args []string) error {
	id, rest, err := w.question(ctx, args)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return fmt.Errorf("order what?")
	}
	o := desk.Order{Item: id, Act: desk.Act(rest[0])}
	c := d.seen[id]
	delete(d.seen, id)
	if c == nil {
		if c, err = w.readCase(ctx, d, id); err != nil {
			return err
		}
	}
	o.Seen = &c.Seen
	if err := w.detail(&o, c, rest[1:]); err != nil {
		return err
	}
	return w.orderAll(ctx, d, []desk.Order{o})
}

// bulk: s bulk KIND ACT — all open questions of a kind at once.
func bulk(ctx context.Context, w *World, d *Device, args []string) error {
	lines, err := w.queue(ctx, "county")
	if err != nil {
		return err
	}
	var orders []desk.Order
	for i := range lines {
		if lines[i].Kind == review.Kind(args[0]) {
			orders = append(orders, desk.Order{Item: lines[i].ID, Act: desk.Act(args[1])})
		}
	}
	if len(orders) == 0 {
		return errNothing
	}
	return w.orderAll(ctx, d, orders)
}

func (w *World) orderAll(ctx context.Context, d *Device, orders []desk.Order) error {
	var said results
	if err := w.ask(ctx, http.MethodPost, "/v1/review", d.token, ordered{d.typing(), orders}, &said); err != nil {
		return err
	}
	if len(said.Results) != len(orders) {
		return fmt.Errorf("%d orders, %d results", len(orders), len(said.Results))
	}
	var errs []error
	for _, r := range said.Results {
		switch {
		case r.Error != nil:
			errs = append(errs, r.Error)
		case r.Version == 0:
			errs = append(errs, errors.New("neither a version nor a reason"))
		}
	}
	return errors.Join(errs...)
}

// detail reads what an act takes besides its question:
//
//	choose FIELD=VALUE…       merge SURVIVOR [left=DATE]   different
//	accept [FIELD=VALUE…] [without=FIELD,…] [area=AREA]    route AREA
//	return REASON             assign AUTHOR                undo
func (w *World) detail(o *desk.Order, c *desk.Case, args []string) error {
	switch o.Act {
	case desk.Route:
		o.Area = syncproto.AreaID(args[0])
		return nil
	case desk.Assign:
		o.Assignee = w.authors[args[0]]
		return nil
	case desk.Return:
		o.Reason = strings.Join(args, " ")
		return nil
	case desk.Merge:
		o.Survivor, args = recordID(args[0]), args[1:]
	}
	given, err := pairs(args)
	for _, p := range given {
		switch {
		case p[0] == "left" && o.Act == desk.Merge:
			o.Left = p[1]
		case p[0] == "without":
			o.Without = strings.Split(p[1], ",")
		case p[0] == syncproto.FieldArea && o.Act == desk.Accept:
			o.Area = syncproto.AreaID(p[1])
		default:
			if o.Fields == nil {
				o.Fields = syncproto.Fields{}
			}
			o.Fields[p[0]] = value(kindOfCase(c), p[0], p[1])
		}
	}
	return err
}

// kindOfCase is the kind of record that a case is about.
func kindOfCase(c *desk.Case) syncproto.Kind {
	switch {
	case c.Waiting != nil:
		return c.Waiting.Kind
	case len(c.Records) > 0:
		return c.Records[0].Kind
	}
	return ""
}

// refused: s refused CODE STEP… — the step is turned away with that code.
func refused(ctx context.Context, w *World, d *Device, args []string) error {
	if len(args) < 2 || deviceSteps[args[1]] == nil {
		return fmt.Errorf("refused CODE STEP…")
	}
	err := deviceSteps[args[1]](ctx, w, d, args[2:])
	var said *syncproto.Error
	switch {
	case err == nil:
		return fmt.Errorf("it was to be refused as %s, and was not", args[0])
	case errors.As(err, &said) && said.Code == syncproto.Code(args[0]):
		return nil
	}
	return err
}
