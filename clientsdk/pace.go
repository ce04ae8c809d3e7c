package clientsdk

import (
	"time"

	"github.com/cenkalti/backoff/v5"

	"gridsync/syncproto"
)

// pace adapts to the link: how much is sent and asked for at once, and how long
// to wait after a failure. It lasts as long as its client.
type pace struct {
	batch, page       int
	maxBatch, maxPage int
	minPage           int
	// failures counts those in a row; alone those of a batch of one change.
	failures, alone int
	waits           backoff.ExponentialBackOff
	random          func() float64
}

func newPace(o Options) pace {
	return pace{
		batch: o.BatchChanges, maxBatch: o.BatchChanges,
		page: o.PageBytes, maxPage: o.PageBytes, minPage: min(o.PageBytes, syncproto.MinPageBytes),
		// The library's own jitter can't be given a source of randomness, so it is
		// switched off, and wait adds ours.
		waits:  backoff.ExponentialBackOff{InitialInterval: o.FirstWait, MaxInterval: o.MaxWait, Multiplier: 2},
		random: o.Rand,
	}
}

// worked grows what had shrunk.
func (p *pace) worked() {
	p.failures, p.alone = 0, 0
	p.waits.Reset()
	p.batch = min(p.batch*2, p.maxBatch)
	p.page = min(p.page*2, p.maxPage)
}

// begin forgets how long the last call of Sync had to wait, but not what the link
// could bear.
func (p *pace) begin() {
	p.failures = 0
	p.waits.Reset()
}

// failed shrinks what may have been too much and returns how long to wait: as long
// as the server asked, or twice as long as last time; both with jitter, so that a
// hundred phones that lost one mast don't come back together.
func (p *pace) failed(f *failure, sent int) time.Duration {
	if !f.tooLarge { // which is an answer: the link is there
		p.failures++
	}
	if f.halve && sent == 1 {
		p.alone++
	}
	if f.halve && sent > 0 {
		p.batch = max(min(p.batch, sent)/2, 1)
	}
	if f.shrink || f.halve && sent == 0 {
		p.page = max(p.page/2, p.minPage)
	}
	next := p.waits.NextBackOff()
	if f.after > 0 {
		return f.after + time.Duration(p.random()*float64(f.after)/4)
	}
	return p.jitter(next)
}

// jitter returns between half of d and one and a half times d.
func (p *pace) jitter(d time.Duration) time.Duration {
	return d/2 + time.Duration(p.random()*float64(d))
}
