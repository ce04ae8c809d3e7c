package intake

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// places finds the areas that rows name, within the one that was chosen.
type places struct {
	tree   *area.Tree
	forms  form.Set
	root   syncproto.AreaID
	byName map[string][]syncproto.AreaID
}

func newPlaces(snap *registry.Snapshot, root syncproto.AreaID) *places {
	tree := snap.Areas
	p := &places{tree: tree, forms: snap.Forms, root: root, byName: make(map[string][]syncproto.AreaID)}
	for _, n := range tree.Subtree(root) {
		key := placeName(n.Name)
		p.byName[key] = append(p.byName[key], n.ID)
	}
	return p
}

func placeName(s string) string { return strings.Join(strings.Fields(norm.NFKC.String(s)), "") }

// find reads a code, or a name that one area alone has. What follows a code in the cell
// ("330702001003 东门网格") is passed over. The problem is nil where it is found.
func (p *places) find(text string) (syncproto.AreaID, *syncproto.Text) {
	code, _, _ := strings.Cut(norm.NFKC.String(text), " ")
	if id := syncproto.AreaID(code); p.holds(id) {
		return id, nil
	}
	switch found := p.byName[placeName(text)]; len(found) {
	case 1:
		return found[0], nil
	case 0:
		t := sayf(textNoArea, text)
		return "", &t
	default:
		t := sayf(textAreasAlike, text, len(found))
		return "", &t
	}
}

// holds reports whether an area is the chosen one or lies below it.
func (p *places) holds(id syncproto.AreaID) bool { return p.tree.Within(id, p.root) }
