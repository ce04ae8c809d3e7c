package fieldwork

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"gridsync/server/internal/registry"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Ledger is what an area and all below it have, and what came and went.
type Ledger struct {
	Area syncproto.AreaID `json:"area"`
	// Day is the last day that counts.
	Day   string       `json:"day"`
	Items []LedgerItem `json:"items"`
	// Issued is one page of what was issued, and to whom, the latest first.
	Issued  []Issue           `json:"issued"`
	Next    string            `json:"next,omitempty"`
	Version syncproto.Version `json:"version"`
	At      syncproto.Instant `json:"at"`
}

// LedgerItem is one item in one unit. Of items that the form doesn't name, each name is
// one of its own.
type LedgerItem struct {
	Item  string         `json:"item"`
	Label syncproto.Text `json:"label"`
	// Name is what somebody called an item that the form doesn't name.
	Name     string `json:"name,omitempty"`
	Unit     string `json:"unit,omitempty"`
	Received int64  `json:"received"`
	Donated  int64  `json:"donated"`
	Issued   int64  `json:"issued"`
	Returned int64  `json:"returned"`
	Spoiled  int64  `json:"spoiled"`
	// Stock is, added up over all areas, what the last count of the area found, and what has
	// come and gone since. Below 0 more went than came: something was not recorded.
	Stock int64 `json:"stock"`
	// CountedOn is the day of the latest count of any area.
	CountedOn string `json:"counted_on,omitempty"`
	// Areas say how much is where, when several areas have any.
	Areas []LedgerArea `json:"areas,omitempty"`
}

// LedgerArea is the stock of one area.
type LedgerArea struct {
	Area      syncproto.AreaID `json:"area"`
	Name      string           `json:"name"`
	Stock     int64            `json:"stock"`
	CountedOn string           `json:"counted_on,omitempty"`
}

// Issue says to whom something was issued.
type Issue struct {
	Record    syncproto.RecordID  `json:"record"`
	Area      syncproto.AreaID    `json:"area"`
	Day       string              `json:"day"`
	Item      string              `json:"item"`
	Name      string              `json:"name,omitempty"`
	Unit      string              `json:"unit,omitempty"`
	Quantity  int64               `json:"quantity"`
	Person    *syncproto.RecordID `json:"person,omitempty"`
	Household *syncproto.RecordID `json:"household,omitempty"`
	// To is the person's name or the household's address.
	To string `json:"to,omitempty"`
	// subject, of a kind and in an area, is whose that is.
	subject syncproto.RecordID
	kind    syncproto.Kind
	where   syncproto.AreaID
}

// movement is one entry about supplies.
type movement struct {
	*entry
	item, name, unit, what string
	quantity               int64
	day                    form.Day
}

func movementOf(e *entry) (movement, bool) {
	m := movement{entry: e, item: e.text("item"), unit: e.text("unit"), what: e.text("movement"), day: e.day("day")}
	if m.item == "other" {
		m.name = e.text("item_name")
	}
	n, ok := e.whole("quantity")
	m.quantity = n
	return m, ok && m.day != 0 && m.item != "" && e.Exit == nil
}

// sign says which way a movement goes: into the stock or out of it.
func (m *movement) sign() int64 {
	switch m.what {
	case "received", "donated", "returned":
		return 1
	case "issued", "spoiled":
		return -1
	}
	return 0
}

// Supplies tells what an area and all below it have at the end of a day. It fails with code
// not_found for an area that isn't there, and bad_request for a place that it didn't give
// out.
func (s *Service) Supplies(ctx context.Context, in syncproto.AreaID, day form.Day, after string, limit int) (*Ledger, error) {
	snap := s.registry.Current()
	nodes := snap.Areas.Subtree(in)
	if len(nodes) == 0 {
		return nil, notFound("area")
	}
	skip := 0
	if after != "" {
		var err error
		if skip, err = strconv.Atoi(after); err != nil || skip < 0 {
			return nil, badRequest("after", "the next of the page before")
		}
	}
	ledger := &Ledger{Area: in, Day: day.String(), Items: []LedgerItem{}, Issued: []Issue{}}
	var err error
	if ledger.Version, ledger.At, err = s.store.AsOf(ctx); err != nil {
		return nil, fmt.Errorf("supplies of %s: %w", in, err)
	}
	entries, err := s.list(ctx, snap, keysOf(nodes), KindSupply)
	if err != nil {
		return nil, fmt.Errorf("supplies of %s: %w", in, err)
	}
	var moves []movement
	for i := range entries {
		if m, ok := movementOf(&entries[i]); ok && m.day <= day {
			moves = append(moves, m)
		}
	}
	slices.SortFunc(moves, func(a, b movement) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.said, b.said), bytes.Compare(a.ID[:], b.ID[:]))
	})
	ledger.add(snap, moves)
	if err := s.issued(ctx, snap, ledger, moves, skip, clamp(limit)); err != nil {
		return nil, fmt.Errorf("supplies of %s: %w", in, err)
	}
	return ledger, nil
}

// shelf is where one item lies.
type shelf struct {
	item, name, unit string
}

// add adds up movements, in their order: a count begins anew, of its own area alone.
func (l *Ledger) add(snap *registry.Snapshot, moves []movement) {
	at := make(map[shelf]int)
	for i := range moves {
		m := &moves[i]
		key := shelf{m.item, m.name, m.unit}
		n, there := at[key]
		if !there {
			n = len(l.Items)
			at[key] = n
			l.Items = append(l.Items, LedgerItem{Item: m.item, Label: labelOf(snap, m.item), Name: m.name, Unit: m.unit})
		}
		l.Items[n].move(snap, m)
	}
	for i := range l.Items {
		item := &l.Items[i]
		for _, a := range item.Areas {
			item.Stock += a.Stock
			item.CountedOn = max(item.CountedOn, a.CountedOn)
		}
		slices.SortFunc(item.Areas, func(a, b LedgerArea) int { return cmp.Compare(a.Area, b.Area) })
		if len(item.Areas) == 1 && item.Areas[0].Area == l.Area {
			item.Areas = nil
		}
	}
	slices.SortFunc(l.Items, func(a, b LedgerItem) int {
		return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Unit, b.Unit))
	})
}

func (item *LedgerItem) move(snap *registry.Snapshot, m *movement) {
	switch m.what {
	case "received":
		item.Received += m.quantity
	case "donated":
		item.Donated += m.quantity
	case "issued":
		item.Issued += m.quantity
	case "returned":
		item.Returned += m.quantity
	case "spoiled":
		item.Spoiled += m.quantity
	}
	i := slices.IndexFunc(item.Areas, func(a LedgerArea) bool { return a.Area == m.Area })
	if i < 0 {
		n, _ := snap.Areas.Find(m.Area)
		i = len(item.Areas)
		item.Areas = append(item.Areas, LedgerArea{Area: m.Area, Name: n.Name})
	}
	at := &item.Areas[i]
	if m.what == "counted" {
		at.Stock, at.CountedOn = m.quantity, m.day.String()
		return
	}
	at.Stock += m.sign() * m.quantity
}

// labelOf is what the form calls an item.
func labelOf(snap *registry.Snapshot, item string) syncproto.Text {
	field, _ := snap.Forms.Newest(KindSupply).Field("item")
	for _, o := range field.Choices {
		if o.Code == item {
			return o.Label
		}
	}
	return syncproto.Text{ZH: item, EN: item}
}

// issued lists to whom something was issued, the latest first.
func (s *Service) issued(ctx context.Context, snap *registry.Snapshot, ledger *Ledger, moves []movement, skip, limit int) error {
	var ids []syncproto.RecordID
	passed := 0
	for i := len(moves) - 1; i >= 0; i-- {
		m := &moves[i]
		if m.what != "issued" {
			continue
		}
		if passed++; passed <= skip {
			continue
		}
		if len(ledger.Issued) == limit {
			ledger.Next = strconv.Itoa(skip + limit)
			break
		}
		issue := Issue{Record: m.ID, Area: m.Area, Day: m.day.String(), Item: m.item, Name: m.name, Unit: m.unit, Quantity: m.quantity}
		if id := m.ref("person"); !id.IsZero() {
			issue.Person = &id
			ids = append(ids, id)
		}
		if id := m.ref("household"); !id.IsZero() {
			issue.Household = &id
			ids = append(ids, id)
		}
		ledger.Issued = append(ledger.Issued, issue)
	}
	named, err := s.find(ctx, snap, ids)
	if err != nil {
		return err
	}
	for i := range ledger.Issued {
		issue := &ledger.Issued[i]
		for _, to := range []struct {
			id   *syncproto.RecordID
			kind syncproto.Kind
		}{{issue.Household, kindHousehold}, {issue.Person, roster.KindPerson}} {
			if to.id == nil {
				continue
			}
			if e, there := named[*to.id]; there && e.Kind == to.kind {
				issue.To, issue.subject, issue.kind, issue.where = e.text(nameOf[e.Kind]), e.ID, e.Kind, e.Area
			}
		}
	}
	return nil
}
