package syncproto

import (
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// DecodeChange reads one change of a batch that device sent. Its error is an
// *Error of class refused; N is set as soon as it could be read, so that even a
// refusal can name what it refuses.
func DecodeChange(raw []byte, device DeviceID) (Change, error) {
	if !Valid(raw) {
		return Change{Device: device}, &Error{Code: CodeMalformed, Detail: "not JSON"}
	}
	c, _, err := DecodeFields(raw, device)
	return c, err
}

// DecodeFields is DecodeChange for a caller who wants the fields read too, and
// whose raw is known to be valid JSON, as a json.RawMessage that was decoded is. The
// change's fields share raw's memory: it must not be altered afterwards.
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
	var r memberReader
	if !eachMember(string(raw), r.take) {
		return c, nil, &Error{Code: CodeMalformed, Detail: "not a JSON object"}
	}
	c.Extra = r.extra
	r.read(memberN, &c.N, true)
	r.read(memberID, &c.ID, true)
	r.read(memberAuthor, &c.Author, true)
	r.read(memberKind, &c.Kind, true)
	r.read(memberRecord, &c.Record, true)
	r.read(memberArea, &c.Area, true)
	r.read(memberBase, &c.Base, false)
	r.read(memberAmid, &c.Amid, false)
	r.read(memberDecides, &c.Decides, false)
	r.read(memberAt, &c.At, true)
	r.read(memberForm, &c.Form, true)
	named := device
	r.read(memberDevice, &named, false)
	fields := r.raw[memberFields]
	if fields != "" {
		c.Fields = raw[r.fieldsAt : r.fieldsAt+len(fields) : r.fieldsAt+len(fields)]
	}
	if r.err != nil {
		return c, nil, r.err
	}
	if err := c.check(named); err != nil {
		return c, nil, err
	}
	if err := c.checkOptional(); err != nil {
		return c, nil, err
	}
	values, err := readFields(fields)
	return c, values, err
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
func readFields(object string) (Fields, error) {
	bad := func(detail string) (Fields, error) {
		return nil, &Error{Code: CodeBadChange, Field: "fields", Detail: detail}
	}
	fields, err := valuesOf(object)
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

// The members of a change, in the order in which a wrong one is told of.
const (
	memberN = iota
	memberID
	memberAuthor
	memberKind
	memberRecord
	memberArea
	memberBase
	memberAmid
	memberDecides
	memberAt
	memberForm
	memberDevice
	memberFields
	members
)

var memberNames = [members]string{
	"n", "id", "author", "kind", "record", "area", "base", "amid", "decides", "at", "form", "device", "fields",
}

// memberReader holds the members of an object, reads them one by one, and keeps
// the first error.
type memberReader struct {
	raw [members]string
	// fieldsAt is where the fields stand.
	fieldsAt int
	extra    map[string]json.RawMessage
	err      error
}

// take keeps a member; of two with one name the last counts, as everywhere.
func (r *memberReader) take(name, raw string, at int) {
	for i, known := range memberNames {
		if name == known {
			if r.raw[i] = raw; i == memberFields {
				r.fieldsAt = at
			}
			return
		}
	}
	if r.extra == nil {
		r.extra = make(map[string]json.RawMessage)
	}
	r.extra[name] = json.RawMessage(raw)
}

func (r *memberReader) read(member int, into any, required bool) {
	raw := r.raw[member]
	switch {
	case r.err != nil:
	case raw == "" && required:
		r.err = &Error{Code: CodeBadChange, Field: memberNames[member], Detail: "missing"}
	case raw == "":
	case readValue(raw, into) != nil:
		r.err = &Error{Code: CodeBadChange, Field: memberNames[member], Detail: "wrong type"}
	}
}
