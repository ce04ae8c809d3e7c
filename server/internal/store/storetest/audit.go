package storetest

import (
	"fmt"
	"strings"

	"gridsync/server/internal/audit"
	"gridsync/syncproto"
)

// noted is a line about somebody who was shown records in an area.
func noted(who int, area int, records ...int) audit.Entry {
	e := audit.Entry{At: start, Act: audit.Looked, Who: authorID(who), Area: code(1), Detail: "roster"}
	if area > 0 {
		e.Area = syncproto.AreaID(fmt.Sprintf("3307020%02d", area))
	}
	for _, n := range records {
		e.Records = append(e.Records, recordID(n))
	}
	return e
}

// numbers names lines by their numbers.
func numbers(lines []audit.Line) string {
	names := make([]string, len(lines))
	for i := range lines {
		names[i] = fmt.Sprint(lines[i].N)
	}
	return strings.Join(names, " ")
}

// audited returns the numbers of a page and where to go on.
func (w *world) audited(want audit.Want, before int64, limit int) string {
	w.t.Helper()
	lines, next, err := w.AuditLines(w.ctx(), want, before, limit)
	w.must(err)
	return fmt.Sprintf("%s, then %d", numbers(lines), next)
}

func linesComeBackWhole(w *world) {
	whole := audit.Entry{
		At: start + 7, Act: audit.Exported, Who: authorID(1), Device: deviceID(2), Area: "330702001",
		Records: []syncproto.RecordID{recordID(3), recordID(1)}, Detail: "roster person <&>",
	}
	bare := audit.Entry{At: start, Act: audit.SignInFailed}
	w.must(w.AppendAudit(w.ctx(), nil))
	w.must(w.AppendAudit(w.ctx(), []audit.Entry{whole, bare}))
	w.reopen()
	lines, next, err := w.AuditLines(w.ctx(), audit.Want{}, 0, 10)
	w.must(err)
	same(w.t, "lines", lines, []audit.Line{{N: 2, Entry: bare}, {N: 1, Entry: whole}})
	same(w.t, "next", next, int64(0))
	of, err := w.AuditOf(w.ctx(), recordID(3), 0, 10)
	w.must(err)
	whole.Records = nil
	same(w.t, "lines of a record", of, []audit.Line{{N: 1, Entry: whole}})
}

func linesCanBeAskedFor(w *world) {
	exported := noted(2, 2)
	exported.Act = audit.Exported
	homeless := noted(1, 0)
	homeless.Area = ""
	w.must(w.AppendAudit(w.ctx(), []audit.Entry{noted(1, 1), exported, noted(2, 1), homeless}))
	in := func(n int) syncproto.AreaID { return noted(1, n).Area }
	for _, c := range []struct {
		want audit.Want
		gets string
	}{
		{audit.Want{}, "4 3 2 1, then 0"},
		{audit.Want{Who: authorID(2)}, "3 2, then 0"},
		{audit.Want{Act: audit.Exported}, "2, then 0"},
		{audit.Want{Areas: []syncproto.AreaID{in(1)}}, "3 1, then 0"},
		{audit.Want{Areas: []syncproto.AreaID{in(1), in(2)}}, "3 2 1, then 0"},
		{audit.Want{Areas: []syncproto.AreaID{}}, ", then 0"},
		{audit.Want{Areas: []syncproto.AreaID{in(2)}, Who: authorID(1)}, ", then 0"},
		{audit.Want{Who: authorID(9)}, ", then 0"},
	} {
		same(w.t, fmt.Sprintf("%+v", c.want), w.audited(c.want, 0, 10), c.gets)
	}
	same(w.t, "two", w.audited(audit.Want{}, 0, 2), "4 3, then 3")
	same(w.t, "the next two", w.audited(audit.Want{}, 3, 2), "2 1, then 0")
	same(w.t, "one of somebody", w.audited(audit.Want{Who: authorID(1)}, 0, 1), "4, then 4")
}

func linesOfARecordComeNewestFirst(w *world) {
	w.must(w.AppendAudit(w.ctx(), []audit.Entry{noted(1, 1, 5, 6, 5), noted(2, 1, 6)}))
	w.must(w.AppendAudit(w.ctx(), []audit.Entry{noted(3, 1, 5)}))
	for _, c := range []struct {
		record, before, limit int
		gets                  string
	}{{5, 0, 10, "3 1"}, {6, 0, 10, "2 1"}, {5, 0, 1, "3"}, {5, 3, 10, "1"}, {7, 0, 10, ""}} {
		lines, err := w.AuditOf(w.ctx(), recordID(c.record), int64(c.before), c.limit)
		w.must(err)
		same(w.t, fmt.Sprintf("%+v", c), numbers(lines), c.gets)
	}
}

func aPageOfTheAuditIsBounded(w *world) {
	many := make([]audit.Entry, audit.Reach)
	for i := range many {
		many[i] = noted(1, 1)
	}
	w.must(w.AppendAudit(w.ctx(), []audit.Entry{noted(2, 1)}))
	w.must(w.AppendAudit(w.ctx(), many))
	rare := audit.Want{Who: authorID(2)}
	same(w.t, "at first", w.audited(rare, 0, 10), ", then 2")
	same(w.t, "then", w.audited(rare, 2, 10), "1, then 0")
}

func theAuditEnrolsNobody(w *world) {
	e := noted(1, 1)
	e.Device = deviceID(1)
	w.must(w.AppendAudit(w.ctx(), []audit.Entry{e}))
	everyone, err := w.Identities(w.ctx())
	w.must(err)
	if len(everyone.Authors)+len(everyone.Devices) > 0 {
		w.t.Errorf("%+v", everyone)
	}
}
