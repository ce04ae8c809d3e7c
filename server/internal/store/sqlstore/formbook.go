package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"gridsync/server/internal/formbook"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

var _ formbook.Store = (*Store)(nil)

// Published implements registry.Store.
func (s *Store) Published(ctx context.Context) ([]registry.Published, error) {
	rows, err := s.read.query(ctx, `SELECT f.sort, f.name, f.version, f.source, a.id, f.at
		FROM form f LEFT JOIN author a ON a.key = f.by ORDER BY f.key`)
	all, err := collect(rows, err, func(rows *sql.Rows, p *registry.Published) error {
		return rows.Scan(&p.Sort, &p.Name, &p.Version, &p.Source, intoID(&p.By), &p.At)
	})
	if err != nil {
		return nil, fmt.Errorf("store: what was published: %w", err)
	}
	return all, nil
}

// Settings implements registry.Store.
func (s *Store) Settings(ctx context.Context) ([]registry.Setting, error) {
	rows, err := s.read.query(ctx, `SELECT s.area, s.name, s.from_day, s.value, a.id, s.at
		FROM setting s LEFT JOIN author a ON a.key = s.by ORDER BY s.key`)
	all, err := collect(rows, err, func(rows *sql.Rows, x *registry.Setting) error {
		return rows.Scan(&x.Area, &x.Name, &x.From, &x.Value, intoID(&x.By), &x.At)
	})
	if err != nil {
		return nil, fmt.Errorf("store: settings: %w", err)
	}
	return all, nil
}

// Drafts implements formbook.Store.
func (s *Store) Drafts(ctx context.Context) ([]formbook.Draft, error) {
	rows, err := s.read.query(ctx, `SELECT d.sort, d.name, d.source, a.id, d.at
		FROM form_draft d LEFT JOIN author a ON a.key = d.by ORDER BY d.sort, d.name`)
	all, err := collect(rows, err, func(rows *sql.Rows, d *formbook.Draft) error {
		return rows.Scan(&d.Sort, &d.Name, &d.Source, intoID(&d.By), &d.At)
	})
	if err != nil {
		return nil, fmt.Errorf("store: drafts: %w", err)
	}
	return all, nil
}

// SaveForms implements formbook.Store.
func (s *Store) SaveForms(ctx context.Context, w *formbook.Write) error {
	err := s.transact(ctx, func(t *tx) error {
		for _, step := range []struct {
			what string
			do   func(*formbook.Write) error
		}{
			{"keys", t.learnWriting},
			{"publish", t.publish},
			{"drafts", t.saveDrafts},
			{"settings", t.saveSettings},
			{"the audit", func(w *formbook.Write) error { return t.appendAudit(w.Lines) }},
		} {
			if err := step.do(w); err != nil {
				return fmt.Errorf("%s: %w", step.what, err)
			}
		}
		if len(w.Publish)+len(w.Settings) == 0 {
			return nil
		}
		return t.revise()
	})
	if err != nil {
		return fmt.Errorf("store: save forms: %w", err)
	}
	return nil
}

// learnWriting gives keys to those who wrote.
func (t *tx) learnWriting(w *formbook.Write) error {
	var authors values
	name := func(id syncproto.AuthorID) {
		if !id.IsZero() {
			authors.add(string(id[:]))
		}
	}
	for i := range w.Publish {
		name(w.Publish[i].By)
	}
	for i := range w.Drafts {
		name(w.Drafts[i].By)
	}
	for i := range w.Settings {
		name(w.Settings[i].By)
	}
	return t.learn(t.s.keys.authors, authors.all)
}

// writerOf returns the key of whoever wrote; NULL for nobody.
func (t *tx) writerOf(id syncproto.AuthorID) any {
	if id.IsZero() {
		return nil
	}
	return t.author(id)
}

func (t *tx) publish(w *formbook.Write) error {
	if len(w.Publish) == 0 {
		return nil
	}
	// A version that is there was published after those that are known, or is one of them.
	known, err := t.counted("SELECT COUNT(*) FROM form")
	if err != nil {
		return err
	}
	for i := range w.Publish {
		p := &w.Publish[i]
		there, err := t.counted("SELECT COUNT(*) FROM form WHERE sort = $1 AND name = $2 AND version = $3", string(p.Sort), p.Name, p.Version)
		if err != nil {
			return err
		}
		if there > 0 || known != w.Known {
			return &syncproto.Error{Code: syncproto.CodeMovedOn, Field: "version"}
		}
		key, err := t.nextKey("form")
		if err != nil {
			return err
		}
		err = t.w.exec(t.ctx, "INSERT INTO form (key, sort, name, version, source, by, at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			key, string(p.Sort), p.Name, p.Version, string(p.Source), t.writerOf(p.By), int64(p.At))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) saveDrafts(w *formbook.Write) error {
	for i := range w.Dropped {
		d := &w.Dropped[i]
		if len(d.Source) > 0 {
			same, err := t.counted("SELECT COUNT(*) FROM form_draft WHERE sort = $1 AND name = $2 AND source = $3", string(d.Sort), d.Name, string(d.Source))
			if err != nil {
				return err
			}
			if same == 0 {
				return &syncproto.Error{Code: syncproto.CodeMovedOn, Field: "draft"}
			}
		}
		if err := t.w.exec(t.ctx, "DELETE FROM form_draft WHERE sort = $1 AND name = $2", string(d.Sort), d.Name); err != nil {
			return err
		}
	}
	for i := range w.Drafts {
		d := &w.Drafts[i]
		err := t.w.exec(t.ctx, `INSERT INTO form_draft (sort, name, source, by, at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (sort, name) DO UPDATE SET source = excluded.source, by = excluded.by, at = excluded.at`,
			string(d.Sort), d.Name, string(d.Source), t.writerOf(d.By), int64(d.At))
		if err != nil {
			return err
		}
	}
	return nil
}

// counted runs a statement that counts.
func (t *tx) counted(text string, args ...any) (n int, err error) {
	rows, err := t.w.query(t.ctx, text, args...)
	err = one(rows, err, &n)
	return n, err
}

var addSetting = insertion{head: "INSERT INTO setting (key, area, name, from_day, value, by, at) VALUES ", columns: 7, types: "nttntnn"}

func (t *tx) saveSettings(w *formbook.Write) error {
	next, err := t.nextKey("setting")
	if err != nil {
		return err
	}
	args := make([]any, 0, len(w.Settings)*addSetting.columns)
	for i := range w.Settings {
		x := &w.Settings[i]
		args = append(args, next, string(x.Area), x.Name, int64(x.From), string(x.Value), t.writerOf(x.By), int64(x.At))
		next++
	}
	return t.put(&addSetting, args)
}
