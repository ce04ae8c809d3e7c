package clientsdk

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// settings is what was set in the areas that the server has told of. It is never altered.
type settings struct {
	parents map[syncproto.AreaID]syncproto.AreaID
	// own is in order of days.
	own map[syncproto.AreaID]map[string][]since
}

// since is a value from a day on; null says that what holds above holds here.
type since struct {
	from  form.Day
	value syncproto.Value
}

// inArea is a form's Env for one area.
type inArea struct {
	settings *settings
	area     syncproto.AreaID
}

// Setting returns what holds on a day, null where nobody has set anything.
func (in inArea) Setting(name string, day form.Day) syncproto.Value {
	if in.settings == nil {
		return syncproto.Null
	}
	at := in.area
	for range len(in.settings.parents) + 1 { // however the areas refer to each other
		days := in.settings.own[at][name]
		for i := len(days) - 1; i >= 0; i-- {
			if days[i].from > day {
				continue
			}
			if !days[i].value.IsNull() {
				return days[i].value
			}
			break
		}
		above, known := in.settings.parents[at]
		if !known || above == "" {
			break
		}
		at = above
	}
	return syncproto.Null
}

// Settings is what holds in an area, as the server told last: by it forms flag and ask
// what they do.
func (c *Client) Settings(area syncproto.AreaID) form.Env {
	c.mu.Lock()
	defer c.mu.Unlock()
	return inArea{c.settings, area}
}

// Template returns what an area asks of a kind of record on a day; nil where it asks
// nothing in particular, or in a way that this program can't read.
func (c *Client) Template(kind syncproto.Kind, area syncproto.AreaID, day form.Day) *form.Template {
	name, ok := c.Settings(area).Setting("template."+string(kind), day).Text()
	if !ok {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var newest *form.Template
	for _, t := range c.templates {
		if t.Name == name && t.Kind == kind && (newest == nil || t.Version > newest.Version) {
			newest = t
		}
	}
	return newest
}

// Templates returns the newest version of each template, in order of names.
func (c *Client) Templates() []*form.Template {
	c.mu.Lock()
	defer c.mu.Unlock()
	var newest []*form.Template
	for _, t := range c.templates {
		if last := len(newest) - 1; last >= 0 && newest[last].Name == t.Name {
			newest[last] = t
			continue
		}
		newest = append(newest, t)
	}
	return newest
}

// learnSettings keeps what was set in the areas of an answer, in place of what was.
func (a *applying) learnSettings() error {
	for _, area := range a.answer.Areas {
		if err := a.exec("DELETE FROM settings WHERE area = ?", string(area.ID)); err != nil {
			return err
		}
		for _, s := range area.Settings {
			day, ok := form.ParseDay(s.From)
			if !ok {
				continue // written by a newer server: what holds before and after is known
			}
			err := a.exec("INSERT OR REPLACE INTO settings (area, name, from_day, value) VALUES (?,?,?,?)",
				string(area.ID), s.Name, int64(day), string(s.Value))
			if err != nil {
				return err
			}
		}
	}
	for _, source := range a.answer.Templates {
		t, err := form.ParseTemplate(source)
		if err != nil {
			a.report.UnreadForms++
			continue
		}
		err = a.exec("INSERT INTO templates (name, version, body) VALUES (?,?,?) ON CONFLICT (name, version) DO UPDATE SET body = excluded.body",
			t.Name, t.Version, string(source))
		if err != nil {
			return err
		}
	}
	return nil
}

// tellsOfAreas reports whether an answer tells of areas, or of what is asked in them.
func tellsOfAreas(answer *syncproto.Answer) bool {
	return len(answer.Areas)+len(answer.Templates)+len(answer.Forms) > 0
}

// learned takes over what the file holds of settings and templates.
func (c *Client) learned(ctx context.Context) error {
	return c.view(ctx, func(tx *sql.Tx) error {
		settings, err := readSettings(tx)
		if err != nil {
			return err
		}
		templates, err := readTemplates(tx)
		if err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.settings, c.templates = settings, templates
		return nil
	})
}

func readSettings(tx *sql.Tx) (*settings, error) {
	s := &settings{parents: make(map[syncproto.AreaID]syncproto.AreaID), own: make(map[syncproto.AreaID]map[string][]since)}
	rows, err := tx.Query("SELECT id, parent FROM areas WHERE known = 1")
	if err != nil {
		return nil, fmt.Errorf("reading areas: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent syncproto.AreaID
		if err := rows.Scan(&id, &parent); err != nil {
			return nil, fmt.Errorf("reading areas: %w", err)
		}
		s.parents[id] = parent
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading areas: %w", err)
	}
	set, err := tx.Query("SELECT area, name, from_day, value FROM settings ORDER BY area, name, from_day")
	if err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	defer set.Close()
	for set.Next() {
		var id syncproto.AreaID
		var name string
		var x since
		if err := set.Scan(&id, &name, &x.from, &x.value); err != nil {
			return nil, fmt.Errorf("reading settings: %w", err)
		}
		if s.own[id] == nil {
			s.own[id] = make(map[string][]since)
		}
		s.own[id][name] = append(s.own[id][name], x)
	}
	return s, set.Err()
}

// readTemplates lays the templates that the server sent over those of the program, in
// order of name and version.
func readTemplates(tx *sql.Tx) ([]*form.Template, error) {
	all, err := form.BuiltInTemplates()
	if err != nil {
		return nil, fmt.Errorf("reading templates: %w", err)
	}
	rows, err := tx.Query("SELECT body FROM templates")
	if err != nil {
		return nil, fmt.Errorf("reading templates: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("reading templates: %w", err)
		}
		t, err := form.ParseTemplate([]byte(body))
		if err != nil {
			return nil, fmt.Errorf("reading templates: %w", err)
		}
		all = slices.DeleteFunc(all, func(old *form.Template) bool { return old.Name == t.Name && old.Version == t.Version })
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *form.Template) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return all, rows.Err()
}
