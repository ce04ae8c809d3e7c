package simtest

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"strconv"

	"gridsync/server/internal/proof"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/simtest/oracle"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// someDays bounds on how many days totals are compared, rowsOfPage how many rows a page of
// what is behind them has: few, so that there are several.
const (
	someDays   = 6
	rowsOfPage = 9
)

// levels are the areas whose totals are compared.
var levels = []syncproto.AreaID{"county", "township", "community"}

// totalsAgree holds the totals of all areas against the oracle's, on some of the days
// on which something begins or ends, and over half of them, with the curves that lead to the
// middle one and the records behind the numbers of that day.
func totalsAgree(ctx context.Context, w *World) error {
	r, err := w.read(ctx)
	if err != nil {
		return err
	}
	days := r.Days()
	for i := 0; i < len(days); i += 1 + len(days)/someDays {
		for _, root := range levels {
			sum, err := w.totals(ctx, root, rollup.On(days[i]))
			if err != nil {
				return err
			}
			if err := compareTotals(sum, func(id syncproto.AreaID) map[string]int64 { return r.Totals(id, days[i]) }); err != nil {
				return fmt.Errorf("on %s: %w", days[i], err)
			}
		}
	}
	if len(days) == 0 {
		return nil
	}
	middle, over := days[len(days)/2], rollup.Days{From: days[len(days)/4], To: days[len(days)*3/4]}
	for _, root := range levels {
		sum, err := w.totals(ctx, root, over)
		if err != nil {
			return err
		}
		if err := compareTotals(sum, func(id syncproto.AreaID) map[string]int64 { return r.Over(id, over.From, over.To) }); err != nil {
			return fmt.Errorf("from %s to %s: %w", over.From, over.To, err)
		}
		if err := w.seriesAgrees(ctx, r, root, middle); err != nil {
			return err
		}
	}
	// What is behind every number is looked at in one of the areas: another one in another
	// story.
	root := levels[len(days)%len(levels)]
	sum, err := w.totals(ctx, root, rollup.On(middle))
	if err != nil {
		return err
	}
	if err := w.rowsAgree(ctx, r, sum, root, middle); err != nil {
		return fmt.Errorf("on %s: %w", middle, err)
	}
	return nil
}

// asked writes days as a query.
func asked(d rollup.Days) url.Values {
	if d.From == d.To {
		return url.Values{"day": {d.To.String()}}
	}
	return url.Values{"from": {d.From.String()}, "to": {d.To.String()}}
}

func (w *World) totals(ctx context.Context, root syncproto.AreaID, days rollup.Days) (*rollup.Summary, error) {
	var sum rollup.Summary
	return &sum, w.get(ctx, "/v1/areas/"+string(root)+"/summary?"+asked(days).Encode(), &sum)
}

// compareTotals holds a summary against what each area must come to, and the lines below
// against their total.
func compareTotals(sum *rollup.Summary, want func(syncproto.AreaID) map[string]int64) error {
	here, below := want(sum.Area), make([]map[string]int64, len(sum.Children))
	for j := range sum.Children {
		below[j] = want(sum.Children[j].Area)
	}
	for i, m := range sum.Measures {
		if m.Value != here[m.Name] {
			return fmt.Errorf("%s of %s: %d, the log says %d", m.Name, sum.Area, m.Value, here[m.Name])
		}
		var lines int64
		for j, child := range sum.Children {
			lines += child.Values[i]
			if n := below[j][m.Name]; !child.Direct && child.Values[i] != n {
				return fmt.Errorf("%s of %s: %d, the log says %d", m.Name, child.Area, child.Values[i], n)
			}
		}
		if len(sum.Children) > 0 && lines != m.Value {
			return fmt.Errorf("%s of %s: %d, the lines below come to %d", m.Name, sum.Area, m.Value, lines)
		}
	}
	return nil
}

// seriesAgrees holds curves that end on a day against the oracle's.
func (w *World) seriesAgrees(ctx context.Context, r *oracle.Reading, root syncproto.AreaID, last form.Day) error {
	first := last - last%100 + 1
	var series rollup.Series
	query := asked(rollup.Days{From: first, To: last})
	query.Set("from", first.String())
	query.Set("to", last.String())
	query.Set("children", "true")
	if err := w.get(ctx, "/v1/areas/"+string(root)+"/series?"+query.Encode(), &series); err != nil {
		return err
	}
	for i, text := range series.Days {
		day, _ := form.ParseDay(text)
		totals := make(map[syncproto.AreaID]map[string]int64)
		for _, curve := range series.Curves {
			if totals[curve.Area] == nil {
				totals[curve.Area] = r.Totals(curve.Area, day)
			}
			if want := totals[curve.Area][curve.Measure]; curve.Values[i] != want {
				return fmt.Errorf("the curve of %s of %s on %s: %d, the log says %d", curve.Measure, curve.Area, text, curve.Values[i], want)
			}
		}
	}
	return nil
}

// rowsAgree opens every measure of an area on a day, and holds what is behind it against the
// oracle's, record by record.
func (w *World) rowsAgree(ctx context.Context, r *oracle.Reading, sum *rollup.Summary, root syncproto.AreaID, day form.Day) error {
	gone, rows, totals := r.Gone(root, day), r.Rows(root, day), r.Totals(root, day)
	for _, m := range sum.Measures {
		got := make(map[syncproto.RecordID]int64)
		for after := ""; ; {
			var page proof.Rows
			query := asked(rollup.On(day))
			query.Set("limit", strconv.Itoa(rowsOfPage))
			query.Set("after", after)
			if err := w.get(ctx, "/v1/areas/"+string(root)+"/measures/"+m.Name+"/rows?"+query.Encode(), &page); err != nil {
				return err
			}
			if page.Value != totals[m.Name] || page.Purged != gone[m.Name] {
				return fmt.Errorf("behind %s of %s: %d, %d of them purged; the log says %d, %d", m.Name, root, page.Value, page.Purged, totals[m.Name], gone[m.Name])
			}
			for _, row := range page.Rows {
				if _, twice := got[row.ID]; twice {
					return fmt.Errorf("behind %s of %s: %s twice", m.Name, root, row.ID)
				}
				got[row.ID] = row.N
			}
			if after = page.Next; after == "" {
				break
			}
		}
		if !maps.Equal(got, rows[m.Name]) {
			return fmt.Errorf("behind %s of %s: %v, the log says %v", m.Name, root, got, rows[m.Name])
		}
	}
	return nil
}
