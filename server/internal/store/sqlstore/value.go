package sqlstore

import (
	"bytes"
	"encoding/json"
	"fmt"

	"gridsync/syncproto"
)

// idColumn scans 16 bytes into an id of any kind; NULL leaves it as it is.
type idColumn[T ~[16]byte] struct{ into *T }

// Scan implements sql.Scanner.
func (c idColumn[T]) Scan(src any) error {
	switch b := src.(type) {
	case nil:
		return nil
	case []byte:
		if len(b) == 16 {
			*c.into = T(b)
			return nil
		}
	}
	return fmt.Errorf("an id of 16 bytes is stored as %T", src)
}

// intoID says where an id is to be scanned to.
func intoID[T ~[16]byte](id *T) idColumn[T] { return idColumn[T]{id} }

// idArg is an id as an argument.
func idArg[T ~[16]byte](id *T) any {
	b := [16]byte(*id)
	return b[:]
}

// idOrNull is an id as an argument, NULL for none.
func idOrNull[T ~[16]byte](id T) any {
	b := [16]byte(id)
	if b == ([16]byte{}) {
		return nil
	}
	return b[:]
}

// orNull is a text that is NULL when there is none.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// flag is a boolean as a number.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// list is a list as JSON text, "" for an empty one.
func list[T any](items []T) string {
	if len(items) == 0 {
		return ""
	}
	return string(syncproto.ValueOf(items))
}

// unlist reads what list wrote.
func unlist[T any](text string) ([]T, error) {
	if text == "" {
		return nil, nil
	}
	var items []T
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return nil, fmt.Errorf("a stored list: %w", err)
	}
	return items, nil
}

// extraText writes the members that this code doesn't know, each byte for byte as
// it came: encoding/json would take out white space, and the change's hash covers
// it.
func extraText(extra map[string]json.RawMessage) string {
	if len(extra) == 0 {
		return ""
	}
	var b bytes.Buffer
	for name, raw := range extra {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(string(syncproto.TextValue(name)))
		b.WriteByte(':')
		b.Write(raw)
	}
	return "{" + b.String() + "}"
}

// extraFrom reads what extraText wrote.
func extraFrom(text string) (map[string]json.RawMessage, error) {
	if text == "" {
		return nil, nil
	}
	var extra map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &extra); err != nil {
		return nil, fmt.Errorf("stored unknown members: %w", err)
	}
	return extra, nil
}

// outcomes are the stored numbers of verdicts.
var outcomes = [...]syncproto.Outcome{
	1: syncproto.Applied, 2: syncproto.Merged, 3: syncproto.Disputed, 4: syncproto.Parked,
}

func outcomeNumber(o syncproto.Outcome) (int64, error) {
	for i, known := range outcomes {
		if known == o && o != "" {
			return int64(i), nil
		}
	}
	return 0, fmt.Errorf("the log holds no verdict %q", o)
}

func outcomeOf(number int64) (syncproto.Outcome, error) {
	if number < 1 || number >= int64(len(outcomes)) {
		return "", fmt.Errorf("a stored verdict %d", number)
	}
	return outcomes[number], nil
}
