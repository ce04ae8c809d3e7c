package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"sync/atomic"

	"gridsync/server/internal/area"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// maxRows bounds the rows of one page, whatever their size.
const maxRows = 5000

// puller fills the downward half of one answer.
type puller struct {
	s     *Service
	snap  *registry.Snapshot
	scope *scope
	// sight says where the device's authors don't see everything, and lens what they see
	// there; both are nil for those who do.
	sight  sight
	lens   *privacy.Lens
	cursor *cursor
	answer *syncproto.Answer
	// own are the records that the device makes itself, by version.
	own map[syncproto.RecordID]syncproto.Version
	// budget is how many bytes are left of the page.
	budget int
	// read holds, for each feed that was read to its end, the version of its last
	// event.
	read map[Feed]syncproto.Version
	// untold says that there is more to tell than fits.
	untold bool
}

// pull fills in what has changed in the device's scope since its cursor. What it
// costs follows what has changed; when nothing has, it asks the store nothing.
// j is the push that the request made, nil if it made none.
func (s *Service) pull(ctx context.Context, req *syncproto.Request, j *job, state *DeviceState, answer *syncproto.Answer) error {
	snap := s.registry.Current()
	p := &puller{s: s, snap: snap, answer: answer, read: make(map[Feed]syncproto.Version)}
	roots := snap.People.Scope(snap.Areas, req.Device, answer.Now)
	p.scope = s.scopes.of(snap, roots)
	p.open(req)
	p.leave()
	device, _ := snap.People.Device(req.Device)
	p.look(roots, device.Authors)
	p.restart(req.Restart)
	p.describe()
	p.suppress(j)
	p.budget = req.PageBytes
	if p.budget == 0 {
		p.budget = syncproto.PageBytes
	}
	p.budget = min(max(p.budget, syncproto.MinPageBytes), syncproto.MaxPageBytes)
	if err := p.tell(ctx, req.Device, state.Told); err != nil {
		return err
	}
	if err := p.readFeeds(ctx); err != nil {
		return err
	}
	answer.Cursor = p.cursor.String()
	return nil
}

// open reads the request's cursor. One that can't be used is replaced by an empty
// one, and the answer says so.
func (p *puller) open(req *syncproto.Request) {
	fresh := &cursor{epoch: p.answer.Epoch, positions: make(map[Feed]syncproto.Version)}
	p.cursor = fresh
	if req.Cursor == "" {
		p.answer.Reset = req.Epoch != nil && *req.Epoch != p.answer.Epoch
		return
	}
	c, err := parseCursor(req.Cursor)
	switch {
	case err != nil:
		p.reset(syncproto.CodeCursorInvalid)
	case c.epoch != p.answer.Epoch, p.ahead(c):
		p.reset(syncproto.CodeCursorForeign)
	default:
		p.cursor = c
	}
}

// ahead reports whether a cursor has seen more than was ever committed here.
func (p *puller) ahead(c *cursor) bool {
	last, _ := p.s.heads.look(nil, nil)
	for _, pos := range c.positions {
		if pos > last {
			return true
		}
	}
	return false
}

func (p *puller) reset(why syncproto.Code) {
	p.answer.Reset = true
	p.answer.Notice = &syncproto.Error{Code: why, Field: "cursor"}
}

// leave tells of areas that the cursor has positions in and the scope has no more. What one
// broadcasts that now lies above comes anew: a phone forgets areas whole.
func (p *puller) leave() {
	if len(p.cursor.positions) == 0 {
		return
	}
	for f := range p.cursor.positions {
		if p.scope.holds(f) {
			continue
		}
		delete(p.cursor.positions, f)
		delete(p.cursor.positions, Feed{f.Area, form.Broadcast})
		if n, ok := p.snap.Areas.ByKey(f.Area); ok && !slices.Contains(p.answer.Left, n.ID) {
			p.answer.Left = append(p.answer.Left, n.ID)
		}
	}
	slices.Sort(p.answer.Left)
}

// again lets an area begin anew on the device.
func (p *puller) again(n area.Node) {
	for _, stream := range streams {
		delete(p.cursor.positions, Feed{n.Key, stream})
	}
	if !slices.Contains(p.answer.Restarted, n.ID) {
		p.answer.Restarted = append(p.answer.Restarted, n.ID)
	}
}

// restart begins areas anew whose copy on the device has drifted.
func (p *puller) restart(ids []syncproto.AreaID) {
	for _, n := range p.scope.all() {
		if slices.Contains(ids, n.ID) {
			p.again(n)
		}
	}
}

// describe sends areas and forms if those that the device has are others.
func (p *puller) describe() {
	if p.scope.print != p.cursor.areas {
		p.cursor.areas = p.scope.print
		p.answer.Areas = make([]syncproto.Area, 0, len(p.scope.nodes)+len(p.scope.above))
		for _, n := range p.scope.all() {
			p.answer.Areas = append(p.answer.Areas, syncproto.Area{
				ID: n.ID, Name: n.Name, Parent: n.Parent, Above: p.scope.hasAbove[n.Key], Settings: settingsOf(p.snap, n.ID),
			})
		}
	}
	if print := p.s.forms.of(p.snap); print != p.cursor.forms {
		p.cursor.forms = print
		for _, f := range p.snap.Forms.All() {
			p.answer.Forms = append(p.answer.Forms, compact(f.Source()))
		}
		for _, t := range p.snap.Templates.All() {
			p.answer.Templates = append(p.answer.Templates, compact(t.Source()))
		}
	}
}

// settingsOf are what was set in an area, as devices hear it.
func settingsOf(snap *registry.Snapshot, id syncproto.AreaID) []syncproto.Setting {
	var all []syncproto.Setting
	for _, own := range snap.Settings.Own(id) {
		all = append(all, syncproto.Setting{Name: own.Name, From: own.From.String(), Value: own.Value})
	}
	return all
}

// formsPrint remembers the fingerprint of the snapshot that was asked for last.
type formsPrint struct {
	last atomic.Pointer[printed]
}

type printed struct {
	snap  *registry.Snapshot
	print uint32
}

func (f *formsPrint) of(snap *registry.Snapshot) uint32 {
	if p := f.last.Load(); p != nil && p.snap == snap {
		return p.print
	}
	h := fnv.New32a()
	for _, f := range snap.Forms.All() {
		h.Write(f.Source())
	}
	for _, t := range snap.Templates.All() {
		h.Write(t.Source())
	}
	f.last.Store(&printed{snap, h.Sum32()})
	return h.Sum32()
}

// compact returns a definition without white space.
func compact(source json.RawMessage) json.RawMessage {
	return json.RawMessage(syncproto.ValueOf(source))
}

// suppress finds the records that the device makes itself from its own bytes. It
// takes back the offer for records that the device wouldn't keep: of an area
// outside the scope, or one whose copy starts anew in this answer.
func (p *puller) suppress(j *job) {
	if j == nil {
		return
	}
	p.own = make(map[syncproto.RecordID]syncproto.Version, len(j.verdicts))
	for i := range j.verdicts {
		v := &j.verdicts[i]
		if v.Stamp == nil {
			continue
		}
		c := &j.changes[i].change
		n, _ := p.snap.Areas.Find(j.areas[c.Record])
		if !p.scope.has[n.Key] || p.answer.Reset || slices.Contains(p.answer.Restarted, n.ID) {
			v.Stamp = nil
			continue
		}
		p.own[c.Record] = v.Version
	}
	// Where nobody else wrote, there is nothing to read.
	for f, skip := range j.skips {
		if pos, ok := p.cursor.positions[f]; ok && pos >= skip.from && p.scope.holds(f) {
			p.cursor.positions[f] = max(pos, skip.to)
		}
	}
}

// readFeeds fills the page, feed by feed, and moves the cursor on.
func (p *puller) readFeeds(ctx context.Context) error {
	last, news := p.s.heads.look(p.scope.feeds, func(f Feed) syncproto.Version { return p.cursor.positions[f] })
	unread := make(map[Feed]bool, len(news))
	for _, f := range news {
		unread[f] = true
	}
	for _, f := range news {
		if p.budget <= 0 {
			break
		}
		done, err := p.page(ctx, f)
		if err != nil {
			return err
		}
		if !done {
			break
		}
		delete(unread, f)
		p.read[f] = p.cursor.positions[f]
	}
	p.answer.More = len(unread) > 0 || p.untold
	// A feed that had no news at last, or was read to its end since, holds nothing up
	// to last that the device hasn't got.
	for _, f := range p.scope.feeds {
		if !unread[f] {
			p.cursor.positions[f] = max(p.cursor.positions[f], last)
		}
	}
	p.sums(unread)
	return nil
}

// maxTold bounds what an answer tells authors, in one page.
const maxTold = 200

// tell brings what was decided about things that the device's authors wrote. What isn't
// told in this answer makes it one of several.
func (p *puller) tell(ctx context.Context, device syncproto.DeviceID, last syncproto.Version) error {
	if last <= p.cursor.told {
		return nil
	}
	told, err := p.s.store.Told(ctx, device, p.cursor.told, maxTold)
	if err != nil {
		return fmt.Errorf("what device %s is to hear: %w", device, err)
	}
	p.maskTold(told)
	p.answer.Told = told
	if p.cursor.told = last; len(told) >= maxTold {
		p.cursor.told = told[len(told)-1].Version
		p.untold = p.cursor.told < last
	}
	return nil
}

// page reads one feed as far as the budget goes, and reports whether it came to
// the end.
func (p *puller) page(ctx context.Context, f Feed) (bool, error) {
	for p.budget > 0 {
		rows, err := p.s.store.Page(ctx, f, p.cursor.positions[f], maxRows, p.budget)
		if err != nil {
			return false, fmt.Errorf("feed %d/%s: %w", f.Area, f.Stream, err)
		}
		size := 0
		for _, row := range rows {
			size += row.Size
			p.cursor.positions[f] = row.Version
			switch {
			case row.Gone != nil:
				p.answer.Gone = append(p.answer.Gone, *row.Gone)
			case p.own[row.Record.ID] != row.Version:
				p.answer.Records = append(p.answer.Records, p.shown(row.Record, f.Area))
			default: // the device makes it itself
			}
		}
		// A store may end a page below its bounds, when the next row would pass them:
		// only the feed's end, or nothing at all, says that there is no more.
		full := len(rows) > 0 && p.cursor.positions[f] < p.s.heads.of(f).Last
		p.budget -= size
		if !full {
			return true, nil
		}
	}
	return false, nil
}

// sums gives the fingerprints of the areas of which this answer brings the last
// news: neither feed unread, and none moved since it was read.
func (p *puller) sums(unread map[Feed]bool) {
	for _, n := range p.scope.all() {
		stirred, whole := slices.Contains(p.answer.Restarted, n.ID), true
		var sum syncproto.Sum
		for _, stream := range streams {
			f := Feed{n.Key, stream}
			if !p.scope.holds(f) {
				continue
			}
			now := p.s.heads.of(f)
			end, read := p.read[f]
			stirred = stirred || read
			whole = whole && !unread[f] && (!read || now.Last == end) && now.Last <= p.cursor.positions[f]
			sum += now.Sum
		}
		if stirred && whole {
			if p.answer.Sums == nil {
				p.answer.Sums = make(map[syncproto.AreaID]syncproto.Sum)
			}
			p.answer.Sums[n.ID] = sum
		}
	}
}
