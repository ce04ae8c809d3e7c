package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"gridsync/server/internal/formbook"
	"gridsync/server/internal/host"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/xlsform"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// formsCommands are what can be done to forms and templates at the machine itself.
type formsCommands struct {
	List    formsListCommand    `cmd:"" default:"withargs" help:"forms_list"`
	Show    formsShowCommand    `cmd:"" help:"forms_show"`
	Draft   formsDraftCommand   `cmd:"" help:"forms_draft"`
	Publish formsPublishCommand `cmd:"" help:"forms_publish"`
	Import  formsImportCommand  `cmd:"" help:"forms_import"`
}

type formsListCommand struct{ dataFlag }

// Run lists what is in force and what somebody works on.
func (c *formsListCommand) Run(ctx context.Context, t *terminal) error {
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		forms, err := d.Forms().Forms(ctx)
		if err != nil {
			return err
		}
		templates, err := d.Forms().Templates(ctx)
		if err != nil {
			return err
		}
		for _, f := range append(forms.Definitions, templates.Definitions...) {
			fmt.Fprintln(t.out, definitionLine(&f))
		}
		return nil
	})
}

// definitionLine is a definition's line in a list.
func definitionLine(d *formbook.Definition) string {
	line := string(d.Sort) + "  " + d.Name + "/" + strconv.Itoa(d.Version) + "  " + d.Label.ZH + " / " + d.Label.EN
	switch {
	case d.Version == 0:
		line = string(d.Sort) + "  " + d.Name
	case d.BuiltIn:
	default:
		line += "  " + form.DayOf(d.At).String() + "  " + nameOr(d.ByName, textAtMachine)
	}
	if d.DraftAt != 0 {
		line += "  [" + textIsDraft.ZH + " / " + textIsDraft.EN + "]"
	}
	return line
}

// nameOr is a name, or what stands for nobody's.
func nameOr(name string, nobody syncproto.Text) string {
	if name == "" {
		return nobody.ZH + " / " + nobody.EN
	}
	return name
}

// templateFlag says that a template is spoken of.
type templateFlag struct {
	Template bool `help:"forms_template"`
}

func (f templateFlag) sort() registry.Sort {
	if f.Template {
		return registry.TemplateSort
	}
	return registry.FormSort
}

type formsShowCommand struct {
	Name    string `arg:"" help:"forms_kind"`
	Version int    `help:"forms_version"`
	templateFlag
	dataFlag
}

// Run prints a definition.
func (c *formsShowCommand) Run(ctx context.Context, t *terminal) error {
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		shown, err := d.Forms().Definition(c.sort(), c.Name, c.Version)
		if err != nil {
			return refused(err)
		}
		fmt.Fprintf(t.out, "%s\n", shown.Source)
		return nil
	})
}

type formsDraftCommand struct {
	File string `arg:"" help:"forms_file"`
	dataFlag
}

// Run keeps a definition as a draft.
func (c *formsDraftCommand) Run(ctx context.Context, t *terminal) error {
	source, err := readFile(c.File, t.in)
	if err != nil {
		return err
	}
	sort, name := sortOf(source)
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		draft, err := d.Forms().PutDraft(ctx, sort, name, source, d.Operator())
		if err != nil {
			return refused(err)
		}
		say(t.err, textDrafted, draft.Name)
		return nil
	})
}

// sortOf reads what a definition defines, and its name: a template has a name, a form
// only its kind.
func sortOf(source []byte) (registry.Sort, string) {
	var head struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(source, &head); err != nil {
		return registry.FormSort, "" // whoever parses it says what is wrong
	}
	if head.Name != "" {
		return registry.TemplateSort, head.Name
	}
	return registry.FormSort, head.Kind
}

// readFile reads a file, or standard input for "-".
func readFile(path string, in io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(path)
}

type formsPublishCommand struct {
	Name string `arg:"" help:"forms_kind"`
	templateFlag
	dataFlag
}

// Run publishes a draft.
func (c *formsPublishCommand) Run(ctx context.Context, t *terminal) error {
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		done, err := d.Forms().Publish(ctx, c.sort(), c.Name, d.Operator())
		if err != nil {
			return refused(err)
		}
		say(t.err, textPublished, done.Name, done.Version)
		return nil
	})
}

// partlyRead is how much of a workbook could not be read, of which the rest was kept.
type partlyRead int

func (n partlyRead) Error() string { return fmt.Sprintf("%d problems, the rest was kept", int(n)) }

type formsImportCommand struct {
	File string         `arg:"" help:"forms_workbook"`
	Kind syncproto.Kind `help:"forms_kind"`
	// Extend keeps what the kind asks already.
	Extend bool `help:"forms_extend"`
	dataFlag
}

// Run reads a workbook and keeps what it says as a draft, with everything that is to be
// said of it. Where something of it is lost the command fails, and the draft is kept.
func (c *formsImportCommand) Run(ctx context.Context, t *terminal) error {
	workbook, err := readFile(c.File, t.in)
	if err != nil {
		return err
	}
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		read, draft, err := d.Forms().Import(ctx, xlsform.Options{Kind: c.Kind, Extend: c.Extend}, workbook, d.Operator())
		for _, list := range [][]xlsform.Note{read.Remarks, read.Problems} {
			for _, note := range list {
				fmt.Fprintln(t.err, note)
			}
		}
		if err != nil {
			return refused(err)
		}
		if draft != nil {
			say(t.err, textDrafted, draft.Name)
		}
		if len(read.Problems) > 0 {
			if draft == nil {
				return badFile(len(read.Problems))
			}
			return partlyRead(len(read.Problems))
		}
		return nil
	})
}

// refused lets a person read what the product says no to.
func refused(err error) error {
	var typed *syncproto.Error
	if errors.As(err, &typed) {
		return refusal{typed}
	}
	return err
}
