package clientsdk

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// applied is what applying an answer came to.
type applied struct {
	// more says that another request is due, progress that this one moved something.
	more, progress bool
}

// applying is one answer on its way into the file, in one transaction: a cut
// anywhere leaves the device where it was before, and the answer comes again.
type applying struct {
	*session
	*statements
	m        meta
	out      *outgoing
	answer   *syncproto.Answer
	forms    form.Set
	touched  map[syncproto.RecordID]struct{}
	tallies  map[syncproto.AreaID]*tally
	progress bool
	// made are the records that are one own change and nothing else: the server
	// leaves them out of the answer.
	made []syncproto.Record
}

// tally is how an area's count and sum of records move.
type tally struct {
	records int64
	sum     syncproto.Sum
}

// apply writes an answer into the file.
func (s *session) apply(ctx context.Context, out *outgoing, answer *syncproto.Answer) (applied, error) {
	var done applied
	var a *applying
	err := s.c.update(ctx, func(tx *sql.Tx) error {
		m, err := readMeta(tx)
		if err != nil {
			return err
		}
		if m.Closed { // by another process, since the request was made
			return ErrClosed
		}
		a = &applying{
			session: s, statements: newStatements(tx), m: m, out: out, answer: answer, forms: s.c.Forms(),
			touched: make(map[syncproto.RecordID]struct{}), tallies: make(map[syncproto.AreaID]*tally),
		}
		done, err = a.run()
		return err
	})
	if err != nil {
		return done, err
	}
	s.c.mu.Lock()
	s.c.forms = a.forms
	s.c.mu.Unlock()
	if a.m.Closed {
		return done, s.c.bury(ctx)
	}
	if tellsOfAreas(answer) {
		if err := s.c.learned(ctx); err != nil {
			return done, err
		}
	}
	s.c.watch.tell(slices.SortedFunc(maps.Keys(a.touched), func(x, y syncproto.RecordID) int { return bytes.Compare(x[:], y[:]) }))
	return done, nil
}

func (a *applying) run() (applied, error) {
	for _, area := range a.out.request.Restart {
		a.restarted[area] = true
	}
	// Another copy of this device may have been further than this one: no number is
	// given out twice.
	a.m.High = max(a.m.High, a.answer.Receipt.Through)
	do := a.pulled
	if a.deliver {
		do = a.delivered
	}
	done, err := do()
	if err != nil {
		return applied{}, err
	}
	closed, err := a.close()
	if err != nil {
		return applied{}, err
	}
	if closed {
		done = applied{}
	}
	return done, a.m.write(a.tx)
}

// pulled applies all of an answer.
func (a *applying) pulled() (applied, error) {
	steps := []func() error{
		a.changeEpoch, a.verdicts, a.receipt, a.told, a.settleAnswered, a.leave, a.learn, a.records, a.gone, a.settle,
		a.compareSums, a.prune, a.join,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return applied{}, err
		}
	}
	a.stand()
	more, err := a.more()
	return applied{more: more, progress: a.progress}, err
}

// stand moves the device to where the answer leaves it.
func (a *applying) stand() {
	received := a.c.now()
	a.progress = a.progress || a.m.Cursor != a.answer.Cursor
	a.m.Epoch, a.m.Cursor, a.m.More = a.answer.Epoch, a.answer.Cursor, a.answer.More
	a.m.Offset = a.answer.Now - (a.out.request.Clock+received)/2
	a.m.LastSync = received
	a.m.Notice = a.answer.Notice
}

// more says whether another request is due.
func (a *applying) more() (bool, error) {
	if a.m.More {
		return true, nil
	}
	wanted, err := a.wanted(a.tx)
	if err != nil || len(wanted) > 0 {
		a.progress = true // each is asked for once a session
		return true, err
	}
	var waiting int
	err = a.tx.QueryRow("SELECT count(*) FROM outbox WHERE state = 0").Scan(&waiting)
	return waiting > len(a.report.Skipped), err
}

// join finds out which records are one, now that they stand as they do, and tells
// those who watch a record of what came of one that is one with it.
func (a *applying) join() error {
	l, err := a.c.lens(a.tx, &a.m)
	if err != nil {
		return err
	}
	l.forms = a.forms
	moved, err := a.c.relink(a.statements, l)
	if err != nil {
		return err
	}
	for id := range a.touched {
		if root, joined := l.roots[id]; joined {
			moved = append(moved, root)
		}
	}
	for _, id := range moved {
		a.touched[id] = struct{}{}
	}
	return nil
}

// changeEpoch meets a database with another history: a backup was restored. The
// copies of records are of no use then, whatever else the answer says.
func (a *applying) changeEpoch() error {
	known := a.m.Epoch
	if known.IsZero() || known == a.answer.Epoch || a.answer.Reset {
		return nil
	}
	lean := *a.answer
	lean.Reset, lean.Cursor, lean.More = true, "", true
	lean.Records, lean.Gone, lean.Sums, lean.Left, lean.Restarted = nil, nil, nil, nil, nil
	a.answer = &lean
	return nil
}

// leave removes copies that are no longer the device's, or that come again. What
// its authors recorded stays.
func (a *applying) leave() error {
	if a.answer.Reset {
		a.resets++
		a.report.Reset = true
		if err := a.remove("true"); err != nil {
			return err
		}
		return a.exec("UPDATE areas SET drifted = 0")
	}
	for _, area := range a.answer.Restarted {
		if err := a.remove("area = ?", string(area)); err != nil {
			return err
		}
		if err := a.exec("UPDATE areas SET drifted = 0 WHERE id = ?", string(area)); err != nil {
			return err
		}
	}
	for _, area := range a.answer.Left {
		if err := a.remove("area = ?", string(area)); err != nil {
			return err
		}
		if err := a.exec("UPDATE outbox SET overlay = 0 WHERE overlay = 1 AND state = 1 AND area = ?", string(area)); err != nil {
			return err
		}
		if err := a.exec("UPDATE areas SET known = 0, drifted = 0 WHERE id = ?", string(area)); err != nil {
			return err
		}
	}
	return nil
}

// learn keeps areas and forms. A form that this program can't read is left out:
// the server has it, and a newer program will.
func (a *applying) learn() error {
	for _, area := range a.answer.Areas {
		err := a.exec(`INSERT INTO areas (id, name, parent, known, above) VALUES (?,?,?,1,?)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, parent = excluded.parent, known = 1, above = excluded.above`,
			string(area.ID), area.Name, string(area.Parent), area.Above)
		if err != nil {
			return err
		}
	}
	for _, source := range a.answer.Forms {
		f, err := form.Parse(source)
		if err != nil {
			a.report.UnreadForms++
			continue
		}
		err = a.exec("INSERT INTO forms (kind, version, body) VALUES (?,?,?) ON CONFLICT (kind, version) DO UPDATE SET body = excluded.body",
			string(f.Kind), f.Version, string(source))
		if err != nil {
			return err
		}
		a.forms = a.forms.With(f)
	}
	return a.learnSettings()
}

// prune forgets changes that were delivered long ago by the server's clock, but none that
// is its author's work again. Their hashes stay in the sum.
func (a *applying) prune() error {
	if !a.m.Agreed || a.answer.More {
		return nil
	}
	before := int64(a.answer.Now) - a.c.opt.Keep.Milliseconds()
	old, err := a.count("SELECT count(*) FROM outbox WHERE n = (SELECT min(n) FROM outbox WHERE state <> 3) AND delivered < ?", before)
	if err != nil || old == 0 {
		return err
	}
	const which = "delivered < ? AND (covered = 1 AND (state = 1 AND desk = '' OR desk = 'resubmitted') OR state > 3)"
	held, err := a.count("SELECT count(*) FROM outbox WHERE covered = 1 AND "+which, before)
	if err != nil {
		return err
	}
	a.m.Pruned += uint64(held)
	return a.exec("DELETE FROM outbox WHERE "+which, before)
}

func (a *applying) count(query string, args ...any) (n int64, err error) {
	if err := a.row(query, args, &n); err != nil {
		return 0, fmt.Errorf("%s: %w", query, err)
	}
	return n, nil
}
