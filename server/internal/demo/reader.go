package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"gridsync/server/internal/desk"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// reader reads the server's API as any screen does.
type reader struct {
	url, token string
	client     *http.Client
}

func newReader(url, token string) *reader {
	return &reader{url: url, token: token, client: &http.Client{Transport: &http.Transport{}}}
}

// pageRows is how many rows are asked for at once.
const pageRows = "500"

func (r *reader) get(ctx context.Context, path string, query url.Values, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %s", path, resp.Status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

func (r *reader) summary(ctx context.Context, id syncproto.AreaID, day string) (*rollup.Summary, error) {
	var sum rollup.Summary
	return &sum, r.get(ctx, "/v1/areas/"+string(id)+"/summary", url.Values{"day": {day}}, &sum)
}

// roster calls fn for every record of a kind in an area, page by page.
func (r *reader) roster(ctx context.Context, id syncproto.AreaID, kind string, fn func(*roster.Row)) error {
	query := url.Values{"kind": {kind}, "limit": {pageRows}}
	for {
		var page roster.Page
		if err := r.get(ctx, "/v1/areas/"+string(id)+"/roster", query, &page); err != nil {
			return err
		}
		for i := range page.Rows {
			fn(&page.Rows[i])
		}
		if page.Next == "" {
			return nil
		}
		query.Set("after", page.Next)
	}
}

// diff compares two rounds and returns everybody met only in the second.
func (r *reader) diff(ctx context.Context, a, b syncproto.RecordID, id syncproto.AreaID) (*roster.Diff, error) {
	query := url.Values{"area": {string(id)}, "limit": {pageRows}}
	var whole *roster.Diff
	for {
		var page roster.Diff
		if err := r.get(ctx, fmt.Sprintf("/v1/rounds/%s/diff/%s", a, b), query, &page); err != nil {
			return nil, err
		}
		if whole == nil {
			whole = &page
		} else {
			whole.OnlyB = append(whole.OnlyB, page.OnlyB...)
		}
		if page.Next == "" {
			return whole, nil
		}
		query.Set("after", page.Next)
	}
}

// questions returns every open question of an area.
func (r *reader) questions(ctx context.Context, id syncproto.AreaID) ([]desk.Line, error) {
	query := url.Values{"limit": {pageRows}}
	var all []desk.Line
	for {
		var page desk.Page
		if err := r.get(ctx, "/v1/areas/"+string(id)+"/review", query, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all, nil
		}
		query.Set("after", page.Next)
	}
}
