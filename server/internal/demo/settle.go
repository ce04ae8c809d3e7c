package demo

import (
	"context"
	"fmt"

	"gridsync/server/internal/demo/world"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// ruling is what the secretaries make of one sort of planted question: of every so many,
// the one at a place is settled.
type ruling struct {
	of, at int
	order  func(p *play, planted *world.Planted, c *desk.Case) desk.Order
	// open says that the question stays open, Undone that the decision is withdrawn, and
	// so it does.
	open, undone bool
}

// rulings are by sort. What isn't here is left for whoever looks at the page.
var rulings = map[string][]ruling{
	"mobile":         {{of: 3, at: 1, order: chooseShown}},
	"exit":           {{of: 3, at: 0, order: chooseExit}},
	"twice_number":   {{of: 3, at: 0, order: mergeInto}},
	"twice_variant":  {{of: 6, at: 0, order: mergeInto, undone: true}, {of: 6, at: 3, order: mergeInto}},
	"twice_sound":    {{of: 3, at: 0, order: different}},
	"twice_arrival":  {{of: 3, at: 0, order: mergeInto}},
	"three_channels": {{of: 6, at: 0, order: mergeInto}, {of: 6, at: 1, order: mergeInto}},
	"visited_twice":  {{of: 6, at: 0, order: mergeInto}, {of: 6, at: 3, order: different}},
	// Without these the second round's figures are not those of the case.
	"met_twice":       {{of: 1, at: 0, order: mergeInto}},
	"met_twice_visit": {{of: 1, at: 0, order: mergeInto}},
	"out_of_area":     {{of: 6, at: 0, order: accept}},
	"unknown_area":    {{of: 3, at: 0, order: acceptElsewhere}},
	"fails_form":      {{of: 3, at: 0, order: giveBack, open: true}},
	"cold":            {{of: 3, at: 0, order: accept}},
	"wrong_birth":     {{of: 3, at: 0, order: accept}},
	"hurried":         {{of: 2, at: 0, order: accept}},
	"late":            {{of: 3, at: 0, order: accept}},
}

func chooseShown(_ *play, planted *world.Planted, c *desk.Case) desk.Order {
	return desk.Order{Act: desk.Choose, Fields: syncproto.Fields{planted.Field: c.Record.Fields[planted.Field]}}
}

// chooseExit believes those who say that somebody left.
func chooseExit(_ *play, planted *world.Planted, c *desk.Case) desk.Order {
	for _, claim := range c.Record.Disputed[planted.Field] {
		if !claim.Value.IsNull() {
			return desk.Order{Act: desk.Choose, Fields: syncproto.Fields{planted.Field: claim.Value}}
		}
	}
	return desk.Order{Act: desk.Choose}
}

func mergeInto(_ *play, planted *world.Planted, _ *desk.Case) desk.Order {
	return desk.Order{Act: desk.Merge, Survivor: planted.Record}
}

func different(*play, *world.Planted, *desk.Case) desk.Order {
	return desk.Order{Act: desk.Different, Reason: "已电话核实，是两回事"}
}

func accept(*play, *world.Planted, *desk.Case) desk.Order {
	return desk.Order{Act: desk.Accept, Reason: "已核实"}
}

// acceptElsewhere lets in what names an area that nobody made, as belonging to one that
// is there.
func acceptElsewhere(p *play, _ *world.Planted, _ *desk.Case) desk.Order {
	return desk.Order{Act: desk.Accept, Area: p.w.Community, Reason: "编码有误，归社区直属"}
}

func giveBack(*play, *world.Planted, *desk.Case) desk.Order {
	return desk.Order{Act: desk.Return, Reason: "身份证号校验位不对，请再核对证件"}
}

// outcome is what has come of the planted questions at the desk.
type outcome struct {
	// closed and told are indexes of world.Planted: what was settled, and what authors
	// hear of.
	closed, told map[int]bool
	// into says which records turned out to be others, as the server tells it.
	into map[string]string
	// aside are those that ended with others: authors may hear of them.
	aside []int
}

// settle lets the secretaries rule on some of each sort: the community's on what is
// theirs, the township's on what lies in a community that has none.
func (p *play) settle(ctx context.Context, d *docket) (*outcome, error) {
	o := &outcome{closed: map[int]bool{}, told: map[int]bool{}, into: map[string]string{}}
	nth := map[string]int{}
	for i := range p.w.Planted {
		planted := &p.w.Planted[i]
		n := nth[planted.Why]
		nth[planted.Why]++
		if planted.Decided {
			o.closed[i], o.told[i] = true, true
		}
		for _, r := range rulings[planted.Why] {
			if n%r.of != r.at || d.lines[i] == nil || (planted.Why == "three_channels" && n > r.at) {
				continue
			}
			if err := p.rule(ctx, d.lines[i], planted, &r); err != nil {
				return nil, fmt.Errorf("the secretary settles %s %s: %w", planted.Why, d.lines[i].ID, err)
			}
			o.told[i] = planted.Question != review.Restated // who signs again knows
			o.closed[i] = !r.undone && !r.open
		}
		// Two of three are one with the third: nothing is left to ask about them, and
		// who hears that of which pair is all the same.
		if planted.Why == "three_channels" && n == 2 {
			o.closed[i], o.aside = true, append(o.aside, i)
		}
	}
	return o, nil
}

// rule reads a question as the secretary does, and settles it; and takes that back if
// that is the story.
func (p *play) rule(ctx context.Context, line *desk.Line, planted *world.Planted, r *ruling) error {
	office := p.secretary
	if line.Area == p.w.Neighbour {
		office = p.township
	}
	c, err := office.question(ctx, line.ID)
	if err != nil {
		return err
	}
	if err := office.order(ctx, c, r.order(p, planted, c)); err != nil || !r.undone {
		return err
	}
	if c, err = office.question(ctx, line.ID); err != nil {
		return err
	}
	return office.order(ctx, c, desk.Order{Act: desk.Undo, Reason: "合并有误，撤回"})
}

// settled reads what became of the questions that were settled, and counts them.
func (p *play) settled(ctx context.Context, d *docket, o *outcome) (ByKind, []string, error) {
	n := newByKind()
	var differ []string
	for i := range p.w.Planted {
		if !o.closed[i] {
			continue
		}
		planted := &p.w.Planted[i]
		id, err := d.id(i)
		if err != nil {
			return nil, nil, err
		}
		c, err := p.screen.question(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		if c.State != review.Closed {
			differ = append(differ, fmt.Sprintf("%s %s %s was settled and is %s", planted.Question, planted.Why, id, c.State))
			continue
		}
		n[planted.Question]++
		for r := range c.Records {
			for _, absorbed := range c.Records[r].Absorbed {
				o.into[absorbed.String()] = c.Records[r].ID.String()
			}
		}
	}
	return n, differ, nil
}

// id is the id of a planted question.
func (d *docket) id(i int) (syncproto.RecordID, error) {
	if l := d.lines[i]; l != nil {
		return l.ID, nil
	}
	return syncproto.ParseID[syncproto.RecordID](d.names[i])
}
