package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/roster"
	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

const (
	// exportWithin is how long the beginning of a file may take, exportLasts all of it.
	exportWithin = 60 * time.Second
	exportLasts  = 30 * time.Minute
	// MarkHeader tells whose copy a file is, percent-encoded.
	MarkHeader = "X-Gridsync-Mark"
)

// exporting bounds how many files are on their way at a time. Each holds a page of its rows.
var exporting = make(chan struct{}, 4)

// takeaway is a list that can be taken away as a file: what stands above its rows, and where
// these come from. Whoever adds one adds a line to reports.
type takeaway struct {
	title   syncproto.Text
	columns []sheet.Column
	// page reads the next rows, shown through the lens, and whether there may be more. It is
	// called when the request has gone, and may ask it nothing.
	page func(ctx context.Context, lens *privacy.Lens) (rows [][]sheet.Value, more bool, err error)
	// closing is said at the end of the last row; nil for nothing.
	closing func() syncproto.Text
	// noted is what the audit calls the list.
	noted string
}

// reports are the lists that an area's people may take away, by the name in their path.
var reports = map[string]func(*API, *call, syncproto.AreaID) (*takeaway, error){
	"roster": (*API).rosterReport,
	"ledger": (*API).ledgerReport,
	"daily":  (*API).dailyReport,
	"review": (*API).reviewReport,
	"rounds": (*API).roundsReport,
	"list":   (*API).listReport,
}

// exportRoutes are the ways out as a file.
func exportRoutes() []route {
	lang := param{"lang", "query", "Language of the headings, zh or en; zh if absent.", "string", "zh"}
	return []route{
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/roster.csv", id: "rosterFile", who: someone, right: identity.Export, within: exportWithin,
			summary: "The records of one kind of an area and all below it as a file, marked with who took it and when.",
			params:  []param{paramArea, {"kind", "query", "The kind; must be given.", "string", "household"}, lang},
			media:   "text/csv", codes: codesOfRead, handle: (*API).rosterFile,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/reports/{report}", id: "report", who: someone, right: identity.Export, within: exportWithin,
			summary: "A list as a file, marked with who took it and when: roster, ledger (what was recorded on some days, by whom, and when it came), daily (totals), review (open questions), rounds (who was met in round b and not in a), list (what came of each row of a list that went down).",
			params: []param{
				paramArea,
				{"report", "path", "roster, ledger, daily, review, rounds or list.", "string", "roster"},
				{"format", "query", "xlsx or csv; xlsx if absent.", "string", "csv"},
				lang,
				{"kind", "query", "Of a roster or ledger: the kind; must be given. Of questions: only those of this kind.", "string", "household"},
				paramDay,
				{"from", "query", "Of a ledger: the first day; the last one if absent.", "string", "2020-01-27"},
				{"to", "query", "Of a ledger: the last day; today if absent.", "string", "2020-01-31"},
				{"a", "query", "Of rounds: the earlier round's id.", "string", ""},
				{"b", "query", "Of rounds: the later round's id.", "string", ""},
				{"list", "query", "Of a list: the id of the version.", "string", ""},
			},
			media: sheet.XLSX.Media(), codes: codesOfRead, handle: (*API).report,
		},
	}
}

// rosterFile is GET /v1/areas/{id}/roster.csv.
func (a *API) rosterFile(c *call) (any, error) { return a.takeAway(c, "roster", sheet.CSV) }

// report is GET /v1/areas/{id}/reports/{report}.
func (a *API) report(c *call) (any, error) {
	format := sheet.Format(c.Query("format", string(sheet.XLSX)))
	if format != sheet.XLSX && format != sheet.CSV {
		return nil, bad("format", "xlsx or csv")
	}
	return a.takeAway(c, c.Params("report"), format)
}

// takeAway sends a list as a file. Every page of it is masked, and noted with each record in
// it, before anything of the page leaves; the first before the answer begins.
func (a *API) takeAway(c *call, name string, format sheet.Format) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	if lang := c.Query("lang", "zh"); lang != "zh" && lang != "en" {
		return nil, bad("lang", "zh or en")
	}
	prepare, known := reports[name]
	if !known {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "report"}
	}
	list, err := prepare(a, c, id)
	if err != nil {
		return nil, err
	}
	select {
	case exporting <- struct{}{}:
	default:
		return nil, &syncproto.Error{Code: syncproto.CodeBusy}
	}
	leaving := false
	defer func() { // a panic is answered, and the server goes on: with all its places
		if !leaving {
			<-exporting
		}
	}()
	t := &taking{list: list, lens: func() *privacy.Lens { return c.lens(a) }, note: a.noteTaken(c, id, list.noted)}
	if err := t.read(c.ctx); err != nil {
		return nil, err
	}
	mark := c.mark(id)
	c.Set(MarkHeader, url.QueryEscape(mark.Line()))
	c.Set(fiber.HeaderContentDisposition, disposition(id, list.noted, c.title(id, list.title), c.now, format))
	c.Set(fiber.HeaderContentType, format.Media())
	secure(c.Ctx)
	leaving = true
	a.stream(c, func(ctx context.Context, w io.Writer) error {
		defer func() { <-exporting }()
		t.ctx = ctx
		_, err := sheet.Write(w, format, t, mark)
		return err
	})
	return written{}, nil
}

// taking is a list on its way.
type taking struct {
	list  *takeaway
	lens  func() *privacy.Lens
	note  func(ctx context.Context, records []syncproto.RecordID, rows int) error
	ctx   context.Context //nolint:containedctx // sheet.Report knows none: it is that of the file on its way
	ahead [][]sheet.Value
	begun bool
	done  bool
}

func (t *taking) Title() syncproto.Text   { return t.list.title }
func (t *taking) Columns() []sheet.Column { return t.list.columns }

func (t *taking) Closing() syncproto.Text {
	if t.list.closing == nil {
		return syncproto.Text{}
	}
	return t.list.closing()
}

// Next gives a page that was read and noted.
func (t *taking) Next() ([][]sheet.Value, error) {
	for len(t.ahead) == 0 && !t.done {
		if err := t.read(t.ctx); err != nil {
			return nil, err
		}
	}
	rows := t.ahead
	t.ahead = nil
	return rows, nil
}

// read reads a page, and notes what is in it.
func (t *taking) read(ctx context.Context) error {
	lens := t.lens()
	rows, more, err := t.list.page(ctx, lens)
	if err != nil {
		return err
	}
	records, _ := lens.Shown()
	if len(records) > 0 || !t.begun {
		if err := t.note(ctx, records, len(rows)); err != nil {
			return fmt.Errorf("note an export: %w", err)
		}
	}
	t.ahead, t.begun, t.done = rows, true, !more
	return nil
}

// noteTaken notes pages of a list.
func (a *API) noteTaken(c *call, id syncproto.AreaID, noted string) func(context.Context, []syncproto.RecordID, int) error {
	entry := c.entry(audit.Exported, id)
	return func(ctx context.Context, records []syncproto.RecordID, rows int) error {
		entry.Detail = fmt.Sprintf("%s %d", noted, rows)
		var entries []audit.Entry
		for part := range slices.Chunk(records, roster.MaxRows) {
			entry.Records = part
			entries = append(entries, entry)
		}
		if len(entries) == 0 {
			entry.Records = nil
			entries = append(entries, entry)
		}
		return a.Audit.Note(ctx, entries...)
	}
}

// stream answers with what a function writes, while it writes. Where that fails the
// connection is cut, so that nobody takes the half for the whole.
func (a *API) stream(c *call, do func(ctx context.Context, w io.Writer) error) {
	r, w := io.Pipe()
	ctx, cancel := context.WithTimeout(context.Background(), exportLasts)
	go func() {
		defer cancel()
		err := safely(func() error {
			buffered := bufio.NewWriterSize(w, 64<<10)
			return errors.Join(do(ctx, buffered), buffered.Flush())
		})
		if err != nil && !errors.Is(err, io.ErrClosedPipe) {
			a.Log.LogAttrs(context.Background(), slog.LevelError, "a file was cut short",
				slog.String("reference", a.NewReference()), slog.String("error", err.Error()))
		}
		w.CloseWithError(err)
	}()
	c.Context().Response.SetBodyStream(&outlet{PipeReader: r, conn: c.Context().Conn(), pace: a.Guard.Bounds.Write, leave: cancel}, -1)
}

// safely turns a panic into an error.
func safely(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = panicked(value)
		}
	}()
	return do()
}

// outlet is where a file leaves. Each part of it may take as long as any other answer.
type outlet struct {
	*io.PipeReader
	conn  net.Conn
	pace  time.Duration
	leave context.CancelFunc
}

func (o *outlet) Read(into []byte) (int, error) {
	if err := o.conn.SetWriteDeadline(time.Now().Add(o.pace)); err != nil {
		return 0, fmt.Errorf("an answer's deadline: %w", err)
	}
	return o.PipeReader.Read(into)
}

// Close is called when all has left, or the reader has.
func (o *outlet) Close() error {
	o.leave()
	return o.PipeReader.Close()
}

// mark says who takes a file, when, and of which area.
func (c *call) mark(id syncproto.AreaID) sheet.Mark {
	var who []string
	for _, author := range c.caller.Authors {
		known, _ := c.snap.People.Author(author)
		who = append(who, strings.TrimSpace(known.Name+" "+author.String()))
	}
	m := sheet.Mark{English: c.english()}
	words := "导出人 %s；时间 %s；区域 %s %s"
	if m.English {
		words = "taken by %s; at %s; area %s %s"
	}
	n, _ := c.snap.Areas.Find(id)
	m.Words = fmt.Sprintf(words, strings.Join(who, "、"), c.now.In(form.Zone).Format(time.DateTime), n.Name, id)
	return m
}

func (c *call) english() bool { return c.Query("lang") == "en" }

// title is what a file of a list about an area is called.
func (c *call) title(id syncproto.AreaID, list syncproto.Text) string {
	n, _ := c.snap.Areas.Find(id)
	if c.english() {
		return n.Name + " " + list.EN
	}
	return n.Name + " " + list.ZH
}

// disposition names a file: in ASCII for old programs, as the audit notes it, and as people
// call it for the others (RFC 6266).
func disposition(id syncproto.AreaID, noted, title string, at time.Time, format sheet.Format) string {
	long := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return ' '
		}
		return r
	}, title+" "+at.In(form.Zone).Format("20060102-1504"))
	return fmt.Sprintf("attachment; filename=\"%s-%s.%s\"; filename*=UTF-8''%s.%s",
		id, strings.ReplaceAll(noted, " ", "-"), format, strings.ReplaceAll(url.QueryEscape(strings.TrimSpace(long)), "+", "%20"), format)
}
