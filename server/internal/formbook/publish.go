package formbook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/xlsform"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// MaxSource bounds a definition, in bytes: every phone fetches it.
const MaxSource = 192 << 10

// PutDraft keeps a definition to work on, in place of the one before. Its version becomes
// the next, whatever it says. Codes bad_form for one that makes no sense by itself or beside
// the other forms, form_incompatible for one that does not follow from the version before
// it: nothing is kept then.
func (s *Service) PutDraft(ctx context.Context, sort registry.Sort, name string, source []byte, who Editor) (*Definition, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap, err := s.newest(ctx)
	if err != nil {
		return nil, err
	}
	d := Draft{Sort: sort, Name: name, Source: source, By: who.Author, At: who.At}
	if d.Source, _, err = complete(snap, sort, name, source); err != nil {
		return nil, err
	}
	err = s.store.SaveForms(ctx, &Write{
		Drafts: []Draft{d}, Lines: []audit.Entry{who.line(audit.Drafted, detail(sort, name, 0), "")},
	})
	if err != nil {
		return nil, err
	}
	// It isn't read again: somebody may have published it already, on another server.
	return s.drafted(d), nil
}

// Import reads a form from an XLSForm workbook and keeps it as a draft: none if there was
// nothing to be read. Its kind may be left out: the workbook then names it; what was before
// is known here. Codes as PutDraft; the reading holds what is to be said of the workbook
// even then.
func (s *Service) Import(ctx context.Context, as xlsform.Options, workbook []byte, who Editor) (xlsform.Reading, *Definition, error) {
	snap, err := s.newest(ctx)
	if err != nil {
		return xlsform.Reading{}, nil, err
	}
	named := as.Kind != ""
	as.Before = snap.Forms.Newest(as.Kind)
	read, err := xlsform.Read(ctx, workbook, as)
	if before := snap.Forms.Newest(read.Kind); err == nil && !named && before != nil {
		// The workbook names its kind, and there is one.
		as.Kind, as.Before = read.Kind, before
		read, err = xlsform.Read(ctx, workbook, as)
	}
	if err != nil || len(read.Source) == 0 {
		return read, nil, err
	}
	draft, err := s.PutDraft(ctx, registry.FormSort, string(read.Kind), read.Source, who)
	return read, draft, err
}

// DropDraft throws a draft away; one that isn't there is no error.
func (s *Service) DropDraft(ctx context.Context, sort registry.Sort, name string, who Editor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store.SaveForms(ctx, &Write{
		Dropped: []Draft{{Sort: sort, Name: name}}, Lines: []audit.Entry{who.line(audit.Drafted, detail(sort, name, 0), "")},
	})
}

// Publish makes a draft the next version, for good. Codes not_found (there is no draft),
// bad_form, form_incompatible; moved_on if somebody published another one, or altered the
// draft, meanwhile.
func (s *Service) Publish(ctx context.Context, sort registry.Sort, name string, who Editor) (*Definition, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap, err := s.newest(ctx)
	if err != nil {
		return nil, err
	}
	var version int
	for {
		if version, err = s.publish(ctx, snap, sort, name, who); err == nil {
			break
		}
		before := snap
		if snap, err = s.elsewhere(ctx, before, sort, name, err); err != nil {
			return nil, err
		}
	}
	if _, err := s.registry.Refresh(ctx); err != nil {
		return nil, err
	}
	return s.Definition(sort, name, version)
}

// publish makes the draft, as it is now, the version after a snapshot's.
func (s *Service) publish(ctx context.Context, snap *registry.Snapshot, sort registry.Sort, name string, who Editor) (int, error) {
	d, err := s.draft(ctx, sort, name)
	if err != nil {
		return 0, err
	}
	p := registry.Published{Sort: sort, Name: name, By: who.Author, At: who.At}
	// What held when the draft was kept may not hold any more.
	if p.Source, p.Version, err = complete(snap, sort, name, d.Source); err != nil {
		return 0, err
	}
	return p.Version, s.store.SaveForms(ctx, &Write{
		Publish: []registry.Published{p}, Known: len(snap.Published), Dropped: []Draft{d},
		Lines: []audit.Entry{who.line(audit.Published, detail(sort, name, p.Version), "")},
	})
}

// elsewhere returns what is in force now if publishing failed because another process has
// published something else: nobody has to look again for that. It returns err for anything
// else.
func (s *Service) elsewhere(ctx context.Context, before *registry.Snapshot, sort registry.Sort, name string, err error) (*registry.Snapshot, error) {
	if !errors.Is(err, &syncproto.Error{Code: syncproto.CodeMovedOn}) {
		return nil, err
	}
	now, failed := s.newest(ctx)
	if failed != nil {
		return nil, errors.Join(err, failed)
	}
	was, _ := find(before, sort, name, 0)
	if is, _ := find(now, sort, name, 0); is.Version != was.Version || len(now.Published) == len(before.Published) {
		return nil, err
	}
	return now, nil
}

func detail(sort registry.Sort, name string, version int) string {
	if version == 0 {
		return string(sort) + " " + name
	}
	return fmt.Sprintf("%s %s/%d", sort, name, version)
}

// newest is the snapshot with what another process has written meanwhile.
func (s *Service) newest(ctx context.Context) (*registry.Snapshot, error) {
	if _, err := s.registry.Refresh(ctx); err != nil {
		return nil, err
	}
	return s.registry.Current(), nil
}

// complete gives a definition the next version, and says what is wrong with it.
func complete(snap *registry.Snapshot, sort registry.Sort, name string, source []byte) ([]byte, int, error) {
	before, _ := find(snap, sort, name, 0)
	version := before.Version + 1
	if len(source) > MaxSource {
		return nil, 0, badForm("", "larger than "+strconv.Itoa(MaxSource)+" bytes")
	}
	source, err := renumber(source, version)
	if err != nil {
		return nil, 0, unread(err)
	}
	if sort == registry.TemplateSort {
		return source, version, checkTemplate(snap, name, source)
	}
	return source, version, checkForm(snap, name, source)
}

func badForm(field, detail string) *syncproto.Error {
	return &syncproto.Error{Code: syncproto.CodeBadForm, Field: field, Detail: detail}
}

// unread is a definition that makes no sense, with the reason in the reader's language
// where whoever found it has one.
func unread(err error) *syncproto.Error { return because(badForm("", err.Error()), err) }

func incompatible(field string, err error) *syncproto.Error {
	return because(&syncproto.Error{Code: syncproto.CodeFormIncompatible, Field: field, Detail: err.Error()}, err)
}

func because(e *syncproto.Error, err error) *syncproto.Error {
	var reason interface {
		error
		Message() syncproto.Text
	}
	if errors.As(err, &reason) {
		return e.Because(reason.Message())
	}
	return e
}

func checkTemplate(snap *registry.Snapshot, name string, source []byte) error {
	t, err := form.ParseTemplate(source)
	if err != nil {
		return unread(err)
	}
	if t.Name != name || slices.Contains(reserved, name) {
		return badForm("name", "another name than the one asked for")
	}
	if before := snap.Templates.Newest(name); before != nil && before.Kind != t.Kind {
		return incompatible("kind", fmt.Errorf("a template stays one of %s", before.Kind))
	}
	if err := t.Check(snap.Forms.Newest(t.Kind)); err != nil {
		return because(badForm("fields", err.Error()), err)
	}
	return nil
}

// reserved are names that routes have already.
var reserved = []string{"schema", "import"}

func checkForm(snap *registry.Snapshot, name string, source []byte) error {
	f, err := form.Parse(source)
	if err != nil {
		return unread(err)
	}
	if string(f.Kind) != name || slices.Contains(reserved, name) {
		return badForm("kind", "another kind than the one asked for, or no name for one")
	}
	before := snap.Forms.Newest(f.Kind)
	switch {
	case f.Decided || before != nil && before.Decided:
		return badForm("decided", "what is written by decisions only belongs to the program")
	case before != nil:
		if err := follows(before, f); err != nil {
			return err
		}
	}
	for i := range f.Fields {
		if of := f.Fields[i].Of; of != "" && of != f.Kind && !snap.Forms.Has(of) {
			return badForm(f.Fields[i].Name, fmt.Sprintf("there are no records of kind %q", of))
		}
	}
	return uniqueMeasures(snap.Forms, f)
}

// follows says why a version can't come after another.
func follows(before, f *form.Form) error {
	err := form.Compatible(before, f)
	if err == nil {
		return nil
	}
	var found *form.Incompatible
	if errors.As(err, &found) {
		return incompatible(found.Field, err)
	}
	return incompatible("", err)
}

// uniqueMeasures says which measure of a form has a name that another kind's has: totals
// are added up by names.
func uniqueMeasures(forms form.Set, f *form.Form) error {
	for _, kind := range forms.Kinds() {
		if kind == f.Kind {
			continue
		}
		for _, other := range forms.All() {
			if other.Kind != kind {
				continue
			}
			for _, m := range other.Measures {
				if slices.ContainsFunc(f.Measures, func(own form.Measure) bool { return own.Name == m.Name }) {
					return badForm(m.Name, fmt.Sprintf("a measure of %s has this name", kind))
				}
			}
		}
	}
	return nil
}

// renumber returns a definition with another version, and everything else as it was
// written.
func renumber(source []byte, version int) ([]byte, error) {
	source = bytes.TrimSpace(source)
	dec := json.NewDecoder(bytes.NewReader(source))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	number := []byte(strconv.Itoa(version))
	out := bytes.Clone(source)
	found := false
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("at byte %d: %w", dec.InputOffset(), err)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			// What doesn't read may be anything: it is told by its place, and not repeated.
			return nil, fmt.Errorf("after byte %d: %w", dec.InputOffset(), err)
		}
		if name == "version" {
			if found {
				return nil, errors.New("version is there twice")
			}
			found = true
			end := int(dec.InputOffset())
			out = slices.Concat(source[:end-len(value)], number, source[end:])
		}
	}
	if !found {
		sep := []byte(",")
		if rest := bytes.TrimSpace(source[1:]); len(rest) > 0 && rest[0] == '}' {
			sep = nil
		}
		out = slices.Concat([]byte(`{"version": `), number, sep, source[1:])
	}
	return out, nil
}
