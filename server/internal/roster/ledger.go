package roster

import (
	"context"
	"fmt"
	"time"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Ledger is a page of what was recorded of a kind on some days, and how it came.
type Ledger struct {
	Entries []Entry
	// Next is what to give as after for the next page; empty at the end. A page may be empty
	// and have one.
	Next string
}

// Entry is a record with its three times: late paper entry is normal, and shows.
type Entry struct {
	Row
	// Day is the day that it counts for: the one of which its form says so. It is 0 where the
	// field that says it isn't shown to whoever reads.
	Day    form.Day
	saidBy string
	// Author made it, at Entered by the corrected clock; it arrived here at Received. They
	// are those of the first of everything that was said of it.
	Author     syncproto.AuthorID
	AuthorName string
	Entered    syncproto.Instant
	Received   syncproto.Instant
	// Said counts what was said of it in all.
	Said int
}

// Disclose implements privacy.Disclosed.
func (l *Ledger) Disclose(lens *privacy.Lens) {
	for i := range l.Entries {
		e := &l.Entries[i]
		e.Row.Disclose(lens, lens.Eyes(e.Area), "")
		if e.saidBy == "" {
			continue
		}
		if v, shown := e.Fields[e.saidBy]; !shown {
			e.Day = 0
		} else if _, masked := v.Masked(); masked {
			e.Day = 0
		}
	}
}

// Log tells what was said of records.
type Log interface {
	// LogOf returns everything that was ever said about records, in order of Seq.
	LogOf(ctx context.Context, ids []syncproto.RecordID) ([]exchange.Logged, error)
}

// Ledgers lists what was recorded, with authors and times.
type Ledgers struct {
	*Service
	log Log
}

// NewLedgers wires the service.
func NewLedgers(s *Service, log Log) *Ledgers { return &Ledgers{s, log} }

// Ledger returns a page of the records of a kind, of an area and all below it, that count
// for days from first to last. What was taken out or turned out to be another isn't among
// them. It fails as List does.
func (l *Ledgers) Ledger(ctx context.Context, id syncproto.AreaID, kind syncproto.Kind, first, last form.Day, after string) (*Ledger, error) {
	page, err := l.List(ctx, id, kind, after, MaxRows)
	if err != nil {
		return nil, err
	}
	snap := l.registry.Current()
	f := snap.Forms.Newest(kind)
	ledger := &Ledger{Next: page.Next}
	var ids []syncproto.RecordID
	for i := range page.Rows {
		row := &page.Rows[i]
		day, by := dayOf(f, row)
		if row.SameAs != nil || by != "" && (day < first || day > last) {
			continue
		}
		ledger.Entries = append(ledger.Entries, Entry{Row: *row, Day: day, saidBy: by})
		ids = append(ids, row.ID)
	}
	if len(ids) == 0 {
		return ledger, nil
	}
	log, err := l.log.LogOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("ledger of %s: %w", id, err)
	}
	ledger.cameBy(snap, log)
	ledger.within(first, last)
	return ledger, nil
}

// dayOf is the day that a record counts for, and the field that says so; "" for none.
func dayOf(f *form.Form, row *Row) (day form.Day, by string) {
	for _, name := range dayFields(f) {
		v := row.Fields[name]
		if text, ok := v.Text(); ok {
			if day, ok := form.ParseDay(text); ok {
				return day, name
			}
		}
		var ms int64
		if _, err := fmt.Sscan(string(v), &ms); err == nil {
			return form.DayOf(syncproto.Instant(ms)), name
		}
	}
	return 0, ""
}

// dayFields are the fields that say for which day a record counts, the first of them first.
func dayFields(f *form.Form) []string {
	var names []string
	for i := range f.Measures {
		names = append(names, f.Measures[i].Day)
	}
	for i := range f.Fields {
		if t := f.Fields[i].Type; t == form.Date || t == form.Time {
			names = append(names, f.Fields[i].Name)
		}
	}
	return names
}

// cameBy fills in who said it first and when.
func (l *Ledger) cameBy(snap *registry.Snapshot, log []exchange.Logged) {
	at := make(map[syncproto.RecordID]int, len(l.Entries))
	for i := range l.Entries {
		at[l.Entries[i].ID] = i
	}
	for i := range log {
		said := &log[i]
		k, known := at[said.Change.Record]
		if !known || said.Version == 0 {
			continue
		}
		e := &l.Entries[k]
		if e.Said++; e.Said > 1 {
			continue
		}
		author, _ := snap.People.Author(said.Change.Author)
		e.Author, e.AuthorName, e.Entered, e.Received = said.Change.Author, author.Name, said.Time, said.Received
		if e.Day == 0 {
			e.Day = form.DayOf(said.Time)
		}
	}
}

// within leaves out those that say no day and were entered on another.
func (l *Ledger) within(first, last form.Day) {
	kept := l.Entries[:0]
	for _, e := range l.Entries {
		if e.Day >= first && e.Day <= last {
			kept = append(kept, e)
		}
	}
	l.Entries = kept
}

var (
	textDay      = syncproto.Text{ZH: "日期", EN: "Day"}
	textAuthor   = syncproto.Text{ZH: "填写人", EN: "Author"}
	textEntered  = syncproto.Text{ZH: "填写时间", EN: "Entered"}
	textReceived = syncproto.Text{ZH: "收到时间", EN: "Received"}
	textSaid     = syncproto.Text{ZH: "填写次数", EN: "Statements"}
	textFlags    = syncproto.Text{ZH: "提示", EN: "Flags"}
)

// LedgerColumns are the headings of a ledger.
func (s *Sheet) LedgerColumns() []sheet.Column {
	return append([]sheet.Column{{Head: textDay, Width: 12}, {Head: textAuthor, Width: 14}, {Head: textEntered, Width: 20}, {Head: textReceived, Width: 20}, {Head: textSaid}, {Head: textFlags, Width: 14}}, s.Columns()...)
}

// LedgerCells are an entry's.
func (s *Sheet) LedgerCells(e *Entry) []sheet.Value {
	return append([]sheet.Value{
		day(e.Day), sheet.TextOf(e.AuthorName), Moment(e.Entered), Moment(e.Received),
		sheet.NumberOf(fmt.Sprint(e.Said)), sheet.TextOf(FlagLabels(s.form, e.Flags, s.english)),
	}, s.Cells(&e.Row)...)
}

func day(d form.Day) sheet.Value {
	if d == 0 {
		return sheet.Value{}
	}
	return sheet.DateOf(d.String())
}

// Moment is an instant by the clocks of those who read the file.
func Moment(at syncproto.Instant) sheet.Value {
	if at == 0 {
		return sheet.Value{}
	}
	return sheet.MomentOf(time.UnixMilli(int64(at)).In(form.Zone))
}
