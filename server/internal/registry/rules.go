package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Rules are the forms and settings as far as anything is derived from records by them:
// what is derived under the same Rules is the same. Two things never count: what is only
// read by people or asked before saving, and settings that no form asks for.
type Rules struct {
	forms uint64
	asked map[string]bool
	// levels is what holds in each area under the names asked for; those where nothing
	// was set are left out.
	levels map[syncproto.AreaID]uint64
}

// Print is a fingerprint of the rules.
func (r *Rules) Print() uint64 {
	if r == nil {
		return 0
	}
	sum := r.forms
	for id, level := range r.levels {
		h := fnv.New64a()
		fmt.Fprintf(h, "%s\x00%d", id, level)
		sum += h.Sum64() // in whatever order
	}
	return sum
}

// Same reports whether everything that lies in an area of tree is derived alike by both.
// Their prints may differ even so, as areas come.
func (r *Rules) Same(other *Rules, tree *area.Tree) bool {
	if r == nil || other == nil || r.forms != other.forms {
		return false
	}
	for _, one := range []struct{ a, b *Rules }{{r, other}, {other, r}} {
		for id, level := range one.a.levels {
			if _, there := tree.Find(id); there && one.b.levels[id] != level {
				return false
			}
		}
	}
	return true
}

// rulesOf works out the rules.
func rulesOf(forms form.Set, settings *Settings) (*Rules, error) {
	h := fnv.New64a()
	said := make(map[string]bool)
	for _, one := range settings.said {
		said[one.Name] = true
	}
	r := &Rules{asked: make(map[string]bool), levels: make(map[syncproto.AreaID]uint64)}
	for _, kind := range forms.Kinds() {
		definition, err := derivedBy(forms.Newest(kind))
		if err != nil {
			return nil, fmt.Errorf("rules of %s: %w", kind, err)
		}
		h.Write(definition)
		for name := range said {
			if bytes.Contains(definition, []byte(name)) {
				r.asked[name] = true
			}
		}
	}
	r.forms = h.Sum64()
	prints := make(map[*Level]uint64)
	for id, level := range settings.levels {
		print, known := prints[level]
		if !known {
			print = level.print(r.asked)
			prints[level] = print
		}
		if print != 0 {
			r.levels[id] = print
		}
	}
	return r, nil
}

// beside are members of a form by which nothing is derived from records.
var beside = map[string]bool{
	"label": true, "hint": true, "relevant": true, "constraint": true, "constraint_message": true, "calculate": true,
}

// derivedBy writes a form without those members, its names in order.
func derivedBy(f *form.Form) ([]byte, error) {
	source := f.Source()
	if source == nil { // one that was put together by hand
		var err error
		if source, err = json.Marshal(f); err != nil {
			return nil, err
		}
	}
	dec := json.NewDecoder(bytes.NewReader(source))
	dec.UseNumber()
	var definition map[string]any
	if err := dec.Decode(&definition); err != nil {
		return nil, err
	}
	delete(definition, "version")
	strip(definition)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(definition)
	return b.Bytes(), err
}

func strip(x any) {
	switch x := x.(type) {
	case map[string]any:
		for name := range x {
			if beside[name] {
				delete(x, name)
				continue
			}
			strip(x[name])
		}
	case []any:
		for _, member := range x {
			strip(member)
		}
	}
}
