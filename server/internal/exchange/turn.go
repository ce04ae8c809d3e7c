package exchange

import (
	"context"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// Turn is what one committed group did to what whoever writes holds in memory: whoever
// shares the database takes it up before a group of its own, in order, and has then what
// it would have had as the only one. A group's own turn goes the same way.
//
// It holds ids and numbers, names that forms give (kinds, measures, flags), and nothing that
// people wrote: it lies in the clear for a while, and no purge has to look into it, but for
// its alerts.
type Turn struct {
	// Mark is its number among all turns, from 1, in the order of commits, and its name, which
	// the store gives it; After is the name of the turn before it.
	Mark  `json:"-"`
	After int64 `json:"-"`
	// Unsaid says that nobody is there to read it: the store only counts and names it.
	Unsaid bool `json:"-"`
	// Last is the greatest number given out, Now the instant of the group.
	Last syncproto.Version `json:"last"`
	Now  syncproto.Instant `json:"now"`
	// Anew says that everything was derived anew: nothing remembered holds, and whoever reads
	// this boots.
	Anew bool `json:"anew,omitempty"`
	// Rules is the print of the rules by which everything is derived now, Planted the shape of
	// the tree that the sums follow, Shape that of the tree to which days signed were held, if
	// the group did that.
	Rules   uint64 `json:"rules,omitempty"`
	Planted int64  `json:"planted,omitempty"`
	Shape   int64  `json:"shape,omitempty"`
	// Parked counts parked changes, Chain is the last link of the log's chain.
	Parked int            `json:"parked,omitempty"`
	Chain  syncproto.Hash `json:"chain"`
	// Waiting are records of which something is parked now, Settled those of which nothing is
	// any more.
	Waiting []syncproto.RecordID `json:"waiting,omitempty"`
	Settled []syncproto.RecordID `json:"settled,omitempty"`
	// Devices are those of which something else is known now.
	Devices    []syncproto.DeviceID `json:"devices,omitempty"`
	Heads      []Head               `json:"heads,omitempty"`
	Links      []Link               `json:"links,omitempty"`
	Twins      []Twins              `json:"twins,omitempty"`
	Signatures []Signature          `json:"signatures,omitempty"`
	// Moved says that areas lie elsewhere, so that totals may have moved anywhere.
	Moved bool `json:"moved,omitempty"`
	// Quiet says that the group only wrote contacts down: nobody is told of it.
	Quiet bool `json:"quiet,omitempty"`
	// Alerts are what subscribers are told; Unalarmed says that a purge has taken them out, as
	// they say what was raised by which record.
	Alerts    []Alert `json:"-"`
	Unalarmed bool    `json:"-"`
}

// Mark is one turn and no other one. A number alone is not: where another machine takes over
// that had not heard of the last commits, others are made in their place, under their
// numbers, and whoever has taken up one that was lost holds what never was.
type Mark struct {
	Number int64
	// Name is drawn by chance.
	Name int64
}

// Twins says of two records that they count as one until somebody says otherwise, or no
// longer.
type Twins struct {
	Link
	Apart bool `json:"apart,omitempty"`
}

// Turns is what was committed after one turn.
type Turns struct {
	// Last is the last turn, Revision the state of areas, identities, forms and settings.
	Last     Mark
	Revision int64
	// Kept are the turns asked for, in order, without a hole. Lost says that some aren't there
	// any more, or were never written down, or that the one after which was asked is not one
	// of these: boot then.
	Kept []Turn
	Lost bool
}

// TurnReader tells what others did.
type TurnReader interface {
	// Turns returns what was committed after a turn. Where nothing was, it is one cheap look.
	// A transaction sees what was committed before it began, and none of what it saves.
	Turns(ctx context.Context, after Mark) (Turns, error)
}

// turn is what the group does to what is held in memory.
func (g *group) turn() *Turn {
	b := &g.batch
	t := g.w.blankTurn()
	t.Last, t.Now, t.Parked, t.Chain, t.Planted = b.Last, b.Now, g.parked, g.chain, g.planted
	if g.reshaped {
		t.Shape = g.snap.Areas.Shape()
	}
	for id := range g.nowWaiting {
		t.Waiting = append(t.Waiting, id)
	}
	for id := range g.noLongerWaiting {
		t.Settled = append(t.Settled, id)
	}
	for i := range b.Devices {
		t.Devices = append(t.Devices, b.Devices[i].Device)
	}
	t.Heads, t.Links, t.Twins, t.Signatures, t.Alerts = b.Heads, b.Links, g.twins, b.Signatures, b.Alerts
	t.Moved = b.Tree != nil
	t.Quiet = g.quiet
	return t
}

// blankTurn is the next turn, of a group that does nothing.
func (w *writer) blankTurn() *Turn {
	return &Turn{
		Mark: Mark{Number: w.turn.Number + 1}, After: w.turn.Name, Last: w.last, Now: w.now, Rules: w.rules, Planted: w.planted, Parked: w.parked, Chain: w.chain,
	}
}

// took moves what is held in memory on by a turn. own are the states of devices where the
// turn is this process's own; what is known of the devices of another's is read again when
// somebody asks.
func (w *writer) took(t *Turn, own []DeviceState) {
	w.last, w.now, w.rules, w.planted, w.chain = t.Last, t.Now, t.Rules, t.Planted, t.Chain
	if t.Shape != 0 {
		w.shape = t.Shape
	}
	for _, id := range t.Waiting {
		w.waiting[id] = struct{}{}
	}
	for _, id := range t.Settled {
		delete(w.waiting, id)
	}
	w.countParked(t.Parked)
	for _, link := range t.Links {
		w.links.link(link)
	}
	for _, twins := range t.Twins {
		w.links.pair(twins.Link, !twins.Apart)
	}
	w.signed.publish(t.Signatures)
	w.service.heads.publish(t)
	w.service.devices.took(t.Devices, own)
	w.turned(t.Mark)
	if !t.Quiet || t.Moved {
		w.service.subscribed.tell(newsOf(t))
	}
}

// newsOf is what subscribers hear of a turn.
func newsOf(t *Turn) *News {
	news := &News{Version: t.Last, At: t.Now, Anew: t.Moved || t.Anew, Alerts: t.Alerts, Missed: t.Unalarmed}
	news.Areas = make(map[area.Key]struct{}, len(t.Heads))
	for i := range t.Heads {
		news.Areas[t.Heads[i].Area] = struct{}{}
	}
	return news
}

// turned notes up to which turn everything was taken up; requests look at it without
// waiting.
func (w *writer) turned(mark Mark) {
	w.turn = mark
	w.taken.Store(&mark)
}
