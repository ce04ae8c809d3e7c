package sqlstore

import (
	"database/sql"
	"fmt"
)

// dimension is a table of small numbers for what is repeated in many rows. Its keys
// are given by the writer and never change, so what was committed once can be
// remembered.
type dimension struct {
	table  string
	search search
	insert insertion
	blob   bool
	// keys is what is remembered, by the text or by the bytes of the id. The
	// writer's lock guards it.
	keys map[string]int64
}

func newDimension(table, column string, blob bool) *dimension {
	types := "tn"
	if blob {
		types = "bn"
	}
	return &dimension{
		table:  table,
		search: search{"SELECT " + column + ", key FROM " + table + " WHERE " + column + " IN (", "?", ")"},
		insert: insertion{head: "INSERT INTO " + table + " (" + column + ", key) VALUES ", columns: 2, types: types},
		blob:   blob,
		keys:   make(map[string]int64),
	}
}

func (d *dimension) arg(value *string) any {
	if d.blob {
		return []byte(*value)
	}
	return *value
}

// keyring is all dimensions.
type keyring struct {
	devices, authors, kinds, places *dimension
	counties                        counties
}

func newKeyring() keyring {
	return keyring{
		devices: newDimension("device", "id", true),
		authors: newDimension("author", "id", true),
		kinds:   newDimension("kind", "name", false),
		places:  newDimension("place", "code", false),
	}
}

// forget drops what is remembered: a transaction that gave out keys was rolled back, or the
// database may no longer be the one that they were found in.
func (k *keyring) forget() {
	for _, d := range []*dimension{k.devices, k.authors, k.kinds, k.places} {
		clear(d.keys)
	}
	k.counties.forget()
}

// learn makes sure that all values have keys, giving the next ones to new values in
// the order in which they come.
func (t *tx) learn(d *dimension, values []string) error {
	var missing []string
	for _, v := range values {
		if _, ok := d.keys[v]; !ok {
			missing = append(missing, v)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err := find(t.ctx, t.w, t.s.dialect, d.search, missing, d.arg, nil, func(rows *sql.Rows) error {
		var value string
		var key int64
		if err := rows.Scan(&value, &key); err != nil {
			return err
		}
		d.keys[value] = key
		return nil
	})
	if err != nil {
		return fmt.Errorf("find keys of %s: %w", d.table, err)
	}
	var args []any
	next, err := t.nextKey(d.table)
	if err != nil {
		return err
	}
	for _, v := range missing {
		if _, ok := d.keys[v]; !ok {
			d.keys[v] = next
			args = append(args, d.arg(&v), next)
			next++
		}
	}
	if err := t.put(&d.insert, args); err != nil {
		return fmt.Errorf("give keys of %s: %w", d.table, err)
	}
	return nil
}

// nextKey returns one more than the greatest key of a table. Nobody else can take
// it: the transaction is the only one that writes.
func (t *tx) nextKey(table string) (int64, error) {
	var greatest int64
	rows, err := t.w.query(t.ctx, "SELECT COALESCE(MAX(key), 0) FROM "+table)
	if err := one(rows, err, &greatest); err != nil {
		return 0, fmt.Errorf("next key of %s: %w", table, err)
	}
	return greatest + 1, nil
}

// values gathers the distinct texts of a batch.
type values struct {
	seen map[string]struct{}
	all  []string
}

func (v *values) add(value string) {
	if _, ok := v.seen[value]; ok {
		return
	}
	if v.seen == nil {
		v.seen = make(map[string]struct{})
	}
	v.seen[value] = struct{}{}
	v.all = append(v.all, value)
}
