package plausible

import (
	"strconv"
	"strings"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// String names a bucket in a review item: kind/rule/area/who/start, without spaces and
// at most 200 characters long.
func (b Bucket) String() string {
	return strings.Join([]string{
		string(b.Kind), b.Rule, strconv.FormatUint(uint64(b.Area), 10), b.Who, strconv.FormatInt(int64(b.Start), 10),
	}, "/")
}

// ParseBucket reads what String wrote.
func ParseBucket(s string) (Bucket, bool) {
	parts := strings.Split(s, "/")
	if len(parts) != 5 {
		return Bucket{}, false
	}
	key, badKey := strconv.ParseUint(parts[2], 10, 32)
	start, badStart := strconv.ParseInt(parts[4], 10, 64)
	b := Bucket{syncproto.Kind(parts[0]), parts[1], area.Key(key), parts[3], syncproto.Instant(start)}
	_, badWho := syncproto.ParseID[syncproto.AuthorID](b.Who)
	known := b.Kind.Check() == nil && syncproto.CheckField(b.Rule) == nil && badWho == nil
	if badKey != nil || badStart != nil || !known || b.String() != s {
		return Bucket{}, false
	}
	return b, true
}
