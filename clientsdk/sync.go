package clientsdk

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"gridsync/syncproto"
)

// Report says what one call of Sync did.
type Report struct {
	// Requests counts answers received, Retries requests that brought none.
	Requests, Retries int
	// Sent counts changes that the server held for the first time (or for the first
	// time that its answer got here), by outcome.
	Sent map[syncproto.Outcome]int
	// Received counts records that were new or newer, Gone those that have left.
	Received, Gone int
	// Reset says that everything came again, Reoffered that the digest of the
	// receipt disagreed and everything kept was offered again.
	Reset, Reoffered bool
	// Lost lists changes that the server had and its receipt no longer covers. They were
	// offered again.
	Lost []uint64
	// Told counts what authors were told of for the first time: see Client.Told.
	Told int
	// Restarted lists areas that were fetched again because their sums disagreed,
	// Drifted those whose sums disagree even so.
	Restarted, Drifted []syncproto.AreaID
	// Skipped lists changes that were too much for the link or the server even
	// alone. They stay unsent.
	Skipped []uint64
	// Withheld counts changes that a locked file could not send, as it holds nothing of
	// them that the server could open. They go once it is unlocked.
	Withheld int
	// UnreadForms counts forms that this program can't read.
	UnreadForms int
}

// session is one call of Sync.
type session struct {
	c      *Client
	report Report
	// offered are changes that a receipt sent back to the outbox: once a session.
	offered map[uint64]bool
	// restarted are areas asked for again: once a session.
	restarted map[syncproto.AreaID]bool
	resets    int
	// deliver says that nothing is to come down, renewed that the token was renewed
	// because the server had turned it away: once a session.
	deliver, renewed bool
}

// outgoing is one request with the changes in it.
type outgoing struct {
	request syncproto.Request
	batch   []own
	epoch   syncproto.Epoch
}

// Sync sends what is unsent and fetches what is new, in as many requests as that
// takes. Whatever fails, what was applied before stays applied, nothing recorded
// is lost, and the next call goes on from there.
//
// Errors: ErrNoServer; ErrOffline; *BusyError; a *syncproto.Error when the server
// turned the request away (a token that isn't valid any more, for one);
// ErrBadAnswer; ErrNoProgress; ErrLocked; ErrClosed; ctx's.
func (c *Client) Sync(ctx context.Context) (Report, error) {
	if c.Locked() {
		return Report{}, ErrLocked
	}
	report, err := c.exchange(ctx, false)
	if err == nil {
		err = c.boxRest(ctx)
	}
	return report, err
}

// exchange is Sync, or Deliver.
func (c *Client) exchange(ctx context.Context, deliver bool) (Report, error) {
	if c.opt.Server == "" {
		return Report{}, ErrNoServer
	}
	if err := lock(ctx, c.syncing); err != nil {
		return Report{}, err
	}
	defer func() { <-c.syncing }()
	s := &session{
		c: c, offered: make(map[uint64]bool), restarted: make(map[syncproto.AreaID]bool),
		report: Report{Sent: make(map[syncproto.Outcome]int)}, deliver: deliver,
	}
	c.mu.Lock()
	c.link.begin()
	c.mu.Unlock()
	for {
		more, err := s.step(ctx)
		if err != nil || !more {
			return s.report, err
		}
	}
}

// step makes one request and applies its answer. It says whether there is more.
func (s *session) step(ctx context.Context) (more bool, err error) {
	if failed := s.c.fresh(ctx, false); failed != nil {
		return s.recover(ctx, failed, &outgoing{})
	}
	out, err := s.compose(ctx)
	if err != nil {
		return false, fmt.Errorf("composing a request: %w", err)
	}
	answer, failed := s.c.post(ctx, &out.request)
	if failed != nil && tokenEnded(failed) && s.c.renews() && !s.renewed {
		failed, out = s.c.fresh(ctx, true), outgoing{}
		if s.renewed = failed == nil; s.renewed {
			return true, nil
		}
	}
	if failed != nil {
		return s.recover(ctx, failed, &out)
	}
	s.c.mu.Lock()
	s.c.link.worked()
	s.c.mu.Unlock()
	s.report.Requests++
	done, err := s.apply(ctx, &out, answer)
	if err != nil {
		return false, fmt.Errorf("applying an answer: %w", err)
	}
	if s.resets > 2 || done.more && !done.progress {
		return false, ErrNoProgress
	}
	return done.more, nil
}

// recover waits and shrinks after a failure, or gives up.
func (s *session) recover(ctx context.Context, f *failure, out *outgoing) (more bool, err error) {
	if f.stop || f.tooLarge && len(out.batch) == 0 {
		return false, f.err
	}
	s.report.Retries++
	s.c.mu.Lock()
	link := &s.c.link
	wait := link.failed(f, len(out.batch))
	giveUp := link.failures >= s.c.opt.Attempts
	skip := len(out.batch) == 1 && (f.tooLarge || link.alone >= 3)
	if skip {
		link.alone = 0
	}
	s.c.mu.Unlock()
	if skip { // perhaps it is this change: it must not stand in the way of the others
		s.report.Skipped = append(s.report.Skipped, out.batch[0].N)
	}
	if giveUp {
		return false, f.err
	}
	return true, s.c.opt.Wait(ctx, wait)
}

// maxBatchBytes bounds the changes of one request before compression, well below
// syncproto.MaxBodyBytes.
const maxBatchBytes = 1 << 20

// compose makes the next request.
func (s *session) compose(ctx context.Context) (outgoing, error) {
	c := s.c
	c.mu.Lock()
	batch, page := c.link.batch, c.link.page
	c.mu.Unlock()
	var out outgoing
	err := c.view(ctx, func(tx *sql.Tx) error {
		m, err := readMeta(tx)
		if err != nil {
			return err
		}
		if m.Closed {
			return ErrClosed
		}
		out.epoch = m.Epoch
		out.request = syncproto.Request{
			Protocol: syncproto.Protocol, Device: c.device, Cursor: m.Cursor, High: m.High,
			App: c.opt.AppName, PageBytes: page, Deliver: s.deliver,
		}
		if !m.Epoch.IsZero() {
			out.request.Epoch = &m.Epoch
		}
		if s.deliver {
			out.request.PageBytes = 0
		} else if out.request.Restart, err = s.wanted(tx); err != nil {
			return err
		}
		if err := tx.QueryRow("SELECT count(*) FROM outbox WHERE covered = 0 AND " + alive).Scan(&out.request.Unsent); err != nil {
			return err
		}
		return s.fill(tx, &out, batch)
	})
	out.request.Clock = c.now()
	return out, err
}

// fill takes the next unsent changes into the request.
func (s *session) fill(tx *sql.Tx, out *outgoing, most int) error {
	next, err := s.c.next(tx, most+len(s.report.Skipped))
	if err != nil {
		return err
	}
	size := 0
	for _, o := range next {
		if slices.Contains(s.report.Skipped, o.N) {
			continue
		}
		size += len(o.body)
		if len(out.batch) == most || size > maxBatchBytes && len(out.batch) > 0 {
			break
		}
		out.batch = append(out.batch, o)
		out.request.Changes = append(out.request.Changes, json.RawMessage(o.body))
	}
	return nil
}

// wanted returns the areas to be fetched again that this session hasn't asked for.
func (s *session) wanted(tx *sql.Tx) ([]syncproto.AreaID, error) {
	rows, err := tx.Query("SELECT id FROM areas WHERE drifted = 1 ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("reading drifted areas: %w", err)
	}
	defer rows.Close()
	var areas []syncproto.AreaID
	for rows.Next() {
		var area syncproto.AreaID
		if err := rows.Scan(&area); err != nil {
			return nil, fmt.Errorf("reading drifted areas: %w", err)
		}
		if !s.restarted[area] {
			areas = append(areas, area)
		}
	}
	return areas, rows.Err()
}
