package form

import "gridsync/syncproto"

// Match names the fields by which two records of a kind are found to be one person,
// one household, or one event. Those that a kind hasn't got are left out.
type Match struct {
	// IDNumber, Mobile, Name, Birth, Household and Address are fields of people and
	// households.
	IDNumber  string `json:"id_number,omitempty"`
	Mobile    string `json:"mobile,omitempty"`
	Name      string `json:"name,omitempty"`
	Birth     string `json:"birth,omitempty"`
	Household string `json:"household,omitempty"`
	Address   string `json:"address,omitempty"`
	// Event makes records of this kind events: two by different authors that show the
	// same in all of its fields (a time counts by its day) are one event with two
	// witnesses, counted once, unless a person says otherwise.
	Event []string `json:"event,omitempty"`
}

// CheckRule names a way in which entries can be hard to believe.
type CheckRule string

// The rules.
const (
	// CheckRange: the number in Field lies outside Min to Max.
	CheckRange CheckRule = "range"
	// CheckBirth: the date in Field is not the one in the ID number in Against.
	CheckBirth CheckRule = "birth"
	// CheckPace: one author has more than Max records of the kind whose time in Field
	// falls into one window.
	CheckPace CheckRule = "pace"
	// CheckRun: of the at least Least records of one author in one window, Share
	// percent or more show the same in Field.
	CheckRun CheckRule = "run"
	// CheckBurst: one device entered more than Max records of the kind within one window.
	CheckBurst CheckRule = "burst"
)

// Check is one rule about what is hard to believe.
type Check struct {
	Name  string         `json:"name"`
	Label syncproto.Text `json:"label"`
	Rule  CheckRule      `json:"rule"`
	// Field is what is looked at; Time is the time field by which CheckRun cuts windows.
	Field   string `json:"field,omitempty"`
	Time    string `json:"time,omitempty"`
	Against string `json:"against,omitempty"`
	// Window is the window's length in minutes; windows start at multiples of it.
	Window int `json:"window,omitempty"`
	// Min and Max bound a range; Max bounds a pace or a burst.
	Min *float64 `json:"min,omitempty"`
	Max *float64 `json:"max,omitempty"`
	// Least and Share are those of CheckRun.
	Least int `json:"least,omitempty"`
	Share int `json:"share,omitempty"`
}
