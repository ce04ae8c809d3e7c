package simtest

import (
	"context"
	"fmt"
	"strings"

	"gridsync/syncproto"
)

// What people are called, and how others may write it.
var (
	surnames  = []string{"王", "李", "張", "张", "陳", "陈", "刘"}
	given     = []string{"伟", "偉", "芳", "静", "□", "洋"}
	births    = []string{"1980-01-01", "1992-05-06", "1975-11-30"}
	addresses = []string{"某路1号", "某路１号", "某路2号", "长安巷3号", "長安巷3号"}
	notes     = []string{"-", "好", "搬走", "需要口罩", "<&>"}
	readings  = []string{"36.5", "36.50", "36.8", "37.4", "38.2", "33.1", "44.0"}
	days      = []string{"2020-01-26", "2020-01-27", "2020-01-28", "2020-01-30", "2020-02-02"}
)

// person makes up somebody; one in four is somebody who may be there already.
func (p *player) person(device string) string {
	name := p.number("person")
	n, birth := p.last["person"], one(p, births...)
	if p.chance(4) {
		n = 1 + p.rand.IntN(n)
	}
	fields := []string{
		"name=" + one(p, surnames...) + one(p, given...), "birth=" + birth, "found_on=" + one(p, days...),
	}
	if p.chance(2) {
		fields = append(fields, "id_number="+p.spelled(idNumber(birth, n)))
	}
	if p.chance(3) {
		fields = append(fields, fmt.Sprintf("mobile=999%08d", n))
	}
	if h := p.last["household"]; h > 0 && p.chance(2) {
		fields = append(fields, fmt.Sprintf("household=household/%d", 1+p.rand.IntN(h)))
	}
	return fmt.Sprintf("try %s put %s in %s %s", device, name, p.area(device), strings.Join(fields, " "))
}

// spelled writes some texts in full width.
func (p *player) spelled(text string) string {
	if !p.chance(3) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r + 0xFEE0
		}
		return r
	}, text)
}

// idNumber makes the n-th number of a birthday, with its check character, in a place
// that there is not.
func idNumber(birth string, n int) string {
	body := "999001" + strings.ReplaceAll(birth, "-", "") + fmt.Sprintf("%03d", n%1000)
	weights := []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(body[i]-'0') * w
	}
	return body + string("10X98765432"[sum%11])
}

func (p *player) household(device string) string {
	address := one(p, addresses...)
	if !p.chance(4) {
		address = fmt.Sprintf("某街%d号", 10+p.last["household"])
	}
	return fmt.Sprintf("try %s put %s in %s address=%s found_on=%s", device, p.number("household"), p.area(device), address, one(p, days...))
}

func (p *player) visit(device string) string {
	return fmt.Sprintf("try %s put %s in %s round=round/%d household=household/%d outcome=%s found=person/%d visited_at=%d",
		device, p.number("visit"), p.area(device), 1+p.rand.IntN(2), 1+p.rand.IntN(3), one(p, "met", "met", "not_home"),
		1+p.rand.IntN(max(1, p.last["person"])), p.w.clock.now().UnixMilli())
}

func (p *player) temperature(device string) string {
	return fmt.Sprintf("try %s put %s in %s person=person/%d value=%s taken_at=%d",
		device, p.number("temperature"), p.area(device), 1+p.rand.IntN(max(1, p.last["person"])), one(p, readings...), p.moment())
}

// moment is a time of the last day or two.
func (p *player) moment() int64 {
	return p.w.clock.now().UnixMilli() - p.rand.Int64N(36)*3_600_000
}

// makes draws a new record of any kind.
func (p *player) makes(_ context.Context) (string, error) {
	makers := []func(*player, string) string{(*player).person, (*player).person, (*player).household, (*player).visit, (*player).temperature}
	return one(p, makers...)(p, p.device().name), nil
}

// fields are what an edit may touch, and what it may say.
var fields = map[syncproto.Kind][][]string{
	"person": {
		{"name=王伟", "name=张伟", "name=張偉", "name=李芳"},
		{"birth=1980-01-01", "birth=1992-05-06", "birth=-"},
		{"sex=male", "sex=female", "sex=-"},
		{"residence=registered", "residence=migrant"},
		{"classes=wuhan_return", "classes=contact,key_region", "classes=", "classes=contact"},
		{"household=household/1", "household=household/2", "household=-"},
		{"mobile=99900000001", "mobile=99900000002", `mobile="999 0000 0001"`},
		{"found_on=2020-01-25", "found_on=2020-01-27"},
	},
	"household": {
		{"head=甲", "head=乙", "head=-"},
		{"headcount=3", "headcount=4"},
		{"tenure=rented", "tenure=registered", "tenure=firm"},
		{"address=某路1号", "address=某路2号", "address=某路１号"},
	},
	"visit": {
		{"outcome=met", "outcome=not_home", "outcome=refused"}, {"found=person/1", "found=person/1,person/2", "found="}, {"household=household/1", "household=household/2"},
	},
	"temperature": {{"value=36.5", "value=36.50", "value=38.2", "value=33.1"}, {"symptoms=cough", "symptoms=cough,fatigue", "symptoms="}, {"person=person/1", "person=person/2"}},
}

// kinds are those that edits are made of, the frequent ones more often.
var kinds = []syncproto.Kind{"person", "person", "person", "household", "household", "visit", "temperature"}

// edits draws an edit of what the device shows: of few records, so that people meet.
func (p *player) edits(ctx context.Context) (string, error) {
	return p.edit(ctx, p.device(), "put")
}

func (p *player) edit(ctx context.Context, d *Device, step string) (string, error) {
	kind := one(p, kinds...)
	name, err := p.known(ctx, d, kind)
	if err != nil || name == "" {
		return "", err
	}
	if p.chance(2) { // often one of the first, so that people meet
		name = fmt.Sprintf("%s/%d", kind, 1+p.rand.IntN(3))
		if _, err := d.client.Get(ctx, recordID(name)); err != nil {
			return "", nil //nolint:nilerr // the device does not have it: something else is drawn
		}
	}
	said := []string{one(p, one(p, fields[kind]...)...)}
	if p.chance(3) {
		said = append(said, "note="+one(p, notes...))
	}
	return fmt.Sprintf("try %s %s %s %s", d.name, step, name, strings.Join(said, " ")), nil
}

// mistakes draws an entry that the form rejects.
func (p *player) mistakes(_ context.Context) (string, error) {
	d := p.volunteer()
	return fmt.Sprintf("try %s force %s in %s birth=never note=%s", d.name, p.number("person"), p.area(d.name), one(p, notes...)), nil
}

// leaving draws exits and what takes them back.
func (p *player) leaving(ctx context.Context) (string, error) {
	d := p.device()
	name, err := p.known(ctx, d, one[syncproto.Kind](p, "person", "household"))
	if err != nil || name == "" {
		return "", err
	}
	if p.chance(3) {
		return fmt.Sprintf("try %s return %s", d.name, name), nil
	}
	return fmt.Sprintf("try %s exit %s %s %s", d.name, name, one(p, "moved", "died", "left", "duplicate"), one(p, days...)), nil
}

// moving draws records that change their area.
func (p *player) moving(ctx context.Context) (string, error) {
	d := p.device()
	name, err := p.known(ctx, d, one[syncproto.Kind](p, "person", "household"))
	if err != nil || name == "" {
		return "", err
	}
	to := one(p, "grid-1", "grid-2", "grid-3", "post")
	if p.chance(2) {
		return fmt.Sprintf("try %s relocate %s %s %s", d.name, name, to, one(p, days...)), nil
	}
	return fmt.Sprintf("try %s move %s %s", d.name, name, to), nil
}

// hurries draws more visits in ten minutes than anybody makes.
func (p *player) hurries(_ context.Context) (string, error) {
	d := p.volunteer()
	batch := p.number("visit")
	return fmt.Sprintf("try %s repeat 13 put %s-%% in %s round=round/1 household=%s-%% visited_at=%d",
		d.name, batch, p.area(d.name), strings.Replace(batch, "visit", "household", 1), p.moment()/600_000*600_000), nil
}
