package match

import "gridsync/syncproto/form"
import "gridsync/syncproto"

// ProfileOf returns what is compared of a record that shows these values.
func ProfileOf(f *form.Form, shown syncproto.Fields, authors []syncproto.AuthorID) Profile {
	return Profile{}
}

// Keys returns where a record with this profile stands in the index.
func (p Profile) Keys() []Key { return nil }

// Ranges returns where to look for records that may be one with it.
func (p Profile) Ranges() []Range { return nil }

// Score says how much speaks for two records being one, and what.
func Score(a, b Profile) (int, []Evidence) { return 0, nil }
