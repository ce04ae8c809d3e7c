// Package world makes up D社区 in the last days of January 2020: its areas, its
// households and people, the phones of those who go from door to door, and what
// each of them writes and when. The published sizes of the real case are exact;
// every name, number and address is invented from a seed.
//
// It refuses to know a server, a network or a clock: it writes the script, and
// others play it.
package world

import (
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// Size says how large a world is.
type Size struct {
	Groups, Grids, CadresPerGrid int
	// RegisteredHouseholds hold RegisteredPeople; both are all met in round 1.
	RegisteredHouseholds, RegisteredPeople int
	// Migrants are those met in round 1; Late are the people met in round 2 only.
	Migrants, Late int
	Firms          int
	// Returnees are the people back from Wuhan met in round 1, LateReturnees those
	// among Late.
	Returnees, LateReturnees int
	// Posts are checkpoints; PassagesPerDay people are measured at each of them, in
	// VehiclesPerDay vehicles.
	Posts, PassagesPerDay, VehiclesPerDay int
	// Planted scales the number of planted disagreements of each sort.
	Planted int
}

// Whole is the size of the real case.
var Whole = Size{
	Groups: 6, Grids: 15, CadresPerGrid: 2,
	RegisteredHouseholds: 522, RegisteredPeople: 1411,
	Migrants: 10411, Late: 1111, Firms: 88,
	Returnees: 640, LateReturnees: 111,
	Posts: 2, PassagesPerDay: 500, VehiclesPerDay: 80,
	Planted: 6,
}

// smallest is the most that a world can be divided by: below it there are too few
// people for the disagreements that are planted.
const smallest = 100

// Divided returns a world about n times smaller, for tests. 1 leaves it as it is,
// and more than 100 is 100.
func (s Size) Divided(n int) Size {
	if n <= 1 {
		return s
	}
	n = min(n, smallest)
	for _, count := range []*int{
		&s.RegisteredHouseholds, &s.RegisteredPeople, &s.Migrants, &s.Late, &s.Firms,
		&s.Returnees, &s.LateReturnees, &s.PassagesPerDay, &s.VehiclesPerDay,
	} {
		*count = max(1, *count/n)
	}
	// As many households to a grid as in the whole, or its people would be in too much of a
	// hurry; but three grids at least.
	s.Groups, s.Grids, s.Planted = max(2, s.Groups/n), max(3, s.Grids/n), min(s.Planted, 2)
	return s
}

// Residents returns how many people the rounds find: the first, and the second.
func (s Size) Residents() (first, second int) {
	first = s.RegisteredPeople + s.Migrants
	return first, first + s.Late
}

// World is everything that there is before anybody records it, and the script.
type World struct {
	Seed uint64
	Size Size

	County, Township, Community, Neighbour syncproto.AreaID
	Groups, Grids, Posts                   []syncproto.AreaID
	// Areas lists every area, each parent before its children.
	Areas []syncproto.Area

	Phones     []Phone
	Rounds     [2]Round
	Households []Household
	People     []Person

	Phases  []Phase
	Planted []Planted
}

// Round is a sweep from door to door.
type Round struct {
	ID   syncproto.RecordID
	Name string
	Day  string
}

// Household is a door: a flat, a rented room, a dormitory or a firm.
type Household struct {
	ID       syncproto.RecordID
	Grid     int
	Address  string
	Building string
	Tenure   string
	Head     string
	// People are indexes into World.People.
	People []int
	// First and Second are the outcomes of the visits in each round, in order. None
	// in the first means that nobody knew of the door.
	First, Second []string
}

// Person lives behind a door.
type Person struct {
	ID        syncproto.RecordID
	Household int
	Name, Sex string
	Birth     string
	IDNumber  string
	Mobile    string
	Employer  string
	Migrant   bool
	CameFrom  string
	ArrivedOn string
	Transport string
	Frail     string
	Returnee  bool
	// Late people are met in the second round only.
	Late bool

	observation syncproto.RecordID
}

// Role is what a phone is used for.
type Role string

// The roles.
const (
	Secretary Role = "secretary"
	Staff     Role = "staff"
	Cadre     Role = "cadre"
	Post      Role = "post"
)

// Phone is a phone, those who record on it, and what is wrong with it.
type Phone struct {
	Name    string
	Role    Role
	Area    syncproto.AreaID
	Grid    int // -1 for the secretary's and the posts'
	Authors []Author
	// Skew is what its clock shows less the true time, in milliseconds.
	Skew int64
	// From is when the phone is put to use.
	From syncproto.Instant
	// Slow phones have a link of 200 kbit/s.
	Slow bool
}

// Author is somebody who records.
type Author struct {
	ID   syncproto.AuthorID
	Name string
}

// Phase is a stretch of a day: what each phone records in it, without any signal,
// and the moment at its end at which all of them sync.
type Phase struct {
	Name  syncproto.Text
	Until syncproto.Instant
	// Acts holds what each phone does, by the phone's index.
	Acts [][]Act
}

// Act is one thing that a person does with a phone: writes that belong together
// and are one commit on it.
type Act struct {
	At syncproto.Instant
	// Author is an index into the phone's authors.
	Author int
	// Decides marks a decision about what is disputed.
	Decides bool
	// Signs is the day whose figures are signed: whoever plays the script fills in what
	// the server says of that day.
	Signs  string
	Writes []Write
}

// Write is one write to a record.
type Write struct {
	Kind   syncproto.Kind
	Record syncproto.RecordID
	Area   syncproto.AreaID
	Fields syncproto.Fields
	// Anyway is set where the author insists on what the form rejects.
	Anyway bool
}

// Planted is something that the script holds on purpose: people disagree, err, or only
// seem to.
type Planted struct {
	// Why names the sort, such as "mobile".
	Why string
	// Question is the kind of question that must come of it; empty if nothing is to.
	Question review.Kind
	// Record is what it is about, Other the second record of a question about two. A
	// question about how entries came is about neither.
	Record, Other syncproto.RecordID
	// Field is the field in doubt. For an implausible one it is the rule that it breaks.
	Field string
	// Parked is the reason with which a change must wait.
	Parked syncproto.Code
	// By are the phones, by index, whose authors have a part in it.
	By []int
	// Decided says that the secretary settles it on the phone, in the last phase.
	Decided bool
}

// Questions counts the questions of a kind that the script raises and doesn't settle
// itself.
func (w *World) Questions(kind review.Kind) int {
	n := 0
	for _, p := range w.Planted {
		if p.Question == kind && !p.Decided {
			n++
		}
	}
	return n
}

// Writes counts the writes of the whole script: each becomes one change.
func (w *World) Writes() int {
	n := 0
	for _, phase := range w.Phases {
		for _, acts := range phase.Acts {
			for _, act := range acts {
				n += len(act.Writes)
			}
		}
	}
	return n
}
