package clientsdk

import (
	"bytes"
	"cmp"
	"context"
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
	in, err := a.client.below(ctx, n.Area)
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

// below is where what the device's authors say about something from above belongs: the area
// that it was given, the first of them if it was given several, or the very area that
// spoke where that is the device's own.
func (c *Client) below(ctx context.Context, in syncproto.AreaID) (syncproto.AreaID, error) {
	areas, err := c.Areas(ctx)
	if err != nil {
		return "", err
	}
	own := make(map[syncproto.AreaID]bool, len(areas))
	for _, area := range areas {
		own[area.ID] = !area.Above
	}
	if own[in] {
		return in, nil
	}
	for _, area := range areas {
		if own[area.ID] && !own[area.Parent] {
			return area.ID, nil
		}
	}
	return in, nil
}
