package review

import (
	"context"
	"fmt"
	"strconv"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// Page is one page of an area's open questions.
type Page struct {
	Items []Question `json:"items"`
	// Next is what to give as after for the next page; empty at the end.
	Next string `json:"next,omitempty"`
}

// Question is an open item with the record as it stands.
type Question struct {
	Kind   Kind              `json:"kind"`
	Field  string            `json:"field"`
	Opened syncproto.Version `json:"opened"`
	At     syncproto.Instant `json:"at"`
	Record roster.Row        `json:"record"`
}

// Service reads the queue.
type Service struct {
	store    Store
	registry *registry.Registry
}

// NewService wires the service.
func NewService(store Store, r *registry.Registry) *Service {
	return &Service{store: store, registry: r}
}

// Open returns a page of the open questions of an area and all below it, the
// oldest first. It fails with code not_found for an area that isn't there, and
// bad_request for a place that it didn't give out.
func (s *Service) Open(ctx context.Context, id syncproto.AreaID, after string, limit int) (*Page, error) {
	snap := s.registry.Current()
	var keys []area.Key
	for _, n := range snap.Areas.Subtree(id) {
		keys = append(keys, n.Key)
	}
	if len(keys) == 0 {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	from, err := strconv.ParseInt("0"+after, 10, 64)
	if err != nil || from < 0 {
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "after"}
	}
	if limit <= 0 || limit > roster.MaxRows {
		limit = roster.DefaultRows
	}
	items, records, err := s.store.OpenItems(ctx, keys, syncproto.Version(from), limit)
	if err != nil {
		return nil, fmt.Errorf("open questions of %s: %w", id, err)
	}
	byID := make(map[syncproto.RecordID]*syncproto.Record, len(records))
	for i := range records {
		byID[records[i].ID] = &records[i]
	}
	page := &Page{Items: make([]Question, 0, len(items))}
	for _, item := range items {
		q := Question{Kind: item.Kind, Field: item.Field, Opened: item.Opened, At: item.At}
		if record := byID[item.Record]; record != nil {
			q.Record = roster.NewRow(snap, record)
		}
		page.Items = append(page.Items, q)
	}
	if len(items) >= limit {
		page.Next = strconv.FormatInt(int64(items[len(items)-1].Opened), 10)
	}
	return page, nil
}
