// Package hook tells other systems at once of what happens in an area: a fever, a day that
// was signed, a dispute that was settled.
//
// What is told of are the exchange's alerts; this package keeps who wants to hear of which,
// in what order they go out, and what became of each. It refuses to know how a parcel
// travels, and to name anybody in one.
package hook

import (
	"context"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// Hook is another system that wants to hear of what happens in an area and below it.
type Hook struct {
	ID     uuid.UUID        `json:"id"`
	Area   syncproto.AreaID `json:"area"`
	Events []string         `json:"events"`
	// By made it at Made.
	By   syncproto.AuthorID `json:"by,omitzero"`
	Made syncproto.Instant  `json:"made"`
	// Ended is when it ended, 0 while it is in use, and Ending why: removed by a person, or
	// gone, as the receiver said.
	Ended  syncproto.Instant `json:"ended,omitempty"`
	Ending Ending            `json:"ending,omitempty"`
	// Host is the machine of the address: the rest of that may hold a key, and is not shown.
	Host string `json:"host"`
	// Position is the last alert that was looked at for it.
	Position int64 `json:"-"`
	// Target is kept sealed.
	Target Target `json:"-"`
}

// Target is where a hook is reached, and the secret by which it knows who speaks.
type Target struct {
	URL    string `json:"url"`
	Host   string `json:"host"`
	Secret string `json:"secret"`
}

// Ending says why a hook ended.
type Ending string

// The endings.
const (
	// Removed: a person ended it.
	Removed Ending = "removed"
	// Gone: its receiver answered 410.
	Gone Ending = "gone"
)

// State is what has become of a delivery.
type State string

// The states.
const (
	// Waiting: it goes out when its turn comes.
	Waiting State = "waiting"
	// Delivered: the receiver took it.
	Delivered State = "delivered"
	// GivenUp: it was tried for a day; a person may have it tried again.
	GivenUp State = "given_up"
)

// Delivery is one alert for one hook.
type Delivery struct {
	Hook  uuid.UUID
	Alert exchange.Alert
	State State
	// Attempts are those made, Due when the next may be, Claimed until when somebody is at
	// it, Tried when the last was.
	Attempts            int
	Due, Claimed, Tried syncproto.Instant
	// Status is the last answer, 0 if there was none; Failure says what was wrong.
	Status  int
	Failure string
}

// Names of events that aren't flags of a form.
var events = []string{string(exchange.AlertClosed), string(exchange.AlertReturned), string(exchange.AlertSettled)}

// wants reports whether a hook asked for an alert.
func (h *Hook) wants(tree *area.Tree, a *exchange.Alert) bool {
	n, there := tree.ByKey(a.Area)
	return there && tree.Within(n.ID, h.Area) && slices.Contains(h.Events, a.Event())
}

// Store keeps hooks and what is to go out.
type Store interface {
	Registrations
	Queue
	Lines
}

// Registrations are who wants to hear of what.
type Registrations interface {
	AddHook(ctx context.Context, h *Hook) error
	// EndHook ends one that is in use; it does nothing to another.
	EndHook(ctx context.Context, id uuid.UUID, at syncproto.Instant, why Ending) error
	// Hooks returns those of areas, ended ones included, in order of (Made, ID); all that
	// are in use if areas is nil.
	Hooks(ctx context.Context, areas []syncproto.AreaID) ([]Hook, error)
	// HookByID returns one, ended or not.
	HookByID(ctx context.Context, id uuid.UUID) (Hook, bool, error)
}

// Queue moves alerts into deliveries.
type Queue interface {
	// Alerts returns alerts after a place, in order: at most limit.
	Alerts(ctx context.Context, after int64, limit int) ([]exchange.Alert, error)
	// LastAlert returns the place of the last one; 0 if there is none.
	LastAlert(ctx context.Context) (int64, error)
	// Enqueue lets a hook's alerts from one position to another go out, if it still is at
	// the first: whoever comes second does nothing. Both are one step.
	Enqueue(ctx context.Context, id uuid.UUID, from, to int64, alerts []exchange.Alert) error
}

// Lines are what waits to go out: for each hook and area one delivery after the other.
type Lines interface {
	// DueDeliveries returns the first that waits of each hook in use and area, if it is due and
	// nobody is at it, in order of when they were due: at most each of one hook.
	DueDeliveries(ctx context.Context, now syncproto.Instant, each int) ([]Delivery, error)
	// Claim takes a delivery on until an instant, if it stands as given; false if it
	// doesn't any more.
	Claim(ctx context.Context, d *Delivery, now, until syncproto.Instant) (bool, error)
	// Settle writes what became of a delivery that was claimed until the instant in it; it
	// does nothing if somebody else has claimed it since.
	Settle(ctx context.Context, d *Delivery) error
	// Deliveries returns those of a hook before a place (0: from the newest), the newest
	// first; of one state unless that is empty: at most limit.
	Deliveries(ctx context.Context, id uuid.UUID, state State, before int64, limit int) ([]Delivery, error)
	// Retry lets deliveries that were given up go out again, all of a hook or one, and
	// returns how many there were.
	Retry(ctx context.Context, id uuid.UUID, seq int64, now syncproto.Instant) (int, error)
}

// space sets the ids of parcels apart from all others.
var space = uuid.NewSHA1(uuid.NameSpaceURL, []byte("gridsync:hook"))

// ID names what is delivered: the same at each attempt, so that a receiver knows what it
// has had.
func (d *Delivery) ID() uuid.UUID {
	return uuid.NewSHA1(space, strconv.AppendInt(slices.Clone(d.Hook[:]), d.Alert.Seq, 10))
}
