package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// Message is what a receiver is told. It names no person: the record is looked up by those
// who may.
type Message struct {
	// ID is the same at each attempt; Seq rises for one hook, and for one area in the order
	// in which messages go out.
	ID      string            `json:"id"`
	Seq     int64             `json:"seq"`
	Event   string            `json:"event"`
	Area    syncproto.AreaID  `json:"area"`
	At      syncproto.Instant `json:"at"`
	Version syncproto.Version `json:"version"`
	// Kind and Record are what it is about.
	Kind   syncproto.Kind     `json:"kind,omitempty"`
	Record syncproto.RecordID `json:"record,omitzero"`
	// Day was signed or returned.
	Day string `json:"day,omitempty"`
	// Question is the kind of the question that was settled, Item its id, Ending how.
	Question string             `json:"question,omitempty"`
	Item     syncproto.RecordID `json:"item,omitzero"`
	Ending   string             `json:"ending,omitempty"`
}

// Parcel is a message on its way.
type Parcel struct {
	URL     string
	Headers map[string]string
	Body    []byte
}

// Headers of a parcel, as standardwebhooks.com has them, so that receivers can use a library.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// secretPrefix stands before a secret in base64.
const secretPrefix = "whsec_"

// NewSecret writes random bytes as a secret.
func NewSecret(random []byte) string { return secretPrefix + base64.StdEncoding.EncodeToString(random) }

// Sign signs a message at a second: the HMAC-SHA256, by the secret's bytes, of its id, the
// second and its body with points between.
func Sign(secret, id string, second int64, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + strconv.FormatInt(second, 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// parcel wraps a delivery up.
func parcel(h *Hook, d *Delivery, tree *area.Tree, now syncproto.Instant) (Parcel, error) {
	a := &d.Alert
	n, _ := tree.ByKey(a.Area)
	m := Message{
		ID: d.ID().String(), Seq: a.Seq, Event: a.Event(), Area: n.ID, At: a.At, Version: a.Version, Kind: a.Kind, Record: a.Record,
	}
	switch a.What {
	case exchange.AlertClosed, exchange.AlertReturned:
		m.Day = a.Detail
	case exchange.AlertSettled:
		m.Question, m.Item, m.Ending = a.Detail, a.Item, string(a.Ending)
	case exchange.AlertFlag: // the event says it
	}
	body := []byte(syncproto.ValueOf(m))
	second := time.UnixMilli(int64(now)).Unix()
	signature, err := Sign(h.Target.Secret, m.ID, second, body)
	if err != nil {
		return Parcel{}, err
	}
	return Parcel{URL: h.Target.URL, Body: body, Headers: map[string]string{
		HeaderID: m.ID, HeaderTimestamp: strconv.FormatInt(second, 10), HeaderSignature: signature,
		"content-type": "application/json; charset=utf-8", "user-agent": "gridsync",
	}}, nil
}
