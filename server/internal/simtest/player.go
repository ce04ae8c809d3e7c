package simtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// player makes up a script, line by line, as its world stands: what a fleet of phones
// and its secretaries might do in some bad days. Everything follows from the seed.
type player struct {
	w    *World
	rand *rand.Rand
	// servers is how many there are.
	servers int
	// last numbers the records of each kind that the script has made up.
	last  map[syncproto.Kind]int
	homes map[string]string // where each device's people belong
	// decided are questions that were decided, as the script names them.
	decided  []string
	standing bool // the world's clock stands
	saved    bool // there is a backup
	// lone are phones that came in by an invitation.
	lone []string
	// frail says that somebody came in since the backup, and destroyed how many phones had
	// destroyed their copy then: see World.restore.
	frail     bool
	destroyed int
}

func newPlayer(w *World, seed uint64) *player {
	return &player{
		w: w, servers: 1 + int(seed%3), rand: rand.New(rand.NewPCG(seed, seed)), last: make(map[syncproto.Kind]int), homes: make(map[string]string),
	}
}

// fleet are the devices that a script may begin with.
var fleet = []struct{ name, areas, rest string }{
	{"a", "grid-1", "volunteer 甲 乙"},
	{"b", "grid-1,grid-2", "volunteer 丙"},
	{"s", "community", "secretary 书记 副书记"},
	{"t", "township", "township 主任"},
	{"c", "grid-2,grid-3", "volunteer 丁 甲"}, // 甲 has two phones
	{"d", "post", "volunteer 戊"},
}

// opening says how many servers there are, one for every third seed, enrols the fleet and makes what everybody's work is about.
func (p *player) opening() []string {
	var lines []string
	if p.servers > 1 {
		lines = append(lines, fmt.Sprintf("servers %d", p.servers))
	}
	for _, f := range fleet[:4+p.rand.IntN(3)] {
		p.homes[f.name] = f.areas
		lines = append(lines, fmt.Sprintf("device %s %s %s", f.name, f.areas, f.rest))
	}
	lines = append(lines, "s put round/1 in community name=一轮", "s put round/2 in community name=二轮", "s sync")
	for range 3 {
		lines = append(lines, p.household("a"), p.person("a"))
	}
	for _, f := range fleet[:len(p.homes)] {
		lines = append(lines, f.name+" sync")
	}
	return lines
}

// closing brings everybody back: online, with the grants that they had at first. Some of
// the phones that are not in use stay so.
func (p *player) closing() []string {
	var lines []string
	if p.standing {
		lines = append(lines, "time goes")
	}
	for _, f := range fleet[:len(p.homes)-len(p.lone)] {
		line := f.name + " online"
		d := p.w.devices[f.name]
		ends := d.until.Sub(p.w.clock.now()) < time.Hour // it could not even deliver
		if d.standing.Status == identity.InUse || ends || p.chance(2) {
			line += fmt.Sprintf(" ; %s post %s", f.name, f.areas)
		}
		lines = append(lines, line)
	}
	return lines
}

// turn is one thing that can happen.
type turn struct {
	weight int
	// draw makes a line of it, or "" if it can't happen now.
	draw func(*player, context.Context) (string, error)
}

// draw makes the next line.
func (p *player) draw(ctx context.Context) (string, error) {
	total := 0
	for _, t := range turns {
		total += t.weight
	}
	for {
		at := p.rand.IntN(total)
		for _, t := range turns {
			if at -= t.weight; at >= 0 {
				continue
			}
			line, err := t.draw(p, ctx)
			if err != nil || line != "" {
				return line, err
			}
			break
		}
	}
}

// one picks one of several.
func one[T any](p *player, of ...T) T { return of[p.rand.IntN(len(of))] }

// chance reports true once in so many times.
func (p *player) chance(in int) bool { return p.rand.IntN(in) == 0 }

// device picks one of the devices that are in the play and not locked.
func (p *player) device() *Device {
	for {
		if d := p.w.devices[one(p, p.w.order...)]; !d.client.Locked() {
			return d
		}
	}
}

// volunteer picks one that doesn't decide.
func (p *player) volunteer() *Device {
	for {
		if d := p.device(); !d.role.May(identity.Decide) {
			return d
		}
	}
}

// secretary picks one that does.
func (p *player) secretary() *Device {
	for {
		if d := p.device(); d.role.May(identity.Decide) {
			return d
		}
	}
}

// area picks an area that a device's people answer for; seldom another one.
func (p *player) area(device string) string {
	if p.chance(40) {
		return one(p, "grid-1", "grid-2", "grid-3", "post", "grid-9")
	}
	area := one(p, strings.Split(p.homes[device], ",")...)
	if area == "community" || area == "township" {
		return one(p, "grid-1", "grid-2", "grid-3")
	}
	return area
}

// number gives the next record of a kind its name.
func (p *player) number(kind syncproto.Kind) string {
	p.last[kind]++
	return fmt.Sprintf("%s/%d", kind, p.last[kind])
}

// known picks a record of a kind that the device shows; "" if there is none.
func (p *player) known(ctx context.Context, d *Device, kind syncproto.Kind) (string, error) {
	records, err := d.client.List(ctx, kind)
	if err != nil || len(records) == 0 {
		return "", err
	}
	return p.w.name(one(p, records...).ID), nil
}
