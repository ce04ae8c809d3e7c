package bench

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/google/uuid"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Device is one phone of the bench with the volunteer who uses it.
type Device struct {
	ID     syncproto.DeviceID
	Author syncproto.AuthorID
	Name   string
	// Area is where the volunteer's grant is.
	Area syncproto.AreaID
}

// world is the county that is measured: communities under one root, people who
// live in them, and the phones. The same options make the same world but for the
// times in it.
type world struct {
	began   time.Time
	seed    uint64
	areas   []syncproto.Area
	devices []Device
	// loaders bring everybody's roster in: one for each community with people.
	loaders []Device
	// pushers are the devices for each number of clients.
	pushers map[int][]Device
	first   Device
	idlers  []Device
	// residents are the people of each community, in order of communities.
	residents [][]syncproto.RecordID
}

// idleClients is how many phones ask for news at the same time.
const idleClients = 8

// Communities with a part to play; pushers are in those that follow.
const (
	firstCommunity = iota
	idleCommunity
	pushCommunities
)

func newWorld(o Options, began time.Time) world {
	w := world{began: began, seed: o.Seed, pushers: map[int][]Device{}}
	g := w.generator("world")
	const root = syncproto.AreaID("999")
	w.areas = append(w.areas, syncproto.Area{ID: root, Name: "County"})
	// Each pusher has a community of its own, if need be without people: what is
	// measured is pushing, not the reading of what others push.
	inhabited := (o.People + o.Roster - 1) / o.Roster
	next := pushCommunities
	for _, clients := range o.Clients {
		next += clients
	}
	for i := range max(inhabited, next) {
		id := syncproto.AreaID(fmt.Sprintf("999%06d", i+1))
		w.areas = append(w.areas, syncproto.Area{ID: id, Name: fmt.Sprintf("Community %d", i+1), Parent: root})
		w.residents = append(w.residents, nil)
	}
	for i := range inhabited {
		w.loaders = append(w.loaders, w.addDevice(g, "loader", i))
	}
	for i := range o.People {
		w.residents[i/o.Roster] = append(w.residents[i/o.Roster], newID[syncproto.RecordID](g))
	}
	w.first = w.addDevice(g, "first", firstCommunity)
	for range idleClients {
		w.idlers = append(w.idlers, w.addDevice(g, "idle", idleCommunity))
	}
	next = pushCommunities
	for _, clients := range o.Clients {
		for range clients {
			w.pushers[clients] = append(w.pushers[clients], w.addDevice(g, "push", next))
			next++
		}
	}
	return w
}

func (w *world) addDevice(g *generator, part string, community int) Device {
	d := Device{
		ID: newID[syncproto.DeviceID](g), Author: newID[syncproto.AuthorID](g),
		Name: fmt.Sprintf("%s %d", part, len(w.devices)+1), Area: w.areas[community+1].ID,
	}
	w.devices = append(w.devices, d)
	return d
}

// generator draws the same values for the same seed and purpose.
type generator struct {
	*rand.Rand
	began time.Time
	drawn uint64
}

func (w *world) generator(purpose string) *generator {
	seed := [32]byte{}
	copy(seed[8:], purpose)
	for i := range 8 {
		seed[i] = byte(w.seed >> (8 * i))
	}
	return &generator{Rand: rand.New(rand.NewChaCha8(seed)), began: w.began}
}

// newID makes a version 7 UUID; a hundred of them share a millisecond.
func newID[T ~[16]byte](g *generator) T {
	ms := uint64(g.began.UnixMilli()) - 600_000 + g.drawn/100
	g.drawn++
	hi, lo := g.Uint64(), g.Uint64()
	var u uuid.UUID
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	for i := range 8 {
		u[8+i] = byte(lo >> (8 * i))
	}
	u[6] = 0x70 | byte(hi)&0x0f
	u[7] = byte(hi >> 8)
	u[8] = 0x80 | u[8]&0x3f
	return T(u)
}

// batch is the changes of one request: a JSON array, ready to be sent.
type batch struct {
	changes []byte
	count   int
	// last is the number of the last of them.
	last uint64
}

// people returns, for each loader, the batches of its community's roster.
func (w *world) people(size int) [][]batch {
	g := w.generator("people")
	loads := make([][]batch, len(w.loaders))
	k := 0
	for i, d := range w.loaders {
		records := w.residents[i]
		loads[i] = w.batches(g, d, len(records), size, func(n int) (syncproto.Kind, syncproto.RecordID, syncproto.Fields) {
			k++
			return "person", records[n], person(g, k)
		})
	}
	return loads
}

// temperatures returns, for each of so many clients, the batches that it pushes.
func (w *world) temperatures(clients, total, size int) [][]batch {
	g := w.generator(fmt.Sprintf("temperatures %d", clients))
	loads := make([][]batch, clients)
	for i, d := range w.pushers[clients] {
		share := share(total, size, clients, i)
		community := w.communityOf(d)
		loads[i] = w.batches(g, d, share, size, func(int) (syncproto.Kind, syncproto.RecordID, syncproto.Fields) {
			who := newID[syncproto.RecordID](g)
			if people := w.residents[community]; len(people) > 0 {
				who = people[g.IntN(len(people))]
			}
			return "temperature", newID[syncproto.RecordID](g), temperature(g, who)
		})
	}
	return loads
}

func (w *world) communityOf(d Device) int {
	for i, a := range w.areas[1:] {
		if a.ID == d.Area {
			return i
		}
	}
	return 0
}

// share is how many of total changes client i makes, when whole batches are dealt out.
func share(total, size, clients, i int) int {
	batches := (total + size - 1) / size
	mine := batches / clients
	if i < batches%clients {
		mine++
	}
	n := mine * size
	if (batches-1)%clients == i { // whoever is dealt the last one
		n -= batches*size - total
	}
	return n
}

type makeRecord func(n int) (syncproto.Kind, syncproto.RecordID, syncproto.Fields)

func (w *world) batches(g *generator, d Device, total, size int, next makeRecord) []batch {
	var out []batch
	for done := 0; done < total; {
		n := min(size, total-done)
		raws := make([]json.RawMessage, n)
		for i := range raws {
			kind, record, fields := next(done + i)
			raws[i] = encode(syncproto.Change{
				ID: newID[syncproto.ChangeID](g), Device: d.ID, N: uint64(done + i + 1), Author: d.Author,
				Kind: kind, Record: record, Area: d.Area, Fields: fields.Encode(),
				At: syncproto.Instant(w.began.UnixMilli()), Form: 1,
			})
		}
		done += n
		out = append(out, batch{changes: join(raws), count: n, last: uint64(done)})
	}
	return out
}

func encode(c syncproto.Change) json.RawMessage {
	raw, err := c.MarshalJSON()
	if err != nil {
		panic(fmt.Sprintf("bench: a change that can't be written: %v", err)) // ours, from our own types
	}
	return raw
}

// join writes a JSON array.
func join(raws []json.RawMessage) []byte {
	b := []byte{'['}
	for i, raw := range raws {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, raw...)
	}
	return append(b, ']')
}

// meanSize is the mean bytes of a change.
func meanSize(loads [][]batch) int {
	bytes, count := 0, 0
	for _, load := range loads {
		for _, b := range load {
			bytes += len(b.changes)
			count += b.count
		}
	}
	return bytes / max(1, count)
}

func pick(g *generator, from ...string) syncproto.Value {
	return syncproto.TextValue(from[g.IntN(len(from))])
}

var (
	surnames   = []string{"王", "李", "张", "刘", "陈", "杨", "黄", "周", "吴", "徐", "孙", "胡"}
	givenNames = []string{"伟", "芳", "秀英", "敏", "静", "强", "磊", "洋", "艳", "勇", "军", "杰", "桂兰", "建国", "小红", "志明"}
)

// person draws resident k. The number is of the area code 999xxx, which no place
// has, and the mobile of no network's range.
func person(g *generator, k int) syncproto.Fields {
	birth := time.Date(1930, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, g.IntN(80*365))
	digits := fmt.Sprintf("999%03d%s%03d", k%1000, birth.Format("20060102"), k/1000%1000)
	check, _ := form.IDCheck(digits)
	return syncproto.Fields{
		"name":       syncproto.TextValue(surnames[g.IntN(len(surnames))] + givenNames[g.IntN(len(givenNames))]),
		"sex":        pick(g, "male", "female"),
		"birth":      syncproto.TextValue(birth.Format(time.DateOnly)),
		"id_number":  syncproto.TextValue(digits + string(check)),
		"mobile":     syncproto.TextValue(fmt.Sprintf("100%08d", k)),
		"household":  syncproto.TextValue(newID[syncproto.RecordID](g).String()),
		"employer":   pick(g, "第一小学", "机械厂", "个体", "社区卫生服务中心", "无"),
		"residence":  pick(g, "registered", "migrant"),
		"came_from":  pick(g, "本地", "邻县", "外省"),
		"classes":    syncproto.ValueOf([]string{}),
		"vulnerable": syncproto.ValueOf([]string{}),
		"found_on":   syncproto.TextValue("2020-02-01"),
	}
}

// temperature draws one reading, with all twelve fields of the form.
func temperature(g *generator, who syncproto.RecordID) syncproto.Fields {
	symptoms := []string{}
	if g.IntN(50) == 0 {
		symptoms = append(symptoms, "cough")
	}
	return syncproto.Fields{
		"person":        syncproto.TextValue(who.String()),
		"household":     syncproto.TextValue(newID[syncproto.RecordID](g).String()),
		"slot":          pick(g, "am", "noon", "pm"),
		"value":         syncproto.Value(strconv.FormatFloat(36.1+float64(g.IntN(14))/10, 'f', 1, 64)),
		"symptoms":      syncproto.ValueOf(symptoms),
		"taken_at":      syncproto.ValueOf(g.began.UnixMilli() - int64(g.IntN(3_600_000))),
		"method":        pick(g, "forehead", "ear", "armpit"),
		"place":         pick(g, "家中", "小区门口", "卡点"),
		"thermometer":   syncproto.TextValue(fmt.Sprintf("T-%03d", g.IntN(400))),
		"medicated":     syncproto.ValueOf(false),
		"self_reported": syncproto.ValueOf(g.IntN(4) == 0),
		"note":          pick(g, "", "", "", "复测正常"),
	}
}
