package api

import (
	"bytes"
	"context"
	"errors"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/formbook"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/xlsform"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Forms are forms, templates and settings through their life; formbook says with which
// codes each fails.
type Forms interface {
	Forms(ctx context.Context) (*formbook.List, error)
	Templates(ctx context.Context) (*formbook.List, error)
	Definition(sort registry.Sort, name string, version int) (*formbook.Definition, error)
	Draft(ctx context.Context, sort registry.Sort, name string) (*formbook.Definition, error)
	FormLife
	SettingLife
}

// FormLife is how a draft becomes a version.
type FormLife interface {
	PutDraft(ctx context.Context, sort registry.Sort, name string, source []byte, who formbook.Editor) (*formbook.Definition, error)
	DropDraft(ctx context.Context, sort registry.Sort, name string, who formbook.Editor) error
	Publish(ctx context.Context, sort registry.Sort, name string, who formbook.Editor) (*formbook.Definition, error)
	Import(ctx context.Context, as xlsform.Options, workbook []byte, who formbook.Editor) (xlsform.Reading, *formbook.Definition, error)
}

// SettingLife is what holds in an area, and how it comes to.
type SettingLife interface {
	Settings(area syncproto.AreaID, day form.Day) (*formbook.InArea, error)
	Set(ctx context.Context, area syncproto.AreaID, changes []formbook.Change, who formbook.Editor) (*formbook.InArea, error)
}

// ImportedForm is what became of a workbook: the draft, or none and why not, and what is
// to be said of its cells.
type ImportedForm struct {
	Draft    *formbook.Definition `json:"draft,omitempty"`
	Error    *syncproto.Error     `json:"error,omitempty"`
	Problems []xlsform.Note       `json:"problems"`
	Remarks  []xlsform.Note       `json:"remarks"`
}

// DefinitionSource is a form or template, of which the JSON Schemas at /v1/forms/schema and
// /v1/templates/schema say the shape.
type DefinitionSource struct{}

// Parameters and codes of definitions.
var (
	paramKind     = param{"kind", "path", "The kind of record that the form is of.", "string", "visit"}
	paramTemplate = param{"name", "path", "The template's name.", "string", "seven_musts"}
	paramVersion  = param{"version", "query", "The version; the newest if absent.", "integer", "1"}

	codesOfForms = []syncproto.Code{syncproto.CodeBadRequest, syncproto.CodeForbidden, syncproto.CodeNotFound, syncproto.CodeBusy}
	codesOfDraft = append([]syncproto.Code{
		syncproto.CodeForbidden, syncproto.CodeNotFound, syncproto.CodeBadForm, syncproto.CodeFormIncompatible, syncproto.CodeMovedOn,
	}, codesOfBody...)
)

// formRoutes are about what is recorded, and by which rules. Everybody may see them: they
// say nothing of anybody.
func formRoutes() []route {
	routes := []route{
		{
			method: fiber.MethodGet, path: "/v1/forms/schema", id: "formSchema", who: anyone, within: readWithin,
			summary: "The JSON Schema of a form's definition.", media: fiber.MIMEApplicationJSON, handle: (*API).formSchema,
		},
		{
			method: fiber.MethodGet, path: "/v1/templates/schema", id: "templateSchema", who: anyone, within: readWithin,
			summary: "The JSON Schema of a template's definition.", media: fiber.MIMEApplicationJSON, handle: (*API).templateSchema,
		},
		{
			method: fiber.MethodPost, path: "/v1/forms/import", id: "importForm", who: someone, right: identity.Configure, within: readWithin,
			summary: "Read a form from an XLSForm workbook, whose bytes are the body, and keep it as a draft. What can't be read is named, with its cell.",
			params:  []param{{"kind", "query", "The kind that it is of; as the workbook says if absent.", "string", "survey"}, {"extend", "query", "The workbook adds to a kind that there is: what it doesn't ask is asked on.", "boolean", "true"}},
			answer:  ImportedForm{}, codes: codesOfDraft, handle: (*API).importForm,
		},
	}
	routes = append(routes, definitionRoutes("/v1/forms", "form", paramKind, (*API).forms, formDefinitions)...)
	return append(routes, definitionRoutes("/v1/templates", "template", paramTemplate, (*API).templates, templateDefinitions)...)
}

// definitions answers about definitions of one sort.
type definitions struct {
	sort registry.Sort
	// name is the parameter of the path.
	name string
}

var (
	formDefinitions     = definitions{registry.FormSort, "kind"}
	templateDefinitions = definitions{registry.TemplateSort, "name"}
)

func definitionRoutes(path, what string, name param, list func(*API, *call) (any, error), d definitions) []route {
	one := path + "/{" + name.name + "}"
	named := []param{name}
	return []route{
		{
			method: fiber.MethodGet, path: path, id: what + "s", who: someone, right: identity.Totals, within: readWithin,
			summary: "Every " + what + " in force, by its newest version, and those that somebody works on.",
			params:  []param{{"definitions", "query", "With their definitions.", "boolean", "true"}},
			answer:  formbook.List{}, codes: codesOfForms, handle: list,
		},
		{
			method: fiber.MethodGet, path: one, id: what, who: someone, right: identity.Totals, within: readWithin,
			summary: "One version of a " + what + ", with its definition.", params: []param{name, paramVersion},
			answer: formbook.Definition{}, codes: codesOfForms, handle: d.get,
		},
		{
			method: fiber.MethodGet, path: one + "/draft", id: what + "Draft", who: someone, right: identity.Configure, within: readWithin,
			summary: "The " + what + " that somebody works on.", params: named,
			answer: formbook.Definition{}, codes: codesOfForms, handle: d.getDraft,
		},
		{
			method: fiber.MethodPut, path: one + "/draft", id: what + "PutDraft", who: someone, right: identity.Configure, within: readWithin,
			summary: "Keep a definition, which is the body, as the draft of the next version. One that could not be published is not kept.",
			params:  named, body: DefinitionSource{}, answer: formbook.Definition{}, codes: codesOfDraft, handle: d.putDraft,
		},
		{
			method: fiber.MethodDelete, path: one + "/draft", id: what + "DropDraft", who: someone, right: identity.Configure, within: readWithin,
			summary: "Throw the draft away.", params: named, answer: Done{}, codes: codesOfForms, handle: d.dropDraft,
		},
		{
			method: fiber.MethodPost, path: one + "/publish", id: what + "Publish", who: someone, right: identity.Configure, within: readWithin,
			summary: "Publish the draft as the next version, for good: phones get it when they sync, and old records keep their version.",
			params:  named, answer: formbook.Definition{}, codes: codesOfDraft, handle: d.publish,
		},
	}
}

// formSchema is GET /v1/forms/schema, templateSchema GET /v1/templates/schema.
func (a *API) formSchema(*call) (any, error) {
	return raw{fiber.MIMEApplicationJSON, form.Schema()}, nil
}

func (a *API) templateSchema(*call) (any, error) {
	return raw{fiber.MIMEApplicationJSON, form.TemplateSchema()}, nil
}

// forms is GET /v1/forms, templates GET /v1/templates.
func (a *API) forms(c *call) (any, error) {
	list, err := a.Forms.Forms(c.ctx)
	return a.defined(c, registry.FormSort, list, err)
}

func (a *API) templates(c *call) (any, error) {
	list, err := a.Forms.Templates(c.ctx)
	return a.defined(c, registry.TemplateSort, list, err)
}

// defined adds the definitions to a list for whoever asks for them: a page that shows
// records needs the words of all.
func (a *API) defined(c *call, sort registry.Sort, list *formbook.List, err error) (any, error) {
	if err != nil || !c.QueryBool("definitions") {
		return list, err
	}
	for i := range list.Definitions {
		d := &list.Definitions[i]
		if d.Version == 0 {
			continue
		}
		whole, err := a.Forms.Definition(sort, d.Name, d.Version)
		if err != nil {
			return nil, err
		}
		d.Source = whole.Source
	}
	return list, nil
}

// get is GET /v1/forms/{kind}.
func (d definitions) get(a *API, c *call) (any, error) {
	version := 0
	if text := c.Query("version"); text != "" {
		var err error
		if version, err = strconv.Atoi(text); err != nil || version < 1 {
			return nil, bad("version", "1 or more")
		}
	}
	return a.Forms.Definition(d.sort, c.Params(d.name), version)
}

// getDraft is GET /v1/forms/{kind}/draft.
func (d definitions) getDraft(a *API, c *call) (any, error) {
	if _, err := c.editor(c.roots()...); err != nil {
		return nil, err
	}
	return a.Forms.Draft(c.ctx, d.sort, c.Params(d.name))
}

// putDraft is PUT /v1/forms/{kind}/draft.
func (d definitions) putDraft(a *API, c *call) (any, error) {
	who, err := c.editor(c.roots()...)
	if err != nil {
		return nil, err
	}
	source, err := c.body(formbook.MaxSource)
	if err != nil {
		return nil, err
	}
	return a.Forms.PutDraft(c.ctx, d.sort, c.Params(d.name), source, who)
}

// dropDraft is DELETE /v1/forms/{kind}/draft.
func (d definitions) dropDraft(a *API, c *call) (any, error) {
	who, err := c.editor(c.roots()...)
	if err != nil {
		return nil, err
	}
	return Done{}, a.Forms.DropDraft(c.ctx, d.sort, c.Params(d.name), who)
}

// publish is POST /v1/forms/{kind}/publish.
func (d definitions) publish(a *API, c *call) (any, error) {
	who, err := c.editor(c.roots()...)
	if err != nil {
		return nil, err
	}
	return a.Forms.Publish(c.ctx, d.sort, c.Params(d.name), who)
}

// importForm is POST /v1/forms/import.
func (a *API) importForm(c *call) (any, error) {
	who, err := c.editor(c.roots()...)
	if err != nil {
		return nil, err
	}
	workbook, err := c.body(syncproto.MaxBodyBytes)
	if err != nil {
		return nil, err
	}
	kind := syncproto.Kind(c.Query("kind"))
	if kind != "" && kind.Check() != nil {
		return nil, bad("kind", "a kind of record")
	}
	read, draft, err := a.Forms.Import(c.ctx, xlsform.Options{Kind: kind, Extend: c.QueryBool("extend")}, workbook, who)
	imported := ImportedForm{Draft: draft, Problems: read.Problems, Remarks: read.Remarks}
	imported.Error, err = remark(err)
	return imported, err
}

// roots are the areas with none above: what holds everywhere is theirs to say.
func (c *call) roots() []syncproto.AreaID {
	var roots []syncproto.AreaID
	for _, n := range c.snap.Areas.Children("") {
		roots = append(roots, n.ID)
	}
	return roots
}

// editor is whoever of the caller's people has the route's right in one of these areas. It
// fails with forbidden if nobody has, and with bad_request if several have: then nobody
// knows who it was.
func (c *call) editor(areas ...syncproto.AreaID) (formbook.Editor, error) {
	who := formbook.Editor{Device: c.caller.Device.ID, At: c.instant()}
	found := 0
	for _, author := range c.caller.Authors {
		for _, id := range areas {
			if c.snap.People.May(c.snap.Areas, []syncproto.AuthorID{author}, c.right, id, who.At) {
				who.Author = author
				found++
				break
			}
		}
	}
	switch found {
	case 0:
		return who, &syncproto.Error{Code: syncproto.CodeForbidden, Field: "area"}
	case 1:
		return who, nil
	}
	return who, bad("author", "several people who may share this phone")
}

// body reads a body that is no JSON of the API's own, up to a bound.
func (c *call) body(most int) (body []byte, err error) {
	err = readBody(c.Ctx, func(b []byte) error {
		if len(b) > most {
			return &syncproto.Error{Code: syncproto.CodeBodyTooLarge}
		}
		body = bytes.Clone(b)
		return nil
	})
	return body, err
}

// remark takes an error of the protocol as part of an answer.
func remark(err error) (*syncproto.Error, error) {
	var typed *syncproto.Error
	if err == nil || errors.As(err, &typed) {
		return typed, nil
	}
	return nil, err
}
