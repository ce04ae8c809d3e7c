package enrol

import (
	"context"
	"fmt"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// HandOver passes what one person does in an area and below it on to another. DryRun asks
// what that comes to.
type HandOver struct {
	From   syncproto.AuthorID `json:"from"`
	To     syncproto.AuthorID `json:"to"`
	Area   syncproto.AreaID   `json:"area"`
	DryRun bool               `json:"dry_run,omitempty"`
}

// HandedOver is what a handing over comes to, or came to. Nothing that was recorded
// changes its author, and what the phones of the one who leaves still hold arrives as
// ever: Unsent says how much that is, by their own word at their last contact.
type HandedOver struct {
	// Ends are the grants of the one who leaves, as they are then; Gives those of the one
	// who comes.
	Ends  []identity.Grant `json:"ends"`
	Gives []identity.Grant `json:"gives"`
	// Phones are those of the one who leaves.
	Phones []BoardLine `json:"phones"`
	Unsent int         `json:"unsent"`
	Done   bool        `json:"done"`
}

// HandOver fails with bad_request, forbidden, own_grant, or not_found: nobody to hand
// over to, or nothing to hand over.
func (s *Service) HandOver(ctx context.Context, by By, in HandOver) (*HandedOver, error) {
	snap := s.Registry.Current()
	who, err := overseer(snap, by, in.Area)
	if err != nil {
		return nil, err
	}
	if in.From == in.To {
		return nil, bad("to", "somebody else")
	}
	if err := notOneself(by, in.From, in.To); err != nil {
		return nil, err
	}
	if _, ok := snap.People.Author(in.To); !ok {
		return nil, code(syncproto.CodeNotFound, "to")
	}
	out := &HandedOver{Phones: []BoardLine{}}
	if err := out.work(snap, by, in); err != nil {
		return nil, err
	}
	lines, err := s.lines(ctx, snap, snap.People.DevicesOf([]syncproto.AuthorID{in.From})[in.From])
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		out.Phones, out.Unsent = append(out.Phones, line), out.Unsent+line.Unsent
	}
	if in.DryRun {
		return out, nil
	}
	return out, s.handOver(ctx, by, who, in, out)
}

// work finds what ends and what is given instead.
func (h *HandedOver) work(snap *registry.Snapshot, by By, in HandOver) error {
	for _, g := range snap.People.Grants(in.From) {
		if !g.At(by.Now) || !snap.Areas.Within(g.Area, in.Area) {
			continue
		}
		if _, err := giver(snap, by, g.Area, g.Role); err != nil {
			return err
		}
		next := identity.Grant{Author: in.To, Area: g.Area, Role: g.Role, From: begin(0, by.Now), To: g.To}
		h.Ends, h.Gives = append(h.Ends, endedAt(g, by.Now)), append(h.Gives, next)
	}
	if len(h.Ends) == 0 {
		return code(syncproto.CodeNotFound, "from")
	}
	return nil
}

func (s *Service) handOver(ctx context.Context, by By, who syncproto.AuthorID, in HandOver, out *HandedOver) error {
	w := &Write{Grants: append(append([]identity.Grant{}, out.Ends...), out.Gives...), At: by.Now}
	w.note(by, who, audit.Entry{Act: audit.HandedOver, Area: in.Area, Detail: fmt.Sprintf("from %s to %s grants %d", in.From, in.To, len(out.Ends))})
	if err := s.Store.SaveEnrol(ctx, w); err != nil {
		return wrap("hand over", err)
	}
	out.Done = true
	_, err := s.Registry.Refresh(ctx)
	return err
}
