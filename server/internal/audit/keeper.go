package audit

import (
	"context"
	"fmt"
	"sync"

	"gridsync/syncproto"
)

// Store keeps lines.
type Store interface {
	// AppendAudit keeps lines, durably when it returns nil, all or none.
	AppendAudit(ctx context.Context, entries []Entry) error
	// AuditLines returns the lines that are wanted, the newest first, out of those with
	// numbers below before (0: from the newest): at most limit. It looks at no more than
	// Reach lines and says below which number to go on, 0 at the end.
	AuditLines(ctx context.Context, want Want, before int64, limit int) (lines []Line, next int64, err error)
	// AuditOf returns the lines that name a record, the newest first, below a number (0: from
	// the newest), at most limit, without the other records that they name.
	AuditOf(ctx context.Context, record syncproto.RecordID, before int64, limit int) ([]Line, error)
}

// Reach bounds how many lines are looked at for one page.
const Reach = 20_000

// Line is an entry that was kept, by its number.
type Line struct {
	N int64 `json:"n"`
	Entry
}

// Want says which lines are asked for; zero values ask for all.
type Want struct {
	// Areas are those asked about; those of a line without an area are only in nil, which
	// is all.
	Areas []syncproto.AreaID
	Who   syncproto.AuthorID
	Act   Act
}

// MaxWaiting bounds the lines that wait to be written.
const MaxWaiting = 4096

// Keeper is the Log over a store. Everything that waits is written together, so that a
// line costs a sync to disk only when nobody else is there to share it.
type Keeper struct {
	Store
	mu      sync.Mutex
	waiting []*note
	entries int
	writing bool
}

var _ Log = (*Keeper)(nil)

// note is what one caller waits for.
type note struct {
	entries []Entry
	done    chan error
}

// NewKeeper keeps lines in a store.
func NewKeeper(store Store) *Keeper { return &Keeper{Store: store} }

// Note implements Log. It fails with code busy when too many lines wait; when ctx ends
// first the lines may still be kept.
func (k *Keeper) Note(ctx context.Context, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	n := &note{entries: entries, done: make(chan error, 1)}
	if err := k.queue(ctx, n); err != nil {
		return err
	}
	select {
	case err := <-n.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("note what was done: %w", ctx.Err())
	}
}

func (k *Keeper) queue(ctx context.Context, n *note) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.entries+len(n.entries) > MaxWaiting {
		return &syncproto.Error{Code: syncproto.CodeBusy}
	}
	k.waiting, k.entries = append(k.waiting, n), k.entries+len(n.entries)
	if !k.writing {
		k.writing = true
		go k.write(context.WithoutCancel(ctx))
	}
	return nil
}

// write writes what waits until nothing does.
func (k *Keeper) write(ctx context.Context) {
	for {
		notes := k.take()
		if len(notes) == 0 {
			return
		}
		var entries []Entry
		for _, n := range notes {
			entries = append(entries, n.entries...)
		}
		err := k.AppendAudit(ctx, entries)
		for _, n := range notes {
			n.done <- err
		}
	}
}

func (k *Keeper) take() []*note {
	k.mu.Lock()
	defer k.mu.Unlock()
	notes := k.waiting
	k.waiting, k.entries = nil, 0
	k.writing = len(notes) > 0
	return notes
}
