package area

import (
	"slices"
	"testing"

	"gridsync/syncproto"
)

// county is 33 › 3307 › {330702 › g1, g2; 330703}, and a post beside it.
func county(t *testing.T) *Tree {
	t.Helper()
	tree, err := NewTree([]Node{
		{Key: 4, ID: "g1", Parent: "330702"},
		{Key: 1, ID: "33"},
		{Key: 2, ID: "3307", Parent: "33"},
		{Key: 3, ID: "330702", Parent: "3307"},
		{Key: 5, ID: "g2", Parent: "330702"},
		{Key: 6, ID: "330703", Parent: "3307"},
		{Key: 7, ID: "exit-12"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func ids(nodes []Node) []syncproto.AreaID {
	var out []syncproto.AreaID
	for _, n := range nodes {
		out = append(out, n.ID)
	}
	return out
}

func TestWithinLooksUpwardsOnly(t *testing.T) {
	tree := county(t)
	for _, c := range []struct {
		id, root syncproto.AreaID
		want     bool
	}{
		{"g1", "g1", true},
		{"g1", "330702", true},
		{"g1", "33", true},
		{"33", "g1", false},
		{"g1", "g2", false},
		{"g1", "330703", false},
		{"330702", "330703", false},
		{"exit-12", "33", false},
		{"33", "exit-12", false},
		{"nowhere", "33", false},
		{"nowhere", "nowhere", false},
		{"33", "nowhere", false},
		{"33", "", false},
	} {
		if got := tree.Within(c.id, c.root); got != c.want {
			t.Errorf("%s within %s: %v", c.id, c.root, got)
		}
	}
}

func TestSubtreeNamesParentsFirst(t *testing.T) {
	tree := county(t)
	got := ids(tree.Subtree("3307"))
	want := []syncproto.AreaID{"3307", "330702", "g1", "g2", "330703"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if tree.Subtree("nowhere") != nil {
		t.Error("an area that isn't there has a subtree")
	}
	if got := ids(tree.Path("g2")); !slices.Equal(got, []syncproto.AreaID{"33", "3307", "330702", "g2"}) {
		t.Errorf("path %v", got)
	}
	if got := ids(tree.Children("")); !slices.Equal(got, []syncproto.AreaID{"33", "exit-12"}) {
		t.Errorf("roots %v", got)
	}
}

func TestWhatIsHandedOutCannotAlterTheTree(t *testing.T) {
	given := []Node{{Key: 1, ID: "33", Name: "浙江省"}}
	tree, err := NewTree(given)
	if err != nil {
		t.Fatal(err)
	}
	given[0].Name = "altered"
	tree.Subtree("33")[0].Name = "altered"
	tree.Children("")[0].Name = "altered"
	if n, _ := tree.Find("33"); n.Name != "浙江省" {
		t.Errorf("the tree says %q", n.Name)
	}
	if n, ok := tree.ByKey(1); !ok || n.ID != "33" {
		t.Errorf("by key: %v", n)
	}
}

func TestATreeThatIsNoneIsRefused(t *testing.T) {
	for name, nodes := range map[string][]Node{
		"a bad code":        {{ID: "3 3"}},
		"a code twice":      {{ID: "33"}, {ID: "33"}},
		"no such parent":    {{ID: "33", Parent: "1"}},
		"its own parent":    {{ID: "33", Parent: "33"}},
		"a circle of three": {{ID: "a", Parent: "b"}, {ID: "b", Parent: "c"}, {ID: "c", Parent: "a"}, {ID: "d"}},
	} {
		if _, err := NewTree(nodes); err == nil {
			t.Errorf("%s: it passes", name)
		}
	}
}
