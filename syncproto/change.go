package syncproto

import (
	"encoding/json"
	"errors"
	"sort"
)

// Limits on one change. A change over them can't be read, and is refused.
const (
	MaxChangeBytes = 64 << 10
	MaxFields      = 200
	MaxAmid        = 200
	// MaxNamed is how many records a change may name in with, or decisions in undoes.
	MaxNamed = 200
	// MaxN is the greatest sequence number: the greatest integer that JavaScript holds exactly.
	MaxN = 1<<53 - 1
)

// Change is one author's statement, made on one device, about one record. It is
// made once and never altered: whoever thinks otherwise makes another one.
type Change struct {
	ID     ChangeID
	Device DeviceID
	// N counts a device's changes: 1, 2, 3 … without gaps. (Device, N) is the
	// retry key.
	N      uint64
	Author AuthorID
	Kind   Kind
	Record RecordID
	// Area is where the statement belongs. When Base is 0 it is also a write to
	// the record's area; an existing record is moved by writing the field "area".
	Area AreaID
	// Base is the record's version that the author was looking at; 0 for a
	// record that no server had told of.
	Base Version
	// Fields is the JSON object of the fields touched, byte for byte as the
	// device wrote it.
	Fields json.RawMessage
	// Amid names the fields that were shown to the author as disputed.
	Amid []string
	// Decides marks a decision: it ends the disputes that its author saw.
	Decides bool
	// At is the device's own clock when the author finished typing.
	At Instant
	// Form is the version of the form that was filled in.
	Form int
	// Extra holds the members that this version of the code doesn't know.
	Extra map[string]json.RawMessage
}

// Values reads the fields touched.
func (c *Change) Values() (Fields, error) {
	if !Valid(c.Fields) {
		return nil, errFields
	}
	return valuesOf(string(c.Fields))
}

var errFields = errors.New("fields are a JSON object")

// valuesOf is Values for what is known to be valid JSON. The values share the
// object's memory.
func valuesOf(object string) (Fields, error) {
	f := make(Fields, 16)
	if !eachMember(object, func(name, raw string, _ int) { f[name] = compactValue(raw) }) {
		return nil, errFields
	}
	return f, nil
}

// Part returns what the change writes when it becomes visible as version. A change
// with base 0 also writes its area, if its fields don't. lastSeen is the last
// version that the server had committed when the change arrived: no author has
// seen more than that, whatever the base says.
func (c *Change) Part(version, lastSeen Version, stamp Stamp) (Part, error) {
	fields, err := c.Values()
	if err != nil {
		return Part{}, err
	}
	return c.PartOf(fields, version, lastSeen, stamp), nil
}

// PartOf is Part for a caller who has read the fields already. It may add the
// area to them.
func (c *Change) PartOf(fields Fields, version, lastSeen Version, stamp Stamp) Part {
	if _, moves := fields[FieldArea]; c.Base == 0 && !moves {
		fields[FieldArea] = TextValue(string(c.Area))
	}
	p := Part{
		Version: version, Device: c.Device, N: c.N, Author: c.Author, Base: min(c.Base, lastSeen),
		Stamp: stamp, Amid: c.Amid, Decides: c.Decides, Fields: fields,
	}
	if len(c.Extra) > 0 { // DecodeFields refuses what can't be read
		p.With, _ = c.With()
		p.Undoes, _ = c.Undoes()
		for i := range p.With {
			p.With[i].Version = min(p.With[i].Version, lastSeen)
		}
	}
	return p
}

// changeHead and changeTail are the wire's shape of a Change before and after its
// fields, in the order in which it is written.
type (
	changeHead struct {
		ID     ChangeID `json:"id"`
		N      uint64   `json:"n"`
		Author AuthorID `json:"author"`
		Kind   Kind     `json:"kind"`
		Record RecordID `json:"record"`
		Area   AreaID   `json:"area"`
		Base   Version  `json:"base"`
	}
	changeTail struct {
		Amid    []string `json:"amid,omitempty"`
		Decides bool     `json:"decides,omitempty"`
		At      Instant  `json:"at"`
		Form    int      `json:"form"`
	}
)

// MarshalJSON writes the wire's shape. The device isn't written: a batch names
// it once. Fields and unknown members are written byte for byte, as the hash
// covers them so; whoever puts the result into something larger writes that with
// Encode, because json.Marshal would escape <, > and & in it.
func (c Change) MarshalJSON() ([]byte, error) {
	head, err := Encode(changeHead{c.ID, c.N, c.Author, c.Kind, c.Record, c.Area, c.Base})
	if err != nil {
		return nil, err
	}
	tail, err := Encode(changeTail{c.Amid, c.Decides, c.At, c.Form})
	if err != nil {
		return nil, err
	}
	fields := c.Fields
	if len(fields) == 0 {
		fields = json.RawMessage("{}")
	}
	out := make([]byte, 0, len(head)+len(fields)+len(tail)+len(`,"fields":`))
	out = append(out, head[:len(head)-1]...)
	out = append(out, `,"fields":`...)
	out = append(out, fields...)
	out = append(out, ',')
	out = append(out, tail[1:len(tail)-1]...)
	for _, name := range c.extraNames() {
		out = append(out, ',')
		out = append(out, ValueOf(name)...)
		out = append(out, ':')
		out = append(out, c.Extra[name]...)
	}
	return append(out, '}'), nil
}

func (c *Change) extraNames() []string {
	names := make([]string, 0, len(c.Extra))
	for name := range c.Extra {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
