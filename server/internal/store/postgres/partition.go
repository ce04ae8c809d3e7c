package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"gridsync/server/internal/store/sqlstore"
	"gridsync/syncproto"
)

// Partition is where the rows of the log lie that were written in a county since it was given
// a table of its own.
type Partition struct {
	// County is the area's code; empty for the rows of all places that are in none.
	County syncproto.AreaID
	Name   string
	// Table is empty when the county's rows lie among those of others, as in a database that
	// was copied from another one.
	Table string
	// Tablespace is empty for the database's own, Server for a table of this database.
	Tablespace, Server string
	// Bytes are 0 on another server.
	Bytes int64
}

// Spot is where a partition is made: in a tablespace of this database, on another server, of
// which FarShape says what must be there, or with neither beside the others.
type Spot struct{ Tablespace, Server string }

// Errors of AddPartition and FarShape.
var (
	// ErrNoSuchArea says that there is no area of that code.
	ErrNoSuchArea = errors.New("no area has this code")
	// ErrHasPartition says that the county has one already.
	ErrHasPartition = errors.New("the county has a partition already")
)

const listPartitions = `SELECT COALESCE(a.code, ''), COALESCE(a.name, ''), COALESCE(c.relname, ''),
		COALESCE(s.spcname, ''), COALESCE(w.srvname, ''), COALESCE(pg_total_relation_size(c.oid), 0)
	FROM (SELECT 0 AS area, 'change_log_rest' AS relation UNION ALL SELECT area, 'change_log_of_' || area FROM county) k
	LEFT JOIN area a ON a.key = k.area
	LEFT JOIN pg_class c ON c.oid = to_regclass(k.relation)
	LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
	LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid LEFT JOIN pg_foreign_server w ON w.oid = f.ftserver
	ORDER BY k.area`

// asking is how something is asked, in or out of a transaction.
type asking = func(scan func(*sql.Rows) error, text string, args ...any) error

// asked asks as readers do: whoever only wants to know waits for nobody who writes.
func (s *Store) asked(ctx context.Context) asking {
	return func(scan func(*sql.Rows) error, text string, args ...any) error {
		return s.Ask(ctx, scan, text, args...)
	}
}

// Partitions lists them: first the rest. It fails with *sqlstore.MovedError, as AddPartition and
// FarShape do, where the database's history doesn't go on: nothing more is written there, and
// what lies there says nothing of where it is written.
func (s *Store) Partitions(ctx context.Context) (all []Partition, err error) {
	if err = s.Here(ctx); err == nil {
		err = s.asked(ctx)(func(rows *sql.Rows) error {
			var p Partition
			err := rows.Scan(&p.County, &p.Name, &p.Table, &p.Tablespace, &p.Server, &p.Bytes)
			all = append(all, p)
			return err
		}, listPartitions)
	}
	if err != nil {
		return nil, fmt.Errorf("postgres: partitions: %w", err)
	}
	return all, nil
}

// AddPartition gives a county (an area of whatever level) a table of its own for the rows that
// are written there from now on, in it and in all areas below that have no nearer one. Rows
// that are there stay where they are. Servers may go on working. It fails with ErrNoSuchArea
// or ErrHasPartition.
func (s *Store) AddPartition(ctx context.Context, code syncproto.AreaID, at Spot) error {
	err := s.Transact(ctx, func(own sqlstore.Own) error {
		if err := own.Here(); err != nil {
			return err
		}
		key, err := countyIn(own.Each, code)
		if err != nil {
			return err
		}
		if there, err := own.Changed("SELECT 1 FROM pg_class WHERE oid = to_regclass($1)", tableOf(key)); err != nil || there > 0 {
			return errors.Join(err, ErrHasPartition)
		}
		texts := append(at.texts(key), fmt.Sprintf("INSERT INTO county (area) VALUES (%d) ON CONFLICT (area) DO NOTHING", key),
			"UPDATE meta SET revision = revision + 1 + floor(random() * 1000000000)::bigint") // by chance, as sqlstore says
		for _, text := range texts {
			if err := own.Exec(text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("postgres: add a partition: %w", err)
	}
	return nil
}

func tableOf(key int64) string { return fmt.Sprintf("change_log_of_%d", key) }

// texts are the statements that make a partition. Rows of the county that have lain among
// those of others, for want of a table, are brought into it.
func (at Spot) texts(key int64) []string {
	name := tableOf(key)
	if at.Server != "" {
		return []string{
			fmt.Sprintf("CREATE FOREIGN TABLE %s PARTITION OF change_log FOR VALUES IN (%d) SERVER %s OPTIONS (table_name '%s', batch_size '1000')",
				name, key, pgx.Identifier{at.Server}.Sanitize(), name),
			fmt.Sprintf("CREATE TRIGGER far_row_stays BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION far_row_stays()", name),
		}
	}
	var texts []string
	if at.Tablespace != "" {
		texts = append(texts, "SET LOCAL default_tablespace = "+pgx.Identifier{at.Tablespace}.Sanitize())
	}
	return append(texts,
		fmt.Sprintf("CREATE TABLE %s (LIKE change_log_rest INCLUDING ALL)", name),
		fmt.Sprintf("WITH moved AS (DELETE FROM change_log_other WHERE county = %d RETURNING *) INSERT INTO %s SELECT * FROM moved", key, name),
		fmt.Sprintf("ALTER TABLE change_log ATTACH PARTITION %s FOR VALUES IN (%d)", name, key))
}

// countyIn is the key of an area.
func countyIn(ask asking, code syncproto.AreaID) (key int64, err error) {
	err = ask(func(rows *sql.Rows) error { return rows.Scan(&key) }, "SELECT key FROM area WHERE code = $1", string(code))
	if err == nil && key == 0 {
		err = ErrNoSuchArea
	}
	return key, err
}

// farShape makes, with the columns of the log, what another server needs to hold a partition:
// the table, and a gate that every statement goes through, so that whoever writes next waits
// for a transaction that has lost its other end and is still about to commit there, and then
// fails, to begin again and see what it left.
const farShape = `CREATE TABLE %[1]s (
%[2]s,
    PRIMARY KEY (seq)
);
CREATE UNIQUE INDEX ON %[1]s (device, n);
CREATE INDEX ON %[1]s (record, seq);
CREATE TABLE %[1]s_gate (passed BIGINT NOT NULL) WITH (fillfactor = 20);
INSERT INTO %[1]s_gate VALUES (0);
CREATE FUNCTION %[1]s_pass() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    UPDATE %[3]s_gate SET passed = passed + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER pass BEFORE INSERT OR UPDATE OR DELETE ON %[1]s FOR EACH STATEMENT EXECUTE FUNCTION %[1]s_pass();
`

const columnsOfLog = `SELECT string_agg('    ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ||
		CASE WHEN a.attcollation = '"C"'::regcollation THEN ' COLLATE "C"' ELSE '' END ||
		CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END ||
		CASE WHEN d.adbin IS NULL THEN '' ELSE ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END, E',\n' ORDER BY a.attnum)
	FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	WHERE a.attrelid = 'change_log'::regclass AND a.attnum > 0 AND NOT a.attisdropped`

// FarShape returns the statements that another server must have run, in the schema public,
// before AddPartition puts a county's partition there. It fails with ErrNoSuchArea.
func (s *Store) FarShape(ctx context.Context, code syncproto.AreaID) (shape string, err error) {
	ask, key := s.asked(ctx), int64(0)
	if err = s.Here(ctx); err == nil {
		key, err = countyIn(ask, code)
	}
	if err == nil {
		err = ask(func(rows *sql.Rows) error {
			var columns string
			err := rows.Scan(&columns)
			// postgres_fdw looks for nothing but by its full name.
			shape = fmt.Sprintf(farShape, tableOf(key), columns, "public."+tableOf(key))
			return err
		}, columnsOfLog)
	}
	if err != nil {
		return "", fmt.Errorf("postgres: shape of a partition: %w", err)
	}
	return shape, nil
}
