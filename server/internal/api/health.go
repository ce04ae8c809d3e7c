package api

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"

	"gridsync/syncproto"
)

// healthz is GET /healthz.
func (a *API) healthz(*call) (any, error) {
	return raw{fiber.MIMETextPlainCharsetUTF8, []byte("ok\n")}, nil
}

// readyz is GET /readyz. A server that isn't ready says busy, and its log why.
func (a *API) readyz(c *call) (any, error) {
	if err := a.Health.Ping(c.ctx); err != nil {
		a.Log.LogAttrs(context.Background(), slog.LevelWarn, "not ready", slog.Any("error", err))
		return nil, &syncproto.Error{Code: syncproto.CodeBusy, Detail: "the store does not answer"}
	}
	return raw{fiber.MIMETextPlainCharsetUTF8, []byte("ready\n")}, nil
}

// showMetrics is GET /metrics. It is small and seldom asked for, so that the
// detour through net/http costs nothing that counts.
func (a *API) showMetrics(c *call) (any, error) {
	if err := adaptor.HTTPHandler(a.metrics.handler)(c.Ctx); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	secure(c.Ctx)
	return written{}, nil
}
