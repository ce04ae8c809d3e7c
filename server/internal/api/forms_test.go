package api

import (
	"context"

	"gridsync/server/internal/registry"
)

// Nobody has published or set anything.
func (*people) Published(context.Context) ([]registry.Published, error) { return nil, nil }
func (*people) Settings(context.Context) ([]registry.Setting, error)    { return nil, nil }
