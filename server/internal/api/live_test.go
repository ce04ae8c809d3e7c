package api

import (
	"bufio"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// heard is a stream of the area 33, which has g1 below it and 34 beside it, and what it
// wrote.
type heard struct {
	stream
	stirs chan struct{}
	mu    sync.Mutex
	news  exchange.News
	halt  chan struct{}
	out   lines
	ended chan struct{}
}

func hear(t *testing.T, into interface{ Write([]byte) (int, error) }) *heard {
	t.Helper()
	reg, err := registry.Open(t.Context(), &people{}, form.Set{})
	if err != nil {
		t.Fatal(err)
	}
	h := &heard{stirs: make(chan struct{}, 1), halt: make(chan struct{}), ended: make(chan struct{})}
	h.stream = stream{
		stirred: h.stirs, stop: h.halt, registry: reg, area: "33", until: time.Minute,
		take: func() exchange.News {
			h.mu.Lock()
			defer h.mu.Unlock()
			news := h.news
			h.news = exchange.News{}
			return news
		},
	}
	if into == nil {
		into = &h.out
	}
	go func() {
		defer close(h.ended)
		h.run(bufio.NewWriter(into))
	}()
	return h
}

// commit tells of a group that touched areas, as a subscription does.
func (h *heard) commit(version syncproto.Version, keys ...area.Key) {
	synctest.Wait()
	h.mu.Lock()
	h.news.Version, h.news.At = version, 1000*syncproto.Instant(version)
	if h.news.Areas == nil {
		h.news.Areas = make(map[area.Key]struct{})
	}
	for _, key := range keys {
		h.news.Areas[key] = struct{}{}
	}
	h.mu.Unlock()
	select {
	case h.stirs <- struct{}{}:
	default:
	}
	synctest.Wait()
}

// told returns what was written since it was asked last.
func (h *heard) told() string {
	synctest.Wait()
	text := h.out.String()
	h.out.Reset()
	return strings.TrimPrefix(text, "retry: 1000\n\n")
}

func TestAReaderHearsAtMostOnceASecondWhatWasCommittedBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hear(t, nil)
		h.commit(5, 3)
		if got := h.told(); got != "event: changed\nid: 5\ndata: {\"version\":5,\"at\":5000}\n\n" {
			t.Errorf("at once: %q", got)
		}
		for version := range syncproto.Version(20) {
			h.commit(6+version, 1)
		}
		if got := h.told(); got != "" {
			t.Errorf("within the second: %q", got)
		}
		time.Sleep(time.Second)
		if got := h.told(); got != "event: changed\nid: 25\ndata: {\"version\":25,\"at\":25000}\n\n" {
			t.Errorf("after a second: %q", got)
		}
		time.Sleep(time.Second)
		h.commit(26, 5)
		time.Sleep(time.Second)
		if got := h.told(); got != "" {
			t.Errorf("of what was committed elsewhere: %q", got)
		}
		close(h.halt)
		<-h.ended
	})
}

func TestAReaderHearsThatEverythingWasDerivedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hear(t, nil)
		h.news.Anew = true
		h.commit(8)
		if got := h.told(); got != "event: changed\nid: 8\ndata: {\"version\":8,\"at\":8000}\n\n" {
			t.Errorf("%q", got)
		}
		close(h.halt)
		<-h.ended
	})
}

func TestAReaderHearsOfFlagsAndSignedDaysAndOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hear(t, nil)
		h.news.Alerts = []exchange.Alert{
			{Version: 7, At: 7, Area: 3, What: exchange.AlertFlag, Kind: "temperature", Record: syncproto.RecordID{9}, Detail: "fever"},
			{Version: 7, At: 7, Area: 5, What: exchange.AlertFlag, Kind: "temperature", Record: syncproto.RecordID{8}, Detail: "fever"},
			{Version: 7, At: 7, Area: 1, What: exchange.AlertClosed, Kind: "day_close", Detail: "2020-01-31"},
			{Version: 7, At: 7, Area: 1, What: exchange.AlertSettled, Kind: "person", Detail: "conflict"},
		}
		h.news.Missed = true
		h.commit(7, 5)
		want := "event: fever\nid: 7\ndata: {\"version\":7,\"at\":7,\"area\":\"g1\",\"kind\":\"temperature\"}\n\n" +
			"event: closed\nid: 7\ndata: {\"version\":7,\"at\":7,\"area\":\"33\",\"kind\":\"day_close\",\"day\":\"2020-01-31\"}\n\n" +
			"event: settled\nid: 7\ndata: {\"version\":7,\"at\":7,\"area\":\"33\",\"kind\":\"person\",\"question\":\"conflict\"}\n\n" +
			"event: changed\nid: 7\ndata: {\"version\":7,\"at\":7000,\"missed\":true}\n\n"
		if got := h.told(); got != want {
			t.Errorf("got %q", got)
		}
		close(h.halt)
		<-h.ended
	})
}

func TestAStreamLivesAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hear(t, nil)
		time.Sleep(2*liveBeat + 1)
		if got := h.told(); got != ":\n\n:\n\n" {
			t.Errorf("while nothing happens: %q", got)
		}
		time.Sleep(time.Minute)
		<-h.ended // by itself

		h = hear(t, nil)
		synctest.Wait()
		close(h.halt)
		<-h.ended // as the server stops

		h = hear(t, gone{})
		<-h.ended // as its reader has left
	})
}

// gone is a reader who has left.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, errors.New("closed pipe") }

func TestStreamsAreBounded(t *testing.T) {
	w := newWorld(t)
	w.streaming.open.Store(maxStreams)
	r := w.get(t, "/v1/areas/33.07-a_b/live?seconds=0")
	if !strings.Contains(string(r.body), string(syncproto.CodeBusy)) || w.streaming.open.Load() != maxStreams {
		t.Errorf("%+v, %d open", r, w.streaming.open.Load())
	}
	if r := w.get(t, "/v1/areas/33.07-a_b/live?seconds=x"); !strings.Contains(string(r.body), string(syncproto.CodeBadRequest)) {
		t.Errorf("%+v", r)
	}
	if r := w.get(t, "/v1/areas/34/live?seconds=0"); !strings.Contains(string(r.body), string(syncproto.CodeForbidden)) {
		t.Errorf("%+v", r)
	}
}
