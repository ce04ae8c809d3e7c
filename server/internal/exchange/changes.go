package exchange

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"

	"gridsync/syncproto"
)

// Reader is another system that follows an area.
type Reader struct {
	Area syncproto.AreaID
	// Sight is a fingerprint of what it is shown: one that is shown more than before begins
	// anew, as nothing else would bring what it was not shown.
	Sight string
	// After is the cursor of the page before; empty at the start.
	After string
	// Limit bounds the rows of the page; those of one version stay together.
	Limit int
}

// Changes are a page of what happened in an area and all below it.
type Changes struct {
	// Rows are in order of versions: records as they stand, and those that have gone.
	Rows []FeedRow
	// Left are areas that lie elsewhere now, with everything in them.
	Left []syncproto.AreaID
	// Cursor is where the next page begins; More says that there is one already.
	Cursor string
	More   bool
}

// Changes reads on in the feeds of an area and all below it. A record that changed several
// times since the cursor comes once, as it stands; no row is ever stepped over, whatever is
// committed meanwhile. It fails with code
//
//	not_found       no such area
//	cursor_invalid  not a cursor of this area, or of another sight: begin anew
//	cursor_foreign  a cursor of another history: begin anew
func (s *Service) Changes(ctx context.Context, r Reader) (*Changes, error) {
	if err := s.TakeUp(ctx); err != nil {
		return nil, err
	}
	snap := s.registry.Current()
	if _, there := snap.Areas.Find(r.Area); !there {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	c, err := s.readerCursor(r)
	if err != nil {
		return nil, err
	}
	scope := s.scopes.of(snap, []syncproto.AreaID{r.Area})
	page := &Changes{}
	for f := range c.positions {
		if scope.has[f.Area] {
			continue
		}
		delete(c.positions, f)
		if n, there := snap.Areas.ByKey(f.Area); there && !slices.Contains(page.Left, n.ID) {
			page.Left = append(page.Left, n.ID)
		}
	}
	slices.Sort(page.Left)
	feeds := make([]Feed, 0, len(scope.nodes)*len(streams))
	for _, n := range scope.nodes {
		for _, stream := range streams {
			feeds = append(feeds, Feed{Area: n.Key, Stream: stream})
		}
	}
	if err := s.readChanges(ctx, page, c, feeds, r.Limit); err != nil {
		return nil, fmt.Errorf("changes of %s: %w", r.Area, err)
	}
	page.Cursor = c.String()
	return page, nil
}

// readerCursor reads a reader's cursor, which is a device's for one area, with prints of
// area and sight in place of those of areas and forms.
func (s *Service) readerCursor(r Reader) (*cursor, error) {
	fresh := &cursor{epoch: s.heads.epoch, areas: printOf(string(r.Area)), forms: printOf(r.Sight), positions: make(map[Feed]syncproto.Version)}
	if r.After == "" {
		return fresh, nil
	}
	c, err := parseCursor(r.After)
	if err != nil {
		return nil, &syncproto.Error{Code: syncproto.CodeCursorInvalid, Field: "after"}
	}
	last, _ := s.heads.look(nil, nil)
	for _, at := range c.positions {
		if at > last { // of commits that a backup didn't have
			return nil, &syncproto.Error{Code: syncproto.CodeCursorForeign, Field: "after"}
		}
	}
	switch {
	case c.epoch != fresh.epoch:
		return nil, &syncproto.Error{Code: syncproto.CodeCursorForeign, Field: "after"}
	case c.areas != fresh.areas || c.forms != fresh.forms:
		return nil, &syncproto.Error{Code: syncproto.CodeCursorInvalid, Field: "after"}
	}
	return c, nil
}

func printOf(text string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(text))
	return h.Sum32()
}

// Bounds of what is read of one feed for a page.
const (
	leastFeedRows  = 8
	leastFeedBytes = 64 << 10
)

// readChanges fills a page from feeds and moves the cursor on. All feeds are read a little,
// and cut off where the first of them was: up to there everything is in the page.
func (s *Service) readChanges(ctx context.Context, page *Changes, c *cursor, feeds []Feed, limit int) error {
	last, news := s.heads.look(feeds, func(f Feed) syncproto.Version { return c.positions[f] })
	cut := last
	most := max(leastFeedRows, 2*limit/max(len(news), 1))
	bytes := max(leastFeedBytes, syncproto.MaxPageBytes/max(len(news), 1))
	var rows []FeedRow
	for _, f := range news {
		read, err := s.store.Page(ctx, f, c.positions[f], most, bytes)
		if err != nil {
			return fmt.Errorf("feed %d/%s: %w", f.Area, f.Stream, err)
		}
		if n := len(read); n > 0 && read[n-1].Version < s.heads.of(f).Last {
			cut = min(cut, read[n-1].Version)
		}
		rows = append(rows, read...)
	}
	rows = slices.DeleteFunc(rows, func(row FeedRow) bool { return row.Version > cut })
	slices.SortStableFunc(rows, func(a, b FeedRow) int { return cmp.Compare(a.Version, b.Version) })
	if len(rows) > limit {
		cut = rows[limit-1].Version
		rows = slices.DeleteFunc(rows, func(row FeedRow) bool { return row.Version > cut })
	}
	page.Rows = moves(rows)
	page.More = cut < last
	for _, f := range feeds {
		c.positions[f] = max(c.positions[f], cut)
	}
	return nil
}

// moves leaves out that a record left an area where the page has it in another one.
func moves(rows []FeedRow) []FeedRow {
	there := make(map[syncproto.RecordID]syncproto.Version)
	for i := range rows {
		if r := rows[i].Record; r != nil {
			there[r.ID] = r.Version
		}
	}
	return slices.DeleteFunc(rows, func(row FeedRow) bool {
		return row.Gone != nil && there[row.Gone.Record] >= row.Version
	})
}
