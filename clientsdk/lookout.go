package clientsdk

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/watch"
)

// watchRow names what is watched for, as additional data.
const watchRow = "watch"

// FetchWatch asks the server what this phone's posts watch out for, and keeps it: keyed
// digests of the lists in force, never the lists themselves. It returns how many there
// are. Nothing new costs a few bytes. What is kept stays as it is when it fails.
//
// Errors: ErrNoServer; ErrOffline; ErrLocked; a *syncproto.Error as the server gave it.
func (c *Client) FetchWatch(ctx context.Context) (int, error) {
	if c.opt.Server == "" {
		return 0, ErrNoServer
	}
	lists, tag, err := c.readWatch(ctx)
	if err != nil {
		return 0, fmt.Errorf("what is watched for: %w", err)
	}
	if f := c.fresh(ctx, false); f != nil {
		return 0, fmt.Errorf("what is watched for: %w", f.err)
	}
	body, newTag, f := c.getWatch(ctx, tag)
	if f != nil && tokenEnded(f) {
		if f = c.fresh(ctx, true); f == nil {
			body, newTag, f = c.getWatch(ctx, tag)
		}
	}
	if f != nil {
		return 0, fmt.Errorf("what is watched for: %w", f.err)
	}
	if body == nil { // nothing new
		return len(lists), nil
	}
	var said watch.Lists
	if err := json.Unmarshal(body, &said); err != nil {
		return 0, fmt.Errorf("what is watched for: %w: %w", ErrBadAnswer, err)
	}
	if err := c.keepWatch(ctx, newTag, body); err != nil {
		return 0, fmt.Errorf("what is watched for: %w", err)
	}
	return len(said.Lists), nil
}

// getWatch asks once. The body is nil where what is kept under the tag still holds.
func (c *Client) getWatch(ctx context.Context, tag string) (body []byte, newTag string, f *failure) {
	within, cancel := context.WithTimeout(ctx, c.opt.RequestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(within, http.MethodGet, c.opt.Server+"/v1/watch", http.NoBody)
	if err != nil {
		return nil, "", &failure{err: err, stop: true}
	}
	c.mu.Lock()
	token := c.token
	c.mu.Unlock()
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", c.opt.AppName)
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, "", brokenRequest(ctx, err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotModified:
		return nil, tag, nil
	case http.StatusOK:
	default:
		return nil, "", turnedAway(resp, c.opt)
	}
	if body, err = readBody(resp); err != nil {
		return nil, "", &failure{err: offline(fmt.Errorf("the answer was cut: %w", err))}
	}
	return body, resp.Header.Get("ETag"), nil
}

// keepWatch puts what was fetched in the place of what was kept.
func (c *Client) keepWatch(ctx context.Context, tag string, body []byte) error {
	return c.update(ctx, func(tx *sql.Tx) error {
		stored, err := c.box().shut(watchRow, body)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO watch (one, tag, body) VALUES (1, ?, ?)
			ON CONFLICT (one) DO UPDATE SET tag = excluded.tag, body = excluded.body`, tag, stored)
		return err
	})
}

// readWatch reads what is kept.
func (c *Client) readWatch(ctx context.Context) (lists []watch.List, tag string, err error) {
	err = c.view(ctx, func(tx *sql.Tx) error {
		var stored []byte
		switch err := tx.QueryRow("SELECT tag, body FROM watch").Scan(&tag, &stored); {
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil:
			return err
		}
		body, err := c.box().open(watchRow, stored)
		if err != nil {
			return err
		}
		var kept watch.Lists
		err = json.Unmarshal(body, &kept)
		lists = kept.Lists
		return err
	})
	return lists, tag, err
}

// OnWatch returns the lists in force on which somebody with one of these numbers seems to
// be, without their digests. It needs no signal. Once in some hundred thousand times a
// stranger is taken for one who is listed: whoever is found is asked, and not judged.
//
// Errors: ErrLocked.
func (c *Client) OnWatch(ctx context.Context, numbers ...watch.Number) ([]watch.List, error) {
	lists, _, err := c.readWatch(ctx)
	if err != nil {
		return nil, fmt.Errorf("who is watched for: %w", err)
	}
	today := form.DayOf(c.now()).String()
	var hits []watch.List
	for i := range lists {
		l := lists[i]
		if l.Deadline != "" && l.Deadline < today || !l.Has(numbers...) {
			continue
		}
		l.Key, l.Digests = nil, nil
		hits = append(hits, l)
	}
	return hits, nil
}

// NumbersOf are the numbers that a record's fields hold, by which people are on lists.
func NumbersOf(f *form.Form, fields syncproto.Fields) []watch.Number {
	var numbers []watch.Number
	for name, v := range fields {
		field, _ := f.Field(name)
		if text, ok := v.Text(); ok && (field.Type == form.IDNumber || field.Type == form.Mobile) {
			numbers = append(numbers, watch.Number{Type: field.Type, Text: text})
		}
	}
	return numbers
}
