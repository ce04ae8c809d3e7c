package syncproto

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"sort"
	"strconv"
	"unicode/utf8"
)

// Limits on one change. A change over them can't be read, and is refused.
const (
	MaxChangeBytes = 64 << 10
	MaxFields      = 200
	MaxAmid        = 200
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
	if !json.Valid(c.Fields) {
		return nil, errFields
	}
	return c.values()
}

var errFields = errors.New("fields are a JSON object")

// values is Values for fields that are known to be valid JSON.
func (c *Change) values() (Fields, error) {
	f := make(Fields, 16)
	if !eachMember(c.Fields, func(name string, raw []byte) { f[name] = compactValue(raw) }) {
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
	return Part{
		Version: version, Device: c.Device, N: c.N, Author: c.Author, Base: min(c.Base, lastSeen),
		Stamp: stamp, Amid: c.Amid, Decides: c.Decides, Fields: fields,
	}
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

// DecodeChange reads one change of a batch that device sent. Its error is an
// *Error of class refused; N is set as soon as it could be read, so that even a
// refusal can name what it refuses.
func DecodeChange(raw []byte, device DeviceID) (Change, error) {
	c, _, err := DecodeFields(raw, device)
	return c, err
}

// DecodeFields is DecodeChange for a caller who wants the fields read too.
func DecodeFields(raw []byte, device DeviceID) (Change, Fields, error) {
	c := Change{Device: device}
	if len(raw) > MaxChangeBytes {
		c.N = peekN(raw)
		return c, nil, &Error{Code: CodeChangeTooLarge, Detail: fmt.Sprintf("%d > %d bytes", len(raw), MaxChangeBytes)}
	}
	if !utf8.Valid(raw) {
		c.N = peekN(raw)
		return c, nil, &Error{Code: CodeMalformed, Detail: "not UTF-8"}
	}
	members := make(map[string]json.RawMessage, 16)
	if !json.Valid(raw) || !eachMember(raw, func(name string, raw []byte) { members[name] = raw }) {
		return c, nil, &Error{Code: CodeMalformed, Detail: "not a JSON object"}
	}
	r := memberReader{members: members}
	r.read("n", &c.N, true)
	r.read("id", &c.ID, true)
	r.read("author", &c.Author, true)
	r.read("kind", &c.Kind, true)
	r.read("record", &c.Record, true)
	r.read("area", &c.Area, true)
	r.read("base", &c.Base, false)
	r.read("amid", &c.Amid, false)
	r.read("decides", &c.Decides, false)
	r.read("at", &c.At, true)
	r.read("form", &c.Form, true)
	named := device
	r.read("device", &named, false)
	c.Fields = bytes.Clone(members["fields"])
	delete(members, "fields")
	for name, raw := range members {
		if c.Extra == nil {
			c.Extra = make(map[string]json.RawMessage, len(members))
		}
		c.Extra[name] = bytes.Clone(raw)
	}
	if r.err != nil {
		return c, nil, r.err
	}
	if err := c.check(named); err != nil {
		return c, nil, err
	}
	fields, err := c.readFields()
	return c, fields, err
}

// peekN finds the number of a change that can't be decoded otherwise; 0 if it
// has none.
func peekN(raw []byte) uint64 {
	var only struct {
		N uint64 `json:"n"`
	}
	if json.Unmarshal(raw, &only) != nil {
		return 0
	}
	return only.N
}

// check holds the decoded change against the limits that every replica shares.
func (c *Change) check(named DeviceID) error {
	bad := func(field, detail string) error {
		return &Error{Code: CodeBadChange, Field: field, Detail: detail}
	}
	switch {
	case named != c.Device:
		return &Error{Code: CodeWrongDevice, Field: "device"}
	case c.N == 0 || c.N > MaxN:
		return bad("n", "1 to 2^53-1")
	case c.ID.IsZero():
		return bad("id", "missing")
	case c.Author.IsZero():
		return bad("author", "missing")
	case c.Record.IsZero():
		return bad("record", "missing")
	case c.Base < 0 || c.Base > MaxN:
		return bad("base", "0 to 2^53-1")
	case c.Form < 1 || int64(c.Form) > MaxN:
		return bad("form", "1 to 2^53-1")
	case c.At < -MaxN || c.At > MaxN:
		return bad("at", "milliseconds since 1970")
	case len(c.Amid) > MaxAmid:
		return bad("amid", "too many")
	}
	if err := c.Kind.Check(); err != nil {
		return bad("kind", err.Error())
	}
	if err := c.Area.Check(); err != nil {
		return bad("area", err.Error())
	}
	for _, name := range c.Amid {
		if CheckField(name) != nil {
			return bad("amid", "a name that is no name")
		}
	}
	return nil
}

// readFields reads the fields and holds them against the limits.
func (c *Change) readFields() (Fields, error) {
	bad := func(detail string) (Fields, error) {
		return nil, &Error{Code: CodeBadChange, Field: "fields", Detail: detail}
	}
	fields, err := c.values()
	if err != nil {
		return bad("not an object")
	}
	if len(fields) > MaxFields {
		return bad("more than " + strconv.Itoa(MaxFields))
	}
	for name := range fields {
		if CheckField(name) != nil {
			return bad("a name that is no name")
		}
	}
	return fields, nil
}

// memberReader reads members of an object one by one, takes them out of the map,
// and keeps the first error.
type memberReader struct {
	members map[string]json.RawMessage
	err     error
}

func (r *memberReader) read(name string, into any, required bool) {
	raw, ok := r.members[name]
	delete(r.members, name)
	if r.err != nil {
		return
	}
	if !ok {
		if required {
			r.err = &Error{Code: CodeBadChange, Field: name, Detail: "missing"}
		}
		return
	}
	if err := readValue(raw, into); err != nil {
		r.err = &Error{Code: CodeBadChange, Field: name, Detail: "wrong type"}
	}
}

// Hash is the change's identity by content, which receipts add up. It covers
// every member: numbers and ids as bytes, texts with their length before them,
// and the fields as the very bytes that the device wrote, so that no replica
// needs a canonical form of JSON.
func (c *Change) Hash() Hash {
	h := hashWriter{Hash: sha256.New()}
	h.text("gridsync change 1")
	h.Write(c.ID[:])
	h.Write(c.Device[:])
	h.number(int64(c.N))
	h.Write(c.Author[:])
	h.text(string(c.Kind))
	h.Write(c.Record[:])
	h.text(string(c.Area))
	h.number(int64(c.Base))
	h.text(string(c.Fields))
	h.number(int64(len(c.Amid)))
	for _, name := range c.Amid {
		h.text(name)
	}
	decides := int64(0)
	if c.Decides {
		decides = 1
	}
	h.number(decides)
	h.number(int64(c.At))
	h.number(int64(c.Form))
	for _, name := range c.extraNames() {
		h.text(name)
		h.text(string(c.Extra[name]))
	}
	var out Hash
	h.Sum(out[:0])
	return out
}

type hashWriter struct{ hash.Hash }

func (h hashWriter) number(x int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(x))
	h.Write(b[:])
}

func (h hashWriter) text(s string) {
	h.number(int64(len(s)))
	h.Write([]byte(s))
}
