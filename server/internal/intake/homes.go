package intake

import (
	"context"

	"gridsync/server/internal/match"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
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
func (r *reading) gatherHomes(household *form.Form) {
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
			h.profile = match.ProfileOf(household, h.fields, nil)
			r.homes = append(r.homes, h)
		}
		d.home = place
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
			}
		}
	}
	return nil
}

// homeOf finds the one household that stands at an address: the one with the same head
// where several do, or the only one in the same area.
func (f *finder) homeOf(h *home, candidates []syncproto.RecordID, within *places) (syncproto.RecordID, bool) {
	if row := f.row(h.record); row != nil {
		return row.ID, true
	}
	all := f.alike(h.profile, candidates, within)
	var near, sameHead []found
	for _, one := range all {
		head, _ := one.row.Fields["head"].Text()
		if h.head != "" && foldText(head) == foldText(h.head) {
			sameHead = append(sameHead, one)
		}
		if one.row.Area == h.area {
			near = append(near, one)
		}
	}
	for _, choice := range [][]found{sameHead, near, all} {
		if len(choice) == 1 {
			return choice[0].row.ID, true
		}
	}
	return h.record, false
}
