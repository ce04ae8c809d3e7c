// Package audit keeps who looked at whom, who took lists away, and who let people in or
// out: for auditors, and for those who ask who saw their record.
//
// It refuses to forget, to alter a line, and to hold what was seen.
package audit

import (
	"context"

	"gridsync/syncproto"
)

// Act is what somebody did.
type Act string

// The acts. Those that show records name them; those about people and phones name the
// person or the device in Detail, by id.
const (
	// Looked: records were shown, one by one or as a page of a list.
	Looked Act = "looked"
	// Exported: a list was taken away as a file.
	Exported Act = "exported"
	// AskedWho: somebody asked who saw a record.
	AskedWho Act = "asked_who"
	// ReadAudit: an auditor read this log.
	ReadAudit Act = "read_audit"

	Invited     Act = "invited"
	Withdrew    Act = "withdrew"
	Enrolled    Act = "enrolled"
	Confirmed   Act = "confirmed"
	Refused     Act = "refused"
	Granted     Act = "granted"
	EndedGrant  Act = "ended_grant"
	HandedOver  Act = "handed_over"
	SetDevice   Act = "set_device"
	SuspendedBy Act = "suspended" // by the server itself: a refresh token came twice

	SignedIn     Act = "signed_in"
	SignInFailed Act = "sign_in_failed"
	SignedOut    Act = "signed_out"
	SetPassword  Act = "set_password"
	MadeLink     Act = "made_link"

	Purged Act = "purged"

	// Imported: a file was brought in; Detail has its kind, its rows, and how its digest begins.
	Imported Act = "imported"

	// Drafted, Published and SetSetting name the form, template or setting in Detail.
	Drafted    Act = "drafted"
	Published  Act = "published"
	SetSetting Act = "set_setting"
)

// Entry is one line.
type Entry struct {
	At  syncproto.Instant `json:"at"`
	Act Act               `json:"act"`
	// Who did it; zero for the server itself, or for somebody who is not known (yet).
	Who syncproto.AuthorID `json:"who,omitzero"`
	// Device is the phone that was used; zero at a desk.
	Device syncproto.DeviceID `json:"device,omitzero"`
	// Area is the area asked about.
	Area syncproto.AreaID `json:"area,omitempty"`
	// Records are those that were shown.
	Records []syncproto.RecordID `json:"records,omitempty"`
	// Detail says which list, which role, which device: names and ids of the product, and
	// never what anybody typed about anybody.
	Detail string `json:"detail,omitempty"`
}

// Log takes lines. What is noted is durable when Note returns nil; whoever shows something
// notes it first, and shows nothing if that fails.
type Log interface {
	Note(ctx context.Context, entries ...Entry) error
}
