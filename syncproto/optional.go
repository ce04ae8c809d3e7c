package syncproto

import (
	"encoding/json"
	"strconv"
)

// Beside is another record that was shown to a change's author as one with the
// change's own, as it stood at Version.
type Beside struct {
	Record  RecordID `json:"record"`
	Version Version  `json:"version"`
}

// Origin names a change by its retry key.
type Origin struct {
	Device DeviceID `json:"device"`
	N      uint64   `json:"n"`
}

// Names of optional members of a change. They came after the first release of the
// protocol: a replica that doesn't know them keeps, hashes and passes them on like any
// unknown member (Extra), and those that do read them from there.
const (
	memberWith    = "with"
	memberUndoes  = "undoes"
	memberAnswers = "answers"
)

// With returns the records that were shown to the author as one with this one: what
// the change writes may replace what they say.
func (c *Change) With() ([]Beside, error) {
	return readNamed(c, memberWith, func(raw string) (b Beside, ok bool) {
		ok = readMembers(raw, map[string]any{"record": &b.Record, "version": &b.Version})
		return b, ok && !b.Record.IsZero() && b.Version >= 0 && b.Version <= MaxN
	})
}

// Undoes returns the decisions about the same record that this decision withdraws.
func (c *Change) Undoes() ([]Origin, error) {
	return readNamed(c, memberUndoes, func(raw string) (o Origin, ok bool) {
		ok = readMembers(raw, map[string]any{"device": &o.Device, "n": &o.N})
		return o, ok && !o.Device.IsZero() && o.N >= 1 && o.N <= MaxN
	})
}

// Answers returns the change that was returned to its author and that this one is
// the answer to; zero for none.
func (c *Change) Answers() (ChangeID, error) {
	var id ChangeID
	raw, ok := c.Extra[memberAnswers]
	if !ok {
		return id, nil
	}
	if err := json.Unmarshal(raw, &id); err != nil || id.IsZero() {
		return ChangeID{}, badMember(memberAnswers, "the id of a change")
	}
	return id, nil
}

// SetWith writes the records shown as one with this one; none leaves the member out.
func (c *Change) SetWith(with []Beside) { c.setExtra(memberWith, with, len(with) == 0) }

// SetUndoes writes the decisions to withdraw; none leaves the member out.
func (c *Change) SetUndoes(undoes []Origin) { c.setExtra(memberUndoes, undoes, len(undoes) == 0) }

// SetAnswers writes the returned change that this one answers; zero leaves the member out.
func (c *Change) SetAnswers(answer ChangeID) { c.setExtra(memberAnswers, answer, answer.IsZero()) }

func (c *Change) setExtra(name string, v any, empty bool) {
	if empty {
		delete(c.Extra, name)
		return
	}
	if c.Extra == nil {
		c.Extra = make(map[string]json.RawMessage)
	}
	c.Extra[name] = json.RawMessage(ValueOf(v))
}

// checkOptional says which optional member can't be read.
func (c *Change) checkOptional() error {
	if len(c.Extra) == 0 { // by far the most
		return nil
	}
	if _, err := c.With(); err != nil {
		return err
	}
	if _, err := c.Undoes(); err != nil {
		return err
	}
	_, err := c.Answers()
	return err
}

// readNamed reads an optional member that is a list of objects; none if it is missing.
func readNamed[T any](c *Change, name string, read func(raw string) (T, bool)) ([]T, error) {
	raw, ok := c.Extra[name]
	if !ok {
		return nil, nil
	}
	var list []T
	good := json.Valid(raw) && eachElement(string(raw), func(element string, _ int) {
		one, fits := read(element)
		ok = ok && fits
		list = append(list, one)
	})
	switch {
	case !good || !ok:
		return nil, badMember(name, "wrong type")
	case len(list) > MaxNamed:
		return nil, badMember(name, "more than "+strconv.Itoa(MaxNamed))
	}
	return list, nil
}

// readMembers reads the members of an object, all of which must be there. Their names
// count letter by letter, and others are let pass.
func readMembers(object string, into map[string]any) bool {
	read := make(map[string]bool, len(into))
	isObject := eachMember(object, func(name, raw string, _ int) {
		if to, known := into[name]; known {
			read[name] = raw != "null" && readValue(raw, to) == nil
		}
	})
	for name := range into {
		isObject = isObject && read[name]
	}
	return isObject
}

func badMember(name, detail string) error {
	return &Error{Code: CodeBadChange, Field: name, Detail: detail}
}
