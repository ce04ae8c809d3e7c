package exchange

import (
	"fmt"
	"slices"

	"gridsync/server/internal/match"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// pairs finds the questions about two records that this group may have raised or ended,
// asks each anew, and counts open double visits as one. Costs follow the records that
// were touched and whose keys changed, never how many there are.
func (g *group) pairs(q *inquiry) error {
	seeds := g.seeds()
	keys := slices.Clone(g.ruledPairs)
	if g.reshaped { // the desk of a pair is the nearest area that has both
		open, err := g.tx.OpenPairs()
		if err != nil {
			return fmt.Errorf("group: open questions about two records: %w", err)
		}
		for i := range open {
			keys = append(keys, open[i].Key)
		}
	}
	if len(seeds) > 0 {
		found, err := g.candidates(seeds)
		if err != nil {
			return err
		}
		keys = append(keys, found...)
	}
	after := g.after()
	if err := g.loadRulings(keys); err != nil {
		return err
	}
	for _, key := range unique(keys) {
		r, open := after.pairQuestion(key.Record, key.Other())
		if open && r.Key == key {
			q.raise(r)
		} else {
			q.ask(key)
			open = false
		}
		if key.Kind != review.DoubleVisit {
			continue
		}
		pair := Link{Record: key.Record, Into: key.Other()}
		if slices.Contains(g.links.twin[pair.Record], pair.Into) != open {
			g.alterLinks().pair(pair, open)
			g.twins = append(g.twins, Twins{Link: pair, Apart: !open})
			g.relinked = append(g.relinked, pair.Record, pair.Into)
		}
	}
	return nil
}

// seeds are the records about which pairs must be looked for: those whose profile this
// group changed, and all that are one with a record whose links it changed.
func (g *group) seeds() []syncproto.RecordID {
	var seeds []syncproto.RecordID
	for _, w := range g.order {
		if w.applied == 0 {
			continue
		}
		now, was := w.present(g.snap), w.past(g.snap)
		switch {
		case was == nil && now.shown.profile == nil:
		case was != nil && was.shown.compared() == now.shown.compared() && was.record.Area == now.record.Area:
		default:
			seeds = append(seeds, w.id)
		}
	}
	for _, id := range g.relinked {
		if !id.IsZero() {
			seeds = append(seeds, g.w.links.same(id)...)
			seeds = append(seeds, g.links.same(id)...)
		}
	}
	return unique(seeds)
}

// candidates returns the keys of pairs that records may be in: those that were open, and
// those that the index finds.
func (g *group) candidates(seeds []syncproto.RecordID) ([]review.Key, error) {
	var about []syncproto.RecordID
	for _, id := range seeds { // a question is about the records that survive
		about = append(about, g.w.links.same(id)...)
		about = append(about, g.links.same(id)...)
	}
	open, err := g.tx.ItemsAbout(unique(about))
	if err != nil {
		return nil, fmt.Errorf("group: open questions about two records: %w", err)
	}
	var keys []review.Key
	for i := range open {
		keys = append(keys, open[i].Key)
	}
	ranges := make([]match.Range, 0, 6*len(seeds))
	of := make([]int, 0, len(seeds)+1) // where each seed's ranges begin
	for _, id := range seeds {
		of = append(of, len(ranges))
		if s := g.known(id).present(g.snap); s != nil {
			ranges = append(ranges, s.shown.searched(g.w.service.digester)...)
		}
	}
	of = append(of, len(ranges))
	blocks, err := g.tx.Blocks(ranges, match.Block+2)
	if err != nil {
		return nil, fmt.Errorf("group: records that may be one: %w", err)
	}
	mine := g.entries()
	var found []syncproto.RecordID
	for i, id := range seeds {
		for at := of[i]; at < of[i+1]; at++ {
			if blocks[at] = others(id, append(blocks[at], mine.within(ranges[at])...)); len(blocks[at]) > match.Block {
				blocks[at] = nil // so many that it tells nothing
			}
			found = append(found, blocks[at]...)
		}
	}
	if err := g.loadRecords(unique(found)); err != nil {
		return nil, err
	}
	for i, id := range seeds {
		for _, block := range blocks[of[i]:of[i+1]] {
			keys = append(keys, g.pairsOf(id, block)...)
		}
	}
	return unique(keys), nil
}

// others returns the records of a block besides one, each once.
func others(id syncproto.RecordID, block []syncproto.RecordID) []syncproto.RecordID {
	return slices.DeleteFunc(unique(block), func(other syncproto.RecordID) bool { return other == id })
}

// pairsOf returns the keys of the pairs of a record with those of a block that score.
func (g *group) pairsOf(id syncproto.RecordID, block []syncproto.RecordID) []review.Key {
	var keys []review.Key
	x := g.known(id).present(g.snap)
	for _, other := range block {
		y := g.known(other).present(g.snap)
		if other == id || y == nil {
			continue
		}
		if score, _ := match.Score(x.shown.compared(), y.shown.compared()); score < match.Threshold {
			continue
		}
		a, b := g.links.root(id), g.links.root(other)
		if a == b {
			continue
		}
		kind := review.Duplicate
		if x.shown.compared().Event != "" {
			kind = review.DoubleVisit
		}
		keys = append(keys, review.Pair(kind, a, b))
	}
	return keys
}

// entries are lines of the index in order of keys.
type entries []match.Entry

// entries are the lines that this group's records have in the index now.
func (g *group) entries() entries {
	var all entries
	for _, w := range g.order {
		if w.applied == 0 {
			continue
		}
		for _, key := range w.present(g.snap).shown.indexed(g.w.service.digester) {
			all = append(all, match.Entry{Key: key, Record: w.id})
		}
	}
	return all.sort()
}

func (e entries) sort() entries {
	slices.SortFunc(e, func(a, b match.Entry) int {
		switch {
		case a.Key < b.Key:
			return -1
		case a.Key > b.Key:
			return 1
		}
		return 0
	})
	return e
}

// within returns the records that stand in a range.
func (e entries) within(r match.Range) []syncproto.RecordID {
	at, _ := slices.BinarySearchFunc(e, r.From, func(x match.Entry, key match.Key) int {
		if x.Key < key {
			return -1
		}
		return 1
	})
	var found []syncproto.RecordID
	for ; at < len(e) && e[at].Key <= r.To; at++ {
		found = append(found, e[at].Record)
	}
	return found
}

// index moves the lines of the index that a record stands in.
func (d *delta) index(id syncproto.RecordID, before, after *looked) {
	if before.profile == nil && after.profile == nil || before.compared() == after.compared() {
		return
	}
	was, now := before.indexed(d.digester), after.indexed(d.digester)
	for _, key := range minus(was, now) {
		d.batch.Unindexed = append(d.batch.Unindexed, match.Entry{Key: key, Record: id})
	}
	for _, key := range minus(now, was) {
		d.batch.Indexed = append(d.batch.Indexed, match.Entry{Key: key, Record: id})
	}
}

// unique returns the elements, each once, in order of first mention.
func unique[T comparable](all []T) []T {
	if len(all) < 2 {
		return all
	}
	have := make(map[T]struct{}, len(all))
	out := all[:0:0]
	for _, x := range all {
		if _, twice := have[x]; !twice {
			have[x] = struct{}{}
			out = append(out, x)
		}
	}
	return out
}
