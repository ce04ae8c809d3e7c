package identity

import (
	"slices"

	"gridsync/syncproto/form"
)

// Right is one thing that a grant may let its holder do in its area and below.
type Right string

// The rights.
const (
	// Read: the records of the area, as far as Sight shows them, on a phone or a desk.
	Read Right = "read"
	// Write: record what was found.
	Write Right = "write"
	// Decide: settle questions and sign days, never about one's own work.
	Decide Right = "decide"
	// Totals: counts without names.
	Totals Right = "totals"
	// Export: take a list away as a file, marked with who took it and when.
	Export Right = "export"
	// Import: bring rosters and lists in as a file, and send lists down.
	Import Right = "import"
	// Configure: forms, settings, and which other systems are told of what happens.
	Configure Right = "configure"
	// Enrol: invite people, confirm them, end their grants, look after phones.
	Enrol Right = "enrol"
	// Audit: read who looked at what.
	Audit Right = "audit"
	// Operate: retention and what else belongs to the installation itself.
	Operate Right = "operate"
)

// Rights lists them in the order in which they are shown.
var Rights = []Right{Read, Write, Decide, Totals, Export, Import, Configure, Enrol, Audit, Operate}

// Sight is how much somebody sees of values of one class.
type Sight uint8

// The three, in order: who sees by two grants sees by the greater.
const (
	Hidden Sight = iota
	Masked
	Clear
)

// Power is what a role gives.
type Power struct {
	Role   Role
	Rights []Right
	// Personal and Secret are how much it shows of these classes; what is open is seen
	// by whoever may read.
	Personal, Secret Sight
	// Gives are the roles that its holder may grant, within the area.
	Gives []Role
}

// Powers is the one table of who may do what. The README shows it, the API and the
// services ask it, and the tests go through all of it.
//
// Whoever runs the installation sees no records by that alone, and who reads the audit
// log sees whom it speaks of only masked.
var Powers = []Power{
	{
		Role: Volunteer, Rights: []Right{Read, Write, Totals},
		Personal: Clear, Secret: Masked,
	},
	{
		Role: Secretary, Rights: []Right{Read, Write, Decide, Totals, Export, Import, Enrol},
		Personal: Clear, Secret: Clear, Gives: []Role{Volunteer},
	},
	{
		Role: Township, Rights: []Right{Read, Write, Decide, Totals, Export, Import, Configure, Enrol},
		Personal: Clear, Secret: Masked, Gives: []Role{Volunteer, Secretary},
	},
	{
		Role: County, Rights: []Right{Read, Write, Decide, Totals, Export, Import, Configure, Enrol},
		Personal: Masked, Secret: Masked, Gives: []Role{Volunteer, Secretary, Township},
	},
	{
		Role: Administrator, Rights: []Right{Totals, Configure, Enrol, Operate},
		Gives: []Role{Volunteer, Secretary, Township, County, Administrator, Auditor},
	},
	{
		Role: Auditor, Rights: []Right{Totals, Audit},
		Personal: Masked, Secret: Hidden,
	},
}

// Power returns what the role gives; nothing for a role that there is not.
func (r Role) Power() Power {
	for _, p := range Powers {
		if p.Role == r {
			return p
		}
	}
	return Power{Role: r}
}

// May reports whether the role gives a right.
func (r Role) May(right Right) bool {
	return slices.Contains(r.Power().Rights, right)
}

// MayGive reports whether the role lets its holder grant another.
func (r Role) MayGive(other Role) bool {
	return r.May(Enrol) && slices.Contains(r.Power().Gives, other)
}

// Eyes are how much somebody sees of each class in one area. The zero Eyes see nothing.
type Eyes struct {
	// Open says that records are seen at all.
	Open             bool
	Personal, Secret Sight
}

// Of is the sight of a class.
func (e Eyes) Of(class form.Class) Sight {
	switch {
	case !e.Open:
		return Hidden
	case class == form.Open:
		return Clear
	case class == form.Personal:
		return e.Personal
	}
	return e.Secret
}

// with widens the eyes by a role.
func (e Eyes) with(r Role) Eyes {
	if !r.May(Read) {
		return e
	}
	p := r.Power()
	return Eyes{Open: true, Personal: max(e.Personal, p.Personal), Secret: max(e.Secret, p.Secret)}
}
