package bench

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/valyala/fasthttp"
)

// pulled is one measurement of first syncs.
type pulled struct {
	// each is how long every first sync took, all its pages together.
	each         []time.Duration
	pages, bytes int
	// zipped is the same with gzip, 0 where it isn't offered.
	zipped int
}

// firstSyncs times how a phone that has nothing gets its community's roster, all
// pages one after another, several times.
func (r *run) firstSyncs(ctx context.Context, p *process) error {
	clients, err := r.connect(ctx, []*process{p}, []Device{r.world.first})
	defer closeAll(clients)
	if err != nil {
		return err
	}
	c := clients[0]
	want := len(r.world.residents[firstCommunity])
	var result pulled
	for range r.FirstSyncs {
		began := time.Now()
		people, err := c.firstSync(ctx, &result)
		if err != nil {
			return err
		}
		result.each = append(result.each, time.Since(began))
		if people != want {
			return fmt.Errorf("the roster has %d people, %d came", want, people)
		}
	}
	if err := c.zippedSync(ctx, &result); err != nil {
		return err
	}
	r.taken.pulled(p.side, result)
	r.say("%-6s  first sync of %d people: %.1f ms, %d pages, %.0f kB", p.side, want,
		milliseconds(median(result.each)), result.pages, float64(result.bytes)/1e3)
	return nil
}

// firstSync gets everything once and counts the people.
func (c *client) firstSync(ctx context.Context, into *pulled) (people int, err error) {
	c.epoch, c.cursor = "", ""
	into.pages, into.bytes = 0, 0
	for {
		answer, err := c.sync(ctx, c.firstPath(), 0, 0, nil)
		if err != nil {
			return 0, err
		}
		into.pages++
		into.bytes += len(answer)
		people += bytes.Count(answer, []byte(`"kind":"person","area"`))
		if !more(answer) {
			return people, nil
		}
	}
}

func (c *client) firstPath() string {
	if c.side == floorSide {
		return floorFirstPath(c.device.Area)
	}
	return syncPath
}

// zippedSync gets everything once with gzip, and counts bytes.
func (c *client) zippedSync(ctx context.Context, into *pulled) error {
	c.req.Header.Set(fasthttp.HeaderAcceptEncoding, "gzip")
	defer c.req.Header.Del(fasthttp.HeaderAcceptEncoding)
	c.epoch, c.cursor = "", ""
	for {
		c.body = c.request(c.body[:0], 0, 0, nil)
		answer, err := c.do(ctx, c.firstPath())
		if err != nil {
			return err
		}
		if len(c.resp.Header.Peek(fasthttp.HeaderContentEncoding)) == 0 {
			into.zipped = 0
			return nil // not offered
		}
		into.zipped += len(answer)
		if answer, err = c.resp.BodyGunzip(); err != nil {
			return fmt.Errorf("inflating a page: %w", err)
		}
		c.keep(answer)
		if !more(answer) {
			return nil
		}
	}
}

// prepareIdle finds out how large the server's answer is when there is no news.
func (r *run) prepareIdle(ctx context.Context, server *process) error {
	clients, err := r.connect(ctx, []*process{server}, r.world.idlers[:1])
	defer closeAll(clients)
	if err != nil {
		return err
	}
	answer, err := clients[0].sync(ctx, syncPath, 0, 0, nil)
	r.taken.idleBody = max(r.taken.idleBody, len(answer))
	return err
}

// idle times syncs with nothing new from several clients at the same time.
func (r *run) idle(ctx context.Context, p *process) error {
	clients, err := r.connect(ctx, []*process{p}, r.world.idlers)
	defer closeAll(clients)
	if err != nil {
		return err
	}
	path := syncPath
	if p.side == floorSide {
		path = floorIdlePath(r.taken.idleBody)
	}
	each := max(1, r.Idle/len(clients))
	largest := make([]int, len(clients))
	took, err := together(ctx, len(clients), func(ctx context.Context, i int) error {
		for range each {
			answer, err := clients[i].sync(ctx, path, 0, 0, nil)
			if err != nil {
				return err
			}
			if bytes.Contains(answer, []byte(`"records"`)) {
				return fmt.Errorf("there was news where there can't be any: %.300s", answer)
			}
			largest[i] = max(largest[i], len(answer))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if p.side == serverSide {
		for _, n := range largest {
			r.taken.idleBody = max(r.taken.idleBody, n)
		}
	}
	rate := float64(each*len(clients)) / took.Seconds()
	r.taken.idled(p.side, rate)
	r.say("%-6s  nothing new: %.0f/s, %d bytes", p.side, rate, r.taken.idleBody)
	return nil
}
