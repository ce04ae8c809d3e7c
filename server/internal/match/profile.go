package match

import (
	"slices"
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// ProfileOf returns what is compared of a record that shows these values. Who asks
// about records that were merged hands over values that name the survivors.
func ProfileOf(f *form.Form, shown syncproto.Fields, authors []syncproto.AuthorID) Profile {
	if f == nil || f.Match == nil {
		return Profile{}
	}
	m := f.Match
	p := Profile{
		Kind:     f.Kind,
		IDNumber: text(f, m.IDNumber, shown),
		Mobile:   foldMobile(text(f, m.Mobile, shown)),
		Name:     foldName(text(f, m.Name, shown)),
		Birth:    text(f, m.Birth, shown),
		Address:  foldAddress(text(f, m.Address, shown)),
		Event:    m.EventOf(f, shown),
	}
	p.Sound = soundOf(p.Name)
	if day, ok := form.BirthIn(p.IDNumber); ok && p.Birth == "" {
		p.Birth = day.String()
	}
	p.Household, _ = syncproto.ParseID[syncproto.RecordID](text(f, m.Household, shown))
	if p.Event != "" {
		p.Authors = witnesses(authors)
	}
	return p
}

// text is what a field shows, folded; "" for a field that the kind hasn't got.
func text(f *form.Form, name string, shown syncproto.Fields) string {
	if name == "" {
		return ""
	}
	s, _ := f.TextOf(name, shown)
	return s
}

// witnesses writes each author once, in order.
func witnesses(authors []syncproto.AuthorID) string {
	names := make([]string, len(authors))
	for i, a := range authors {
		names[i] = a.String()
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "")
}
