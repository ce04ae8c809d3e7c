package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

const areaSelect = "SELECT key, code, name, parent, first_day, last_day FROM area ORDER BY key"

func scanArea(rows *sql.Rows, n *area.Node) error {
	return rows.Scan(&n.Key, &n.ID, &n.Name, &n.Parent, &n.From, &n.To)
}

// Areas implements area.Store.
func (s *Store) Areas(ctx context.Context) ([]area.Node, error) {
	rows, err := s.read.query(ctx, areaSelect)
	nodes, err := collect(rows, err, scanArea)
	if err != nil {
		return nil, fmt.Errorf("store: areas: %w", err)
	}
	return nodes, nil
}

var putArea = insertion{
	head: "INSERT INTO area (key, code, name, parent, first_day, last_day) VALUES ", columns: 6, types: "ntttnn",
	tail: ` ON CONFLICT (key) DO UPDATE SET name = excluded.name, parent = excluded.parent,
		first_day = excluded.first_day, last_day = excluded.last_day`,
}

// PutAreas implements area.Store. Of a code given twice, the last is taken.
func (s *Store) PutAreas(ctx context.Context, nodes []area.Node) error {
	if len(nodes) == 0 {
		return nil
	}
	err := s.transact(ctx, func(t *tx) error {
		if err := t.putAreas(nodes); err != nil {
			return err
		}
		return t.revise()
	})
	if err != nil {
		return fmt.Errorf("store: put areas: %w", err)
	}
	return nil
}

func (t *tx) putAreas(nodes []area.Node) error {
	rows, err := t.w.query(t.ctx, areaSelect)
	there, err := collect(rows, err, scanArea)
	if err != nil {
		return err
	}
	keys := make(map[syncproto.AreaID]area.Key, len(there))
	next := area.Key(1)
	for _, n := range there {
		keys[n.ID] = n.Key
		next = max(next, n.Key+1)
	}
	at := make(map[syncproto.AreaID]int, len(nodes))
	var put []area.Node
	for _, n := range nodes {
		if i, ok := at[n.ID]; ok {
			n.Key = put[i].Key
			put[i] = n
			continue
		}
		if n.Key = keys[n.ID]; n.Key == 0 {
			n.Key = next
			next++
		}
		at[n.ID] = len(put)
		put = append(put, n)
	}
	args := make([]any, 0, len(put)*putArea.columns)
	for _, n := range put {
		args = append(args, int64(n.Key), string(n.ID), n.Name, string(n.Parent), int64(n.From), int64(n.To))
	}
	return t.put(&putArea, args)
}
