package formbook

import (
	"context"
	"slices"
	"strings"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Held is a setting as it holds in an area on a day.
type Held struct {
	Name  string          `json:"name"`
	Label syncproto.Text  `json:"label"`
	Type  form.Type       `json:"type"`
	Unit  string          `json:"unit,omitempty"`
	Min   *float64        `json:"min,omitempty"`
	Max   *float64        `json:"max,omitempty"`
	Value syncproto.Value `json:"value,omitempty"`
	// Default is what holds where nobody has set anything.
	Default syncproto.Value `json:"default,omitempty"`
	// From is the area in which it was set; empty where nobody has set it.
	From syncproto.AreaID `json:"from,omitempty"`
	// Own says that this very area has set it.
	Own bool `json:"own,omitempty"`
}

// Said is a setting as somebody set it. A value that is absent says that what holds above
// holds here.
type Said struct {
	Name   string             `json:"name"`
	From   string             `json:"from"`
	Value  syncproto.Value    `json:"value,omitempty"`
	By     syncproto.AuthorID `json:"by,omitzero"`
	ByName string             `json:"by_name,omitempty"`
	At     syncproto.Instant  `json:"at"`
}

// InArea is what holds in an area on a day, and everything that was ever set in that very
// area, the newest first.
type InArea struct {
	Area    syncproto.AreaID `json:"area"`
	Day     string           `json:"day"`
	Held    []Held           `json:"settings"`
	History []Said           `json:"history"`
}

// Settings returns what holds. Code not_found (area).
func (s *Service) Settings(id syncproto.AreaID, day form.Day) (*InArea, error) {
	snap := s.registry.Current()
	if _, ok := snap.Areas.Find(id); !ok {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	in := &InArea{Area: id, Day: day.String(), History: []Said{}}
	level := snap.Settings.Of(id)
	for _, name := range settingNames(level) {
		def, _ := form.SettingOf(name)
		value, from := level.Find(name, day)
		if from == "" {
			value = def.Default
		}
		in.Held = append(in.Held, Held{
			Name: name, Label: def.Label, Type: def.Type, Unit: def.Unit, Min: def.Min, Max: def.Max,
			Value: value, Default: def.Default, From: from, Own: from == id,
		})
	}
	for _, one := range slices.Backward(snap.Settings.Said()) {
		if one.Area == id {
			in.History = append(in.History, Said{
				Name: one.Name, From: one.From.String(), Value: one.Value, By: one.By, ByName: nameOf(snap, one.By), At: one.At,
			})
		}
	}
	return in, nil
}

// settingNames are all that there are by name, and those of kinds that somebody has set.
func settingNames(level *registry.Level) []string {
	var names []string
	for i := range form.Settings {
		if name := form.Settings[i].Name; !strings.HasSuffix(name, ".") {
			names = append(names, name)
		}
	}
	for _, p := range level.Periods() {
		if _, known := form.SettingOf(p.Name); known && !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

// Change sets one thing from a day on.
type Change struct {
	Name string `json:"name"`
	// From is the first day on which it holds, such as 2020-01-31; today if it is empty.
	From string `json:"from,omitempty"`
	// Value is null, or absent, for what holds above.
	Value syncproto.Value `json:"value,omitempty"`
}

// The days from and to which something can be set.
const (
	firstDay form.Day = 20000101
	lastDay  form.Day = 20991231
)

// maxChanges bounds what is set at once.
const maxChanges = 100

// Set sets things in an area, all or none. Codes not_found (area), bad_setting with the
// name of what can't be set so, bad_request (changes).
func (s *Service) Set(ctx context.Context, id syncproto.AreaID, changes []Change, who Editor) (*InArea, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap, err := s.newest(ctx)
	if err != nil {
		return nil, err
	}
	if _, ok := snap.Areas.Find(id); !ok {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	if len(changes) == 0 || len(changes) > maxChanges {
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "changes", Detail: "1 to 100"}
	}
	w := &Write{}
	today := form.DayOf(who.At)
	for _, c := range changes {
		one, err := c.setting(snap, today)
		if err != nil {
			return nil, err
		}
		one.Area, one.By, one.At = id, who.Author, who.At
		w.Settings = append(w.Settings, one)
		w.Lines = append(w.Lines, who.line(audit.SetSetting, c.Name, id))
	}
	if err := s.store.SaveForms(ctx, w); err != nil {
		return nil, err
	}
	if _, err := s.registry.Refresh(ctx); err != nil {
		return nil, err
	}
	return s.Settings(id, today)
}

// setting reads one change.
func (c *Change) setting(snap *registry.Snapshot, today form.Day) (registry.Setting, error) {
	one := registry.Setting{Name: c.Name, From: today, Value: c.Value}
	def, ok := form.SettingOf(c.Name)
	if !ok {
		return one, badSetting(c.Name, "no such setting")
	}
	if one.Value.IsNull() {
		one.Value = syncproto.Null
	}
	if problem := def.Check(c.Name, one.Value); problem != nil {
		return one, badSetting(c.Name, problem.Detail)
	}
	if c.From != "" {
		if one.From, ok = form.ParseDay(c.From); !ok || one.From < firstDay || one.From > lastDay {
			return one, badSetting(c.Name, "a date such as 2020-01-31")
		}
	}
	if kind, is := strings.CutPrefix(c.Name, "template."); is && !one.Value.IsNull() {
		name, _ := one.Value.Text()
		if t := snap.Templates.Newest(name); t == nil || string(t.Kind) != kind {
			return one, badSetting(c.Name, "the name of a template")
		}
	}
	return one, nil
}

func badSetting(name, detail string) *syncproto.Error {
	return &syncproto.Error{Code: syncproto.CodeBadSetting, Field: name, Detail: detail}
}
