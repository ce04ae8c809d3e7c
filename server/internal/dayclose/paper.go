// Package dayclose signs days: a secretary the community's, a township its own over those
// of its communities. What is signed is frozen with a hash, can be returned, and says by
// itself what has restated it since.
//
// It refuses to keep anything: a signature is a record that goes through merge like any
// other, and everything else here is read from what the exchange keeps.
package dayclose

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Fields of a record with which a day is signed.
const (
	FieldDay      = "day"
	FieldFigures  = "figures"
	FieldNote     = "note"
	FieldAsOf     = "as_of"
	FieldZero     = "zero"
	FieldBelow    = "below"
	FieldHash     = "hash"
	FieldReturned = "returned"
)

// RecordOf is the record with which an area's day is signed at a desk: whoever signs it
// first makes it, and everybody after them signs the same.
func RecordOf(id syncproto.AreaID, day form.Day) syncproto.RecordID { return recordOf(id, day, 0) }

// recordOf is the one that is used after so many were taken by something else.
func recordOf(id syncproto.AreaID, day form.Day, taken int) syncproto.RecordID {
	name := string(id) + " " + day.String()
	if taken > 0 {
		name += " " + strconv.Itoa(taken)
	}
	return syncproto.RecordID(uuid.NewSHA1(space, []byte(name)))
}

// space sets these ids apart from all others.
var space = uuid.NewSHA1(uuid.NameSpaceURL, []byte("gridsync:day_close"))

// Paper is what is signed: the figures of an area on a day, those that are 0 included, as
// they stood at a version, and how the areas below stood with theirs.
type Paper struct {
	Area    syncproto.AreaID
	Day     form.Day
	AsOf    syncproto.Version
	Figures map[string]int64
	Below   []Under
}

// Under says how an area below stood when a day was signed above it.
type Under struct {
	Area  syncproto.AreaID `json:"area"`
	State State            `json:"state"`
	// Version is that of its record, 0 if it has none; Hash is what it had signed.
	Version syncproto.Version `json:"version,omitempty"`
	Hash    string            `json:"hash,omitempty"`
}

// Text is the paper in the one form in which it is hashed: a line for each thing, figures in
// order of their names.
func (p *Paper) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "gridsync day 1\narea %s\nday %s\nas of %d\n", p.Area, p.Day, p.AsOf)
	for _, name := range slices.Sorted(maps.Keys(p.Figures)) {
		fmt.Fprintf(&b, "figure %s %d\n", name, p.Figures[name])
	}
	for _, u := range p.Below {
		fmt.Fprintf(&b, "below %s %s %d %s\n", u.Area, u.State, u.Version, u.Hash)
	}
	return b.String()
}

// Hash is the SHA-256 of the text, in hexadecimal.
func (p *Paper) Hash() string {
	sum := sha256.Sum256([]byte(p.Text()))
	return hex.EncodeToString(sum[:])
}

// Fields are the paper as a record has it, to be signed: whatever it was returned for is
// answered.
func (p *Paper) Fields() syncproto.Fields {
	below := p.Below
	if below == nil {
		below = []Under{}
	}
	return syncproto.Fields{
		FieldDay:      syncproto.TextValue(p.Day.String()),
		FieldFigures:  syncproto.TextValue(string(syncproto.ValueOf(p.Figures))),
		FieldAsOf:     syncproto.ValueOf(p.AsOf),
		FieldBelow:    syncproto.TextValue(string(syncproto.ValueOf(below))),
		FieldHash:     syncproto.TextValue(p.Hash()),
		FieldReturned: syncproto.Null,
	}
}

// PaperOf reads what a record of an area shows as signed, and the hash that it was signed
// with: "" for one that was signed on a phone, which keeps none.
func PaperOf(id syncproto.AreaID, values syncproto.Fields) (p Paper, hash string, ok bool) {
	p = Paper{Area: id}
	if p.Day, ok = form.ParseDay(text(values, FieldDay)); !ok {
		return p, "", false
	}
	if json.Unmarshal([]byte(text(values, FieldFigures)), &p.Figures) != nil {
		return p, "", false
	}
	if v := values[FieldAsOf]; !v.IsNull() {
		if json.Unmarshal([]byte(v), &p.AsOf) != nil {
			return p, "", false
		}
	}
	if below := text(values, FieldBelow); below != "" {
		if json.Unmarshal([]byte(below), &p.Below) != nil {
			return p, "", false
		}
	}
	return p, text(values, FieldHash), true
}

// Nothing reports whether nothing happened on the day: all figures that are counted by the
// day, and are not standing ones, are 0. That must then be said.
func (p *Paper) Nothing(standing map[string]bool) bool {
	for name, n := range p.Figures {
		if n != 0 && !standing[name] {
			return false
		}
	}
	return true
}

func text(values syncproto.Fields, name string) string {
	s, _ := values[name].Text()
	return s
}
