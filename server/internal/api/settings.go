package api

import (
	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/formbook"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// SettingChanges are what is to be set in an area, all or none.
type SettingChanges struct {
	Changes []formbook.Change `json:"changes"`
}

// settingRoutes are what holds in an area.
func settingRoutes() []route {
	const path = "/v1/areas/{id}/settings"
	return []route{
		{
			method: fiber.MethodGet, path: path, id: "settings", who: someone, right: identity.Totals, within: readWithin,
			summary: "What holds in an area on a day, where each was set, and what was ever set in that very area.",
			params:  []param{paramArea, paramDay},
			answer:  formbook.InArea{}, codes: codesOfRead, handle: (*API).settings,
		},
		{
			method: fiber.MethodPut, path: path, id: "set", who: someone, right: identity.Configure, within: readWithin,
			summary: "Set what holds in an area and below it from a day on; null for what holds above. Totals of that day and later ones follow.",
			params:  []param{paramArea}, body: SettingChanges{},
			answer: formbook.InArea{}, handle: (*API).set,
			codes: append([]syncproto.Code{syncproto.CodeForbidden, syncproto.CodeNotFound, syncproto.CodeBadSetting}, codesOfBody...),
		},
	}
}

// settings is GET /v1/areas/{id}/settings.
func (a *API) settings(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	day, err := c.day()
	if err != nil {
		return nil, err
	}
	return a.Forms.Settings(id, day)
}

// set is PUT /v1/areas/{id}/settings.
func (a *API) set(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	who, err := c.editor(id)
	if err != nil {
		return nil, err
	}
	var in SettingChanges
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return a.Forms.Set(c.ctx, id, in.Changes, who)
}
