package simtest

import (
	"context"
	"fmt"

	"gridsync/server/internal/identity"
)

// fewLone bounds the phones that come in by an invitation: sealing is slow on purpose.
const fewLone = 2

// invites draws somebody who comes in with a phone of their own.
func (p *player) invites(_ context.Context) (string, error) {
	if len(p.lone) == fewLone {
		return "", nil
	}
	name, area := fmt.Sprintf("新%d", len(p.lone)+1), one(p, "grid-1", "grid-1", "grid-2", "post")
	p.lone, p.homes[name], p.frail = append(p.lone, name), area, true
	return fmt.Sprintf("invite %s %s", name, area), nil
}

// standings draws phones that are lost, handed back and found.
func (p *player) standings(_ context.Context) (string, error) {
	d := p.volunteer()
	if p.chance(5) {
		d = p.w.devices[one(p, p.w.order...)]
	}
	if d.standing.Status != identity.InUse && p.chance(2) {
		return fmt.Sprintf("try %s stands in_use", d.name), nil
	}
	return fmt.Sprintf("try %s stands %s", d.name, one(p, "lost", "lost", "retired")), nil
}

// handings draws grids that pass from one volunteer to another.
func (p *player) handings(_ context.Context) (string, error) {
	from, to := one(p, p.volunteer().people...), one(p, p.volunteer().people...)
	return fmt.Sprintf("try hand %s %s %s", one(p, "grid-1", "grid-2", "grid-3", "community"), from.Name, to.Name), nil
}

// locks draws sealed phones that are locked, deliver, and are unlocked.
func (p *player) locks(_ context.Context) (string, error) {
	if len(p.lone) == 0 {
		return "", nil
	}
	name := one(p, p.lone...)
	if p.w.devices[name].client.Locked() {
		return fmt.Sprintf("try %s %s", name, one(p, "deliver", "deliver", "unlock")), nil
	}
	return fmt.Sprintf("try %s %s", name, one(p, "deliver", "lock")), nil
}

// gone counts the phones that have destroyed their copy.
func (p *player) gone(ctx context.Context) (int, error) {
	n := 0
	for _, name := range p.w.order {
		status, err := p.w.devices[name].client.Status(ctx)
		if err != nil {
			return 0, err
		}
		if status.Closed {
			n++
		}
	}
	return n, nil
}
