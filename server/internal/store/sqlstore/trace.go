package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

var (
	dropVisited = insertion{
		head: "DELETE FROM visited WHERE (round, household, visit) IN (VALUES ", columns: 3, types: "bbb", tail: ")",
	}
	putVisited = insertion{
		head: "INSERT INTO visited (round, household, visit, area, outcome, author, at) VALUES ", columns: 7, types: "bbbntnn",
		tail: ` ON CONFLICT (round, household, visit) DO UPDATE SET area = excluded.area,
			outcome = excluded.outcome, author = excluded.author, at = excluded.at`,
	}
	dropDwellings = insertion{head: "DELETE FROM dwelling WHERE (household) IN (VALUES ", columns: 1, types: "b", tail: ")"}
	putDwellings  = insertion{
		head: "INSERT INTO dwelling (household, area, tenure, found, left_day) VALUES ", columns: 5, types: "bntnn",
		tail: ` ON CONFLICT (household) DO UPDATE SET area = excluded.area, tenure = excluded.tenure,
			found = excluded.found, left_day = excluded.left_day`,
	}
	dropReferences = insertion{
		head: "DELETE FROM reference WHERE (target, kind, record, field) IN (VALUES ", columns: 4, types: "bnbt", tail: ")",
	}
	putReferences = insertion{
		head: "INSERT INTO reference (target, kind, record, field, area) VALUES ", columns: 5, types: "bnbtn",
		tail: " ON CONFLICT (target, kind, record, field) DO UPDATE SET area = excluded.area",
	}
)

// saveTraces takes away before it adds: what moved or was corrected is in both lists.
func (t *tx) saveTraces(b *exchange.Batch) error {
	for _, part := range []func(*exchange.Batch) error{t.saveVisited, t.saveDwellings, t.saveReferences} {
		if err := part(b); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) saveVisited(b *exchange.Batch) error {
	var args []any
	for i := range b.Untraced.Visited {
		v := &b.Untraced.Visited[i]
		args = append(args, v.Round[:], v.Household[:], v.Visit[:])
	}
	if err := t.put(&dropVisited, args); err != nil {
		return err
	}
	args = args[:0]
	for _, v := range lastOf(b.Traced.Visited, func(v *rollup.Visited) [3]syncproto.RecordID {
		return [3]syncproto.RecordID{v.Round, v.Household, v.Visit}
	}) {
		args = append(args, v.Round[:], v.Household[:], v.Visit[:], int64(v.Area), v.Outcome, t.author(v.Author), int64(v.At))
	}
	return t.put(&putVisited, args)
}

func (t *tx) saveDwellings(b *exchange.Batch) error {
	var args []any
	for i := range b.Untraced.Dwellings {
		args = append(args, b.Untraced.Dwellings[i].Household[:])
	}
	if err := t.put(&dropDwellings, args); err != nil {
		return err
	}
	args = args[:0]
	for _, d := range lastOf(b.Traced.Dwellings, func(d *rollup.Dwelling) syncproto.RecordID { return d.Household }) {
		args = append(args, d.Household[:], int64(d.Area), d.Tenure, int64(d.Found), int64(d.Left))
	}
	return t.put(&putDwellings, args)
}

func (t *tx) saveReferences(b *exchange.Batch) error {
	var args []any
	for i := range b.Untraced.References {
		r := &b.Untraced.References[i]
		args = append(args, r.Target[:], t.kind(r.Kind), r.Record[:], r.Field)
	}
	if err := t.put(&dropReferences, args); err != nil {
		return err
	}
	args = args[:0]
	for _, r := range lastOf(b.Traced.References, func(r *exchange.Reference) exchange.Reference {
		key := *r
		key.Area = 0
		return key
	}) {
		args = append(args, r.Target[:], t.kind(r.Kind), r.Record[:], r.Field, int64(r.Area))
	}
	return t.put(&putReferences, args)
}

// tracesFrom reads all traces.
func tracesFrom(ctx context.Context, q querier) (traces exchange.Traces, err error) {
	rows, err := q.query(ctx, `SELECT v.round, v.household, v.visit, v.area, v.outcome, a.id, v.at
		FROM visited v JOIN author a ON a.key = v.author ORDER BY v.round, v.household, v.visit`)
	if traces.Visited, err = collect(rows, err, scanVisited); err != nil {
		return traces, fmt.Errorf("households visited: %w", err)
	}
	rows, err = q.query(ctx, "SELECT household, area, tenure, found, left_day FROM dwelling ORDER BY household")
	traces.Dwellings, err = collect(rows, err, func(rows *sql.Rows, d *rollup.Dwelling) error {
		return rows.Scan(intoID(&d.Household), &d.Area, &d.Tenure, &d.Found, &d.Left)
	})
	if err != nil {
		return traces, fmt.Errorf("households to reach: %w", err)
	}
	rows, err = q.query(ctx, referenceSelect+"ORDER BY r.target, k.name, r.record, r.field")
	if traces.References, err = collect(rows, err, scanReference); err != nil {
		return traces, fmt.Errorf("references: %w", err)
	}
	return traces, nil
}

func scanVisited(rows *sql.Rows, v *rollup.Visited) error {
	return rows.Scan(intoID(&v.Round), intoID(&v.Household), intoID(&v.Visit), &v.Area, &v.Outcome, intoID(&v.Author), &v.At)
}

const referenceSelect = "SELECT r.target, k.name, r.field, r.record, r.area FROM reference r JOIN kind k ON k.key = r.kind "

func scanReference(rows *sql.Rows, r *exchange.Reference) error {
	return rows.Scan(intoID(&r.Target), &r.Kind, &r.Field, intoID(&r.Record), &r.Area)
}
