package exchange

import (
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Alert is something that somebody may want to hear of at once. It is written down in the
// transaction in which it comes about, so that none is lost and none is told of what was
// never kept. It names no person: whoever hears of it looks at the record, as far as they
// may.
type Alert struct {
	// Seq is its place among all alerts, from 1, in the order of commits; the store gives it.
	Seq     int64
	Version syncproto.Version
	At      syncproto.Instant
	Area    area.Key
	What    AlertWhat
	// Kind and Record are what it is about; no record for a question about none, and for one
	// that was purged since.
	Kind   syncproto.Kind
	Record syncproto.RecordID
	// Detail is the flag that was raised, the day that was signed or returned, or the kind
	// of the question that was settled.
	Detail string
	// Item is the question that was settled, Ending how.
	Item   syncproto.RecordID
	Ending review.Ending
}

// AlertWhat is what an alert tells of.
type AlertWhat string

// What alerts tell of.
const (
	// AlertFlag: a record raises a flag that it did not raise before.
	AlertFlag AlertWhat = "flag"
	// AlertClosed: a day was signed, or signed again.
	AlertClosed AlertWhat = "closed"
	// AlertReturned: a signed day was returned.
	AlertReturned AlertWhat = "returned"
	// AlertSettled: a question ended.
	AlertSettled AlertWhat = "settled"
)

// Event is the alert's name for those who choose what they hear of: a flag's is the flag's
// own.
func (a *Alert) Event() string {
	if a.What == AlertFlag {
		return a.Detail
	}
	return string(a.What)
}

// alarm tells of the flags that the group's records raise and did not raise before. One
// that has left raises none.
func (g *group) alarm() {
	for _, w := range g.order {
		if w.applied == 0 || !w.there() {
			continue
		}
		f := g.snap.Forms.Newest(w.now.Kind)
		if f == nil || len(f.Flags) == 0 {
			continue
		}
		now := w.present(g.snap)
		raised := g.flagsOf(f, now)
		if len(raised) == 0 {
			continue
		}
		var before []string
		if was := w.past(g.snap); was != nil {
			before = g.flagsOf(f, was)
		}
		for _, flag := range raised {
			if !slices.Contains(before, flag) {
				g.alert(Alert{Area: g.after().keyOf(w.now.Area), What: AlertFlag, Kind: w.now.Kind, Record: w.id, Detail: flag})
			}
		}
	}
}

func (g *group) flagsOf(f *form.Form, s *seen) []string {
	if s.shown.Exit != nil || len(s.record.Live) == 0 {
		return nil
	}
	return f.FlagsOf(s.shown.Values, g.snap.Settings.Of(s.record.Area))
}

// alertSettled tells of a question that ended.
func (g *group) alertSettled(it review.Item) {
	a := Alert{Area: it.Area, What: AlertSettled, Record: it.Record, Detail: string(it.Kind), Item: it.ID(), Ending: it.Ending}
	if s := g.after().find(it.Record); s != nil {
		a.Kind = s.record.Kind
	}
	g.alert(a)
}

// alert adds to what is told of with the group.
func (g *group) alert(a Alert) {
	if a.Area == 0 { // of an area that there isn't nobody hears
		return
	}
	a.Version, a.At = g.next, g.now
	g.batch.Alerts = append(g.batch.Alerts, a)
}
