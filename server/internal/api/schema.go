package api

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/dayclose"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/fieldwork"
	"gridsync/server/internal/formbook"
	"gridsync/server/internal/hook"
	"gridsync/server/internal/intake"
	"gridsync/server/internal/proof"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/server/internal/xlsform"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/watch"
)

// object is a piece of the OpenAPI document.
type object = map[string]any

// schemas collects the JSON schemas of the types that travel, under their names.
// They are read off the Go types themselves, so that document and code can't part.
type schemas struct {
	named map[string]object
	of    map[string]reflect.Type
}

func newSchemas() *schemas {
	return &schemas{named: make(map[string]object), of: make(map[string]reflect.Type)}
}

// Types whose name alone says too little, or which another package has too.
var schemaNames = map[reflect.Type]string{
	reflect.TypeFor[roster.Page]():        "RosterPage",
	reflect.TypeFor[roster.Row]():         "RosterRow",
	reflect.TypeFor[roster.Diff]():        "RoundDiff",
	reflect.TypeFor[intake.Problem]():     "FileProblem",
	reflect.TypeFor[desk.Page]():          "ReviewPage",
	reflect.TypeFor[proof.Rows]():         "MeasureRows",
	reflect.TypeFor[proof.Row]():          "MeasureRow",
	reflect.TypeFor[desk.Line]():          "ReviewLine",
	reflect.TypeFor[desk.Field]():         "CaseField",
	reflect.TypeFor[desk.Value]():         "LiveValue",
	reflect.TypeFor[review.Kind]():        "ReviewKind",
	reflect.TypeFor[rollup.Child]():       "SummaryChild",
	reflect.TypeFor[audit.Page]():         "AuditPage",
	reflect.TypeFor[audit.Shown]():        "AuditLine",
	reflect.TypeFor[audit.Seen]():         "WhoSaw",
	reflect.TypeFor[audit.Phone]():        "PhoneWithCopy",
	reflect.TypeFor[dayclose.Seen]():      "DaySeen",
	reflect.TypeFor[dayclose.Change]():    "DayChange",
	reflect.TypeFor[dayclose.Figure]():    "DayNow",
	reflect.TypeFor[dayclose.Moved]():     "DayMoved",
	reflect.TypeFor[dayclose.Under]():     "DayUnder",
	reflect.TypeFor[dayclose.Return]():    "DayReturn",
	reflect.TypeFor[dayclose.Signature](): "DaySignature",
	reflect.TypeFor[hook.New]():           "NewHook",
	reflect.TypeFor[hook.Wish]():          "HookWish",
	reflect.TypeFor[hook.Sent]():          "Delivery",
	reflect.TypeFor[hook.State]():         "DeliveryState",
	reflect.TypeFor[hook.Ending]():        "HookEnding",
	reflect.TypeFor[dayclose.Measure]():   "DayFigure",
	reflect.TypeFor[dayclose.Act]():       "DayAct",
	reflect.TypeFor[dayclose.State]():     "DayState",
	reflect.TypeFor[dayclose.Child]():     "DayChild",
	reflect.TypeFor[enrol.Ending]():       "GrantEnding",
	reflect.TypeFor[formbook.List]():      "Definitions",
	reflect.TypeFor[formbook.InArea]():    "AreaSettings",
	reflect.TypeFor[formbook.Held]():      "SettingHeld",
	reflect.TypeFor[formbook.Said]():      "SettingSaid",
	reflect.TypeFor[formbook.Change]():    "SettingChange",
	reflect.TypeFor[watch.Lists]():        "WatchLists",
	reflect.TypeFor[watch.List]():         "WatchList",
	reflect.TypeFor[xlsform.Note]():       "SheetNote",
	reflect.TypeFor[enrol.Person]():       "Holder",
	reflect.TypeFor[syncproto.Area]():     "Area",
	reflect.TypeFor[syncproto.Error]():    "Remark",
}

// Types that JSON shows otherwise than Go does.
var schemaOf = map[reflect.Type]object{
	reflect.TypeFor[json.RawMessage](): {"description": "Any JSON value, as its author's device wrote it."},
	reflect.TypeFor[syncproto.Value](): {"description": "A field's value: any JSON value, as its author's device wrote it; null if it was cleared."},
	reflect.TypeFor[syncproto.AreaID](): {
		"type": "string", "pattern": "^[A-Za-z0-9._-]{1,32}$", "description": "An area's code.",
	},
	reflect.TypeFor[syncproto.Kind](): {
		"type": "string", "pattern": "^[A-Za-z0-9._-]{1,32}$", "description": "A kind of record: the name of its form.",
	},
	reflect.TypeFor[syncproto.Version](): {
		"type": "integer", "format": "int64", "description": "The server's number for a commit; 0 for none.",
	},
	reflect.TypeFor[syncproto.Instant](): {
		"type": "integer", "format": "int64", "description": "Milliseconds since 1970-01-01T00:00:00Z.",
	},
	reflect.TypeFor[syncproto.Digest](): {"type": "string", "pattern": "^[0-9a-f]{64}$"},
	reflect.TypeFor[syncproto.Sum]():    {"type": "string", "pattern": "^[0-9a-f]{16}$"},
	reflect.TypeFor[syncproto.Outcome](): enum(
		syncproto.Applied, syncproto.Merged, syncproto.Disputed, syncproto.Parked, syncproto.Duplicate, syncproto.Refused,
	),
	reflect.TypeFor[review.Kind]():        enum(review.Kinds...),
	reflect.TypeFor[fieldwork.DutyKind](): enum(fieldwork.DutyKinds...),
	reflect.TypeFor[desk.Act](): enum(
		desk.Choose, desk.Merge, desk.Different, desk.Route, desk.Accept, desk.Return, desk.Assign, desk.Undo,
	),
	reflect.TypeFor[form.Unit](): {
		"type": "string", "description": "What is counted: household, person, time (people, however often), " +
			"household_time (households, however often), vehicle, item. There may be more later.",
	},
	reflect.TypeFor[syncproto.Code](): {
		"type": "string", "description": "A code of the closed table x-codes; clients of an older version meet newer ones.",
	},
	// A remark is written by its own method, in a Problem's shape without a reference.
	reflect.TypeFor[syncproto.Error](): {
		"type": "object", "required": []string{"code", "message"},
		"properties": object{
			"code": ref("Code"), "field": object{"type": "string"}, "detail": object{"type": "string"}, "message": ref("Text"),
		},
	},
}

// maybeCount is a number that may be held back.
var maybeCount = object{"type": []string{"integer", "null"}}

// maybeShare is a percentage, where there is anything to have a share of.
var maybeShare = object{"type": []string{"number", "null"}, "description": "In percent, to the nearest tenth."}

// Members that hold JSON whose shape another place of the code knows.
var memberSchemas = map[string]object{
	"Request.changes":        {"type": "array", "maxItems": syncproto.MaxBatchChanges, "items": ref("Change")},
	"PublishedMeasure.value": maybeCount,
	"PublishedChild.values":  {"type": "array", "items": maybeCount},
	"Ratio.share":            maybeShare,
	"RoundNumbers.met_share": maybeShare,
	"Receipts.share":         maybeShare,
	"Child.shares":           {"type": "array", "items": maybeShare},
	"Answer.forms":           {"type": "array", "items": object{"type": "object", "description": "A form's definition."}},
	"Answer.templates":       {"type": "array", "items": object{"type": "object", "description": "A template's definition."}},
}

// changeSchema is the shape of a change on the wire, whose reader and writer are
// made by hand. A test holds it against what the writer writes.
func (s *schemas) changeSchema() object {
	uuid := object{"type": "string", "format": "uuid"}
	names := object{"type": "array", "items": object{"type": "string"}}
	return object{
		"type":                 "object",
		"description":          "One author's statement about one record. Members that are not listed here are kept.",
		"required":             []string{"id", "n", "author", "kind", "record", "area", "fields", "at", "form"},
		"additionalProperties": true,
		"properties": object{
			"id": uuid, "n": object{"type": "integer", "minimum": 1, "maximum": syncproto.MaxN}, "author": uuid,
			"kind": s.schema(reflect.TypeFor[syncproto.Kind]()), "record": uuid,
			"area": s.schema(reflect.TypeFor[syncproto.AreaID]()), "base": s.schema(reflect.TypeFor[syncproto.Version]()),
			"fields": object{"type": "object", "maxProperties": syncproto.MaxFields}, "amid": names,
			"decides": object{"type": "boolean"}, "at": s.schema(reflect.TypeFor[syncproto.Instant]()),
			"form": object{"type": "integer", "minimum": 1},
		},
	}
}

func enum[T ~string](values ...T) object { return object{"type": "string", "enum": values} }

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// schema returns the schema of a type, or a reference to it for those with names.
func (s *schemas) schema(t reflect.Type) object {
	if t.Kind() == reflect.Pointer {
		return s.schema(t.Elem())
	}
	known, special := schemaOf[t]
	if special && t.Name() == "RawMessage" {
		return known
	}
	if special {
		return s.name(t, func() object { return known })
	}
	if t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		// Every other type that writes itself as text is an identity.
		return object{"type": "string", "format": "uuid"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{"type": []string{"string", "null"}, "contentEncoding": "base64"}
		}
		return object{"type": "array", "items": s.schema(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.schema(t.Elem())}
	case reflect.Struct:
		return s.name(t, func() object { return s.structure(t) })
	}
	panic(fmt.Sprintf("api: no schema for %v", t))
}

// name puts a type's schema into the list once, and returns a reference to it.
func (s *schemas) name(t reflect.Type, read func() object) object {
	name := nameOf(t)
	switch there := s.of[name]; there {
	case t:
	case nil:
		s.of[name] = t // before the members are looked at: a type may hold itself
		s.named[name] = read()
	default:
		panic(fmt.Sprintf("api: %v and %v have one name in the document: name one of them in schemaNames", there, t))
	}
	return ref(name)
}

// nameOf is the name of a type in the document: the one chosen for it, or its own. It doesn't
// hang on which type is met first, as clients are made from these names.
func nameOf(t reflect.Type) string {
	if chosen := schemaNames[t]; chosen != "" {
		return chosen
	}
	return t.Name()
}

func (s *schemas) structure(t reflect.Type) object {
	properties, required := object{}, []string{}
	s.members(t, properties, &required)
	return object{"type": "object", "properties": properties, "required": required}
}

// members adds a struct's members, those of embedded structs among them.
func (s *schemas) members(t reflect.Type, properties object, required *[]string) {
	for i := range t.NumField() {
		field := t.Field(i)
		tag, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && tag == "" {
			s.members(field.Type, properties, required)
			continue
		}
		if !field.IsExported() || tag == "-" {
			continue
		}
		known, special := memberSchemas[t.Name()+"."+tag]
		if !special {
			known = s.schema(field.Type)
		}
		properties[tag] = known
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			*required = append(*required, tag)
		}
	}
}
