package syncproto

import (
	"encoding/json"
	"strconv"
	"strings"
)

// eachMember visits the members of a JSON object in order, each value as the text
// that stands there, from the place at. b must be valid JSON; it reports whether it
// is an object.
//
// encoding/json can do this with a map of raw messages, at three times the cost of
// everything else that happens to a change on its way through the server.
func eachMember(b string, visit func(name, raw string, at int)) bool {
	i := skipSpace(b, 0)
	if i == len(b) || b[i] != '{' {
		return false
	}
	for i = skipSpace(b, i+1); b[i] != '}'; {
		end := textEnd(b, i)
		name := memberName(b[i:end])
		i = skipSpace(b, skipSpace(b, end)+1) // past the colon
		end = valueEnd(b, i)
		visit(name, b[i:end], i)
		if i = skipSpace(b, end); b[i] == ',' {
			i = skipSpace(b, i+1)
		}
	}
	return true
}

// eachElement does the same for the elements of a JSON array.
func eachElement(b string, visit func(raw string, at int)) bool {
	i := skipSpace(b, 0)
	if i == len(b) || b[i] != '[' {
		return false
	}
	for i = skipSpace(b, i+1); b[i] != ']'; {
		end := valueEnd(b, i)
		visit(b[i:end], i)
		if i = skipSpace(b, end); b[i] == ',' {
			i = skipSpace(b, i+1)
		}
	}
	return true
}

func skipSpace(b string, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// textEnd returns the end of the string that begins at i.
func textEnd(b string, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// valueEnd returns the end of the value that begins at i.
func valueEnd(b string, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = textEnd(b, i) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i // the end of what the value stands in
			}
			depth--
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return i
}

func memberName(quoted string) string {
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var name string
	if json.Unmarshal([]byte(quoted), &name) != nil {
		return quoted // not valid JSON after all: a name that is no name
	}
	return name
}

// readValue reads the JSON of a member into a value of the types that a change
// has, the plain cases without encoding/json.
func readValue(raw string, into any) error {
	plain := len(raw) >= 2 && raw[0] == '"' && strings.IndexByte(raw, '\\') < 0
	switch to := into.(type) {
	case *Kind:
		if plain {
			*to = Kind(raw[1 : len(raw)-1])
			return nil
		}
	case *AreaID:
		if plain {
			*to = AreaID(raw[1 : len(raw)-1])
			return nil
		}
	case *ChangeID:
		if plain {
			return to.UnmarshalText([]byte(raw[1 : len(raw)-1]))
		}
	case *RecordID:
		if plain {
			return to.UnmarshalText([]byte(raw[1 : len(raw)-1]))
		}
	case *AuthorID:
		if plain {
			return to.UnmarshalText([]byte(raw[1 : len(raw)-1]))
		}
	case *Instant:
		if n, err := strconv.ParseInt(raw, 10, 64); err == nil {
			*to = Instant(n)
			return nil
		}
	case *Version:
		if n, err := strconv.ParseInt(raw, 10, 64); err == nil {
			*to = Version(n)
			return nil
		}
	case *int:
		if n, err := strconv.Atoi(raw); err == nil {
			*to = n
			return nil
		}
	case *uint64:
		if n, err := strconv.ParseUint(raw, 10, 64); err == nil {
			*to = n
			return nil
		}
	}
	return json.Unmarshal([]byte(raw), into)
}
