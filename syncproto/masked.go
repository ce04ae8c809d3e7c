package syncproto

import "encoding/json"

// Masked stands in a record in place of a value that its reader isn't shown (R92). It is
// an object, so that no form takes it for a value: it can't be written back.
type Masked struct {
	// Masked is what may be seen, such as 3301**********1234; empty if nothing may.
	Masked string `json:"masked"`
	// Tag is the same for equal values and, but for a chance of one in 2^32, for no
	// others, so that a reader sees whether two people agree. It follows from a key of the
	// server's and says nothing of the value.
	Tag string `json:"tag,omitempty"`
}

// Value is the masked value as it travels.
func (m Masked) Value() Value { return ValueOf(m) }

// Masked reads a masked value, and says whether it is one.
func (v Value) Masked() (Masked, bool) {
	if len(v) == 0 || v[0] != '{' {
		return Masked{}, false
	}
	var m struct {
		Masked *string `json:"masked"`
		Tag    string  `json:"tag"`
	}
	if json.Unmarshal([]byte(v), &m) != nil || m.Masked == nil {
		return Masked{}, false
	}
	return Masked{*m.Masked, m.Tag}, true
}
