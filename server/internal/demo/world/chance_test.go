package world

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"testing"

	"gridsync/server/internal/match"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// told is a record as the script tells of it, with everybody who does.
type told struct {
	id      syncproto.RecordID
	kind    syncproto.Kind
	fields  syncproto.Fields
	authors []syncproto.AuthorID
	// phone is the one on which it was made, at when.
	phone int
	at    syncproto.Instant
}

// records follows the script to its end, and leaves out what must wait.
func records(w *World) []*told {
	waits := map[syncproto.RecordID]bool{}
	for _, p := range w.Planted {
		waits[p.Record] = waits[p.Record] || p.Parked == syncproto.CodeOutOfArea || p.Parked == syncproto.CodeUnknownArea
	}
	byID := map[syncproto.RecordID]*told{}
	var all []*told
	eachWrite(w, func(phone int, act Act, write Write) {
		if waits[write.Record] || write.Anyway {
			return
		}
		r := byID[write.Record]
		if r == nil {
			r = &told{id: write.Record, kind: write.Kind, fields: syncproto.Fields{}, phone: phone, at: act.At}
			byID[write.Record] = r
			all = append(all, r)
		}
		maps.Copy(r.fields, write.Fields)
		r.authors = append(r.authors, w.Phones[phone].Authors[act.Author].ID)
	})
	return all
}

// plainly digests without a key, as nobody keeps these.
type plainly struct{}

func (plainly) Digest(value []byte) uint64 {
	sum := sha256.Sum256(value)
	return binary.BigEndian.Uint64(sum[:])
}

func (plainly) Fingerprint() uint64 { return 0 }

var digester plainly

// line is a place of the index.
type line struct {
	key match.Key
	at  int
}

// pairs finds every two records that the server would ask about.
func pairs(forms form.Set, all []*told) map[[2]syncproto.RecordID]int {
	profiles := make([]match.Profile, len(all))
	var index []line
	for i, r := range all {
		profiles[i] = match.ProfileOf(forms.Newest(r.kind), r.fields, r.authors)
		for _, key := range profiles[i].Keys(digester) {
			index = append(index, line{key, i})
		}
	}
	slices.SortFunc(index, func(a, b line) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return 0
	})
	found := map[[2]syncproto.RecordID]int{}
	for i := range all {
		for _, r := range profiles[i].Ranges(digester) {
			first, _ := slices.BinarySearchFunc(index, r.From, func(l line, k match.Key) int {
				if l.key < k {
					return -1
				}
				return 1
			})
			for _, l := range index[first:] {
				if l.key > r.To {
					break
				}
				if l.at == i {
					continue
				}
				if score, _ := match.Score(profiles[i], profiles[l.at]); score >= match.Threshold {
					found[two(all[i].id, all[l.at].id)] = score
				}
			}
		}
	}
	return found
}

func two(a, b syncproto.RecordID) [2]syncproto.RecordID {
	if a.String() > b.String() {
		a, b = b, a
	}
	return [2]syncproto.RecordID{a, b}
}

// The server asks about the pairs that were planted and about no others, whatever the
// seed made of names, births, households and visits.
func TestNobodyIsRegisteredTwiceByChance(t *testing.T) {
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	for seed, size := range map[uint64]Size{2020: Whole, 7: Whole, 5: Whole.Divided(24), 3: Whole.Divided(100)} {
		w := New(seed, size)
		all := records(w)
		found := pairs(forms, all)
		for _, p := range w.Planted {
			if p.Question != review.Duplicate && p.Question != review.DoubleVisit {
				continue
			}
			if _, ok := found[two(p.Record, p.Other)]; !ok {
				t.Errorf("seed %d: %s %s and %s are not found", seed, p.Why, p.Record, p.Other)
			}
			delete(found, two(p.Record, p.Other))
		}
		for pair, score := range found {
			t.Errorf("seed %d: by chance %d: %s", seed, score, describe(all, pair))
		}
	}
}

func describe(all []*told, pair [2]syncproto.RecordID) string {
	text := ""
	for _, r := range all {
		if r.id == pair[0] || r.id == pair[1] {
			text += fmt.Sprintf("%s %v; ", r.kind, r.fields)
		}
	}
	return text
}
