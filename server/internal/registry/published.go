package registry

import (
	"fmt"

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
	forms form.Set
	laid  []Published
}

// lay adds what has been published since the last call.
func (s *shelf) lay(published []Published) error {
	for i := len(s.laid); i < len(published); i++ {
		p := published[i]
		if p.Sort == FormSort {
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
