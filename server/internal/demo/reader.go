package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"gridsync/server/internal/desk"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// reader reads the server's API as any screen does.
type reader struct {
	url    string
	token  func(context.Context) (string, error)
	client *http.Client
}

func newReader(url string, token func(context.Context) (string, error)) *reader {
	return &reader{url: url, token: token, client: &http.Client{Transport: &http.Transport{}}}
}

// pageRows is how many rows are asked for at once.
const pageRows = "500"

func (r *reader) get(ctx context.Context, path string, query url.Values, into any) error {
	return r.send(ctx, http.MethodGet, path+"?"+query.Encode(), nil, into)
}

func (r *reader) send(ctx context.Context, method, path string, body io.Reader, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, r.url+path, body)
	if err != nil {
		return err
	}
	token, err := r.token(ctx)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
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

// questions returns every open question of an area, and how many there are of each kind.
func (r *reader) questions(ctx context.Context, id syncproto.AreaID) ([]desk.Line, map[review.Kind]int, error) {
	query := url.Values{"limit": {pageRows}}
	var all []desk.Line
	for {
		var page desk.Page
		if err := r.get(ctx, "/v1/areas/"+string(id)+"/review", query, &page); err != nil {
			return nil, nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all, page.Counts, nil
		}
		query.Set("after", page.Next)
	}
}

// question returns a question with everything that a decider needs.
func (r *reader) question(ctx context.Context, id syncproto.RecordID) (*desk.Case, error) {
	var c desk.Case
	return &c, r.get(ctx, "/v1/review/"+id.String(), nil, &c)
}

// order settles a question, as whoever of the device's authors may.
func (r *reader) order(ctx context.Context, c *desk.Case, o desk.Order) error {
	var author string
	for id, acts := range c.Acts {
		if slices.Contains(acts, o.Act) {
			author = id
		}
	}
	if author == "" {
		return fmt.Errorf("nobody may %s: %v", o.Act, c.Acts)
	}
	o.Item, o.Seen = c.ID, &c.Seen
	body, err := syncproto.Encode(map[string]any{"author": author, "orders": []desk.Order{o}})
	if err != nil {
		return err
	}
	var answer struct {
		Results []desk.Result `json:"results"`
	}
	if err := r.send(ctx, http.MethodPost, "/v1/review", bytes.NewReader(body), &answer); err != nil {
		return err
	}
	if len(answer.Results) != 1 {
		return fmt.Errorf("%d results of one order", len(answer.Results))
	}
	if why := answer.Results[0].Error; why != nil {
		return why
	}
	return nil
}
