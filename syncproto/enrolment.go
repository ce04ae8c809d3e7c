package syncproto

import (
	"crypto/ed25519"
	"encoding/binary"
)

// Enrolling is what a phone sends to POST /v1/enrol to redeem an invitation. A phone whose
// answer was lost sends the same again and gets the same answer.
type Enrolling struct {
	// Code is the invitation's code, as printed or read from its QR code.
	Code string `json:"code"`
	// Device is the id that the phone has given itself, Key its public key (Ed25519, 32
	// bytes): the phone proves with it, ever after, that it is itself.
	Device DeviceID `json:"device"`
	Key    []byte   `json:"key"`
	// Name is the person's, Phone says what the device is, App names the program.
	Name  string `json:"name"`
	Phone string `json:"phone,omitempty"`
	App   string `json:"app,omitempty"`
	// Undertaking is the version of the undertaking that the person has accepted.
	Undertaking int `json:"undertaking"`
	// Signature is the phone's over SigningText.
	Signature []byte `json:"signature"`
}

// SigningText is what the phone signs.
func (e *Enrolling) SigningText() []byte {
	return signingText("gridsync enrol 1", e.Device, []byte(e.Code), e.Key)
}

// Invited is what an invitation says of itself, before it is redeemed: the answer of POST
// /v1/enrol/look, whose body is {"code": …}.
type Invited struct {
	AreaID   AreaID  `json:"area"`
	AreaName string  `json:"area_name"`
	Role     string  `json:"role"`
	From     Instant `json:"from"`
	To       Instant `json:"to,omitempty"`
	// Confirmed says that a person looks at who has come before the grant holds.
	Confirmed   bool        `json:"confirmed,omitempty"`
	Undertaking Undertaking `json:"undertaking"`
}

// Undertaking is the confidentiality undertaking (保密承诺) that a person accepts before
// first use.
type Undertaking struct {
	Version int  `json:"version"`
	Text    Text `json:"text"`
}

// EnrolmentState says how far an enrolment has come.
type EnrolmentState string

// The closed set of states.
const (
	// EnrolmentActive: the grant is given.
	EnrolmentActive EnrolmentState = "active"
	// EnrolmentWaiting: a person has to confirm it. What is recorded meanwhile is delivered
	// and waits with it.
	EnrolmentWaiting EnrolmentState = "waiting"
	// EnrolmentRefused: a person has looked and said no.
	EnrolmentRefused EnrolmentState = "refused"
)

// Enrolled is the answer of POST /v1/enrol.
type Enrolled struct {
	Author AuthorID `json:"author"`
	Tokens
}

// Renewing is what a phone sends to POST /v1/token for a new access token.
type Renewing struct {
	Device  DeviceID `json:"device"`
	Refresh string   `json:"refresh"`
	// Clock is the phone's own.
	Clock Instant `json:"clock"`
	// Accepted is the version of the undertaking that the phone's person has accepted.
	Accepted int `json:"accepted,omitempty"`
	// Signature is the phone's over SigningText.
	Signature []byte `json:"signature"`
}

// SigningText is what the phone signs.
func (r *Renewing) SigningText() []byte {
	numbers := binary.BigEndian.AppendUint64(nil, uint64(r.Clock))
	numbers = binary.BigEndian.AppendUint64(numbers, uint64(r.Accepted))
	return signingText("gridsync token 1", r.Device, []byte(r.Refresh), numbers)
}

// Tokens let a phone in: the access token for some minutes, the refresh token once, for
// the next pair. A phone that didn't get the answer shows the same refresh token again and
// gets the same next one; one that was used after its successor was is stolen, and ends
// the device's right to receive.
type Tokens struct {
	Access string `json:"access"`
	// AccessUntil and RefreshUntil are by the server's clock, Now.
	AccessUntil  Instant `json:"access_until"`
	Refresh      string  `json:"refresh"`
	RefreshUntil Instant `json:"refresh_until"`
	Now          Instant `json:"now"`
	// Box is the server's public key (X25519) under which a locked phone seals work: see
	// Seal.
	Box []byte `json:"box"`
	// State is that of the device's latest enrolment, Undertaking the version that is in
	// force: a newer one than was accepted is to be put before the person.
	State       EnrolmentState `json:"state"`
	Undertaking int            `json:"undertaking"`
}

// signingText joins parts so that no two lists of parts read alike.
func signingText(what string, device DeviceID, parts ...[]byte) []byte {
	b := append([]byte(what), 0)
	b = append(b, device[:]...)
	for _, part := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

// SignedBy reports whether signature is the key's over text.
func SignedBy(key, text, signature []byte) bool {
	return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, text, signature)
}
