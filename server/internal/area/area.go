// Package area holds the tree of areas: stairwell, grid, community, township,
// county and so on, to any depth, with posts such as a motorway exit beside them.
//
// It refuses to know who may see an area; identity does.
package area

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Key is a small number for an area, given once and never reused. Cursors and
// tables hold it in place of the code.
type Key uint32

// Node is one area of the tree.
type Node struct {
	Key    Key
	ID     syncproto.AreaID
	Name   string
	Parent syncproto.AreaID // "" for a root
	// From and To are the first and the last day of the area's validity; 0 means open.
	From, To form.Day
}

// Tree is all areas at one moment. It is never altered.
type Tree struct {
	nodes    map[syncproto.AreaID]*Node
	byKey    map[Key]*Node
	children map[syncproto.AreaID][]*Node
	shape    uint64
}

// Store keeps areas.
type Store interface {
	// Areas returns every area in order of keys.
	Areas(ctx context.Context) ([]Node, error)
	// PutAreas adds the areas whose code is new, giving them the next keys in order,
	// and updates the others by their code, all or nothing. Keys given are ignored.
	PutAreas(ctx context.Context, nodes []Node) error
}

// NewTree makes a tree. It says no to a code given twice, to a parent that isn't
// there, and to a circle.
func NewTree(nodes []Node) (*Tree, error) {
	t := &Tree{
		nodes:    make(map[syncproto.AreaID]*Node, len(nodes)),
		byKey:    make(map[Key]*Node, len(nodes)),
		children: make(map[syncproto.AreaID][]*Node),
	}
	nodes = slices.Clone(nodes)
	for i := range nodes {
		n := &nodes[i]
		if err := n.ID.Check(); err != nil {
			return nil, err
		}
		if t.nodes[n.ID] != nil {
			return nil, fmt.Errorf("area %s is there twice", n.ID)
		}
		t.nodes[n.ID], t.byKey[n.Key] = n, n
		t.children[n.Parent] = append(t.children[n.Parent], n)
	}
	reached := 0
	t.walk("", func(n *Node) {
		reached++
		t.shape += n.print() // in whatever order
	})
	if reached == len(nodes) {
		return t, nil
	}
	for _, n := range nodes {
		if n.Parent != "" && t.nodes[n.Parent] == nil {
			return nil, fmt.Errorf("area %s: its parent %s is not there", n.ID, n.Parent)
		}
	}
	return nil, fmt.Errorf("areas form a circle")
}

func (t *Tree) walk(parent syncproto.AreaID, visit func(*Node)) {
	for _, n := range t.children[parent] {
		visit(n)
		t.walk(n.ID, visit)
	}
}

// Find returns the area with a code.
func (t *Tree) Find(id syncproto.AreaID) (Node, bool) {
	if n := t.nodes[id]; n != nil {
		return *n, true
	}
	return Node{}, false
}

// ByKey returns the area with a key.
func (t *Tree) ByKey(key Key) (Node, bool) {
	if n := t.byKey[key]; n != nil {
		return *n, true
	}
	return Node{}, false
}

// Within reports whether id is root or lies below it.
func (t *Tree) Within(id, root syncproto.AreaID) bool {
	for n := t.nodes[id]; n != nil; n = t.nodes[n.Parent] {
		if n.ID == root {
			return true
		}
	}
	return false
}

// Subtree returns the area and all below it, each parent before its children;
// none if there is no such area.
func (t *Tree) Subtree(root syncproto.AreaID) []Node {
	n := t.nodes[root]
	if n == nil {
		return nil
	}
	nodes := []Node{*n}
	t.walk(root, func(n *Node) { nodes = append(nodes, *n) })
	return nodes
}

// Children returns the areas directly below one; the roots for "".
func (t *Tree) Children(id syncproto.AreaID) []Node {
	nodes := make([]Node, 0, len(t.children[id]))
	for _, n := range t.children[id] {
		nodes = append(nodes, *n)
	}
	return nodes
}

// Path returns the area and its ancestors, from the root down.
func (t *Tree) Path(id syncproto.AreaID) []Node {
	var path []Node
	for n := t.nodes[id]; n != nil; n = t.nodes[n.Parent] {
		path = append(path, *n)
	}
	slices.Reverse(path)
	return path
}

// Shape is a fingerprint of which area lies below which.
func (t *Tree) Shape() int64 { return int64(t.shape) }

// print is a fingerprint of where an area lies.
func (n *Node) print() uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(n.Parent)) // writing to a hash doesn't fail
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(n.ID))
	return h.Sum64()
}

// Len counts the areas.
func (t *Tree) Len() int { return len(t.nodes) }
