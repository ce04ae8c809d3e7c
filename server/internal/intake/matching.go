package intake

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"gridsync/server/internal/match"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// finder finds records that may be what rows speak of.
type finder struct {
	s *Service
	// rows are the records found, as they show.
	rows map[syncproto.RecordID]*roster.Row
}

// candidates returns, for each profile, the records that stand in its ranges of the index,
// and loads them besides those named.
func (s *Service) candidates(ctx context.Context, profiles []match.Profile, named []syncproto.RecordID) (*finder, [][]syncproto.RecordID, error) {
	var ranges []match.Range
	place := make(map[match.Range]int)
	of := make([][]int, len(profiles))
	for i := range profiles {
		for _, r := range profiles[i].Ranges(s.digester) {
			at, known := place[r]
			if !known {
				at = len(ranges)
				place[r], ranges = at, append(ranges, r)
			}
			of[i] = append(of[i], at)
		}
	}
	blocks, err := s.store.Alike(ctx, ranges, match.Block+1)
	if err != nil {
		return nil, nil, fmt.Errorf("look for records: %w", err)
	}
	found := make([][]syncproto.RecordID, len(profiles))
	all := slices.Clone(named)
	for i := range profiles {
		for _, at := range of[i] {
			if len(blocks[at]) <= match.Block { // a block that holds more tells nothing
				found[i] = append(found[i], blocks[at]...)
			}
		}
		found[i] = unique(found[i])
		all = append(all, found[i]...)
	}
	f := &finder{s: s, rows: make(map[syncproto.RecordID]*roster.Row)}
	if err := f.load(ctx, unique(all)); err != nil {
		return nil, nil, err
	}
	return f, found, nil
}

// load reads records, and those that they turned out to be.
func (f *finder) load(ctx context.Context, ids []syncproto.RecordID) error {
	for hops := 0; len(ids) > 0 && hops < 8; hops++ {
		rows, err := f.s.rosters.Shown(ctx, ids)
		if err != nil {
			return fmt.Errorf("look at records: %w", err)
		}
		ids = ids[:0]
		for i := range rows {
			f.rows[rows[i].ID] = &rows[i]
		}
		for i := range rows {
			if into := rows[i].SameAs; into != nil && f.rows[*into] == nil {
				ids = append(ids, *into)
			}
		}
		ids = unique(ids)
	}
	return nil
}

// row is a record as it shows, or what it turned out to be; nil if there is none.
func (f *finder) row(id syncproto.RecordID) *roster.Row {
	row := f.rows[id]
	for hops := 0; row != nil && row.SameAs != nil && hops < 8; hops++ {
		row = f.rows[*row.SameAs]
	}
	return row
}

// found is a record that a profile may be, with what speaks for it.
type found struct {
	row   *roster.Row
	score int
}

// alike returns those of the candidates that score, and lie where the caller looks, the
// best first.
func (f *finder) alike(p match.Profile, candidates []syncproto.RecordID, within *places) []found {
	var all []found
	seen := make(map[syncproto.RecordID]bool, len(candidates))
	for _, id := range candidates {
		row := f.row(id)
		if row == nil || seen[row.ID] || row.Kind != p.Kind || !within.holds(row.Area) {
			continue
		}
		seen[row.ID] = true
		form := within.forms.Newest(row.Kind)
		if score, _ := match.Score(p, match.ProfileOf(form, row.Fields, nil)); score >= match.Threshold {
			all = append(all, found{row, score})
		}
	}
	slices.SortFunc(all, func(a, b found) int {
		if a.score != b.score {
			return b.score - a.score
		}
		return bytes.Compare(a.row.ID[:], b.row.ID[:])
	})
	return all
}

// decisive narrows several records down to one where one ID number says so: whoever else
// matches then only shares a name or a telephone.
func decisive(p match.Profile, all []found, within *places) []found {
	if p.IDNumber == "" || len(all) < 2 {
		return all
	}
	same := slices.DeleteFunc(slices.Clone(all), func(f found) bool {
		return match.ProfileOf(within.forms.Newest(f.row.Kind), f.row.Fields, nil).IDNumber != p.IDNumber
	})
	if len(same) == 1 {
		return same
	}
	return all
}

func unique(ids []syncproto.RecordID) []syncproto.RecordID {
	seen := make(map[syncproto.RecordID]struct{}, len(ids))
	out := ids[:0:0]
	for _, id := range ids {
		if _, twice := seen[id]; !twice && !id.IsZero() {
			seen[id] = struct{}{}
			out = append(out, id)
		}
	}
	return out
}

// space is the name space of the ids that this package makes.
var space = uuid.MustParse("6f7c2a54-6a0e-5d0b-9e57-1f2b8f0d3c11")

// idOf makes an id that follows from what it is made of, so that the same file twice makes
// the same records. What goes in is digested with a key first: from the id alone nobody
// finds an ID number by trying.
func (s *Service) idOf(parts ...string) syncproto.RecordID {
	var value []byte
	for _, part := range parts {
		value = append(binary.AppendUvarint(value, uint64(len(part))), part...)
	}
	var name []byte
	for i := range byte(2) {
		name = binary.BigEndian.AppendUint64(name, s.digester.Digest(append([]byte{'i', 'd', i}, value...)))
	}
	return syncproto.RecordID(uuid.NewSHA1(space, name))
}

// keyOf is what a row is known by: the strongest of what it says.
func keyOf(d *draft) []string {
	p := &d.profile
	switch {
	case p.IDNumber != "":
		return []string{"id", p.IDNumber}
	case p.Name != "" && p.Birth != "":
		return []string{"birth", p.Name, p.Birth}
	case p.Name != "" && p.Mobile != "":
		return []string{"mobile", p.Name, p.Mobile}
	case p.Name != "" && !p.Household.IsZero():
		return []string{"home", p.Name, p.Household.String()}
	case p.Address != "":
		head, _ := d.fields["head"].Text()
		return []string{"address", p.Address, head}
	}
	return []string{"all", string(d.fields.Encode())}
}

// foldText is a text as it is compared.
func foldText(s string) string { return strings.ToLower(placeName(s)) }
