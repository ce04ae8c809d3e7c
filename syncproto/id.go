package syncproto

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// Identities are distinct types so that one can't be handed over for another.
// All but AreaID and Kind are UUIDs: 16 bytes at rest, 36 lower-case
// characters on the wire. New ones are version 7, whose leading bits are a
// time: rows made together then lie together.
type (
	// RecordID names a household, a person, a visit and so on.
	RecordID uuid.UUID
	// ChangeID names one author's statement.
	ChangeID uuid.UUID
	// DeviceID names a phone or another replica that records.
	DeviceID uuid.UUID
	// AuthorID names a person who records or decides.
	AuthorID uuid.UUID
	// Epoch names one history of a database. It changes when a backup is restored.
	Epoch uuid.UUID
)

// AreaID is an area's code, such as 330702001003: 1 to 32 letters, digits, dots,
// hyphens and underscores of ASCII. Official codes are used as they are.
type AreaID string

// Kind is a kind of record, such as "household": the name of its form.
type Kind string

// Version is the server's number for what it has committed, rising in commit
// order. 0 stands for "nothing seen".
type Version int64

// Instant is a moment in milliseconds since 1970-01-01T00:00:00Z. It is an
// integer, so that Go and JavaScript hold it exactly.
type Instant int64

// errID says what an identity must look like.
var errID = errors.New("an id is 36 characters, such as 0193b7a2-7c1e-7d3a-9b3f-1c2d3e4f5a6b")

func parseID(text []byte) (uuid.UUID, error) {
	if len(text) != 36 {
		return uuid.UUID{}, errID
	}
	u, err := uuid.ParseBytes(text)
	if err != nil {
		return uuid.UUID{}, errID
	}
	return u, nil
}

// The methods below are the same for every identity: text on the wire, and
// IsZero for "none".

func (id RecordID) String() string                { return uuid.UUID(id).String() }
func (id RecordID) IsZero() bool                  { return id == RecordID{} }
func (id RecordID) MarshalText() ([]byte, error)  { return uuid.UUID(id).MarshalText() }
func (id *RecordID) UnmarshalText(b []byte) error { return unmarshalID(id, b) }

func (id ChangeID) String() string                { return uuid.UUID(id).String() }
func (id ChangeID) IsZero() bool                  { return id == ChangeID{} }
func (id ChangeID) MarshalText() ([]byte, error)  { return uuid.UUID(id).MarshalText() }
func (id *ChangeID) UnmarshalText(b []byte) error { return unmarshalID(id, b) }

func (id DeviceID) String() string                { return uuid.UUID(id).String() }
func (id DeviceID) IsZero() bool                  { return id == DeviceID{} }
func (id DeviceID) MarshalText() ([]byte, error)  { return uuid.UUID(id).MarshalText() }
func (id *DeviceID) UnmarshalText(b []byte) error { return unmarshalID(id, b) }

func (id AuthorID) String() string                { return uuid.UUID(id).String() }
func (id AuthorID) IsZero() bool                  { return id == AuthorID{} }
func (id AuthorID) MarshalText() ([]byte, error)  { return uuid.UUID(id).MarshalText() }
func (id *AuthorID) UnmarshalText(b []byte) error { return unmarshalID(id, b) }

func (e Epoch) String() string                { return uuid.UUID(e).String() }
func (e Epoch) IsZero() bool                  { return e == Epoch{} }
func (e Epoch) MarshalText() ([]byte, error)  { return uuid.UUID(e).MarshalText() }
func (e *Epoch) UnmarshalText(b []byte) error { return unmarshalID(e, b) }

func unmarshalID[T ~[16]byte](id *T, b []byte) error {
	u, err := parseID(b)
	if err != nil {
		return err
	}
	*id = T(u)
	return nil
}

// ParseID reads an identity of any of the UUID kinds.
func ParseID[T ~[16]byte](s string) (T, error) {
	u, err := parseID([]byte(s))
	return T(u), err
}

// Check says what is wrong with an area's code.
func (a AreaID) Check() error { return checkName(string(a), 32, "area") }

// Check says what is wrong with a kind's name.
func (k Kind) Check() error { return checkName(string(k), 32, "kind") }

// CheckField says what is wrong with a field's name: 1 to 64 of the same
// characters.
func CheckField(name string) error { return checkName(name, 64, "field") }

func checkName(s string, most int, what string) error {
	if s == "" || len(s) > most {
		return fmt.Errorf("%s: 1 to %d characters, got %d", what, most, len(s))
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
		default:
			return fmt.Errorf("%s: letters, digits, '.', '-' and '_' only", what)
		}
	}
	return nil
}
