package plausible

import (
	"gridsync/server/internal/area"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Flags returns the names of the checks that a record fails by itself.
func Flags(f *form.Form, shown syncproto.Fields) []string { return nil }

// Beats returns the record's shares in the windows that the form's checks watch. made
// is the part that made the record.
func Beats(f *form.Form, key area.Key, made *syncproto.Part, shown syncproto.Fields) []Beat {
	return nil
}

// Raised reports whether a bucket with these tallies, all that it has, is hard to believe.
func Raised(f *form.Form, b Bucket, tallies []Tally) bool { return false }

// String names a bucket in a review item.
func (b Bucket) String() string { return "" }

// ParseBucket reads what String wrote.
func ParseBucket(s string) (Bucket, bool) { return Bucket{}, false }
