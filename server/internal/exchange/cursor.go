package exchange

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// cursor is how far a device has come: a position in every feed of its scope, and
// the prints of the areas and forms that it has.
//
// Clients hold it as an opaque text. Feeds at the same position are written as
// ranges of keys, so that a device that has everything carries a few dozen bytes
// however many areas it sees.
type cursor struct {
	epoch syncproto.Epoch
	areas uint32
	forms uint32
	// told is the version of the last thing that the device's authors have heard.
	told      syncproto.Version
	positions map[Feed]syncproto.Version
}

// cursorFormat is the format that is written; the one before, in which nothing was told,
// is still read.
const (
	cursorFormat  = 2
	cursorFormat1 = 1
)

var errCursor = errors.New("not a cursor")

// index numbers feeds: the two of an area lie together.
func (f Feed) index() uint64 {
	i := uint64(f.Area) * 2
	if f.Stream == form.History {
		i++
	}
	return i
}

func feedAt(index uint64) Feed {
	f := Feed{Area: area.Key(index / 2), Stream: form.Roster}
	if index%2 == 1 {
		f.Stream = form.History
	}
	return f
}

func (c *cursor) String() string {
	b := []byte{cursorFormat}
	b = append(b, c.epoch[:]...)
	b = binary.BigEndian.AppendUint32(b, c.areas)
	b = binary.BigEndian.AppendUint32(b, c.forms)
	b = binary.AppendUvarint(b, uint64(c.told))
	b = c.appendPositions(b)
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(append(b, sum[:4]...))
}

// appendPositions writes groups of feeds with one position: the position's step
// from the group before, the number of ranges, and for each range the step from
// the end of the one before and its length.
func (c *cursor) appendPositions(b []byte) []byte {
	type at struct {
		feed uint64
		pos  syncproto.Version
	}
	all := make([]at, 0, len(c.positions))
	for f, pos := range c.positions {
		all = append(all, at{f.index(), pos})
	}
	slices.SortFunc(all, func(a, b at) int {
		return cmp.Or(cmp.Compare(a.pos, b.pos), cmp.Compare(a.feed, b.feed))
	})
	previous := syncproto.Version(0)
	for len(all) > 0 {
		group := all
		if end := slices.IndexFunc(all, func(x at) bool { return x.pos != all[0].pos }); end > 0 {
			group = all[:end]
		}
		all = all[len(group):]
		b = binary.AppendUvarint(b, uint64(group[0].pos-previous))
		previous = group[0].pos
		var ranges [][2]uint64
		for _, x := range group {
			if last := len(ranges) - 1; last >= 0 && ranges[last][1] == x.feed {
				ranges[last][1]++
				continue
			}
			ranges = append(ranges, [2]uint64{x.feed, x.feed + 1})
		}
		b = binary.AppendUvarint(b, uint64(len(ranges)))
		end := uint64(0)
		for _, r := range ranges {
			b = binary.AppendUvarint(binary.AppendUvarint(b, r[0]-end), r[1]-r[0])
			end = r[1]
		}
	}
	return b
}

// maxFeeds bounds what a cursor can make the server hold.
const maxFeeds = 1 << 20

// parseCursor reads what String wrote.
func parseCursor(s string) (*cursor, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	const head = 1 + 16 + 4 + 4
	if err != nil || len(b) < head+4 || b[0] != cursorFormat && b[0] != cursorFormat1 {
		return nil, errCursor
	}
	body := b[:len(b)-4]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:4], b[len(body):]) {
		return nil, errCursor
	}
	c := &cursor{
		epoch: syncproto.Epoch(body[1:17]), areas: binary.BigEndian.Uint32(body[17:]),
		forms: binary.BigEndian.Uint32(body[21:]), positions: make(map[Feed]syncproto.Version),
	}
	r := bytes.NewReader(body[head:])
	if b[0] == cursorFormat {
		told, err := binary.ReadUvarint(r)
		if err != nil || told > syncproto.MaxN {
			return nil, errCursor
		}
		c.told = syncproto.Version(told)
	}
	for pos := syncproto.Version(0); r.Len() > 0; {
		step, err := binary.ReadUvarint(r)
		if err != nil || step > syncproto.MaxN {
			return nil, errCursor
		}
		pos += syncproto.Version(step)
		if err := c.readGroup(r, pos); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *cursor) readGroup(r *bytes.Reader, pos syncproto.Version) error {
	ranges, err := binary.ReadUvarint(r)
	if err != nil {
		return errCursor
	}
	end := uint64(0)
	for range ranges {
		skip, err := binary.ReadUvarint(r)
		length, err2 := binary.ReadUvarint(r)
		if err != nil || err2 != nil || skip > 1<<34 || length > maxFeeds || len(c.positions)+int(length) > maxFeeds {
			return errCursor
		}
		for i := end + skip; i < end+skip+length; i++ {
			c.positions[feedAt(i)] = pos
		}
		end += skip + length
	}
	return nil
}
