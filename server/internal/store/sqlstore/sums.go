package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

var addSums = insertion{
	head: "INSERT INTO total (area, measure, slot, n) VALUES ", columns: 4, types: "ntnn",
	tail: " ON CONFLICT (area, measure, slot) DO UPDATE SET n = total.n + excluded.n",
}

// saveSums moves sums. A batch names each of them once.
func (t *tx) saveSums(b *exchange.Batch) error {
	args := make([]any, 0, len(b.Sums)*addSums.columns)
	for _, s := range b.Sums {
		args = append(args, int64(s.Area), s.Measure, int64(s.Slot), s.N)
	}
	return t.put(&addSums, args)
}

var putTree = insertion{
	head: "INSERT INTO total_tree (area, parent) VALUES ", columns: 2, types: "nn",
	tail: " ON CONFLICT (area) DO UPDATE SET parent = excluded.parent WHERE total_tree.parent <> excluded.parent",
}

// saveTree writes down the tree that the sums follow from now on.
func (t *tx) saveTree(b *exchange.Batch) error {
	if b.Tree == nil {
		return nil
	}
	args := make([]any, 0, len(b.Tree.Parents)*putTree.columns)
	for key, parent := range b.Tree.Parents {
		args = append(args, int64(key), int64(parent))
	}
	if err := t.put(&putTree, args); err != nil {
		return err
	}
	return t.w.exec(t.ctx, "UPDATE meta SET shape = $1", b.Tree.Shape)
}

// SumTree implements exchange.SumTx.
func (t *tx) SumTree() (rollup.Tree, error) { return treeFrom(t.ctx, t.w) }

func treeFrom(ctx context.Context, q querier) (rollup.Tree, error) {
	var tree rollup.Tree
	shape, err := shapeFrom(ctx, q)
	if err != nil {
		return tree, err
	}
	tree.Shape = shape
	rows, err := q.query(ctx, "SELECT area, parent FROM total_tree")
	err = each(rows, err, func(rows *sql.Rows) error {
		var key, parent area.Key
		err := rows.Scan(&key, &parent)
		if tree.Parents == nil {
			tree.Parents = make(map[area.Key]area.Key)
		}
		tree.Parents[key] = parent
		return err
	})
	if err != nil {
		return tree, fmt.Errorf("the tree of sums: %w", err)
	}
	return tree, nil
}

func shapeFrom(ctx context.Context, q querier) (int64, error) {
	var shape int64
	rows, err := q.query(ctx, "SELECT shape FROM meta")
	err = noMeta(one(rows, err, &shape))
	return shape, err
}

// Whole implements exchange.SumTx.
func (t *tx) Whole(areas []area.Key) (map[area.Key][]rollup.Sum, error) {
	whole := make(map[area.Key][]rollup.Sum, len(areas))
	if len(areas) == 0 {
		return whole, nil
	}
	for _, text := range []string{
		"SELECT area, measure, slot, n FROM total WHERE ", "SELECT area, measure, day, n FROM counter WHERE ",
	} {
		rows, err := t.w.query(t.ctx, text+t.s.dialect.AmongNumbers("area", 1), list(areas))
		sums, err := collect(rows, err, scanSum)
		if err != nil {
			return nil, fmt.Errorf("sums of areas: %w", err)
		}
		for _, s := range sums {
			whole[s.Area] = append(whole[s.Area], s)
		}
	}
	return whole, nil
}

func scanSum(rows *sql.Rows, s *rollup.Sum) error {
	return rows.Scan(&s.Area, &s.Measure, &s.Slot, &s.N)
}

func sumsFrom(ctx context.Context, q querier) ([]rollup.Sum, error) {
	rows, err := q.query(ctx, "SELECT area, measure, slot, n FROM total WHERE n <> 0 ORDER BY area, measure, slot")
	sums, err := collect(rows, err, scanSum)
	if err != nil {
		return nil, fmt.Errorf("sums: %w", err)
	}
	return sums, nil
}

// Sums implements rollup.Store.
func (s *Store) Sums(ctx context.Context, areas []area.Key, days rollup.Days, standing map[string]bool) (rollup.Summed, error) {
	var summed rollup.Summed
	err := s.read.moment(ctx, func(q querier) (err error) {
		if summed, err = summedAt(ctx, q); err != nil {
			return err
		}
		summed.Counts, err = sumsOf(ctx, q, s.dialect, areas, days, standing)
		return err
	})
	if err != nil {
		return rollup.Summed{}, fmt.Errorf("store: sums: %w", err)
	}
	return summed, nil
}

// Daily implements rollup.Store.
func (s *Store) Daily(ctx context.Context, areas []area.Key, days rollup.Days, standing map[string]bool) (rollup.Summed, error) {
	var summed rollup.Summed
	err := s.read.moment(ctx, func(q querier) (err error) {
		if summed, err = summedAt(ctx, q); err != nil {
			return err
		}
		stay, happen := divided(standing)
		before := adder{ctx: ctx, q: q, d: s.dialect, areas: areas, sums: make(map[rollup.Count]int64)}
		for _, stretch := range (rollup.Days{To: days.From - 1}).Stretches() {
			if err := before.addAll(stay, stretch); err != nil {
				return err
			}
		}
		each := adder{ctx: ctx, q: q, d: s.dialect, areas: areas, sums: before.sums, daily: true}
		if err := each.addAll(append(stay, happen...), rollup.Stretch{From: rollup.Slot(days.From), To: rollup.Slot(days.To)}); err != nil {
			return err
		}
		summed.Counts = each.counts()
		return nil
	})
	if err != nil {
		return rollup.Summed{}, fmt.Errorf("store: sums day by day: %w", err)
	}
	return summed, nil
}

// summedAt is the moment that is read.
func summedAt(ctx context.Context, q querier) (summed rollup.Summed, err error) {
	if summed.Version, summed.At, err = asOf(ctx, q); err != nil {
		return summed, err
	}
	summed.Shape, err = shapeFrom(ctx, q)
	return summed, err
}

// Sums implements exchange.SumTx, as the group itself has moved them.
func (t *tx) Sums(areas []area.Key, days rollup.Days, standing map[string]bool) ([]rollup.Count, error) {
	return sumsOf(t.ctx, t.w, t.s.dialect, areas, days, standing)
}

func sumsOf(ctx context.Context, q querier, d Dialect, areas []area.Key, days rollup.Days, standing map[string]bool) ([]rollup.Count, error) {
	stay, happen := divided(standing)
	a := adder{ctx: ctx, q: q, d: d, areas: areas, sums: make(map[rollup.Count]int64), day: days.To}
	for _, part := range []struct {
		measures []string
		days     rollup.Days
	}{{stay, days.Until()}, {happen, days}} {
		for _, stretch := range part.days.Stretches() {
			if err := a.addAll(part.measures, stretch); err != nil {
				return nil, err
			}
		}
	}
	return a.counts(), nil
}

// divided lists the measures that stand and those that happen, each in order.
func divided(standing map[string]bool) (stay, happen []string) {
	for name, stands := range standing {
		if stands {
			stay = append(stay, name)
		} else {
			happen = append(happen, name)
		}
	}
	slices.Sort(stay)
	slices.Sort(happen)
	return stay, happen
}

// adder adds up what areas come to over stretches: as of one day, or for each day of a
// stretch.
type adder struct {
	ctx   context.Context
	q     querier
	d     Dialect
	areas []area.Key
	sums  map[rollup.Count]int64
	day   form.Day
	daily bool
}

// addAll adds a stretch. Of days, an area's own stand by themselves.
func (a *adder) addAll(measures []string, s rollup.Stretch) error {
	if err := a.add("total", "slot", measures, s); err != nil || !s.From.IsDay() {
		return err
	}
	return a.add("counter", "day", measures, s)
}

func (a *adder) add(table, column string, measures []string, s rollup.Stretch) error {
	if len(a.areas) == 0 || len(measures) == 0 {
		return nil
	}
	what, group := "CAST($5 AS BIGINT), CAST(SUM(n) AS BIGINT)", " GROUP BY area, measure"
	args := []any{list(a.areas), list(measures), int64(s.From), int64(s.To), int64(a.day)}
	if a.daily {
		what, group, args = column+", n", "", args[:4]
	}
	text := "SELECT area, measure, " + what + " FROM " + table + " WHERE " + a.d.AmongNumbers("area", 1) + " AND " +
		a.d.AmongTexts("measure", 2) + " AND " + column + " BETWEEN $3 AND $4" + group
	rows, err := a.q.query(a.ctx, text, args...)
	return each(rows, err, func(rows *sql.Rows) error {
		var c rollup.Count
		err := rows.Scan(&c.Area, &c.Measure, &c.Day, &c.N)
		n := c.N
		c.N = 0
		a.sums[c] += n
		return err
	})
}

// counts are the sums that come to something, in order.
func (a *adder) counts() []rollup.Count {
	var counts []rollup.Count
	for c, n := range a.sums {
		if n != 0 {
			c.N = n
			counts = append(counts, c)
		}
	}
	slices.SortFunc(counts, rollup.Compare)
	return counts
}

var (
	dropLodgings = insertion{
		head: "DELETE FROM lodging WHERE (area, record) IN (VALUES ", columns: 2, types: "nb", tail: ")",
	}
	putLodgings = insertion{
		head: "INSERT INTO lodging (area, record) VALUES ", columns: 2, types: "nb", tail: " ON CONFLICT (area, record) DO NOTHING",
	}
)

// saveLodgings takes away before it adds.
func (t *tx) saveLodgings(b *exchange.Batch) error {
	for _, lines := range []struct {
		into *insertion
		all  []rollup.Lodging
	}{{&dropLodgings, b.Unlodged}, {&putLodgings, b.Lodged}} {
		args := make([]any, 0, len(lines.all)*lines.into.columns)
		for i := range lines.all {
			args = append(args, int64(lines.all[i].Area), lines.all[i].Record[:])
		}
		if err := t.put(lines.into, args); err != nil {
			return err
		}
	}
	return nil
}

func lodgingsFrom(ctx context.Context, q querier) ([]rollup.Lodging, error) {
	rows, err := q.query(ctx, "SELECT area, record FROM lodging ORDER BY area, record")
	lodgings, err := collect(rows, err, func(rows *sql.Rows, l *rollup.Lodging) error {
		return rows.Scan(&l.Area, intoID(&l.Record))
	})
	if err != nil {
		return nil, fmt.Errorf("former areas: %w", err)
	}
	return lodgings, nil
}

// Lodgers implements proof.Store.
func (s *Store) Lodgers(ctx context.Context, key area.Key, after syncproto.RecordID, limit int) ([]syncproto.RecordID, error) {
	rows, err := s.read.query(ctx, "SELECT record FROM lodging WHERE area = $1 AND record > $2 ORDER BY record LIMIT $3", int64(key), after[:], limit)
	ids, err := collect(rows, err, func(rows *sql.Rows, id *syncproto.RecordID) error { return rows.Scan(intoID(id)) })
	if err != nil {
		return nil, fmt.Errorf("store: who belonged to area %d: %w", key, err)
	}
	return ids, nil
}

// Own implements proof.Store.
func (s *Store) Own(ctx context.Context, areas []area.Key, measure string, days rollup.Days) ([]rollup.Count, error) {
	return s.ownIn(ctx, "counter", areas, measure, days)
}

// Carried implements proof.Store.
func (s *Store) Carried(ctx context.Context, areas []area.Key, measure string, days rollup.Days) ([]rollup.Count, error) {
	return s.ownIn(ctx, "carried", areas, measure, days)
}

func (s *Store) ownIn(ctx context.Context, table string, areas []area.Key, measure string, days rollup.Days) ([]rollup.Count, error) {
	if len(areas) == 0 {
		return nil, nil
	}
	text := "SELECT area, CAST(SUM(n) AS BIGINT) FROM " + table + " WHERE " + s.dialect.AmongNumbers("area", 1) +
		" AND measure = $2 AND day BETWEEN $3 AND $4 GROUP BY area ORDER BY area"
	rows, err := s.read.query(ctx, text, list(areas), measure, int64(days.From), int64(days.To))
	counts, err := collect(rows, err, func(rows *sql.Rows, c *rollup.Count) error {
		c.Measure, c.Day = measure, days.To
		return rows.Scan(&c.Area, &c.N)
	})
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", table, err)
	}
	return counts, nil
}

// Ones implements proof.Store.
func (s *Store) Ones(ctx context.Context) (ones, twins []exchange.Link, err error) {
	err = s.read.moment(ctx, func(q querier) (err error) {
		if ones, err = linksFrom(ctx, q); err != nil {
			return err
		}
		twins, err = twinsFrom(ctx, q)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("store: which records are one: %w", err)
	}
	return ones, twins, nil
}

// LastBefore implements proof.Store.
func (s *Store) LastBefore(ctx context.Context, at syncproto.Instant) (syncproto.Version, error) {
	last, err := lastBefore(ctx, s.read, at)
	if err != nil {
		return 0, fmt.Errorf("store: the last version before: %w", err)
	}
	return last, nil
}
