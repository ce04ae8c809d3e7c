package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// Subscribing lets hear of what is committed.
type Subscribing interface {
	Subscribe() *exchange.Subscription
}

// liveRoutes stay open.
func liveRoutes() []route {
	return []route{
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/live", id: "live", who: someone, right: identity.Totals, within: readWithin,
			summary: "A stream of server-sent events: changed when anything was committed in an area or below it, at most once a second; " +
				"the name of a flag that was raised, closed and returned for signed days; settled for questions. It ends after a while, and is to be opened again.",
			params: []param{paramArea, {"seconds", "query", "How long it stays open at most; as long as the server lets it if absent.", "integer", "30"}}, media: "text/event-stream",
			codes: []syncproto.Code{syncproto.CodeBadRequest, syncproto.CodeForbidden, syncproto.CodeNotFound, syncproto.CodeBusy}, handle: (*API).live,
		},
	}
}

// Bounds of streams. One ends well before the server would cut it off as too slow, and
// whoever may no longer read it can't open it again.
const (
	maxStreams = 500
	liveFor    = 5 * time.Minute
	livePulse  = time.Second
	liveBeat   = 15 * time.Second
)

// live is GET /v1/areas/{id}/live.
func (a *API) live(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	until, err := c.lasting(min(liveFor, a.Guard.Bounds.Write*3/4))
	if err != nil {
		return nil, err
	}
	if a.streaming.open.Add(1) > maxStreams {
		a.streaming.open.Add(-1)
		return nil, &syncproto.Error{Code: syncproto.CodeBusy, Detail: "too many streams are open"}
	}
	heard := a.Live.Subscribe()
	s := &stream{
		stirred: heard.Stirred, take: heard.Take, stop: a.stopped, registry: a.Registry, area: id,
		until: until,
	}
	secure(c.Ctx)
	c.Set(fiber.HeaderContentType, "text/event-stream; charset=utf-8")
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer a.streaming.open.Add(-1)
		defer heard.End()
		s.run(w)
	})
	return written{}, nil
}

// lasting reads how long the caller wants a stream to last, at most.
func (c *call) lasting(most time.Duration) (time.Duration, error) {
	text := c.Query("seconds")
	if text == "" {
		return most, nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, bad("seconds", "a number of seconds")
	}
	return min(most, time.Duration(n)*time.Second), nil
}

// stream tells one reader. It holds up nobody but itself: while it writes, what is committed
// is added together, and a reader who takes nothing is cut off by the connection's deadline.
type stream struct {
	stirred  <-chan struct{}
	take     func() exchange.News
	stop     <-chan struct{}
	registry Registry
	area     syncproto.AreaID
	until    time.Duration
}

// run writes events until the stream has lasted long enough, the server stops, or the
// reader has left.
func (s *stream) run(w *bufio.Writer) {
	end := time.NewTimer(s.until)
	defer end.Stop()
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	rest := time.NewTimer(0)
	defer rest.Stop()
	stirred := s.stirred
	_, err := w.WriteString("retry: 1000\n\n")
	for err == nil && w.Flush() == nil {
		select {
		case <-s.stop:
			return
		case <-end.C:
			return
		case <-beat.C:
			_, err = w.WriteString(":\n\n")
		case <-rest.C:
			stirred = s.stirred
		case <-stirred:
			// What comes before the next event is due is told with it.
			stirred = nil
			rest.Reset(livePulse)
			err = s.tell(w, s.take())
		}
	}
}

// liveEvent is what an event says. It names no record: totals open to their rows for those
// who may read them.
type liveEvent struct {
	Version syncproto.Version `json:"version"`
	At      syncproto.Instant `json:"at"`
	// Area is where a flag was raised or a day signed, Kind what was recorded, Day the day.
	Area syncproto.AreaID `json:"area,omitempty"`
	Kind syncproto.Kind   `json:"kind,omitempty"`
	Day  string           `json:"day,omitempty"`
	// Question is the kind of a question that was settled.
	Question string `json:"question,omitempty"`
	// Missed says that more flags were raised than are told of.
	Missed bool `json:"missed,omitempty"`
}

// tell writes what of some news is of the area or of one below it.
func (s *stream) tell(w *bufio.Writer, news exchange.News) error {
	tree := s.registry.Current().Areas
	changed := news.Anew
	for key := range news.Areas {
		n, _ := tree.ByKey(key)
		changed = changed || tree.Within(n.ID, s.area)
	}
	for i := range news.Alerts {
		a := &news.Alerts[i]
		n, _ := tree.ByKey(a.Area)
		if !tree.Within(n.ID, s.area) {
			continue
		}
		e := liveEvent{Version: a.Version, At: a.At, Area: n.ID, Kind: a.Kind}
		switch a.What {
		case exchange.AlertClosed, exchange.AlertReturned:
			e.Day = a.Detail
		case exchange.AlertSettled:
			e.Question = a.Detail
		case exchange.AlertFlag: // the event says it
		}
		if err := event(w, a.Event(), &e); err != nil {
			return err
		}
	}
	if !changed && !news.Missed {
		return nil
	}
	return event(w, "changed", &liveEvent{Version: news.Version, At: news.At, Missed: news.Missed})
}

func event(w *bufio.Writer, name string, e *liveEvent) error {
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("an event: %w", err)
	}
	_, err = fmt.Fprintf(w, "event: %s\nid: %d\ndata: %s\n\n", name, e.Version, data)
	return err
}

// streaming counts the streams that are open; stopped ends them all.
type streaming struct {
	open    atomic.Int64
	stopped chan struct{}
}
