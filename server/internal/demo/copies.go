package demo

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"gridsync/clientsdk"
	"gridsync/server/internal/demo/sight"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// records are the server's, small enough to be compared with many copies.
type records struct {
	forms form.Set
	byID  map[syncproto.RecordID]copyOf
	// into says which records turned out to be others, ones are those that are one with
	// others, survivors included.
	into map[syncproto.RecordID]syncproto.RecordID
	ones map[syncproto.RecordID][]*syncproto.Record
	all  map[syncproto.RecordID]*syncproto.Record
}

// copyOf is a replica's copy of a record; a broadcast one goes to everybody below its area.
type copyOf struct {
	area      syncproto.AreaID
	version   syncproto.Version
	broadcast bool
}

// reach says whether a replica holds a record.
type reach func(copyOf) bool

func newRecords() (*records, error) {
	forms, err := form.BuiltIn()
	if err != nil {
		return nil, fmt.Errorf("forms: %w", err)
	}
	return &records{
		forms: forms,
		byID:  make(map[syncproto.RecordID]copyOf), into: make(map[syncproto.RecordID]syncproto.RecordID),
		ones: make(map[syncproto.RecordID][]*syncproto.Record), all: make(map[syncproto.RecordID]*syncproto.Record),
	}, nil
}

func (r *records) add(stored *syncproto.Record) {
	r.byID[stored.ID] = r.copy(stored)
	r.all[stored.ID] = stored
	if survivor := merge.Show(nil, stored.Live).SameAs; !survivor.IsZero() {
		r.into[stored.ID] = survivor
	}
}

func (r *records) copy(stored *syncproto.Record) copyOf {
	f := r.forms.Newest(stored.Kind)
	return copyOf{stored.Area, stored.Version, f != nil && f.Stream == form.Broadcast}
}

// link groups the records that are one, each group by its survivor, in order of ids.
func (r *records) link() error {
	for id, survivor := range r.into {
		root := r.root(id)
		r.ones[root] = append(r.ones[root], r.all[id])
		if survivor == root && len(r.ones[root]) == 1 && r.all[root] == nil {
			return fmt.Errorf("%s is %s, which nobody recorded", id, root)
		}
	}
	for _, group := range r.ones {
		slices.SortFunc(group, func(a, b *syncproto.Record) int { return cmp.Compare(a.ID.String(), b.ID.String()) })
	}
	return nil
}

func (r *records) root(id syncproto.RecordID) syncproto.RecordID {
	return merge.Root(id, func(id syncproto.RecordID) (syncproto.RecordID, bool) {
		next, ok := r.into[id]
		return next, ok
	})
}

// difference says how a copy differs from what the server has of it, as far as that
// reaches into a scope and its people see it; "" if it doesn't. A record on which a change of the phone's own
// is still waiting shows that change too, and is compared by version.
func (r *records) difference(c *clientsdk.Record, within reach, eyes sight.Eyes) (string, error) {
	theirs, ok := r.byID[c.ID]
	switch {
	case !ok:
		return "the server has no such record", nil
	case !within(theirs):
		return "it belongs to " + string(theirs.area), nil
	case c.Version != theirs.version:
		return fmt.Sprintf("version %d, not %d", c.Version, theirs.version), nil
	}
	whole, absorbed := r.joined(c.ID, within)
	if !slices.Equal(absorbed, c.Absorbed) {
		return fmt.Sprintf("shows %v as one with it, and not %v", c.Absorbed, absorbed), nil
	}
	if c.Pending {
		return "", nil
	}
	here, err := syncproto.Encode(eyes.Unmasked(c.Kind, c.Live(), whole))
	if err != nil {
		return "", err
	}
	there, err := syncproto.Encode(whole)
	if err == nil && !bytes.Equal(here, there) {
		return "what is alive of it differs", nil
	}
	return "", err
}

// joined is what a replica of a scope must show of a record, and the records within the
// scope that it shows as one with it.
func (r *records) joined(id syncproto.RecordID, within reach) ([]syncproto.Part, []syncproto.RecordID) {
	var others []*syncproto.Record
	var ids []syncproto.RecordID
	if r.root(id) == id {
		for _, other := range r.ones[id] {
			if within(r.copy(other)) {
				others, ids = append(others, other), append(ids, other.ID)
			}
		}
	}
	if len(others) == 0 {
		return r.all[id].Live, nil
	}
	record := r.all[id]
	return merge.Join(r.forms.Newest(record.Kind), record, others), ids
}
