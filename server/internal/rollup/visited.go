package rollup

import (
	"gridsync/server/internal/area"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// Visited says that somebody went to a household in a round, and what came of it.
type Visited struct {
	Round     syncproto.RecordID
	Household syncproto.RecordID
	// Visit is the record that says so, Area where it belongs.
	Visit syncproto.RecordID
	Area  area.Key
	// Outcome is one of the form's choices; empty for any other text.
	Outcome string
	Author  syncproto.AuthorID
	At      syncproto.Instant
}

// VisitedBy returns which household a record as it stands says that somebody went to; ok
// is false for a record that says no such thing.
func VisitedBy(f *form.Form, key area.Key, record *syncproto.Record, shown merge.Brief) (visited Visited, ok bool) {
	if f == nil || f.Sightings == nil || f.Sightings.Household == "" {
		return Visited{}, false
	}
	round, named := idOf(shown.Values[f.Sightings.Round])
	household, went := idOf(shown.Values[f.Sightings.Household])
	if !named || !went {
		return Visited{}, false
	}
	author, at := witness(record, f.Sightings.Outcome)
	return Visited{
		Round: round, Household: household, Visit: record.ID, Area: key,
		Outcome: choiceOf(f, f.Sightings.Outcome, shown.Values), Author: author, At: at,
	}, true
}

// KindHousehold is the built-in kind of which a round is to reach every record.
const KindHousehold syncproto.Kind = "household"

// Dwelling is a household as far as rounds are concerned: where it is, from which day, and
// until when.
type Dwelling struct {
	Household syncproto.RecordID
	Area      area.Key
	// Tenure is one of the form's choices, or empty.
	Tenure string
	Found  form.Day
	// Left is the first day on which it is there no more; Stays if nobody says that it left.
	Left form.Day
}

// Stays is later than every day.
const Stays form.Day = 9999_99_99

// DwellingOf returns a household as it stands; ok is false for a record that is none, or
// that doesn't say since when it is there, as such a one counts in no total.
func DwellingOf(f *form.Form, key area.Key, record *syncproto.Record, shown merge.Brief) (dwelling Dwelling, ok bool) {
	if f == nil || record.Kind != KindHousehold {
		return Dwelling{}, false
	}
	text, _ := shown.Values["found_on"].Text()
	found, ok := form.ParseDay(text)
	if !ok {
		return Dwelling{}, false
	}
	d := Dwelling{Household: record.ID, Area: key, Tenure: choiceOf(f, "tenure", shown.Values), Found: found, Left: Stays}
	if shown.Exit != nil {
		d.Left, _ = form.ParseDay(shown.Exit.Date) // one that can't be read counts as "was never here"
	}
	return d, true
}

// choiceOf returns a field's value if it is one of its choices: what people wrote into it
// otherwise is nothing to keep beside the record.
func choiceOf(f *form.Form, name string, shown syncproto.Fields) string {
	text, _ := shown[name].Text()
	field, ok := f.Field(name)
	if !ok {
		return ""
	}
	for _, o := range field.Choices {
		if o.Code == text {
			return text
		}
	}
	return ""
}

func idOf(v syncproto.Value) (syncproto.RecordID, bool) {
	text, ok := v.Text()
	if !ok {
		return syncproto.RecordID{}, false
	}
	id, err := syncproto.ParseID[syncproto.RecordID](text)
	return id, err == nil && !id.IsZero()
}
