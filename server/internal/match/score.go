package match

import (
	"unicode/utf8"

	"gridsync/syncproto/form"
)

// What each part of a score weighs [own]. Threshold is 60: what pairs, and what must
// not, is what the weights were chosen by.
const (
	// One number is one person, whatever else they say: 130 − 40 − 30 is still 60.
	sameIDNumber = 130
	// Two valid numbers are two people: all that can agree besides, with a name that
	// only sounds the same, is 110.
	otherIDNumber = -60
	// Unless name, birth and mobile all agree: then one number has a slip in it, and
	// 90 − 30 is 60.
	slipIDNumber = -30
	// A family and a dormitory share a mobile: alone it tells little.
	sameMobile = 30
	// A name pairs with a birth (60), with a household (60: one household registered
	// through two channels) or with a mobile (60).
	sameName = 30
	// What sounds the same, or can be read in part, needs two things more: 王伟 and
	// 王玮 born on one day are 50.
	sameSound, partName = 20, 20
	// Twins share birth, household and their parents' mobile, 90, and are two.
	otherName = -40
	// Alone a birthday is nothing: one in 25,000 shares it.
	sameBirth = 30
	// A namesake in one household is a child called after somebody: 60 − 30. With the
	// mobile too, one of the dates is wrong: 90 − 30.
	otherBirth    = -30
	sameHousehold = 30
	// One door is one household, until somebody says that two live there.
	sameAddress = 60
	// Two people who say they saw the same saw it once.
	sameEvent = 100
)

// Score says how much speaks for two records being one, and what. It is the same
// whichever comes first.
func Score(a, b Profile) (int, []Evidence) {
	if a.Kind != b.Kind {
		return 0, nil
	}
	part, points := nameEvidence(a, b)
	all := []Evidence{
		{"id_number", idEvidence(a, b)},
		{"mobile", same(a.Mobile, b.Mobile, sameMobile, 0)},
		{part, points},
		{"birth", same(a.Birth, b.Birth, sameBirth, otherBirth)},
		{"household", householdEvidence(a, b)},
		{"address", same(a.Address, b.Address, sameAddress, 0)},
		{"event", eventEvidence(a, b)},
	}
	sum := 0
	var evidence []Evidence
	for _, e := range all {
		if e.Points != 0 {
			sum, evidence = sum+e.Points, append(evidence, e)
		}
	}
	return sum, evidence
}

// same weighs two texts: what isn't known of both tells nothing.
func same(a, b string, equal, other int) int {
	switch {
	case a == "" || b == "":
		return 0
	case a == b:
		return equal
	}
	return other
}

func idEvidence(a, b Profile) int {
	points := same(a.IDNumber, b.IDNumber, sameIDNumber, otherIDNumber)
	if points != otherIDNumber {
		return points
	}
	_, valid := form.BirthIn(a.IDNumber)
	_, both := form.BirthIn(b.IDNumber)
	switch {
	case !valid || !both:
		return 0
	case same(a.Name, b.Name, 1, 0)*same(a.Birth, b.Birth, 1, 0)*same(a.Mobile, b.Mobile, 1, 0) == 1 && !wild(a.Name):
		return slipIDNumber
	}
	return otherIDNumber
}

func nameEvidence(a, b Profile) (part string, points int) {
	switch {
	case a.Name == "" || b.Name == "":
		return "name", 0
	case wild(a.Name) || wild(b.Name):
		return "name", partEvidence(a.Name, b.Name)
	case a.Name == b.Name:
		return "name", sameName
	case a.Sound == b.Sound:
		return "sound", sameSound
	}
	return "name", otherName
}

// partEvidence weighs two names of which one can't be read throughout: as long as one
// another, with a character that both have, and none in which they differ.
func partEvidence(a, b string) int {
	points := 0
	if utf8.RuneCountInString(a) != utf8.RuneCountInString(b) {
		return otherName
	}
	theirs := []rune(b)
	for _, r := range a {
		other := theirs[0]
		theirs = theirs[1:]
		switch {
		case r == unreadable || other == unreadable:
		case r != other:
			return otherName
		default:
			points = partName
		}
	}
	return points
}

func householdEvidence(a, b Profile) int {
	if a.Household.IsZero() || a.Household != b.Household {
		return 0
	}
	return sameHousehold
}

func eventEvidence(a, b Profile) int {
	if a.Event == "" || a.Event != b.Event || a.Authors == b.Authors {
		return 0
	}
	return sameEvent
}
