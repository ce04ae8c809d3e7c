// Package syncproto is the language that replicas speak: identities, changes,
// records, messages, verdicts, receipts and the table of errors.
//
// It refuses to do anything: it has no I/O, no clock and no randomness, so that
// a server, a phone and a test read the same bytes in the same way. SPEC.md
// numbers its rules.
package syncproto

// Protocol is the number of the wire's shape. A server accepts this number and
// the two before it. protocol_test.go pins the shape to the number: whoever
// changes a message changes both, and adds a line to the history there.
const Protocol = 1

// OldestProtocol is the oldest number that a server still accepts.
const OldestProtocol = 1
