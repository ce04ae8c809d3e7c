package exchange

import (
	"context"

	"gridsync/server/internal/area"
	"gridsync/server/internal/match"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Store keeps the log of changes and everything that is derived from it.
type Store interface {
	// Boot returns what the service holds in memory, as last committed.
	Boot(ctx context.Context) (Boot, error)
	// Commit runs a group of pushes in one write transaction, which is durable when
	// Commit returns nil. Groups never overlap. When fn or the commit fails, nothing
	// of the group is kept. fn may be run again, where nothing was kept of the first time.
	Commit(ctx context.Context, fn func(Tx) error) error
	// Device returns what is known of a device's syncing; the zero state, with its
	// id, for one that was never heard of.
	Device(ctx context.Context, id syncproto.DeviceID) (DeviceState, error)
	// Contacts returns the last contact of each of some devices, in the order asked for,
	// without devices that were never heard of.
	Contacts(ctx context.Context, devices []syncproto.DeviceID) ([]rollup.Contact, error)
	// Page returns what happened in a feed after a version, in order of versions: at
	// most maxRows rows, and no more than fit into maxBytes when encoded, but at least
	// one if there is any. That it returns few rows doesn't say that there are no more.
	Page(ctx context.Context, feed Feed, after syncproto.Version, maxRows, maxBytes int) ([]FeedRow, error)
	// Histories calls fn for every record in any order with its whole log, in order
	// of Seq, parked changes included, and the record as stored (nil if there is
	// none). It reads one moment of the database.
	Histories(ctx context.Context, fn func(log []Logged, stored *syncproto.Record) error) error
	// Derived returns what is stored besides log and records, for comparison with what
	// the log says.
	Derived(ctx context.Context) (Derived, error)
	// Told returns what a device's authors are to hear, in order of versions, after one:
	// at most limit, but whole versions, and at least one version if there is any.
	Told(ctx context.Context, device syncproto.DeviceID, after syncproto.Version, limit int) ([]syncproto.Told, error)
	// EachLogged calls fn for every row of the log in order of Seq. It reads one moment of
	// the database.
	EachLogged(ctx context.Context, fn func(*Logged) error) error
	PurgeStore
	TurnReader
}

// Tx is a write transaction. Each method takes and gives batches.
type Tx interface {
	// Prior returns the changes of one device that the log holds with these numbers.
	Prior(device syncproto.DeviceID, ns []uint64) ([]Logged, error)
	// Devices returns what is known of the syncing of those of some devices that were ever
	// heard of, in any order.
	Devices(ids []syncproto.DeviceID) ([]DeviceState, error)
	// Records returns the records that exist, as they stand.
	Records(ids []syncproto.RecordID) ([]syncproto.Record, error)
	// Logs returns the changes of records, parked ones included, in order of Seq.
	Logs(ids []syncproto.RecordID) ([]Logged, error)
	// CommittedAt returns, for each version, when the last log row at or below it was
	// received: no later than the version's commit.
	CommittedAt(versions []syncproto.Version) ([]syncproto.Instant, error)
	// Parked returns parked changes with one of the reasons, the oldest first, after
	// a place in the log.
	Parked(reasons []syncproto.Code, after syncproto.Version, limit int) ([]Logged, error)
	// Blocks returns, for each range of keys, the records that stand in it in order of keys,
	// under one key in the order in which they came: at most limit.
	Blocks(ranges []match.Range, limit int) ([][]syncproto.RecordID, error)
	// Items returns those of the questions with these ids that were ever raised.
	Items(ids []syncproto.RecordID) ([]review.Item, error)
	// ItemsAbout returns the open questions about two records that are about one of these.
	ItemsAbout(ids []syncproto.RecordID) ([]review.Item, error)
	// OpenPairs returns all open questions about two records.
	OpenPairs() ([]review.Item, error)
	// Totals sums the counters of areas over a day, and those of standing measures over
	// all days up to it, as rollup.Store does.
	Totals(areas []area.Key, day form.Day, standing map[string]bool) ([]rollup.Count, error)
	SumTx
	// Save writes everything that the group changed. Each is a turn, with a number of its own,
	// and is given a name; one that doesn't say what it did makes others boot.
	Save(*Batch) error
	// Rederive replaces everything that Derived returns, but devices; of heads, those of
	// records that move into another stream. It gives out a number, so that whoever
	// remembers what stood at the last sees that things have moved. A batch is to be saved with
	// it, whose turn says so.
	Rederive(*Derived) error
	// SetRules notes by which rules everything is derived. A batch is to be saved with it, too.
	SetRules(print uint64) error
	// SetChain writes the chain into rows of the log that have none.
	SetChain(rows []Chained) error
	// Meanwhile runs work that asks nothing of the transaction, for as long as it takes: a
	// store that would end a transaction in which nothing happens hears that somebody is
	// there. The work's context ends when the transaction is lost all the same.
	Meanwhile(work func(context.Context) error) error
	PurgeTx
	TurnReader
}

// Feed is one stream of one area: what a cursor has a position in.
type Feed struct {
	Area   area.Key
	Stream form.Stream
}

// Boot is what the service needs to start.
type Boot struct {
	Epoch syncproto.Epoch
	// Last is the greatest number given out, as Seq or Version.
	Last syncproto.Version
	// Now is when the last change was received: the server's clock never goes back
	// behind it.
	Now   syncproto.Instant
	Heads []Head
	// WaitingFor are the records that parked changes speak of.
	WaitingFor []syncproto.RecordID
	// Parked counts parked changes.
	Parked int
	// Chain is the last link of the log's chain.
	Chain syncproto.Hash
	// Links are the records that turned out to be others, Signatures the days signed.
	Links      []Link
	Signatures []Signature
	// Twins are the pairs of the open questions of kind double_visit: they count as one.
	Twins []Link
	// Derivation is the Derivation by which what is derived was written.
	Derivation int
	// Digest is the fingerprint of the key by which the blocked index was made, Rules that of
	// the forms and settings by which everything was derived.
	Digest, Rules uint64
	// Turn is the last turn, all of which is in here.
	Turn Mark
}

// Derivation numbers the rules by which things are derived from the log: a database
// written by older ones is derived anew when it is opened.
const Derivation = 4

// Chained is one row's link in the chain of the log.
type Chained struct {
	Seq   syncproto.Version
	Chain syncproto.Hash
}

// Signature is a day that was signed for an area: the figures signed, and by how much
// each has moved since (zeroes left out). A Signature with Day 0 takes it away.
type Signature struct {
	Record  syncproto.RecordID
	Area    area.Key
	Day     form.Day
	Figures map[string]int64
	Drift   map[string]int64
	// Scope is a fingerprint of the areas that counted into Drift.
	Scope int64
}

// Admission says what people have made of a parked change.
type Admission struct {
	// In says that a person let it in: as belonging to Area, if that is not empty, and
	// without some of its fields.
	In      bool             `json:"in,omitempty"`
	Area    syncproto.AreaID `json:"area,omitempty"`
	Without []string         `json:"without,omitempty"`
	// Out is the version under which it was taken out again, and Left where the record
	// stayed then; such a row waits.
	Out  syncproto.Version `json:"out,omitempty"`
	Left syncproto.AreaID  `json:"left,omitempty"`
}

// Head is the end of a feed.
type Head struct {
	Feed
	Last syncproto.Version
	// Sum adds up syncproto.RowSum of the records that are in the feed now.
	Sum syncproto.Sum
	// Records counts them.
	Records int64
}

// Logged is a row of the change log.
type Logged struct {
	// Seq is the row's place in the log: from the same counter as versions.
	Seq    syncproto.Version
	Change syncproto.Change
	syncproto.Stamp
	Received syncproto.Instant
	// Version is the number under which the change became visible: Seq for most, a
	// later number for one that was parked, 0 while it is.
	Version syncproto.Version
	// Verdict is what was said at first, and while the change is parked, Parked.
	Verdict syncproto.Outcome
	// Reason is the code and field of a parked change, or a remark on another.
	Reason syncproto.Code
	Field  string
	// Admitted is set for a change that a person let in, ever.
	Admitted *Admission
	// Purged is the hash of a change whose content is gone; zero for all others.
	Purged syncproto.Hash
	// Chain is the row's link: ChainOf the row before and this one.
	Chain syncproto.Hash

	// hash is the change's hash, where it is known already.
	hash syncproto.Hash
}

// Part returns what the row's change writes.
func (l *Logged) Part() (syncproto.Part, error) {
	fields, err := l.Change.Values()
	if err != nil {
		return syncproto.Part{}, err
	}
	return l.partOf(fields), nil
}

// partOf is Part for a caller who has read the fields already. It may alter them.
func (l *Logged) partOf(fields syncproto.Fields) syncproto.Part {
	change := &l.Change
	if a := l.Admitted; a != nil {
		for _, name := range a.Without {
			delete(fields, name)
		}
		if a.Area != "" {
			routed := l.Change
			routed.Area = a.Area
			change = &routed
		}
	}
	return change.PartOf(fields, l.Version, l.Seq-1, l.Stamp)
}

// FeedRow is one event of a feed: a record as it stands, or one that has gone.
type FeedRow struct {
	Version syncproto.Version
	// Size is the row's size when encoded, in bytes, nearly.
	Size   int
	Record *syncproto.Record
	Gone   *syncproto.Gone
}

// DeviceState is what is known of a device's syncing.
type DeviceState struct {
	Device syncproto.DeviceID
	// High is the greatest n held, Missing the holes below it, Held how many are held.
	High    uint64
	Missing []syncproto.Span
	Held    uint64
	Digest  syncproto.Digest
	// LastStamp is the stamp of the change with number High.
	LastStamp syncproto.Stamp
	// Contact is the last exchange: both clocks, and the greatest n that the device
	// had given out by then.
	ContactServer syncproto.Instant
	ContactDevice syncproto.Instant
	ContactHigh   uint64
	// Unsent is how many changes the device said it held unsent, App its program.
	Unsent int
	App    string
	// Parked are its changes that wait, the newest first, at most syncproto.MaxParked.
	Parked []syncproto.Waiting
	// Told is the version of the last thing that its authors are to hear.
	Told syncproto.Version
	// Pulse is what the checks of forms remember of the device's latest entries, in a
	// form of this package's own; nil for a device whose entries nobody watches. What came up
	// to PulseAfter is left out of it, as some of that was purged.
	Pulse      []byte
	PulseAfter syncproto.Version
}

// Batch is everything that a group of pushes changed.
type Batch struct {
	// Last is the greatest number given out, Now the instant of the group.
	Last syncproto.Version
	Now  syncproto.Instant
	// Log holds new rows in order of Seq.
	Log []Logged
	// Released holds rows that were parked and no longer are (Version is set), are for
	// another reason, or are parked again. Only Version, Verdict, Reason, Field and
	// Admitted changed.
	Released []Logged
	Records  []RecordChange
	Counts   []rollup.Count
	// Sums are the moves of what areas come to with all below them, each once; Tree is the
	// tree that they follow from now on, of which it has the areas that lie elsewhere than
	// before, and nil if it is the one before.
	Sums []rollup.Sum
	Tree *rollup.Tree
	// Lodged and Unlodged are former areas of records to add and to take away.
	Lodged, Unlodged []rollup.Lodging
	// Traced and Untraced are what records leave to be found by, to add and to take away; of a
	// dwelling that goes only its household counts.
	Traced, Untraced Traces
	// Sightings to add and to take away.
	Seen, Unseen []rollup.Sighting
	// Items are questions as they stand now, new ones and those that have changed.
	Items  []review.Item
	Events []review.Event
	Told   []Telling
	// Indexed and Unindexed are lines of the blocked index to add and to take away.
	Indexed, Unindexed []match.Entry
	Links              []Link
	Signatures         []Signature
	// Alerts are what somebody may want to hear of at once, Restatings what records did to
	// days signed.
	Alerts     []Alert
	Restatings []Restating
	Devices    []DeviceState
	Heads      []Head
	// Turn is what the group did to what others hold in memory; nil where nobody reads it.
	Turn *Turn
}

// Telling is what one device is to hear.
type Telling struct {
	Device syncproto.DeviceID
	syncproto.Told
}

// RecordChange is a record that is new or has changed.
type RecordChange struct {
	Record syncproto.Record
	Feed   Feed
	// Sole says that Live is exactly Logged.Part of the log row with Seq =
	// Record.Version, all its fields alive: the store may then keep a reference to
	// the row in place of a copy of it.
	Sole bool
	// New says that the record wasn't there before. Otherwise Before and
	// BeforeVersion say where it stood in which feed.
	New           bool
	Before        Feed
	BeforeVersion syncproto.Version
}

// Derived is what the store holds besides log and records.
type Derived struct {
	Counts []rollup.Count
	// Sums follow from Counts and Tree.
	Sums      []rollup.Sum
	Tree      rollup.Tree
	Lodgings  []rollup.Lodging
	Sightings []rollup.Sighting
	Items     []review.Item
	Index     []match.Entry
	// Digest is the fingerprint of the key by which Index was made, Rules that of the forms
	// and settings; Streams are those of kinds. A store returns none of these.
	Digest     uint64
	Rules      uint64
	Streams    map[syncproto.Kind]form.Stream
	Links      []Link
	Signatures []Signature
	Heads      []Head
	Devices    []DeviceState
	Traces     Traces
	// Carried is the part of Counts that purged records counted.
	Carried []rollup.Count
}
