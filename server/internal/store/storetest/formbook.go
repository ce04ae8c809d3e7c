package storetest

import (
	"errors"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/formbook"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// writes saves forms and settings.
func (w *world) writes(write *formbook.Write) {
	w.t.Helper()
	w.must(w.SaveForms(w.ctx(), write))
}

// version is a definition as it is published.
func version(name string, n int) registry.Published {
	return registry.Published{
		Sort: registry.FormSort, Name: name, Version: n, Source: []byte(`{"label":"<体温>&"}`), By: authorID(3), At: start,
	}
}

func (w *world) published() []registry.Published {
	w.t.Helper()
	all, err := w.Published(w.ctx())
	w.must(err)
	return all
}

func whatIsPublishedStays(w *world) {
	before := w.revision()
	first, second := version("temperature", 2), version("temperature", 3)
	second.By = syncproto.AuthorID{}
	template := registry.Published{Sort: registry.TemplateSort, Name: "temperature", Version: 2, Source: []byte("{}"), At: start + 1}
	w.writes(&formbook.Write{Publish: []registry.Published{first, template}})
	w.writes(&formbook.Write{Publish: []registry.Published{second}, Known: 2})
	w.reopen()
	same(w.t, "published", w.published(), []registry.Published{first, template, second})
	if w.revision() <= before {
		w.t.Error("nobody is told that something was published")
	}
	other := first
	other.Source = []byte(`{"other":true}`)
	err := w.SaveForms(w.ctx(), &formbook.Write{
		Publish: []registry.Published{version("visit", 2), other}, Known: 3,
		Lines: []audit.Entry{{At: start, Act: audit.Published}},
	})
	if !movedOn(err, "version") {
		w.t.Errorf("a version that is there already: %v", err)
	}
	err = w.SaveForms(w.ctx(), &formbook.Write{Publish: []registry.Published{version("visit", 2)}, Known: 2})
	if !movedOn(err, "version") {
		w.t.Errorf("beside what was published unknown to who does: %v", err)
	}
	same(w.t, "published", w.published(), []registry.Published{first, template, second})
	lines, _, err := w.AuditLines(w.ctx(), audit.Want{}, 0, 10)
	w.must(err)
	same(w.t, "lines about what was not done", len(lines), 0)
}

func movedOn(err error, field string) bool {
	var code *syncproto.Error
	return errors.As(err, &code) && code.Code == syncproto.CodeMovedOn && code.Field == field
}

func draftsAreReplacedAndDropped(w *world) {
	before := w.revision()
	draft := formbook.Draft{Sort: registry.FormSort, Name: "visit", Source: []byte(`{"a":1}`), By: authorID(1), At: start}
	other := formbook.Draft{Sort: registry.TemplateSort, Name: "visit", Source: []byte(`{}`), At: start}
	w.writes(&formbook.Write{Drafts: []formbook.Draft{other, draft}})
	draft.Source, draft.By = []byte(`{"a":2}`), authorID(2)
	w.writes(&formbook.Write{Drafts: []formbook.Draft{draft}})
	w.reopen()
	drafts, err := w.Drafts(w.ctx())
	w.must(err)
	same(w.t, "drafts", drafts, []formbook.Draft{draft, other})
	older := draft
	older.Source = []byte(`{"a":1}`)
	err = w.SaveForms(w.ctx(), &formbook.Write{Publish: []registry.Published{version("visit", 2)}, Dropped: []formbook.Draft{older}})
	if !movedOn(err, "draft") {
		w.t.Errorf("a draft that says something else by now: %v", err)
	}
	same(w.t, "published", len(w.published()), 0)
	w.writes(&formbook.Write{Dropped: []formbook.Draft{draft}})
	drafts, err = w.Drafts(w.ctx())
	w.must(err)
	same(w.t, "what is left", drafts, []formbook.Draft{other})
	same(w.t, "revision", w.revision(), before)
}

func settingsAreToldInOrder(w *world) {
	before := w.revision()
	said := []registry.Setting{
		{Area: code(1), Name: "fever_threshold", From: 20200131, Value: "37.6", By: authorID(4), At: start},
		{Area: code(9), Name: "fever_threshold", From: 20200131, Value: syncproto.Null, At: start},
		{Area: code(1), Name: "fever_threshold", From: 20200131, Value: "37.60", By: authorID(4), At: start + 1},
	}
	w.writes(&formbook.Write{Settings: said[:2], Lines: []audit.Entry{{At: start, Act: audit.SetSetting, Area: code(1)}}})
	w.writes(&formbook.Write{Settings: said[2:]})
	w.reopen()
	all, err := w.Settings(w.ctx())
	w.must(err)
	same(w.t, "settings", all, said)
	if w.revision() <= before {
		w.t.Error("nobody is told that something was set")
	}
	lines, _, err := w.AuditLines(w.ctx(), audit.Want{}, 0, 10)
	w.must(err)
	same(w.t, "lines", len(lines), 1)
}
