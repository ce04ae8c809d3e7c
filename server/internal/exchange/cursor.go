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

// cursor is how far a device has come: a position in every feed of its scope under what
// its authors saw then, and the prints of the areas and forms that it has.
//
// Clients hold it as an opaque text. Feeds at the same position are written as
// ranges of keys, so that a device that has everything carries a few dozen bytes
// however many areas it sees.
type cursor struct {
	epoch syncproto.Epoch
	areas uint32
	forms uint32
	// told is the version of the last thing that the device's authors have heard.
	told syncproto.Version
	// sight is what the authors saw when the positions were given out.
	sight     sight
	positions map[Feed]syncproto.Version
}

// cursorFormat is the format that is written; those before are still read: in the first
// nothing was told, and in both everybody saw everything.
const (
	cursorFormat  = 3
	cursorFormat2 = 2
	cursorFormat1 = 1
)

var errCursor = errors.New("not a cursor")

// FirstBroadcast is the number of the broadcasts of the area with key 0.
const FirstBroadcast = 1 << 33

// Number numbers feeds, for cursors and stores: an area's roster and history are its key
// twice and the number after that; what areas broadcast stands behind all of those, by key.
func (f Feed) Number() uint64 {
	switch f.Stream {
	case form.History:
		return uint64(f.Area)*2 + 1
	case form.Broadcast:
		return FirstBroadcast + uint64(f.Area)
	}
	return uint64(f.Area) * 2
}

// FeedAt is the feed with a number.
func FeedAt(number uint64) Feed {
	switch {
	case number >= FirstBroadcast:
		return Feed{Area: area.Key(number - FirstBroadcast), Stream: form.Broadcast}
	case number%2 == 1:
		return Feed{Area: area.Key(number / 2), Stream: form.History}
	}
	return Feed{Area: area.Key(number / 2), Stream: form.Roster}
}

func (c *cursor) String() string {
	b := []byte{cursorFormat}
	b = append(b, c.epoch[:]...)
	b = binary.BigEndian.AppendUint32(b, c.areas)
	b = binary.BigEndian.AppendUint32(b, c.forms)
	b = binary.AppendUvarint(b, uint64(c.told))
	b = c.appendSight(b)
	b = c.appendPositions(b)
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(append(b, sum[:4]...))
}

// appendSight writes how many sights there are, and each with the areas that have it.
func (c *cursor) appendSight(b []byte) []byte {
	var byCode [maxSight + 1][]uint64
	codes := uint64(0)
	for key, code := range c.sight {
		if len(byCode[code]) == 0 {
			codes++
		}
		byCode[code] = append(byCode[code], uint64(key))
	}
	b = binary.AppendUvarint(b, codes)
	for code, keys := range byCode {
		if len(keys) > 0 {
			slices.Sort(keys)
			b = appendRanges(append(b, byte(code)), len(keys), func(i int) uint64 { return keys[i] })
		}
	}
	return b
}

// appendPositions writes groups of feeds with one position: the position's step from the
// group before, and the feeds.
func (c *cursor) appendPositions(b []byte) []byte {
	type at struct {
		feed uint64
		pos  syncproto.Version
	}
	all := make([]at, 0, len(c.positions))
	for f, pos := range c.positions {
		all = append(all, at{f.Number(), pos})
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
		b = appendRanges(b, len(group), func(i int) uint64 { return group[i].feed })
	}
	return b
}

// appendRanges writes numbers in order: how many ranges they make, and for each the step
// from the end of the one before and its length.
func appendRanges(b []byte, n int, number func(int) uint64) []byte {
	var ranges [][2]uint64
	for i := range n {
		x := number(i)
		if last := len(ranges) - 1; last >= 0 && ranges[last][1] == x {
			ranges[last][1]++
			continue
		}
		ranges = append(ranges, [2]uint64{x, x + 1})
	}
	b = binary.AppendUvarint(b, uint64(len(ranges)))
	end := uint64(0)
	for _, r := range ranges {
		b = binary.AppendUvarint(binary.AppendUvarint(b, r[0]-end), r[1]-r[0])
		end = r[1]
	}
	return b
}

// maxFeeds bounds what a cursor can make the server hold.
const maxFeeds = 1 << 20

// parseCursor reads what String wrote.
func parseCursor(s string) (*cursor, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	const head = 1 + 16 + 4 + 4
	if err != nil || len(b) < head+4 || b[0] < cursorFormat1 || b[0] > cursorFormat {
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
	if b[0] >= cursorFormat2 {
		told, err := binary.ReadUvarint(r)
		if err != nil || told > syncproto.MaxN {
			return nil, errCursor
		}
		c.told = syncproto.Version(told)
	}
	if b[0] >= cursorFormat {
		if err := c.readSight(r); err != nil {
			return nil, err
		}
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

func (c *cursor) readSight(r *bytes.Reader) error {
	codes, err := binary.ReadUvarint(r)
	if err != nil || codes > uint64(maxSight) {
		return errCursor
	}
	for range codes {
		code, err := r.ReadByte()
		if err != nil || code == 0 || code > maxSight {
			return errCursor
		}
		if c.sight == nil {
			c.sight = make(sight)
		}
		err = readRanges(r, maxFeeds-len(c.sight), func(key uint64) { c.sight[area.Key(key)] = code })
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *cursor) readGroup(r *bytes.Reader, pos syncproto.Version) error {
	return readRanges(r, maxFeeds-len(c.positions), func(i uint64) { c.positions[FeedAt(i)] = pos })
}

// readRanges reads what appendRanges wrote, at most so many numbers.
func readRanges(r *bytes.Reader, most int, fn func(uint64)) error {
	ranges, err := binary.ReadUvarint(r)
	if err != nil {
		return errCursor
	}
	end := uint64(0)
	for range ranges {
		skip, err := binary.ReadUvarint(r)
		length, err2 := binary.ReadUvarint(r)
		if err != nil || err2 != nil || skip > 1<<34 || length > uint64(max(most, 0)) {
			return errCursor
		}
		most -= int(length)
		for i := end + skip; i < end+skip+length; i++ {
			fn(i)
		}
		end += skip + length
	}
	return nil
}
