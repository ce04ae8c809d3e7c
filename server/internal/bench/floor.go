package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the driver, as the server uses it

	"gridsync/syncproto"
)

// What the floor is asked. Pushes go to the same path as the server's.
const syncPath = "/v1/sync"

func floorIdlePath(size int) string { return "/idle?size=" + strconv.Itoa(size) }

func floorFirstPath(area syncproto.AreaID) string { return "/first?area=" + string(area) }

func floorAnswer(held int) []byte { return fmt.Appendf(nil, `{"held":%d}`, held) }

// floorCursor is as long as the server's cursor of one community: the floor reads
// requests of the same size.
const floorCursor = "AZgAAAAAAHAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// floorSchema is one bare table for what is pushed, with the retry key and nothing
// else: whoever keeps phones' batches must be able to tell one that comes again.
// People, who are read back by community, lie in the order in which they are read.
const floorSchema = `
CREATE TABLE IF NOT EXISTS change (
  id BLOB, device BLOB, n INTEGER, author BLOB, kind TEXT, record BLOB, area TEXT,
  base INTEGER, at INTEGER, form INTEGER, fields TEXT,
  PRIMARY KEY (device, n)
);
CREATE TABLE IF NOT EXISTS person (
  id BLOB, device BLOB, n INTEGER, author BLOB, kind TEXT, record BLOB, area TEXT,
  base INTEGER, at INTEGER, form INTEGER, fields TEXT,
  PRIMARY KEY (area, record)
) WITHOUT ROWID;`

const floorColumns = 11

// floorRequest is the body of a push, its fields left raw.
type floorRequest struct {
	Protocol int           `json:"protocol"`
	Device   uuid.UUID     `json:"device"`
	Clock    int64         `json:"clock"`
	Epoch    string        `json:"epoch"`
	Cursor   string        `json:"cursor"`
	High     uint64        `json:"high"`
	Unsent   int           `json:"unsent"`
	App      string        `json:"app"`
	Changes  []floorChange `json:"changes"`
}

type floorChange struct {
	ID     uuid.UUID       `json:"id"`
	N      uint64          `json:"n"`
	Author uuid.UUID       `json:"author"`
	Kind   string          `json:"kind"`
	Record uuid.UUID       `json:"record"`
	Area   string          `json:"area"`
	Base   int64           `json:"base"`
	Fields json.RawMessage `json:"fields"`
	At     int64           `json:"at"`
	Form   int             `json:"form"`
}

// floor is the least that could keep the rows durably: it decodes, inserts, and
// answers after the commit. It checks, merges and counts nothing.
type floor struct {
	db *sql.DB
	// writer is the writer's own connection, with its statements.
	writer   *sql.Conn
	prepared map[string]*sql.Stmt
	jobs     chan *floorJob
	stop     chan struct{}
	stopped  chan struct{}
}

type floorJob struct {
	request floorRequest
	done    chan error
}

// serveFloor serves the floor until ctx is done.
func serveFloor(ctx context.Context, dir, listen string) error {
	f, err := openFloor(ctx, dir)
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: syncproto.MaxBodyBytes})
	app.Post(syncPath, f.push)
	app.Post("/idle", f.idle)
	app.Post("/first", f.first)
	ended := make(chan error, 1)
	go func() { ended <- app.Listen(listen) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = app.Shutdown()
	}
	return errors.Join(err, f.close())
}

func openFloor(ctx context.Context, dir string) (*floor, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "floor.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, err
	}
	f := &floor{
		db: db, prepared: map[string]*sql.Stmt{},
		jobs: make(chan *floorJob, 1024), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	if f.writer, err = db.Conn(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if _, err := f.writer.ExecContext(ctx, floorSchema); err != nil {
		return nil, errors.Join(err, f.writer.Close(), db.Close())
	}
	//nolint:gosec // what was accepted is committed even when ctx has ended
	go f.run()
	return f, nil
}

// close ends the writer. Closing the last connection moves the log into the file.
func (f *floor) close() error {
	close(f.stop)
	<-f.stopped
	return errors.Join(f.writer.Close(), f.db.Close())
}

func (f *floor) push(c *fiber.Ctx) error {
	j := &floorJob{done: make(chan error, 1)}
	if err := json.Unmarshal(c.Body(), &j.request); err != nil {
		return fiber.NewError(fiber.StatusBadRequest, err.Error())
	}
	f.jobs <- j
	if err := <-j.done; err != nil {
		return err
	}
	c.Type("json")
	return c.Send(floorAnswer(len(j.request.Changes)))
}

// idle answers as many bytes as it is asked for.
func (f *floor) idle(c *fiber.Ctx) error {
	var request floorRequest
	if err := json.Unmarshal(c.Body(), &request); err != nil {
		return fiber.NewError(fiber.StatusBadRequest, err.Error())
	}
	size := min(max(c.QueryInt("size"), 0), len(filler))
	c.Type("json")
	return c.SendString(filler[:size])
}

var filler = strings.Repeat("x", 64<<10)

// first answers with the people of a community.
func (f *floor) first(c *fiber.Ctx) (err error) {
	rows, err := f.db.QueryContext(c.Context(), `SELECT record, fields FROM person WHERE area = ?`, c.Query("area"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	type person struct {
		ID     uuid.UUID       `json:"id"`
		Kind   string          `json:"kind"`
		Area   string          `json:"area"`
		Fields json.RawMessage `json:"fields"`
	}
	var answer struct {
		Records []person `json:"records"`
	}
	for rows.Next() {
		p := person{Kind: "person", Area: c.Query("area")}
		if err := rows.Scan(&p.ID, &p.Fields); err != nil {
			return err
		}
		answer.Records = append(answer.Records, p)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return c.JSON(answer)
}

// run commits everything that waits as one transaction, as the server does.
func (f *floor) run() {
	defer close(f.stopped)
	ctx := context.Background()
	for {
		var jobs []*floorJob
		select {
		case j := <-f.jobs:
			jobs = append(jobs, j)
		case <-f.stop:
			return
		}
		for len(f.jobs) > 0 {
			jobs = append(jobs, <-f.jobs)
		}
		err := f.commit(ctx, jobs)
		for _, j := range jobs {
			j.done <- err
		}
	}
}

func (f *floor) commit(ctx context.Context, jobs []*floorJob) error {
	if _, err := f.writer.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, j := range jobs {
		if err := f.insert(ctx, &j.request); err != nil {
			_, undo := f.writer.ExecContext(ctx, "ROLLBACK")
			return errors.Join(err, undo)
		}
	}
	_, err := f.writer.ExecContext(ctx, "COMMIT")
	return err
}

// insert writes a push as one statement for each table: for one, that is.
func (f *floor) insert(ctx context.Context, r *floorRequest) error {
	args := map[string][]any{}
	for i := range r.Changes {
		c := &r.Changes[i]
		table := "change"
		if c.Kind == "person" {
			table = "person"
		}
		args[table] = append(args[table], c.ID[:], r.Device[:], int64(c.N), c.Author[:], c.Kind, c.Record[:], c.Area,
			c.Base, c.At, c.Form, []byte(c.Fields))
	}
	for table, values := range args {
		if err := f.insertInto(ctx, table, values); err != nil {
			return err
		}
	}
	return nil
}

// insertInto inserts rows. The statement for so many of them is prepared once and
// closed with its connection.
func (f *floor) insertInto(ctx context.Context, table string, values []any) (err error) {
	rows := len(values) / floorColumns
	key := fmt.Sprint(table, rows)
	statement := f.prepared[key]
	if statement == nil {
		one := "(?" + strings.Repeat(",?", floorColumns-1) + ")"
		//nolint:gosec // the table's name is one of two constants
		statement, err = f.writer.PrepareContext(ctx, "INSERT OR IGNORE INTO "+table+" VALUES "+one+strings.Repeat(","+one, rows-1))
		if err != nil {
			return err
		}
		f.prepared[key] = statement
	}
	_, err = statement.ExecContext(ctx, values...)
	return err
}
