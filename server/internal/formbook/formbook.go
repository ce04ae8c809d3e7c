package formbook

import (
	"context"
	"encoding/json"
	"sync"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Registry has what is in force.
type Registry interface {
	Current() *registry.Snapshot
	// Refresh looks whether there is something newer, and reports whether there was.
	Refresh(ctx context.Context) (bool, error)
}

// Service keeps drafts, publishes, and sets. Whether somebody may is asked before.
type Service struct {
	store    Store
	registry Registry
	// mu lets one write at a time, so that a version follows from the one before it.
	mu sync.Mutex
}

// NewService makes a service.
func NewService(store Store, reg Registry) *Service { return &Service{store: store, registry: reg} }

// Editor is who writes, on what, and when. The zero author is whoever sits at the machine.
type Editor struct {
	Author syncproto.AuthorID
	Device syncproto.DeviceID
	At     syncproto.Instant
}

func (e Editor) line(act audit.Act, detail string, area syncproto.AreaID) audit.Entry {
	return audit.Entry{At: e.At, Act: act, Who: e.Author, Device: e.Device, Area: area, Detail: detail}
}

// Definition is a form or template as it can be had.
type Definition struct {
	Sort    registry.Sort  `json:"sort"`
	Name    string         `json:"name"`
	Kind    syncproto.Kind `json:"kind"`
	Version int            `json:"version"`
	Label   syncproto.Text `json:"label"`
	// Decided forms are written by decisions only; nobody extends them.
	Decided bool `json:"decided,omitempty"`
	// BuiltIn came with the program; By and At are of those that were published here. By is
	// zero for whoever sat at the machine.
	BuiltIn bool               `json:"built_in,omitempty"`
	By      syncproto.AuthorID `json:"by,omitzero"`
	ByName  string             `json:"by_name,omitempty"`
	At      syncproto.Instant  `json:"at,omitempty"`
	// Versions are all there are; DraftAt is set where somebody works on the next one.
	Versions []int             `json:"versions,omitempty"`
	DraftAt  syncproto.Instant `json:"draft_at,omitempty"`
	// Source is the definition itself.
	Source json.RawMessage `json:"definition,omitempty"`
}

// List is what there is of one sort.
type List struct {
	Definitions []Definition `json:"definitions"`
}

// Forms lists the newest version of each kind, and drafts of kinds that are not there yet.
func (s *Service) Forms(ctx context.Context) (*List, error) { return s.list(ctx, registry.FormSort) }

// Templates lists the newest version of each template, and drafts.
func (s *Service) Templates(ctx context.Context) (*List, error) {
	return s.list(ctx, registry.TemplateSort)
}

func (s *Service) list(ctx context.Context, sort registry.Sort) (*List, error) {
	drafts, err := s.store.Drafts(ctx)
	if err != nil {
		return nil, err
	}
	snap := s.registry.Current()
	list := &List{Definitions: []Definition{}}
	drafted := make(map[string]Draft)
	for _, d := range drafts {
		if d.Sort == sort {
			drafted[d.Name] = d
		}
	}
	for _, name := range namesOf(snap, sort) {
		d, _ := find(snap, sort, name, 0)
		d.Source = nil
		d.DraftAt = drafted[name].At
		delete(drafted, name)
		list.Definitions = append(list.Definitions, d)
	}
	for _, d := range drafts {
		if _, unpublished := drafted[d.Name]; unpublished && d.Sort == sort {
			list.Definitions = append(list.Definitions, Definition{
				Sort: sort, Name: d.Name, Kind: kindOf(d), By: d.By, ByName: nameOf(snap, d.By), DraftAt: d.At,
			})
		}
	}
	return list, nil
}

// Definition returns one version of a form or template, the newest for 0. Code not_found.
func (s *Service) Definition(sort registry.Sort, name string, version int) (*Definition, error) {
	d, ok := find(s.registry.Current(), sort, name, version)
	if !ok {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: string(sort)}
	}
	return &d, nil
}

// Draft returns what somebody works on. Code not_found.
func (s *Service) Draft(ctx context.Context, sort registry.Sort, name string) (*Definition, error) {
	d, err := s.draft(ctx, sort, name)
	if err != nil {
		return nil, err
	}
	return s.drafted(d), nil
}

func (s *Service) drafted(d Draft) *Definition {
	return &Definition{
		Sort: d.Sort, Name: d.Name, Kind: kindOf(d), By: d.By, ByName: nameOf(s.registry.Current(), d.By), DraftAt: d.At,
		Source: json.RawMessage(d.Source),
	}
}

func (s *Service) draft(ctx context.Context, sort registry.Sort, name string) (Draft, error) {
	drafts, err := s.store.Drafts(ctx)
	if err != nil {
		return Draft{}, err
	}
	for _, d := range drafts {
		if d.Sort == sort && d.Name == name {
			return d, nil
		}
	}
	return Draft{}, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "draft"}
}

func namesOf(snap *registry.Snapshot, sort registry.Sort) []string {
	var names []string
	if sort == registry.TemplateSort {
		for _, t := range snap.Templates.All() {
			if len(names) == 0 || names[len(names)-1] != t.Name {
				names = append(names, t.Name)
			}
		}
		return names
	}
	for _, kind := range snap.Forms.Kinds() {
		names = append(names, string(kind))
	}
	return names
}

// find returns a version, the newest for 0.
func find(snap *registry.Snapshot, sort registry.Sort, name string, version int) (Definition, bool) {
	d := Definition{Sort: sort, Name: name, BuiltIn: true}
	if sort == registry.TemplateSort {
		for _, t := range snap.Templates.All() {
			if t.Name != name {
				continue
			}
			d.Versions = append(d.Versions, t.Version)
			if version == 0 || t.Version == version {
				d.Kind, d.Version, d.Label, d.Source = t.Kind, t.Version, t.Label, t.Source()
			}
		}
	} else {
		for _, f := range snap.Forms.All() {
			if string(f.Kind) != name {
				continue
			}
			d.Versions = append(d.Versions, f.Version)
			if version == 0 || f.Version == version {
				d.Kind, d.Version, d.Label, d.Decided, d.Source = f.Kind, f.Version, f.Label, f.Decided, f.Source()
			}
		}
	}
	for _, p := range snap.Published {
		if p.Sort == sort && p.Name == name && p.Version == d.Version {
			d.BuiltIn, d.By, d.ByName, d.At = false, p.By, nameOf(snap, p.By), p.At
		}
	}
	return d, d.Version != 0
}

func nameOf(snap *registry.Snapshot, id syncproto.AuthorID) string {
	author, _ := snap.People.Author(id)
	return author.Name
}

// kindOf returns the kind that a draft is about.
func kindOf(d Draft) syncproto.Kind {
	if d.Sort == registry.FormSort {
		return syncproto.Kind(d.Name)
	}
	t, err := form.ParseTemplate(d.Source)
	if err != nil {
		return ""
	}
	return t.Kind
}
