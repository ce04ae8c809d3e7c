package world

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"gridsync/server/internal/division"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// at returns a moment of January 2020 in China.
func at(day, hour, minute int) syncproto.Instant {
	return syncproto.Instant(time.Date(2020, 1, day, hour, minute, 0, 0, form.Zone).UnixMilli())
}

func date(day int) string { return fmt.Sprintf("2020-01-%02d", day) }

// Begins is when the story begins: the evening before the first round.
var Begins = at(26, 19, 0)

// cadresArrive is when the seconded cadres get their phones.
var cadresArrive = at(28, 18, 30)

// newID makes a version 7 UUID of a moment and the next random bits.
func newID[T ~[16]byte](r *rand.Rand, t syncproto.Instant) T {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(t)<<16|uint64(r.IntN(1<<12))|7<<12)
	binary.BigEndian.PutUint64(b[8:], r.Uint64()>>2|1<<63)
	return T(b)
}

// Where the community stands: a real county and subdistrict of a real city, all of whose
// areas are there. The community itself, and the one beside it, are in no register: their
// codes are such as no village has.
const (
	countyName   = "婺城区"
	townshipName = "城东街道"
	unregistered = "901"
	neighbouring = "902"
)

// addAreas makes the tree: the city, with the county and the township; the community with
// its resident groups, grids and posts, and a neighbouring community without phones.
func (w *World) addAreas() {
	city, err := division.Jinhua()
	if err != nil {
		panic(err) // the file is part of the program, and a test reads it
	}
	for _, n := range city {
		w.Areas = append(w.Areas, syncproto.Area{ID: n.ID, Name: n.Name, Parent: n.Parent})
	}
	w.County = division.Named(city, countyName)[0].ID
	for _, n := range division.Named(city, townshipName) {
		if n.Parent == w.County {
			w.Township = n.ID
		}
	}
	w.Community, w.Neighbour = w.Township+unregistered, w.Township+neighbouring
	add := func(id syncproto.AreaID, name string, parent syncproto.AreaID) syncproto.AreaID {
		w.Areas = append(w.Areas, syncproto.Area{ID: id, Name: name, Parent: parent})
		return id
	}
	add(w.Community, "D社区", w.Township)
	add(w.Neighbour, "E社区", w.Township)
	for g := range w.Size.Groups {
		id := syncproto.AreaID(fmt.Sprintf("%s%02d", w.Community, g+1))
		w.Groups = append(w.Groups, add(id, fmt.Sprintf("居民%d组", g+1), w.Community))
	}
	for g := range w.Size.Grids {
		group := w.Groups[g%w.Size.Groups]
		nth := g/w.Size.Groups + 1
		id := syncproto.AreaID(fmt.Sprintf("%s%02d", group, nth))
		w.Grids = append(w.Grids, add(id, fmt.Sprintf("%d组%d网格", g%w.Size.Groups+1, nth), group))
	}
	for p := range w.Size.Posts {
		id := syncproto.AreaID(fmt.Sprintf("%s9%d", w.Community, p+1))
		w.Posts = append(w.Posts, add(id, []string{"东门卡点", "西门卡点"}[p%2], w.Community))
	}
}

// addPhones gives a phone to the secretary, to each grid's staff member, to the
// cadres who come for the second round, and to each post (which three people
// share, shift by shift). Most clocks are off by minutes, one is in 2030 and one
// in 1970.
func (w *World) addPhones(r *rand.Rand) {
	add := func(role Role, name string, area syncproto.AreaID, grid, people int) {
		p := Phone{Name: name, Role: role, Area: area, Grid: grid}
		for range people {
			p.Authors = append(p.Authors, Author{ID: newID[syncproto.AuthorID](r, Begins), Name: personName(r)})
		}
		if r.IntN(3) > 0 {
			p.Skew = (r.Int64N(30) - 15) * 60_000
		}
		w.Phones = append(w.Phones, p)
	}
	add(Secretary, "社区书记手机", w.Community, -1, 1)
	for g, area := range w.Grids {
		add(Staff, fmt.Sprintf("社区干部手机%02d", g+1), area, g, 1)
	}
	for c := range w.Size.Grids * w.Size.CadresPerGrid {
		g := c % w.Size.Grids
		add(Cadre, fmt.Sprintf("下沉干部手机%02d", c+1), w.Grids[g], g, 1)
	}
	for p, area := range w.Posts {
		add(Post, fmt.Sprintf("卡点手机%02d", p+1), area, -1, 3)
	}
	w.Phones[2].Skew = time.Date(2030, 5, 1, 0, 0, 0, 0, form.Zone).UnixMilli() - int64(at(27, 0, 0))
	w.Phones[3].Skew = time.Date(1970, 1, 2, 0, 0, 0, 0, form.Zone).UnixMilli() - int64(at(27, 0, 0))
	for i := range w.Phones {
		p := &w.Phones[i]
		p.Slow = i%11 == 7
		if p.From = Begins; p.Role == Cadre {
			p.From = cadresArrive
		}
	}
}

// phones returns the indexes of the phones with a role in a grid (-1 for any).
func (w *World) phones(role Role, grid int) []int {
	var found []int
	for i := range w.Phones {
		if p := &w.Phones[i]; p.Role == role && (grid < 0 || p.Grid == grid) {
			found = append(found, i)
		}
	}
	return found
}
