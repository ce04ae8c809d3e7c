package syncproto

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// Value is one field's value as JSON text: a string, a number, a boolean, null,
// or a list or object of them. It is kept as the author's device wrote it, so
// that an integer over 2^53 or a trailing zero survives every replica. The empty
// Value means that nothing was written; "null" means that the field was cleared.
type Value string

// Null is the value of a field that was cleared.
const Null Value = "null"

// IsNull reports whether there is no value: none written, or cleared.
func (v Value) IsNull() bool { return v == "" || v == Null }

// Text returns the string that v holds, and whether it holds one.
func (v Value) Text() (string, bool) {
	if len(v) < 2 || v[0] != '"' {
		return "", false
	}
	if inner := v[1 : len(v)-1]; v[len(v)-1] == '"' && strings.IndexByte(string(inner), '\\') < 0 && strings.IndexByte(string(inner), '"') < 0 {
		return string(inner), true
	}
	var s string
	if err := json.Unmarshal([]byte(v), &s); err != nil {
		return "", false
	}
	return s, true
}

// Texts returns the strings of the list that v holds, and whether it holds one:
// a list with anything else in it isn't one.
func (v Value) Texts() ([]string, bool) {
	if len(v) < 2 || v[0] != '[' {
		return nil, false
	}
	if texts, plain := plainTexts(string(v)); plain {
		return texts, true
	}
	var members []*string
	if err := json.Unmarshal([]byte(v), &members); err != nil {
		return nil, false
	}
	texts := make([]string, len(members))
	for i, m := range members {
		if m == nil {
			return nil, false
		}
		texts[i] = *m
	}
	return texts, true
}

// plainTexts reads a list of texts in which nothing is escaped, without white space
// between them; plain is false for any other list, and for what is none.
func plainTexts(list string) (texts []string, plain bool) {
	if strings.IndexByte(list, '\\') >= 0 || !utf8.ValidString(list) {
		return nil, false
	}
	for i := 1; i < len(list) && list[i] == '"'; {
		end := i + 1
		for end < len(list) && list[end] != '"' && list[end] >= ' ' {
			end++
		}
		if end+1 >= len(list) || list[end] != '"' {
			return nil, false
		}
		texts = append(texts, list[i+1:end])
		switch i = end + 2; list[end+1] {
		case ']':
			return texts, i == len(list)
		case ',':
		default:
			return nil, false
		}
	}
	return nil, false
}

// Members returns the members of the object that v holds, and whether it holds
// one. Their names count letter by letter: encoding/json alone would take "Add"
// for "add", and no other language would.
func (v Value) Members() (map[string]Value, bool) {
	if len(v) < 2 || v[0] != '{' {
		return nil, false
	}
	var members map[string]Value
	if err := json.Unmarshal([]byte(v), &members); err != nil {
		return nil, false
	}
	return members, true
}

// MarshalJSON writes v as it is.
func (v Value) MarshalJSON() ([]byte, error) {
	if v == "" {
		return []byte("null"), nil
	}
	return []byte(v), nil
}

// UnmarshalJSON keeps the bytes, without white space around or between them.
func (v *Value) UnmarshalJSON(b []byte) error {
	compact, err := appendCompact(nil, b)
	if err != nil {
		return err
	}
	*v = Value(compact)
	return nil
}

// compactValue keeps the text of valid JSON, without white space.
func compactValue(text string) Value {
	spaced := false // strings.ContainsAny sets up a table of what it looks for each time
	for i := range len(text) {
		c := text[i]
		spaced = spaced || c == ' ' || c == '\t' || c == '\r' || c == '\n'
	}
	if !spaced {
		return Value(text)
	}
	compact, err := appendCompact(nil, []byte(text))
	if err != nil {
		return Value(text)
	}
	return Value(compact)
}

// appendCompact appends JSON without white space between its tokens.
func appendCompact(to, b []byte) ([]byte, error) {
	if !bytes.ContainsAny(b, " \t\r\n") {
		return append(to, b...), nil
	}
	c := bytes.NewBuffer(to)
	err := json.Compact(c, b)
	return c.Bytes(), err
}

// TextValue returns the Value of a string.
func TextValue(s string) Value {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return ValueOf(s)
		}
	}
	return Value(`"` + s + `"`)
}

// ValueOf returns the Value of anything that JSON can write. It panics on what
// JSON can't (a channel, a function): that is a programmer's error.
func ValueOf(x any) Value {
	b, err := Encode(x)
	if err != nil {
		panic(fmt.Sprintf("syncproto: a value that JSON can't write: %v", err))
	}
	return Value(b)
}

// Encode writes anything as JSON without escaping <, > and &. Every message that
// holds a change or a value is written with it: json.Marshal would alter their
// bytes, and with them the hashes that receipts add up.
func Encode(x any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(x); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// Fields are the values of some of a record's fields, by name.
type Fields map[string]Value

// Names returns the fields' names in order of bytes.
func (f Fields) Names() []string {
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Encode writes f as a JSON object with its names in order, without white space
// between tokens, which an encoder on its way would take out, and without
// escaping <, > and &, as other languages do.
func (f Fields) Encode() json.RawMessage {
	b := []byte{'{'}
	for i, name := range f.Names() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, ValueOf(name)...)
		b = append(b, ':')
		if f[name] == "" {
			b = append(b, Null...)
			continue
		}
		// A value that is no JSON is written as it is: whoever reads it says so.
		if whole, err := appendCompact(b, []byte(f[name])); err == nil {
			b = whole
		} else {
			b = append(b, f[name]...)
		}
	}
	return append(b, '}')
}
