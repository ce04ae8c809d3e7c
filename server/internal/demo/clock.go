package demo

import (
	"sync"
	"time"

	"gridsync/syncproto"
)

// storyClock is the clock of the story: it stands still until it is set, and runs
// like any other once it was let go.
type storyClock struct {
	mu    sync.Mutex
	at    time.Time
	since time.Time // when it was let go; zero while it stands
}

func (c *storyClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() {
		return c.at
	}
	return c.at.Add(time.Since(c.since))
}

func (c *storyClock) set(t syncproto.Instant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = time.UnixMilli(int64(t))
}

func (c *storyClock) letGo() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Now()
}
