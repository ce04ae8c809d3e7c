package sqlstore

import (
	"database/sql"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// fed says that there are records of a kind in a feed.
type fed struct {
	feed int64
	kind syncproto.Kind
}

// refeed moves records into the feeds of their kinds' streams, where they travel in
// another one than when they were written. Nothing goes from any area: a device that has
// both streams of it has the record.
func (t *tx) refeed(d *exchange.Derived) error {
	rows, err := t.w.query(t.ctx, "SELECT DISTINCT r.feed, k.name FROM record r JOIN kind k ON k.key = r.kind WHERE r.feed IS NOT NULL")
	all, err := collect(rows, err, func(rows *sql.Rows, s *fed) error { return rows.Scan(&s.feed, &s.kind) })
	if err != nil {
		return err
	}
	moved := false
	for _, s := range all {
		from := feedOf(s.feed)
		stream, known := d.Streams[s.kind]
		if !known || stream == from.Stream {
			continue
		}
		to, err := feedNumber(exchange.Feed{Area: from.Area, Stream: stream})
		if err != nil {
			return err
		}
		err = t.w.exec(t.ctx, "UPDATE record SET feed = $1 WHERE feed = $2 AND kind = (SELECT key FROM kind WHERE name = $3)", to, s.feed, string(s.kind))
		if err != nil {
			return err
		}
		moved = true
	}
	if !moved {
		return nil
	}
	return t.rehead(d.Heads)
}

// rehead writes what is in each feed now. Where it ends stays: what has gone from it is
// still to be told.
func (t *tx) rehead(now []exchange.Head) error {
	before, err := headsFrom(t.ctx, t.w)
	if err != nil {
		return err
	}
	heads := make(map[exchange.Feed]exchange.Head, len(now))
	for _, head := range now {
		heads[head.Feed] = head
	}
	for _, old := range before {
		head := heads[old.Feed]
		head.Feed, head.Last = old.Feed, max(head.Last, old.Last)
		heads[old.Feed] = head
	}
	b := &exchange.Batch{}
	for _, head := range heads {
		b.Heads = append(b.Heads, head)
	}
	return t.saveHeads(b)
}
