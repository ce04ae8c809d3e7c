package sqlstore

import (
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/server/internal/review"
	"gridsync/server/internal/seal"
	"gridsync/syncproto"
)

// The places of what people wrote, and of what was made from it: each text is sealed to
// its own row.

func saidPlace(seq syncproto.Version) seal.Place {
	return seal.In("change_log.said").Number(int64(seq))
}

func partsPlace(id syncproto.RecordID, version syncproto.Version) seal.Place {
	return seal.In("record.parts").ID(id).Number(int64(version))
}

func proofPlace(item syncproto.RecordID) seal.Place { return seal.In("review_item.proof").ID(item) }

func eventPlace(item syncproto.RecordID, ordinal int64) seal.Place {
	return seal.In("review_event.said").ID(item).Number(ordinal)
}

func toldPlace(device, version, ordinal int64) seal.Place {
	return seal.In("told.said").Number(device).Number(version).Number(ordinal)
}

func beatsPlace(device int64) seal.Place { return seal.In("device_state.beats").Number(device) }

func phonePlace(enrolment [16]byte) seal.Place { return seal.In("enrolment.phone").ID(enrolment) }

func refreshPlace(device int64) seal.Place { return seal.In("refresh.secret").Number(device) }

// sealer seals the texts of one batch. They stand one behind the other in few pieces of
// memory, which the statement's arguments point into. It remembers the first thing that
// went wrong.
type sealer struct {
	ring *seal.Ring
	page []byte
	err  error
}

// The pieces of memory grow with the batch.
const smallestPage, largestPage = 1 << 10, 256 << 10

// seal returns a text as an argument, sealed to its place.
func (s *sealer) seal(at seal.Place, text ...[]byte) any {
	need := seal.Overhead
	for _, part := range text {
		need += len(part)
	}
	if cap(s.page)-len(s.page) < need {
		s.page = make([]byte, 0, max(need, min(2*cap(s.page), largestPage), smallestPage))
	}
	from := len(s.page)
	page, err := s.ring.Seal(s.page, at, text...)
	if err != nil {
		s.err = errors.Join(s.err, err)
		return nil
	}
	s.page = page
	return page[from:len(page):len(page)]
}

// sealText is seal for a text that is NULL when it is empty.
func (s *sealer) sealText(at seal.Place, text string) any {
	if text == "" {
		return nil
	}
	return s.seal(at, []byte(text))
}

// said seals what a device wrote of a change.
func (s *sealer) said(l *exchange.Logged) any {
	c := &l.Change
	return s.seal(saidPlace(l.Seq), c.ID[:], lengthOf(len(c.Fields)), c.Fields, []byte(extraText(c.Extra)))
}

// lengthOf is a length as a uvarint.
func lengthOf(n int) []byte { return binary.AppendUvarint(make([]byte, 0, 3), uint64(n)) }

// saidSize is how long the fields of a sealed change are, nearly.
func saidSize(sealed []byte) int { return max(len(sealed)-seal.Overhead-16-2, 0) }

// errNoWords says that a row's content is gone and that nobody purged it.
var errNoWords = errors.New("what it says is gone, and was not purged")

var errShort = errors.New("a sealed text is shorter than it says")

// openSaid opens what said sealed. NULL is a change whose content is gone. The fields
// stay in the memory that was made for them here.
func openSaid(ring *seal.Ring, seq syncproto.Version, sealed []byte, c *syncproto.Change) error {
	if sealed == nil {
		c.Fields = json.RawMessage("{}")
		return nil
	}
	text, err := ring.Open(saidPlace(seq), sealed)
	if errors.Is(err, seal.ErrAltered) {
		return &exchange.UnreadableRow{Seq: seq, Err: err}
	}
	if err != nil {
		return err
	}
	if len(text) < len(c.ID) {
		return errShort
	}
	copy(c.ID[:], text)
	fields, extra, err := cutText(text[len(c.ID):])
	if err != nil {
		return err
	}
	c.Fields = fields
	c.Extra, err = extraFrom(string(extra))
	return err
}

// cutText splits what has its length before it from what follows.
func cutText(text []byte) (first, rest []byte, err error) {
	n, size := binary.Uvarint(text)
	if size <= 0 || n > uint64(len(text)-size) {
		return nil, nil, errShort
	}
	end := size + int(n)
	return text[size:end:end], text[end:], nil
}

// open opens a sealed text; nil for NULL.
func open(ring *seal.Ring, at seal.Place, sealed []byte) ([]byte, error) {
	if sealed == nil {
		return nil, nil
	}
	return ring.Open(at, sealed)
}

// event seals what a line about a question says; NULL if it is nothing.
func (s *sealer) event(e *review.Event, ordinal int64) any {
	if e.Detail == "" && len(e.Changes) == 0 {
		return nil
	}
	return s.seal(eventPlace(e.Item, ordinal), lengthOf(len(e.Detail)), []byte(e.Detail), []byte(list(e.Changes)))
}

// openEvent opens what event sealed.
func openEvent(ring *seal.Ring, ordinal int64, sealed []byte, e *review.Event) error {
	text, err := open(ring, eventPlace(e.Item, ordinal), sealed)
	if err != nil || text == nil {
		return err
	}
	detail, changes, err := cutText(text)
	if err != nil {
		return err
	}
	e.Detail = string(detail)
	e.Changes, err = unlist[review.Made](string(changes))
	return err
}

// openProof opens what speaks for a question.
func openProof(ring *seal.Ring, sealed []byte, it *review.Item) error {
	text, err := open(ring, proofPlace(it.ID()), sealed)
	if err != nil {
		return err
	}
	it.Evidence, err = unlist[match.Evidence](string(text))
	return err
}

// sealedColumn says where the bytes of a sealed column go. They are the driver's, and
// good until the next row.
type sealedColumn = sql.RawBytes

// openParts opens a record's live parts.
func openParts(ring *seal.Ring, r *syncproto.Record, sealed []byte) error {
	text, err := ring.Open(partsPlace(r.ID, r.Version), sealed)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &r.Live); err != nil {
		return fmt.Errorf("stored live parts: %w", err)
	}
	return nil
}
