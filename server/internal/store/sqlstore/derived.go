package sqlstore

import (
	"context"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// Derived implements exchange.Store. Of questions, only what is open follows from the
// log.
func (s *Store) Derived(ctx context.Context) (exchange.Derived, error) {
	var d exchange.Derived
	err := s.read.moment(ctx, func(q querier) (err error) {
		d, err = derivedFrom(ctx, q)
		return err
	})
	if err != nil {
		return exchange.Derived{}, fmt.Errorf("store: derived: %w", err)
	}
	return d, nil
}

func derivedFrom(ctx context.Context, q querier) (d exchange.Derived, err error) {
	if d.Counts, err = countsFrom(ctx, q); err != nil {
		return d, fmt.Errorf("counters: %w", err)
	}
	if d.Carried, err = carriedFrom(ctx, q); err != nil {
		return d, err
	}
	if d.Sums, err = sumsFrom(ctx, q); err != nil {
		return d, err
	}
	if d.Tree, err = treeFrom(ctx, q); err != nil {
		return d, err
	}
	if d.Lodgings, err = lodgingsFrom(ctx, q); err != nil {
		return d, err
	}
	if d.Sightings, err = sightingsFrom(ctx, q); err != nil {
		return d, fmt.Errorf("sightings: %w", err)
	}
	if d.Traces, err = tracesFrom(ctx, q); err != nil {
		return d, err
	}
	if d.Items, err = openItems(ctx, q); err != nil {
		return d, err
	}
	if d.Index, err = indexFrom(ctx, q); err != nil {
		return d, err
	}
	if d.Links, err = linksFrom(ctx, q); err != nil {
		return d, err
	}
	if d.Signatures, err = signaturesFrom(ctx, q); err != nil {
		return d, err
	}
	if d.Heads, err = headsFrom(ctx, q); err != nil {
		return d, err
	}
	rows, err := q.query(ctx, deviceSelect+"ORDER BY s.device")
	d.Devices, err = collect(rows, err, scanDevice(q))
	return d, err
}

// Rederive implements exchange.Tx. Questions keep their history and who has them to
// do: those that are open and aren't any more close as corrected, and each that opens
// or closes here gets a line that says so.
func (t *tx) Rederive(d *exchange.Derived) error {
	b := &exchange.Batch{
		Counts: d.Counts, Sums: d.Sums, Tree: &d.Tree, Lodged: d.Lodgings, Traced: d.Traces,
		Seen: d.Sightings, Indexed: d.Index, Links: d.Links, Signatures: d.Signatures,
	}
	err := t.w.exec(t.ctx, "UPDATE meta SET derivation = $1, digest = $2, rules = $3, last_number = last_number + 1",
		exchange.Derivation, int64(d.Digest), int64(d.Rules))
	if err != nil {
		return err
	}
	if err := t.refeed(d); err != nil {
		return fmt.Errorf("feeds: %w", err)
	}
	if err := t.rederiveItems(b, d.Items); err != nil {
		return fmt.Errorf("questions: %w", err)
	}
	for _, table := range []string{"counter", "total", "total_tree", "lodging", "sighting", "visited", "dwelling", "reference", "match_key", "link", "signature"} {
		if err := t.w.exec(t.ctx, "DELETE FROM "+table); err != nil {
			return fmt.Errorf("empty %s: %w", table, err)
		}
	}
	if err := t.saveKeys(b); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return t.saveDerived(b)
}

// rederiveItems puts into a batch what becomes of questions when these, and no
// others, are open.
func (t *tx) rederiveItems(b *exchange.Batch, open []review.Item) error {
	var now syncproto.Version
	var at syncproto.Instant
	rows, err := t.w.query(t.ctx, "SELECT last_number, as_of FROM meta")
	if err := noMeta(one(rows, err, &now, &at)); err != nil {
		return err
	}
	stored, err := t.storedItems(open)
	if err != nil {
		return err
	}
	for _, it := range open {
		before, there := stored[it.Key]
		if it.Opened == 0 { // it follows from no change, but from what everything is derived by
			if it.Opened, it.At = now, at; there && before.Closed == 0 {
				it.Opened, it.At = before.Opened, before.At
			}
		}
		if it.At == 0 { // the log says at which version it was raised, and not when that was
			if it.At = at; there && before.Closed == 0 {
				it.At = before.At
			}
		}
		if there && it.Assignee.IsZero() {
			it.Assignee = before.Assignee
		}
		if !there || before.Closed != 0 {
			b.Events = append(b.Events, review.Event{Item: it.ID(), Version: it.Opened, At: it.At, What: review.WasOpened})
		}
		b.Items = append(b.Items, it)
		delete(stored, it.Key)
	}
	for _, it := range stored {
		if it.Closed != 0 {
			continue
		}
		it.Closed, it.Ended, it.State, it.Ending = now, at, review.Closed, review.Corrected
		b.Items = append(b.Items, it)
		b.Events = append(b.Events, review.Event{
			Item: it.ID(), Version: now, At: at, What: review.WasClosed, Detail: string(review.Corrected),
		})
	}
	return nil
}

// storedItems returns the questions that are stored as open, and of these whatever is
// stored.
func (t *tx) storedItems(these []review.Item) (map[review.Key]review.Item, error) {
	open, err := openItems(t.ctx, t.w)
	if err != nil {
		return nil, err
	}
	ids := make([]syncproto.RecordID, len(these))
	for i := range these {
		ids[i] = these[i].ID()
	}
	known, err := t.Items(ids)
	if err != nil {
		return nil, err
	}
	stored := make(map[review.Key]review.Item, len(open)+len(known))
	for _, items := range [][]review.Item{open, known} {
		for _, it := range items {
			stored[it.Key] = it
		}
	}
	return stored, nil
}
