package simtest

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"gridsync/server/internal/identity"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/simtest/oracle"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Counted counts questions by kind: those that the oracle expects, and those that were
// found in the queue.
type Counted map[review.Kind][2]int

// Add adds what was counted elsewhere.
func (c Counted) Add(other Counted) {
	for kind, n := range other {
		sum := c[kind]
		c[kind] = [2]int{sum[0] + n[0], sum[1] + n[1]}
	}
}

func (c Counted) String() string {
	words := make([]string, 0, len(review.Kinds))
	for _, kind := range review.Kinds {
		words = append(words, fmt.Sprintf("%s %d expected %d found", kind, c[kind][0], c[kind][1]))
	}
	return strings.Join(words, ", ")
}

// read reads the server's log slowly.
func (w *World) read(ctx context.Context) (*oracle.Reading, error) {
	h, err := w.readLog(ctx)
	if err != nil {
		return nil, err
	}
	forms, err := form.BuiltIn()
	if err != nil {
		return nil, err
	}
	tree, err := w.server.Areas(ctx)
	if err != nil {
		return nil, err
	}
	return oracle.Read(h.rows, forms, tree, identity.NewDirectory(w.everyone()))
}

// everyone is who was enrolled, and with which grants.
func (w *World) everyone() identity.Everyone {
	all := identity.Everyone{Grants: w.grants}
	for name, id := range w.authors {
		all.Authors = append(all.Authors, identity.Author{ID: id, Name: name})
	}
	return all
}

// oracleAgrees holds what the server shows against the slow reading of its log.
func oracleAgrees(ctx context.Context, w *World) error {
	r, err := w.read(ctx)
	if err != nil {
		return err
	}
	if err := w.storedAgrees(ctx, r); err != nil {
		return err
	}
	if err := w.queueAgrees(ctx, r); err != nil {
		return err
	}
	return w.totalsAgree(ctx, r)
}

// storedAgrees holds every record by itself against the oracle's.
func (w *World) storedAgrees(ctx context.Context, r *oracle.Reading) error {
	h, err := w.readLog(ctx)
	if err != nil {
		return err
	}
	if len(h.stored) != len(r.Records) {
		return fmt.Errorf("%d records are stored, the log makes %d", len(h.stored), len(r.Records))
	}
	for id, stored := range h.stored {
		rec := r.Records[id]
		if rec == nil || rec.Version != stored.Version || rec.Area != stored.Area {
			return fmt.Errorf("%s: stored in %s as version %d, the log says %+v", w.name(id), stored.Area, stored.Version, rec)
		}
	}
	return nil
}

// queueAgrees holds the open questions against those that the oracle expects.
func (w *World) queueAgrees(ctx context.Context, r *oracle.Reading) error {
	lines, err := w.queue(ctx, "county")
	if err != nil {
		return err
	}
	found, expected := make(map[review.Key]bool), r.Questions()
	counted := Counted{}
	for i := range lines {
		found[w.keyOf(&lines[i])] = true
		counted.Add(Counted{lines[i].Kind: {0, 1}})
	}
	var wrong []string
	for key := range expected {
		counted.Add(Counted{key.Kind: {1, 0}})
		if !found[key] {
			wrong = append(wrong, "missing: "+w.tell(key))
		}
	}
	for key := range found {
		if !expected[key] {
			wrong = append(wrong, "nobody's: "+w.tell(key))
		}
	}
	w.counted = counted
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return fmt.Errorf("questions: %s", strings.Join(wrong, "; "))
	}
	if len(found) != len(lines) {
		return fmt.Errorf("the queue has %d lines about %d questions", len(lines), len(found))
	}
	return nil
}

// someDays bounds on how many days totals are compared.
const someDays = 6

// totalsAgree holds the totals of all areas against the oracle's, on some of the days
// on which something begins or ends.
func (w *World) totalsAgree(ctx context.Context, r *oracle.Reading) error {
	days := r.Days()
	for i := 0; i < len(days); i += 1 + len(days)/someDays {
		for _, root := range []syncproto.AreaID{"county", "township", "community"} {
			var sum rollup.Summary
			path := "/v1/areas/" + string(root) + "/summary?" + url.Values{"day": {days[i].String()}}.Encode()
			if err := w.get(ctx, path, &sum); err != nil {
				return err
			}
			if err := compareTotals(r, &sum, days[i]); err != nil {
				return fmt.Errorf("on %s: %w", days[i], err)
			}
		}
	}
	return nil
}

func compareTotals(r *oracle.Reading, sum *rollup.Summary, day form.Day) error {
	want := r.Totals(sum.Area, day)
	for i, m := range sum.Measures {
		if m.Value != want[m.Name] {
			return fmt.Errorf("%s of %s: %d, the log says %d", m.Name, sum.Area, m.Value, want[m.Name])
		}
		for _, child := range sum.Children {
			if child.Direct {
				continue
			}
			if want := r.Totals(child.Area, day)[m.Name]; child.Values[i] != want {
				return fmt.Errorf("%s of %s: %d, the log says %d", m.Name, child.Area, child.Values[i], want)
			}
		}
	}
	return nil
}
