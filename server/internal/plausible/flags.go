package plausible

import (
	"slices"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Flags returns the names of the checks that a record fails by itself.
func Flags(f *form.Form, shown syncproto.Fields) []string {
	if f == nil {
		return nil
	}
	var names []string
	for i := range f.Checks {
		c := &f.Checks[i]
		if c.Rule == form.CheckRange && c.Outside(shown) || c.Rule == form.CheckBirth && c.Contradicted(f, shown) {
			names = append(names, c.Name)
		}
	}
	return names
}

// Beats returns the record's shares in the windows that the form's checks watch. made
// is the part that made the record.
func Beats(f *form.Form, key area.Key, made *syncproto.Part, shown syncproto.Fields) []Beat {
	if f == nil || made == nil {
		return nil
	}
	var beats []Beat
	author := ""
	for i := range f.Checks {
		c := &f.Checks[i]
		at, value, ok := share(f, c, made, shown)
		if !ok {
			continue
		}
		who := author
		switch {
		case c.Rule == form.CheckBurst:
			who = made.Device.String()
		case author == "":
			author = made.Author.String()
			who = author
		}
		if beats == nil {
			beats = make([]Beat, 0, len(f.Checks)-i)
		}
		beats = append(beats, Beat{Bucket{f.Kind, c.Name, key, who, c.Start(at)}, value})
	}
	return beats
}

// share is when a record falls into a window of the check, and with which value; ok
// is false if it doesn't.
func share(f *form.Form, c *form.Check, made *syncproto.Part, shown syncproto.Fields) (at syncproto.Instant, value string, ok bool) {
	switch c.Rule {
	case form.CheckBurst:
		return made.Time, "", true
	case form.CheckPace:
		at, ok = c.Moment(shown)
	case form.CheckRun:
		at, ok = c.Moment(shown)
		value = c.Reading(f, shown)
		ok = ok && value != ""
	}
	return at, value, ok
}

// Raised reports whether a bucket that is so full is hard to believe.
func Raised(f *form.Form, b Bucket, full Full) bool {
	if f == nil {
		return false
	}
	i := slices.IndexFunc(f.Checks, func(c form.Check) bool { return c.Name == b.Rule })
	if i < 0 {
		return false
	}
	c := &f.Checks[i]
	switch c.Rule {
	case form.CheckRun:
		return full.Total >= int64(c.Least) && full.Most*100 >= full.Total*int64(c.Share)
	case form.CheckPace, form.CheckBurst:
		return c.Max != nil && float64(full.Total) > *c.Max
	}
	return false
}
