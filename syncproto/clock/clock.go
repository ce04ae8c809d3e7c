// Package clock turns what a device's clock said into a moment on the server's
// time line, with the interval in which it must lie.
//
// It reads no clock: every instant comes in as a value. No device clock wins an
// argument by being wrong, and nothing is dated before what its author had seen.
package clock

import "gridsync/syncproto"

// Suspicious is how far a device's clock may be off before its owner is told:
// five minutes, in milliseconds.
const Suspicious = 5 * 60 * 1000

// Contact is one exchange with a device: both clocks at the same moment, but for
// the time that the request travelled.
type Contact struct {
	Server syncproto.Instant
	Device syncproto.Instant
}

// Offset is what to add to the device's clock to get the server's. A clock beyond
// ±2^53 ms counts as standing there, as no number may overflow.
func (c Contact) Offset() syncproto.Instant {
	return c.Server - min(max(c.Device, -syncproto.MaxN), syncproto.MaxN)
}

// Off reports whether the device's clock is suspiciously wrong.
func (c Contact) Off() bool { return c.Offset() > Suspicious || c.Offset() < -Suspicious }

// Bounds is what is known of when a change was made, whatever its clock said.
// Each is an instant of the server's; 0 means "nothing known".
type Bounds struct {
	// Absent is the last contact at which the device did not have the change yet.
	Absent syncproto.Instant
	// Based is when the version that the change was based on was committed.
	Based syncproto.Instant
	// Previous is the stamp of the same device's change before it.
	Previous syncproto.Stamp
	// Received is when the change arrived.
	Received syncproto.Instant
}

// Correct returns the corrected time of a change that its device dated at. The
// time is at plus the contact's offset, held between the earliest and the latest
// moment at which the change can have been made, and not before the same
// device's previous change.
func Correct(at syncproto.Instant, contact Contact, b Bounds) syncproto.Stamp {
	s := syncproto.Stamp{
		Earliest: min(max(b.Absent, b.Based, b.Previous.Earliest), b.Received),
		Latest:   b.Received,
	}
	s.Time = max(at+contact.Offset(), s.Earliest, b.Previous.Time)
	s.Time = min(s.Time, s.Latest)
	return s
}
