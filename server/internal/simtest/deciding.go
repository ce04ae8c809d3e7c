package simtest

import (
	"context"
	"fmt"
	"strings"

	"gridsync/clientsdk"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// decisions draws what is decided on a phone, with or without a signal: mostly about
// what it shows as disputed.
func (p *player) decisions(ctx context.Context) (string, error) {
	d := p.secretary()
	if p.chance(10) {
		d = p.device() // somebody who may not
	}
	kind := one(p, kinds...)
	disputed, err := d.client.List(ctx, kind, clientsdk.WithDispute())
	if err != nil {
		return "", err
	}
	if len(disputed) == 0 {
		return p.edit(ctx, d, "decide")
	}
	r := one(p, disputed...)
	field := one(p, r.Disputes()...)
	value := one(p, r.Candidates(field)...).Value
	return fmt.Sprintf("try %s decide %s %s=%s", d.name, p.w.name(r.ID), field, p.w.word(value)), nil
}

// word writes a value as a script does.
func (w *World) word(v syncproto.Value) string {
	text, ok := v.Text()
	switch {
	case v.IsNull():
		return "-"
	case !ok:
		return `"json:` + strings.ReplaceAll(string(v), `"`, "'") + `"`
	}
	if id, err := syncproto.ParseID[syncproto.RecordID](text); err == nil {
		return w.name(id)
	}
	return `"` + text + `"`
}

// merges draws two records that somebody takes for one, on a phone.
func (p *player) merges(ctx context.Context) (string, error) {
	d := p.secretary()
	kind := one[syncproto.Kind](p, "person", "person", "household")
	from, err := p.known(ctx, d, kind)
	if err != nil || from == "" {
		return "", err
	}
	into, err := p.known(ctx, d, kind)
	if err != nil || into == from {
		return "", err
	}
	if p.chance(4) {
		into = "-"
	}
	return fmt.Sprintf("try %s merge %s into %s", d.name, from, into), nil
}

// question picks an open question.
func (p *player) question(ctx context.Context) (*desk.Line, error) {
	lines, err := p.w.queue(ctx, "county")
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	kind := one(p, lines...).Kind
	if p.chance(2) { // the rare kinds too
		kind = one(p, review.Kinds...)
	}
	var of []desk.Line
	for i := range lines {
		if lines[i].Kind == kind {
			of = append(of, lines[i])
		}
	}
	if len(of) == 0 {
		return nil, nil
	}
	line := one(p, of...)
	return &line, nil
}

// rulings draws what is ruled about a question on a phone.
func (p *player) rulings(ctx context.Context) (string, error) {
	q, err := p.question(ctx)
	if err != nil || q == nil {
		return "", err
	}
	verdicts := map[review.Kind][]string{
		review.Duplicate: {"different"}, review.DoubleVisit: {"different"},
		review.Parked: {"accept", "return 请核对"}, review.Implausible: {"accept"},
	}[q.Kind]
	if len(verdicts) == 0 {
		return "", nil
	}
	return fmt.Sprintf("try %s rule %s %s %s", p.secretary().name, q.Area, p.w.tell(p.w.keyOf(q)), one(p, verdicts...)), nil
}

// orders draws what is decided at the server's desk.
func (p *player) orders(ctx context.Context) (string, error) {
	q, err := p.question(ctx)
	if err != nil || q == nil {
		return "", err
	}
	name := p.w.tell(p.w.keyOf(q))
	act, err := p.act(ctx, q)
	if err != nil || act == "" {
		return "", err
	}
	p.decided = append(p.decided, name)
	return fmt.Sprintf("try %s order %s %s", p.secretary().name, name, act), nil
}

// act picks what to do about a question.
func (p *player) act(ctx context.Context, q *desk.Line) (string, error) {
	switch q.Kind {
	case review.Conflict, review.Exit:
		return p.choice(ctx, q)
	case review.Duplicate, review.DoubleVisit:
		if q.Record == nil || q.Other == nil {
			return "", nil
		}
		survivor := p.w.name(one(p, q.Record.ID, q.Other.ID))
		return one(p, "different", "merge "+survivor, "merge "+survivor+" left=2020-01-28"), nil
	case review.Parked:
		return one(p, "accept", "accept area=grid-1", "accept birth=1980-01-01 name=王伟 without=birth", "return 请核对", "route community"), nil
	case review.Implausible:
		return one(p, "accept", "return 请复测", "route community"), nil
	}
	return one(p, "route township", "accept"), nil
}

// choice picks a value of the field in doubt.
func (p *player) choice(ctx context.Context, q *desk.Line) (string, error) {
	c, err := p.w.readCase(ctx, p.w.devices["t"], q.ID)
	if err != nil {
		if turnedAway(err) {
			return "", nil
		}
		return "", err
	}
	for _, r := range c.Records {
		for _, f := range r.Values {
			if f.Name != q.Field || len(f.Values) == 0 {
				continue
			}
			return fmt.Sprintf("choose %s=%s", f.Name, p.w.word(one(p, f.Values...).Value)), nil
		}
	}
	return "", nil
}

// undoes draws a decision that is taken back.
func (p *player) undoes(_ context.Context) (string, error) {
	if len(p.decided) == 0 {
		return "", nil
	}
	return fmt.Sprintf("try %s order %s undo", p.secretary().name, one(p, p.decided...)), nil
}

// withdrawals draws a decision that is taken back on the phone that made it.
func (p *player) withdrawals(ctx context.Context) (string, error) {
	d := p.secretary()
	log, err := d.client.Log(ctx)
	if err != nil {
		return "", err
	}
	var decided []string
	for i := range log {
		if log[i].Decides {
			decided = append(decided, fmt.Sprintf("%s %d", p.w.name(log[i].Record), log[i].N))
		}
	}
	if len(decided) == 0 {
		return "", nil
	}
	return fmt.Sprintf("try %s undo %s", d.name, one(p, decided...)), nil
}

// answers draws an author who submits anew what came back.
func (p *player) answers(ctx context.Context) (string, error) {
	d := p.device()
	back, err := d.author().Returned(ctx)
	if err != nil || len(back) == 0 {
		return "", err
	}
	r := one(p, back...)
	if r.Kind == "person" {
		return fmt.Sprintf("try %s resubmit %d name=王伟 birth=1980-01-01", d.name, r.N), nil
	}
	return fmt.Sprintf("try %s resubmit %d", d.name, r.N), nil
}

// signatures draws a day that is signed, and sometimes signed again.
func (p *player) signatures(_ context.Context) (string, error) {
	d := p.secretary()
	area := one(p, "community", "grid-1")
	if d.role == "township" {
		area = one(p, "community", "township")
	}
	day := one(p, "2020-01-26", "2020-01-27", "2020-01-28")
	return fmt.Sprintf("try %s sign day_close/%s-%s %s %s", d.name, area, day, area, day), nil
}
