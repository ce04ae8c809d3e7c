package syncproto_test

import (
	"encoding/json"
	"errors"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/expr"
	"gridsync/syncproto/form"
)

// vectorExpr is an expression and what it is asked about. A name is known if it stands in
// Fields, Types or Names, a setting if it stands in Defaults.
type vectorExpr struct {
	Expr     string            `json:"expr"`
	Fields   texts             `json:"fields"`
	Types    map[string]string `json:"types"`
	Names    []string          `json:"names"`
	Self     string            `json:"self"`
	Now      syncproto.Instant `json:"now"`
	Settings texts             `json:"settings"`
	Defaults texts             `json:"defaults"`
}

// Setting is what is set, whatever the day.
func (in *vectorExpr) Setting(name string, _ expr.Day) syncproto.Value {
	return syncproto.Value(in.Settings[name])
}

func (in *vectorExpr) names() expr.Names {
	types := map[string]expr.Type{"date": expr.Date, "time": expr.Time}
	return expr.Names{
		Field: func(name string) (expr.Type, bool) {
			_, answered := in.Fields[name]
			typ, typed := in.Types[name]
			return types[typ], answered || typed || slices.Contains(in.Names, name)
		},
		Self: types[in.Types["."]],
		Setting: func(name string) (syncproto.Value, bool) {
			text, known := in.Defaults[name]
			return syncproto.Value(text), known
		},
	}
}

func runExpr(input []byte) (string, any, error) {
	var in vectorExpr
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	e, err := expr.Parse(in.Expr, in.names())
	var problem *expr.Problem
	if errors.As(err, &problem) {
		return "refused", map[string]any{"at": problem.At, "near": problem.Near, "reason": problem.Reason.EN}, nil
	}
	scope := &expr.Scope{Fields: in.Fields.fields(), Self: syncproto.Value(in.Self), Now: in.Now, Env: &in}
	return "value", map[string]any{"value": string(e.Value(scope)), "holds": e.Holds(scope), "printed": e.String()}, err
}

func runFollows(input []byte) (string, any, error) {
	var in struct {
		Old json.RawMessage `json:"old"`
		New json.RawMessage `json:"new"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	old, err := formOf(in.Old)
	if err != nil {
		return "", nil, err
	}
	next, err := formOf(in.New)
	if err != nil {
		return "", nil, err
	}
	var why *form.Incompatible
	if errors.As(form.Compatible(old, next), &why) {
		return "refused", map[string]any{"field": why.Field}, nil
	}
	return "accepted", map[string]any{}, nil
}

func runRemarks(input []byte) (string, any, error) {
	var in struct {
		Form     json.RawMessage   `json:"form"`
		Template json.RawMessage   `json:"template"`
		Shown    texts             `json:"shown"`
		At       syncproto.Instant `json:"at"`
		Settings settings          `json:"settings"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	f, err := formOf(in.Form)
	if err != nil {
		return "", nil, err
	}
	var template *form.Template
	if string(in.Template) != "null" && in.Template != nil {
		if template, err = form.ParseTemplate(in.Template); err != nil {
			return "", nil, err
		}
	}
	o := form.Occasion{At: in.At, Env: in.Settings}
	class, remarks := "complete", []any{}
	for _, r := range f.Remarks(in.Shown.fields(), template, o) {
		class, remarks = "remarks", append(remarks, map[string]any{"field": r.Field, "kind": r.Kind})
	}
	missing := append([]string{}, template.Missing(f, in.Shown.fields(), o)...)
	return class, map[string]any{"remarks": remarks, "missing": missing}, nil
}
