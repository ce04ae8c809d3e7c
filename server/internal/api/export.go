package api

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

const (
	exportWithin = 60 * time.Second
	// maxExported bounds the records of a file: a larger area is taken away in parts.
	maxExported = 20_000
	// MarkHeader tells whose copy a file is, percent-encoded.
	MarkHeader = "X-Gridsync-Mark"
)

// exporting bounds how many files are made at a time: each is held whole until it is noted
// who took it.
var exporting = make(chan struct{}, 2)

// rosterFile is GET /v1/areas/{id}/roster.csv. It is noted, with every record in it, before
// anything of it leaves.
func (a *API) rosterFile(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	kind, lang := syncproto.Kind(c.Query("kind")), c.Query("lang", "zh")
	f := c.snap.Forms.Newest(kind)
	switch {
	case f == nil:
		return nil, bad("kind", "a kind's name; must be given")
	case lang != "zh" && lang != "en":
		return nil, bad("lang", "zh or en")
	}
	select {
	case exporting <- struct{}{}:
		defer func() { <-exporting }()
	default:
		return nil, &syncproto.Error{Code: syncproto.CodeBusy}
	}
	file := roster.NewFile(c.snap, f, lang == "en")
	if err := a.export(c, file, id, kind); err != nil {
		return nil, err
	}
	mark := c.mark(id, file.Version, lang == "en")
	body, err := file.Whole(mark)
	if err != nil {
		return nil, err
	}
	c.Set(MarkHeader, url.QueryEscape(mark))
	c.Set(fiber.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", fmt.Sprintf("%s-%s.csv", id, kind)))
	return raw{"text/csv; charset=utf-8", body}, nil
}

// export fills a file page by page, and notes who took it.
func (a *API) export(c *call, file *roster.File, id syncproto.AreaID, kind syncproto.Kind) error {
	lens, after := c.lens(a), ""
	for more := true; more; {
		page, err := a.Rosters.List(c.ctx, id, kind, after, roster.MaxRows)
		if err != nil {
			return err
		}
		page.Disclose(lens)
		if err := file.Add(page.Rows); err != nil {
			return err
		}
		if after, more = page.Next, page.Next != ""; file.Rows > maxExported {
			return bad("area", fmt.Sprintf("more than %d records: take the areas below it one by one", maxExported))
		}
	}
	records, _ := lens.Shown()
	var entries []audit.Entry
	for part := range slices.Chunk(records, roster.MaxRows) {
		e := c.entry(audit.Exported, id)
		e.Records, e.Detail = part, fmt.Sprintf("%s %d", kind, file.Rows)
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		e := c.entry(audit.Exported, id)
		e.Detail = fmt.Sprintf("%s 0", kind)
		entries = append(entries, e)
	}
	if err := a.Audit.Note(c.ctx, entries...); err != nil {
		return fmt.Errorf("note an export: %w", err)
	}
	return nil
}

// mark says who took a file, when, of which area, and how far it goes.
func (c *call) mark(id syncproto.AreaID, version syncproto.Version, english bool) string {
	var who []string
	for _, author := range c.caller.Authors {
		known, _ := c.snap.People.Author(author)
		who = append(who, strings.TrimSpace(known.Name+" "+author.String()))
	}
	n, _ := c.snap.Areas.Find(id)
	words := "导出人 %s；时间 %s；区域 %s %s；版本 %d"
	if english {
		words = "taken by %s; at %s; area %s %s; version %d"
	}
	return fmt.Sprintf(words, strings.Join(who, "、"), c.now.In(form.Zone).Format(time.DateTime), n.Name, id, version)
}
