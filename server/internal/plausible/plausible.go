// Package plausible says what is hard to believe about what was entered.
//
// It refuses to judge: a flag sends somebody to look again. It alters no value, stops
// no entry and counts against nobody.
//
// No document gives a figure for what is hard to believe. Those in the forms that come
// with the program are ours [own], and settings of the form like any other: a visit is
// hardly made in under a minute (12 in 10 minutes), nor a temperature taken in under ten
// seconds (60 in 10 minutes); a body outside 34 to 43 °C is a thermometer's mistake; of
// 20 people measured in an hour, 18 do not share a tenth of a degree; and nobody types
// 120 entries in a minute.
package plausible

import (
	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// Bucket is one window of one author or device that a rule watches.
type Bucket struct {
	Kind syncproto.Kind
	Rule string // the name of the form's check
	Area area.Key
	// Who is the author, or the device, as text.
	Who string
	// Start is when the window starts.
	Start syncproto.Instant
}

// Beat is a record's share in a bucket: one more that shows Value (folded; empty where
// the rule does not look at values).
type Beat struct {
	Bucket
	Value string
}

// Full is how full a bucket is: how many beats it has, and how many of them the most
// frequent value. The zero Full is an empty bucket.
type Full struct{ Total, Most int64 }

// With adds a value that n beats have.
func (f Full) With(n int64) Full { return Full{Total: f.Total + n, Most: max(f.Most, n)} }
