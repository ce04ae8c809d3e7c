package clientsdk

import (
	"context"
	"slices"
	"sync"

	"gridsync/syncproto"
)

// watchers are those who want to hear which records changed. They need no
// goroutine: what a reader hasn't taken yet waits in its channel as one value, to
// which the writer adds.
type watchers struct {
	mu   sync.Mutex
	open map[chan []syncproto.RecordID]struct{}
}

// Watch returns a channel of the ids of records whose shown state may have
// changed, by an author of this device or by Sync. Ids that nobody has taken yet
// are put together, each once, so a slow reader loses nothing and stops no writer.
// The channel is closed when ctx ends.
func (c *Client) Watch(ctx context.Context) <-chan []syncproto.RecordID {
	ch := make(chan []syncproto.RecordID, 1)
	c.watch.add(ch)
	context.AfterFunc(ctx, func() { c.watch.remove(ch) })
	return ch
}

func (w *watchers) add(ch chan []syncproto.RecordID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open == nil {
		w.open = make(map[chan []syncproto.RecordID]struct{})
	}
	w.open[ch] = struct{}{}
}

func (w *watchers) remove(ch chan []syncproto.RecordID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, ch)
	close(ch)
}

// tell adds ids to what each watcher has not taken yet.
func (w *watchers) tell(ids []syncproto.RecordID) {
	if len(ids) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.open {
		var waiting []syncproto.RecordID
		select {
		case waiting = <-ch:
		default:
		}
		ch <- unite(waiting, ids)
	}
}

// unite returns both lists as a new one, each id once.
func unite(a, b []syncproto.RecordID) []syncproto.RecordID {
	seen := make(map[syncproto.RecordID]bool, len(a)+len(b))
	var all []syncproto.RecordID
	for _, id := range slices.Concat(a, b) {
		if !seen[id] {
			seen[id] = true
			all = append(all, id)
		}
	}
	return all
}
