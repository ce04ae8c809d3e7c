// Package plausible says what is hard to believe about what was entered.
//
// It refuses to judge: a flag sends somebody to look again. It alters no value, stops
// no entry and counts against nobody.
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

// Tally is how many beats of a bucket have a value.
type Tally struct {
	Beat
	N int64
}
