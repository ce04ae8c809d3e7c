package intake

import (
	"context"

	"gridsync/server/internal/match"
	"gridsync/syncproto"
)

// home is a household that people's rows speak of.
type home struct {
	area          syncproto.AreaID
	address, head string
	fields        syncproto.Fields
	profile       match.Profile
	record        syncproto.RecordID
	there         bool
}

// gatherHomes finds the households of people's rows: one for each address, and head where
// the file says one, of an area.
func (r *reading) gatherHomes() {
	at := make(map[[3]string]int)
	for i := range r.drafts {
		d := &r.drafts[i]
		if _, named := d.fields["household"]; named || d.address == "" || d.Status == Bad {
			continue
		}
		key := [3]string{string(d.Area), foldText(d.address), foldText(d.head)}
		place, known := at[key]
		if !known {
			place = len(r.homes)
			at[key] = place
			h := home{area: d.Area, address: d.address, head: d.head, fields: syncproto.Fields{"address": syncproto.TextValue(d.address)}}
			if d.head != "" {
				h.fields["head"] = syncproto.TextValue(d.head)
			}
			h.profile = match.ProfileOf(r.household, h.fields, nil)
			r.homes = append(r.homes, h)
		}
		d.home = place
	}
	r.gather()
	r.tenures()
}

// tenure is the field by which a household counts as one: without it, it is in the roster
// and in no number of households.
const tenure = "tenure"

// tenures takes from people's rows on what terms their households live there. Where two rows
// of one household say otherwise, the second is bad.
func (r *reading) tenures() {
	said := make(map[int]int)
	for i := range r.drafts {
		d := &r.drafts[i]
		if d.home < 0 || d.tenure.IsNull() {
			continue
		}
		first, known := said[d.home]
		if !known {
			said[d.home], r.homes[d.home].fields[tenure] = i, d.tenure
		} else if other := &r.drafts[first]; other.tenure != d.tenure {
			d.Status, d.home = Bad, -1
			d.Problems = append(d.Problems, Problem{Row: d.Row, Text: sayf(textTenures, other.Row)})
		}
	}
}

// findHomes looks for them in the roster, and gives those that aren't there an id.
func (s *Service) findHomes(ctx context.Context, r *reading) error {
	for from := 0; from < len(r.homes); from += chunk {
		part := r.homes[from:min(from+chunk, len(r.homes))]
		profiles, named := make([]match.Profile, len(part)), make([]syncproto.RecordID, len(part))
		for i := range part {
			h := &part[i]
			profiles[i] = h.profile
			h.record = s.idOf(string(kindHousehold), string(h.area), foldText(h.address), foldText(h.head))
			named[i] = h.record
		}
		find, candidates, err := s.candidates(ctx, profiles, named)
		if err != nil {
			return err
		}
		for i := range part {
			h := &part[i]
			if id, there := find.homeOf(h, candidates[i], r.places); there {
				h.record, h.there = id, true
				if said := h.fields[tenure]; !said.IsNull() && find.row(id).Fields[tenure] != said {
					r.otherTenures++
				}
			}
		}
	}
	return nil
}

// homeOf finds the one household that stands at an address, in the home's area or below:
// the one with the same head where several do. In another area it is another household.
func (f *finder) homeOf(h *home, candidates []syncproto.RecordID, within *places) (syncproto.RecordID, bool) {
	if row := f.row(h.record); row != nil {
		return row.ID, true
	}
	var near, sameHead []found
	for _, one := range f.alike(h.profile, candidates, within) {
		if !within.tree.Within(one.row.Area, h.area) {
			continue
		}
		near = append(near, one)
		if h.head != "" && foldText(textOf(one.row.Fields["head"])) == foldText(h.head) {
			sameHead = append(sameHead, one)
		}
	}
	for _, choice := range [][]found{sameHead, near} {
		if len(choice) == 1 {
			return choice[0].row.ID, true
		}
	}
	return h.record, false
}

// gather makes one of the homes that rows without an area speak of and those at the same
// address that rows with an area do: the second time the same file comes, both are there,
// and none may be found in place of the other.
func (r *reading) gather() {
	type place struct {
		address string
		area    syncproto.AreaID
	}
	type seat struct {
		place
		head string
	}
	// The first home below an area at an address, and the first there with a head.
	below, headed := make(map[place]int), make(map[seat]int)
	addresses, heads := make([]string, len(r.homes)), make([]string, len(r.homes))
	for i := range r.homes {
		addresses[i], heads[i] = foldText(r.homes[i].address), foldText(r.homes[i].head)
		for _, n := range r.places.tree.Path(r.homes[i].area) {
			if n.ID == r.homes[i].area {
				continue
			}
			at := place{addresses[i], n.ID}
			if _, taken := below[at]; !taken {
				below[at] = i
			}
			if _, taken := headed[seat{at, heads[i]}]; !taken {
				headed[seat{at, heads[i]}] = i
			}
		}
	}
	into := make([]int, len(r.homes))
	for i := range r.homes {
		at := place{addresses[i], r.homes[i].area}
		into[i] = i
		if j, there := headed[seat{at, heads[i]}]; there {
			into[i] = j
		} else if j, there := below[at]; there {
			into[i] = j
		}
	}
	for i := range r.drafts {
		d := &r.drafts[i]
		for hops := 0; d.home >= 0 && into[d.home] != d.home && hops < 8; hops++ {
			d.home = into[d.home]
		}
	}
}
