package registry

import (
	"cmp"
	"fmt"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Sort says what a definition defines.
type Sort string

// The sorts.
const (
	FormSort     Sort = "form"
	TemplateSort Sort = "template"
)

// Published is a definition that was published on this server: it is never altered and
// never taken back, as records name its version.
type Published struct {
	Sort Sort
	// Name is a form's kind, or a template's name.
	Name    string
	Version int
	Source  []byte
	// By published it, zero for whoever sat at the machine; At is when.
	By syncproto.AuthorID
	At syncproto.Instant
}

// shelf lays what was published over what comes with the program. What was published here
// comes before a version of the same number that a later program brings.
type shelf struct {
	forms     form.Set
	templates Templates
	laid      []Published
}

// lay adds what has been published since the last call.
func (s *shelf) lay(published []Published) error {
	for i := len(s.laid); i < len(published); i++ {
		p := published[i]
		switch p.Sort {
		case TemplateSort:
			t, err := form.ParseTemplate(p.Source)
			if err != nil {
				return fmt.Errorf("published template %s/%d: %w", p.Name, p.Version, err)
			}
			s.templates = s.templates.with(t)
		case FormSort:
			f, err := form.Parse(p.Source)
			if err != nil {
				return fmt.Errorf("published form %s/%d: %w", p.Name, p.Version, err)
			}
			s.forms = s.forms.With(f)
		}
		s.laid = published[:i+1]
	}
	return nil
}

// Templates are all versions of all templates, in order of name and version.
type Templates struct{ all []*form.Template }

// All returns every one.
func (ts Templates) All() []*form.Template { return ts.all }

// Newest returns the newest version of a template; nil if there is none.
func (ts Templates) Newest(name string) *form.Template {
	for i := len(ts.all) - 1; i >= 0; i-- {
		if ts.all[i].Name == name {
			return ts.all[i]
		}
	}
	return nil
}

// with returns them with another one, in place of one of its name and version.
func (ts Templates) with(t *form.Template) Templates {
	next := make([]*form.Template, 0, len(ts.all)+1)
	for _, old := range ts.all {
		if old.Name != t.Name || old.Version != t.Version {
			next = append(next, old)
		}
	}
	next = append(next, t)
	slices.SortFunc(next, func(a, b *form.Template) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return Templates{next}
}
