// Package demo plays the days of package world with real phones, the client SDK
// each with its own file, over real HTTP through bad links, against a server that
// its caller starts; then it asks server and phones what came of it.
//
// It refuses to state a figure: every number that it prints was read from the
// server's API, the server's log or a phone's own log after the fact.
package demo

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// Setup is what the demo's server starts with.
type Setup struct {
	// Dir is an empty folder for its data.
	Dir   string
	Areas []area.Node
	// Now is the clock of the story, NewID makes the ids of devices and people. Both
	// may be called from many goroutines.
	Now   func() time.Time
	NewID func() (uuid.UUID, error)
}

// Invitation invites somebody to act in an area.
type Invitation struct {
	Author identity.Author
	Area   syncproto.AreaID
	Role   identity.Role
}

// Server is a running server as the demo needs it.
type Server struct {
	// URL is where it answers, without a slash at the end.
	URL string
	// Invite makes an invitation and returns its code, which one phone redeems.
	Invite func(context.Context, Invitation) (string, error)
	// Screen returns a token with which a screen on a wall reads an area's totals.
	Screen func(context.Context, syncproto.AreaID) (string, error)
	// Histories streams the change log, record by record: exchange.Store.Histories.
	Histories func(ctx context.Context, fn func(log []exchange.Logged, stored *syncproto.Record) error) error
	// Rebuild computes everything from the change log once more, and says what
	// differs from what is stored; nothing if all agrees.
	Rebuild func(ctx context.Context) (differences []string, err error)
	// Settle writes down at once what the server knows of its phones' last contacts,
	// which it otherwise does every few seconds.
	Settle func(context.Context) error
	// Close stops it.
	Close func() error
}

// Options say what to play and how to tell of it.
type Options struct {
	// Start starts a server.
	Start func(context.Context, Setup) (*Server, error)
	// Dir keeps the data; empty for a folder that is removed at the end.
	Dir string
	// Seed decides everything that is made up. Scale divides the sizes; 0 and 1 are
	// the whole case.
	Seed  uint64
	Scale int
	// Workers bounds how many phones are busy at once; 0 means 12.
	Workers int
	// Once ends when the figures are told; JSON tells them as one object on Out and
	// nothing else.
	Once, JSON bool
	// Out gets the figures, Notes the progress. Colour says whether either may have
	// colours, Bar whether Notes is a terminal on which a line can be drawn again.
	Out, Notes  io.Writer
	Colour, Bar bool
}

// Result is what came of it, in the shape in which -json prints it.
type Result struct {
	Rounds  []RoundFigures `json:"rounds"`
	Late    Met            `json:"late"`
	Changes Changes        `json:"changes"`
	// Disputed counts the open conflicts and exits, Parked the changes that wait.
	Disputed int `json:"disputed"`
	Parked   int `json:"parked"`
	// Review counts the questions that are open at the end, Settled those that were
	// settled: together they are what was planted, one by one.
	Review        ByKind  `json:"review"`
	Settled       ByKind  `json:"settled"`
	Told          Told    `json:"told"`
	ReplicasAgree bool    `json:"replicas_agree"`
	RebuildAgrees bool    `json:"rebuild_agrees"`
	Seconds       float64 `json:"seconds"`
}

// RoundFigures says whom a round met.
type RoundFigures struct {
	Round int `json:"round"`
	Met
}

// Met counts people, and the returnees among them.
type Met struct {
	Residents int `json:"residents"`
	Returnees int `json:"returnees"`
}

// Changes compares the phones' own logs with the server's.
type Changes struct {
	// Recorded counts the changes in the phones' logs, Held those of phones in the
	// server's, Ruled those that secretaries made at the server's own desk.
	Recorded int `json:"recorded"`
	Held     int `json:"held"`
	Ruled    int `json:"ruled"`
	// Lost are recorded and not held; Doubled are ids, or numbers of one device, that
	// the server's log has more than once.
	Lost    int `json:"lost"`
	Doubled int `json:"doubled"`
}
