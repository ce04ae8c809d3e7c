package proof

import (
	"fmt"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// place is where a page ended.
type place struct {
	area  area.Key
	phase phase
	// version and record are the last that was looked at in the phase.
	version syncproto.Version
	record  syncproto.RecordID
	// pivot is the version after which the area's records are looked at first, found what
	// has been found in the area.
	pivot syncproto.Version
	found int64
	// ended says that what was read last was all of the phase.
	ended bool
}

// phase is which of an area's records are looked at.
type phase int

const (
	begin  phase = iota
	since        // those listed that have changed since the days began
	before       // those that have not
	lodged       // those that belonged here once
	over
)

// next is the start of the next phase.
func (p place) next() place {
	p.version, p.record, p.ended = 0, syncproto.RecordID{}, false
	if p.phase++; p.phase == before && p.pivot == 0 {
		p.phase = lodged
	}
	return p
}

const placeFormat = "%d.%d.%d.%d.%d."

func (p place) String() string {
	return fmt.Sprintf(placeFormat, p.area, p.phase, p.version, p.pivot, p.found) + p.record.String()
}

// parsePlace reads a place; "" is the beginning. It fails with code bad_request for one that
// nobody gave out.
func parsePlace(text string) (place, error) {
	if text == "" {
		return place{}, nil
	}
	var p place
	var record string
	_, err := fmt.Sscanf(text, placeFormat+"%s", &p.area, &p.phase, &p.version, &p.pivot, &p.found, &record)
	if err == nil {
		p.record, err = syncproto.ParseID[syncproto.RecordID](record)
	}
	if err != nil || p.String() != text || p.phase < begin || p.phase > over || p.version < 0 || p.pivot < 0 {
		return place{}, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "after"}
	}
	return p, nil
}
