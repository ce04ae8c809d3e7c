package api

import (
	"hash/maphash"
	"math"
	"sync"
	"time"
)

// Limit is how often something may be asked: Rate times a second in the long run, and
// Burst times at once. The zero Limit is none.
type Limit struct {
	Rate  float64
	Burst int
}

func (l Limit) none() bool { return l.Rate <= 0 || l.Burst <= 0 }

// each is how long one request's room takes to come back, whole how long that of a burst.
func (l Limit) each() time.Duration  { return time.Duration(float64(time.Second) / l.Rate) }
func (l Limit) whole() time.Duration { return time.Duration(l.Burst) * l.each() }

// bucket is all that is remembered of one who asks, as moments since the limiter began:
// when everything asked so far is made up for (the generic cell rate algorithm, which is a
// token bucket in one number), and up to when those who were turned away have been told to
// come again.
type bucket struct{ paid, promised time.Duration }

// spread is over how long those who share a bucket are told to come again. It is short
// enough for a phone to wait within the same sync.
const spread = 20 * time.Second

// take takes room for one request, or says how long it will be until there is some.
func (b *bucket) take(now time.Duration, l Limit) (wait time.Duration) {
	return b.borrow(now, l, 0)
}

// borrow is take for one who may have what comes in the next while.
func (b *bucket) borrow(now time.Duration, l Limit, while time.Duration) (wait time.Duration) {
	paid := max(b.paid, now) + l.each()
	if early := paid - now - l.whole(); early > while {
		return early
	}
	b.paid = paid
	return 0
}

// promise gives one of many who share a bucket a moment of its own to come again, one
// request's room after the one before: told the same moment, all would come back together
// and all but one be turned away again. wait is when there is room for the first.
func (b *bucket) promise(now, wait time.Duration, l Limit) (at time.Duration) {
	at = max(b.promised, now+wait)
	if at > now+wait+spread {
		at = now + wait // round again: a flood must not push honest phones out of the day
	}
	b.promised = at + l.each()
	return at
}

// charge takes room for times more requests, whether there is any or not. What is owed is
// bounded: an hour of guessing must not shut an office out for a day.
func (b *bucket) charge(now time.Duration, l Limit, times int) {
	paid := max(b.paid, now) + time.Duration(times)*l.each()
	b.paid = min(paid, now+2*l.whole())
}

// whom names a bucket: a class of routes and one who asks.
type whom struct {
	class uint8
	id    [16]byte
}

// The buckets of all who ask are kept in shards, each under its own lock.
const (
	shards = 16
	// perShard bounds one generation of a shard: with two of them, 131,072 buckets in all, some
	// 8 MB.
	perShard = 4096
)

// buckets remembers who has asked lately. What it remembers is bounded: when the newer
// half of a shard is full it becomes the older one, and who did not ask in the meantime is
// forgotten, which is to be forgiven. (Fiber's own limiter counts in fixed windows of whole
// seconds, for a key that is a text; its memory has no bound but time, its clock can't be
// given, one lock stands before everything, and it tells all whom it turns away the same
// moment.)
type buckets struct {
	seed  maphash.Seed
	most  int
	shard [shards]struct {
		mu           sync.Mutex
		newer, older map[whom]bucket
	}
}

func newBuckets(most int) *buckets { return &buckets{seed: maphash.MakeSeed(), most: most} }

// with lets do something with one bucket.
func (s *buckets) with(who whom, do func(*bucket)) {
	shard := &s.shard[maphash.Comparable(s.seed, who)%shards]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	b, known := shard.newer[who]
	if !known {
		b = shard.older[who]
		if shard.newer == nil || len(shard.newer) >= s.most {
			shard.older, shard.newer = shard.newer, make(map[whom]bucket)
		}
	}
	do(&b)
	shard.newer[who] = b
}

// retrySeconds is a wait in whole seconds, one at least: never less than the wait.
func retrySeconds(wait time.Duration) int { return max(1, int(math.Ceil(wait.Seconds()))) }
