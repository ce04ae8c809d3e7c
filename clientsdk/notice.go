package clientsdk

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"gridsync/syncproto"
)

// kindNotice is the kind of notices.
const kindNotice syncproto.Kind = "notice"

// Notice is something that was said to everybody below an area.
type Notice struct {
	Record
	// Read says that the author has said on this device, or on another whose receipt came
	// here, that they read it.
	Read bool
}

// Urgent reports whether it is more than for information.
func (n *Notice) Urgent() bool { return n.Text("level") == "urgent" }

// NeedsReceipt reports whether whoever sent it wants to know who has read it.
func (n *Notice) NeedsReceipt() bool { return n.Fields()["needs_receipt"] == "true" }

// Notices returns what was said to the device's areas, by themselves or from above, and
// was not taken back: the latest first.
func (a *Author) Notices(ctx context.Context) ([]Notice, error) {
	records, err := a.client.List(ctx, kindNotice, Present())
	if err != nil {
		return nil, fmt.Errorf("notices: %w", err)
	}
	receipts, err := a.client.List(ctx, syncproto.KindNoticeRead, Present())
	if err != nil {
		return nil, fmt.Errorf("read receipts: %w", err)
	}
	read := make(map[syncproto.RecordID]bool, len(receipts))
	for i := range receipts {
		read[receipts[i].ID] = true
	}
	notices := make([]Notice, len(records))
	for i := range records {
		notices[i] = Notice{Record: records[i], Read: read[syncproto.ReceiptID(records[i].ID, a.id)]}
	}
	slices.SortFunc(notices, func(x, y Notice) int {
		return cmp.Or(cmp.Compare(y.Text("issued_on"), x.Text("issued_on")), cmp.Compare(y.Version, x.Version), bytes.Compare(y.ID[:], x.ID[:]))
	})
	return notices, nil
}

// Read records that the author has read a notice. To say so again says nothing new. It
// fails with ErrNotFound for a notice that the device doesn't hold.
func (a *Author) Read(ctx context.Context, notice syncproto.RecordID) error {
	n, err := a.client.Get(ctx, notice)
	if err != nil {
		return err
	}
	id := syncproto.ReceiptID(n.ID, a.id)
	if _, err := a.client.Get(ctx, id); err == nil {
		return nil
	}
	in, err := a.receiptArea(ctx, n.Area)
	if err != nil {
		return fmt.Errorf("read notice %s: %w", notice, err)
	}
	_, err = a.Put(ctx, Edit{
		Record: id, Kind: syncproto.KindNoticeRead, Area: in,
		Fields: syncproto.Fields{
			syncproto.ReadNotice: syncproto.TextValue(n.ID.String()), syncproto.ReadAt: syncproto.ValueOf(a.client.now()),
		},
	})
	return err
}

// receiptArea is where an author's receipt for something said in an area belongs: where they
// wrote last of what the server has taken, within that area if they wrote there, as others
// on the same device may be posted elsewhere. Of one who has written nothing yet the device
// doesn't know where they are posted: then it is the very area that spoke if that is the
// device's own, else the first that the device was given.
func (a *Author) receiptArea(ctx context.Context, spoke syncproto.AreaID) (syncproto.AreaID, error) {
	areas, err := a.client.Areas(ctx)
	if err != nil {
		return "", err
	}
	own, parent := make(map[syncproto.AreaID]bool), make(map[syncproto.AreaID]syncproto.AreaID)
	for _, area := range areas {
		own[area.ID], parent[area.ID] = !area.Above, area.Parent
	}
	wrote, err := a.wroteIn(ctx)
	if err != nil {
		return "", err
	}
	wrote = slices.DeleteFunc(wrote, func(id syncproto.AreaID) bool { return !own[id] })
	for _, id := range wrote {
		for at, hops := id, 0; at != "" && hops <= len(areas); at, hops = parent[at], hops+1 {
			if at == spoke {
				return id, nil
			}
		}
	}
	switch {
	case len(wrote) > 0:
		return wrote[0], nil
	case own[spoke]:
		return spoke, nil
	}
	for _, area := range areas {
		if own[area.ID] && !own[area.Parent] {
			return area.ID, nil
		}
	}
	return spoke, nil
}

// wroteIn are the areas in which the author wrote what the server has taken and this device
// still has, the latest first.
func (a *Author) wroteIn(ctx context.Context) ([]syncproto.AreaID, error) {
	var areas []syncproto.AreaID
	err := a.client.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query("SELECT area FROM outbox WHERE author = ? AND state = 1 GROUP BY area ORDER BY max(n) DESC", a.id[:])
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id syncproto.AreaID
			if err := rows.Scan(&id); err != nil {
				return err
			}
			areas = append(areas, id)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("where the author wrote: %w", err)
	}
	return areas, nil
}
