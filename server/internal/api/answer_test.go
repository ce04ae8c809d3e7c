package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"gridsync/syncproto"
)

func TestLargeAnswersAreCompressedForThoseWhoCan(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		size   int
		accept string
		want   bool
	}{
		{5000, "gzip", true},
		{5000, "br, gzip;q=0.5", true},
		{5000, "GZIP", true},
		{5000, "*", true},
		{5000, "", false},
		{5000, "br", false},
		{5000, "gzip;q=0", false},
		{5000, "*, gzip;q=0.0", false},
		{5000, "gzip;q=word", false},
		{100, "gzip", false},
	} {
		cursor := strings.Repeat("c", c.size)
		w.answer = func(context.Context, syncproto.DeviceID, *syncproto.Request) (*syncproto.Answer, error) {
			return &syncproto.Answer{Cursor: cursor}, nil
		}
		req := w.request(t, http.MethodPost, "/v1/sync", syncBody())
		req.Header.Set("Accept-Encoding", c.accept)
		r := w.do(t, req)
		if got := r.header.Get("Content-Encoding") == "gzip"; got != c.want {
			t.Errorf("%d bytes, %q: compressed %v", c.size, c.accept, got)
		}
		if c.want {
			z, err := gzip.NewReader(bytes.NewReader(r.body))
			if err != nil {
				t.Fatal(err)
			}
			if r.body, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Contains(r.body, []byte(cursor)) {
			t.Errorf("%d bytes, %q: %.50q", c.size, c.accept, r.body)
		}
	}
}

func TestACompressedPushIsReadLikeAPlainOne(t *testing.T) {
	w := newWorld(t)
	body := with(`"high"`, `"changes":[{"n":1,"x":"`+strings.Repeat("体温", 2000)+`"}],"high"`)
	var got []string
	w.answer = func(_ context.Context, _ syncproto.DeviceID, r *syncproto.Request) (*syncproto.Answer, error) {
		got = append(got, string(r.Changes[0]))
		return &syncproto.Answer{}, nil
	}
	for _, req := range []*http.Request{
		w.push(t, "", body), w.push(t, "identity", body), w.push(t, "gzip", zipped(t, body)), w.push(t, "GZip", zipped(t, body)),
	} {
		if r := w.do(t, req); r.status != http.StatusOK {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	for _, change := range got[1:] {
		if change != got[0] {
			t.Error("they differ")
		}
	}
}

func TestWhatARequestHeldOutlivesIt(t *testing.T) {
	w := newWorld(t)
	var kept []*syncproto.Request
	w.answer = func(_ context.Context, _ syncproto.DeviceID, r *syncproto.Request) (*syncproto.Answer, error) {
		kept = append(kept, r)
		return &syncproto.Answer{}, nil
	}
	for _, name := range []string{"a", "b", "c"} {
		body := with(`"high"`, `"app":"`+strings.Repeat(name, 50)+`","changes":["`+strings.Repeat(name, 50)+`"],"high"`)
		w.do(t, w.push(t, "", body))
		w.do(t, w.push(t, "gzip", zipped(t, body)))
	}
	for i, r := range kept {
		want := strings.Repeat(string("aabbcc"[i]), 50)
		if r.App != want || string(r.Changes[0]) != `"`+want+`"` {
			t.Errorf("request %d: %q %s", i, r.App, r.Changes[0])
		}
	}
}
