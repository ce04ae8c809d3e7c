package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"gridsync/syncproto"
)

// The floors of PostgreSQL: the same rows, in groups of the same size, into one bare table by
// its two fastest ways. They decode, check, merge and count nothing, go through no HTTP, and
// take no lock: each connection writes by itself.
const (
	copySide   = "copy"
	upsertSide = "upsert"
)

// pgFloorSchema is the floor's table in PostgreSQL's types, and with the retry key.
const pgFloorSchema = `CREATE TABLE change (
	id uuid, device uuid, n bigint, author uuid, kind text COLLATE "C", record uuid, area text COLLATE "C",
	base bigint, at bigint, form bigint, fields text,
	PRIMARY KEY (device, n))`

var pgFloorColumns = []string{"id", "device", "n", "author", "kind", "record", "area", "base", "at", "form", "fields"}

// upsert leaves out what is there already, as whoever keeps batches must.
const upsert = `INSERT INTO change SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::uuid[],
	$7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[]) ON CONFLICT (device, n) DO NOTHING`

// groupChanges is how many changes a server commits at once when more wait.
const groupChanges = 1500

// pgRows are the rows of one group, by column.
type pgRows struct {
	id, device, author, record [][16]byte
	kind, area, fields         []string
	n, base, at, form          []int64
}

func (r *pgRows) add(device syncproto.DeviceID, c *floorChange) {
	r.id, r.device = append(r.id, c.ID), append(r.device, device)
	r.author, r.record = append(r.author, c.Author), append(r.record, c.Record)
	r.kind, r.area, r.fields = append(r.kind, c.Kind), append(r.area, c.Area), append(r.fields, string(c.Fields))
	r.n, r.base = append(r.n, int64(c.N)), append(r.base, c.Base)
	r.at, r.form = append(r.at, c.At), append(r.form, int64(c.Form))
}

// copyIn writes the rows with COPY.
func (r *pgRows) copyIn(ctx context.Context, conn *pgx.Conn) error {
	source := pgx.CopyFromSlice(len(r.n), func(i int) ([]any, error) {
		return []any{r.id[i], r.device[i], r.n[i], r.author[i], r.kind[i], r.record[i], r.area[i], r.base[i], r.at[i], r.form[i], r.fields[i]}, nil
	})
	_, err := conn.CopyFrom(ctx, pgx.Identifier{"change"}, pgFloorColumns, source)
	return err
}

// upsertIn writes the rows with one statement.
func (r *pgRows) upsertIn(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, upsert, r.id, r.device, r.n, r.author, r.kind, r.record, r.area, r.base, r.at, r.form, r.fields)
	return err
}

// groupsOf deals loads to so many writers as clients are dealt to servers, and cuts each
// writer's share into groups: what all of its clients send at once, or groupChanges.
func groupsOf(devices []Device, loads [][]batch, writers int) ([][]pgRows, error) {
	groups := make([][]pgRows, writers)
	for w := range writers {
		current, room := pgRows{}, 0
		for step := 0; ; step++ {
			sent := false
			for i := w; i < len(loads); i += writers {
				if step >= len(loads[i]) {
					continue
				}
				sent = true
				var changes []floorChange
				if err := json.Unmarshal(loads[i][step].changes, &changes); err != nil {
					return nil, fmt.Errorf("reading our own changes: %w", err)
				}
				for k := range changes {
					current.add(devices[i].ID, &changes[k])
				}
				if room++; len(current.n) >= groupChanges {
					groups[w] = append(groups[w], current)
					current, room = pgRows{}, 0
				}
			}
			if room > 0 {
				groups[w] = append(groups[w], current)
				current, room = pgRows{}, 0
			}
			if !sent {
				break
			}
		}
	}
	return groups, nil
}

// pgFloor times how so many writers bring the loads into a bare table of a new database.
func (s *scale) pgFloor(ctx context.Context, side string, c cell, loads [][]batch) (result pushed, err error) {
	groups, err := groupsOf(s.world.pushers[c.clients], loads, c.servers)
	if err != nil {
		return pushed{}, err
	}
	dir := s.workplace()
	if err := s.floors.Make(ctx, dir); err != nil {
		return pushed{}, err
	}
	defer func() { err = errors.Join(err, s.floors.Remove(context.WithoutCancel(ctx), dir)) }()
	url, err := s.floors.Address(dir)
	if err != nil {
		return pushed{}, err
	}
	conns, err := connections(ctx, url, c.servers)
	defer func() {
		for _, conn := range conns {
			err = errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err != nil {
		return pushed{}, err
	}
	if _, err := conns[0].Exec(ctx, pgFloorSchema); err != nil {
		return pushed{}, err
	}
	if err := settle(ctx, conns[0]); err != nil {
		return pushed{}, err
	}
	result.took, err = together(ctx, c.servers, func(ctx context.Context, w int) error {
		for i := range groups[w] {
			write := groups[w][i].copyIn
			if side == upsertSide {
				write = groups[w][i].upsertIn
			}
			if err := write(ctx, conns[w]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return pushed{}, err
	}
	if err := conns[0].QueryRow(ctx, "SELECT count(*) FROM change").Scan(&result.changes); err != nil {
		return pushed{}, err
	}
	if want := countOf(loads); result.changes != want {
		return pushed{}, fmt.Errorf("the table holds %d rows of %d", result.changes, want)
	}
	return result, nil
}

func connections(ctx context.Context, url string, n int) ([]*pgx.Conn, error) {
	var conns []*pgx.Conn
	for range n {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return conns, err
		}
		conns = append(conns, conn)
	}
	return conns, nil
}

func countOf(loads [][]batch) (changes int) {
	for _, load := range loads {
		for _, b := range load {
			changes += b.count
		}
	}
	return changes
}
