package simtest

import (
	"context"
	"fmt"
	"slices"
)

// turns are everything that can happen, and how often.
var turns = []turn{
	{22, (*player).makes},
	{34, (*player).edits},
	{26, (*player).syncs},
	{3, (*player).leaving},
	{3, (*player).moving},
	{1, (*player).mistakes},
	{1, (*player).hurries},
	{4, (*player).decisions},
	{2, (*player).merges},
	{2, (*player).rulings},
	{12, (*player).orders},
	{3, (*player).undoes},
	{2, (*player).withdrawals},
	{3, (*player).answers},
	{1, (*player).signatures},
	{6, (*player).weather},
	{2, (*player).clocks},
	{2, (*player).shifts},
	{3, (*player).hours},
	{1, (*player).trees},
	{1, (*player).disasters},
	{2, (*player).ages},
	{1, (*player).invites},
	{2, (*player).standings},
	{1, (*player).handings},
	{3, (*player).locks},
}

func (p *player) syncs(_ context.Context) (string, error) {
	return fmt.Sprintf("try %s sync", p.device().name), nil
}

// weather draws what links do to requests.
func (p *player) weather(_ context.Context) (string, error) {
	d := p.device().name
	switch p.rand.IntN(5) {
	case 0:
		return d + " offline", nil
	case 1, 2:
		return d + " online", nil
	case 3:
		return fmt.Sprintf("try %s replay", d), nil
	}
	line := d + " link"
	for range 1 + p.rand.IntN(3) {
		line += " " + string(one(p, dropAnswer, cutRequest, cutAnswer, duplicate))
	}
	return line, nil
}

// clocks draws clocks that are off, by minutes and by years, and moments at which time
// stands, so that times are equal.
func (p *player) clocks(_ context.Context) (string, error) {
	if p.chance(4) {
		p.standing = !p.standing
		if p.standing {
			return "time stands", nil
		}
		return "time goes", nil
	}
	return fmt.Sprintf("%s clock %s", p.device().name, one(p, "+0s", "+0s", "+7m", "-3h", "2030-01-01", "1971-05-01", "2020-01-27")), nil
}

// shifts draws who types, and where people have their posts.
func (p *player) shifts(_ context.Context) (string, error) {
	d := p.device()
	if slices.Contains(p.lone, d.name) { // what it may do comes by grants alone
		return fmt.Sprintf("%s granted %s", d.name, one(p, "grid-1 for 30h", "grid-2 for 30h", "post for 26h", "grid-3")), nil
	}
	switch p.rand.IntN(4) {
	case 0:
		return fmt.Sprintf("%s post %s for 30h", d.name, one(p, "grid-1", "grid-2", "grid-3", "post")), nil
	case 1:
		return fmt.Sprintf("%s post %s", d.name, one(p, "grid-1", "grid-2", p.homes[d.name])), nil
	}
	return fmt.Sprintf("%s as %s", d.name, one(p, d.people...).Name), nil
}

func (p *player) hours(_ context.Context) (string, error) {
	return "wait " + one(p, "20m", "3h", "9h", "26h"), nil
}

// trees draws a tree of areas that changes.
func (p *player) trees(_ context.Context) (string, error) {
	return one(p, "area grid-9 community", "area grid-3 township", "area grid-3 community"), nil
}

// disasters draws restarts and lost disks.
func (p *player) disasters(ctx context.Context) (string, error) {
	gone, err := p.gone(ctx)
	switch {
	case err != nil:
		return "", err
	case p.chance(3):
		return "restart", nil
	case !p.saved || p.frail || gone > p.destroyed:
		p.saved, p.frail, p.destroyed = true, false, gone
		return "backup", nil
	case p.chance(2):
		return "restore", nil
	}
	return "", nil
}
