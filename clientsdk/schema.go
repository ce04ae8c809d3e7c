package clientsdk

import (
	"database/sql"
	"encoding/json"
	"fmt"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// schemas are the steps from an empty file to today's; PRAGMA user_version counts
// those taken. A step that was released is never altered.
var schemas = []string{`
-- What the device is and where it stands, as one JSON object: see type meta.
CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);

-- A row is one change made on this device, from the moment it was recorded until
-- Options.Keep after its delivery was confirmed. n has no gaps but for those that
-- another copy of this device filled. body is what is sent, byte for byte, every
-- time; hash covers it. overlay is 1 while the change has to be laid over the
-- synced record to be seen. covered is 1 while the latest receipt covers it.
CREATE TABLE outbox (
	n       INTEGER PRIMARY KEY,
	id      BLOB NOT NULL UNIQUE,
	author  BLOB NOT NULL,
	kind    TEXT NOT NULL,
	record  BLOB NOT NULL,
	area    TEXT NOT NULL,
	at      INTEGER NOT NULL,
	body    TEXT NOT NULL,
	hash    BLOB NOT NULL,
	state   INTEGER NOT NULL,
	outcome TEXT NOT NULL DEFAULT '',
	version INTEGER NOT NULL DEFAULT 0,
	reason  TEXT NOT NULL DEFAULT '',
	overlay INTEGER NOT NULL DEFAULT 1,
	covered INTEGER NOT NULL DEFAULT 0
);
-- "What of this record is ours?"
CREATE INDEX outbox_record ON outbox (record, n);
-- "What is to be laid over the records of this kind?"
CREATE INDEX outbox_overlay ON outbox (kind, record) WHERE overlay = 1;
-- "What is to be sent next?"
CREATE INDEX outbox_unsent ON outbox (n) WHERE state = 0;
-- "What waits at a desk, what needs attention?"
CREATE INDEX outbox_odd ON outbox (state, n) WHERE state > 1;
-- "What of that has its record caught up with?"
CREATE INDEX outbox_shown ON outbox (state, n) WHERE overlay = 1;
-- "What does a new receipt cover for the first time?"
CREATE INDEX outbox_uncovered ON outbox (n) WHERE covered = 0;
-- "What did the server say that it holds, and doesn't?"
CREATE INDEX outbox_unconfirmed ON outbox (n) WHERE covered = 0 AND state IN (1, 2);

-- A row is a record as the server sent it last; live is its parts as JSON.
CREATE TABLE records (
	id      BLOB PRIMARY KEY,
	kind    TEXT NOT NULL,
	area    TEXT NOT NULL,
	version INTEGER NOT NULL,
	live    TEXT NOT NULL
);
-- "Which records of this kind are there?"
CREATE INDEX records_kind ON records (kind);
-- "What goes when this area leaves?"
CREATE INDEX records_area ON records (area);

-- A row is what is known of an area: its place in the tree (known = 1 once the
-- server has told it), how many records are held of it and their sum, whether
-- that sum disagreed with the server's and the area is to come again.
CREATE TABLE areas (
	id      TEXT PRIMARY KEY,
	name    TEXT NOT NULL DEFAULT '',
	parent  TEXT NOT NULL DEFAULT '',
	known   INTEGER NOT NULL DEFAULT 0,
	records INTEGER NOT NULL DEFAULT 0,
	sum     INTEGER NOT NULL DEFAULT 0,
	drifted INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- A row is a form that the server sent, in place of a built-in one.
CREATE TABLE forms (
	kind    TEXT NOT NULL,
	version INTEGER NOT NULL,
	body    TEXT NOT NULL,
	PRIMARY KEY (kind, version)
) WITHOUT ROWID;
`, `
-- desk says that a change is work for a person again, or was: see type desk. answers
-- is the id of the returned change to which this one is the answer.
ALTER TABLE outbox ADD COLUMN desk TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN answers BLOB;

-- delivered is when a receipt covered the change first, by the server's clock: what is
-- kept how long must not hang on a phone's clock, which may jump by years.
ALTER TABLE outbox ADD COLUMN delivered INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET delivered = at WHERE covered = 1;
-- "What has come back to its author?"
CREATE INDEX outbox_desk ON outbox (desk, n) WHERE desk <> '';
-- "Has it been answered?"
CREATE INDEX outbox_answers ON outbox (answers) WHERE answers IS NOT NULL;

-- A row is what an author was told of something that he wrote, once, and whether
-- somebody has read it. body is the whole of it as JSON. It stays when copies go.
CREATE TABLE told (
	version INTEGER NOT NULL,
	n       INTEGER NOT NULL,
	record  BLOB NOT NULL,
	item    TEXT NOT NULL,
	field   TEXT NOT NULL,
	author  BLOB NOT NULL,
	said    TEXT NOT NULL,
	body    TEXT NOT NULL,
	seen    INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (version, n, record, item, field)
) WITHOUT ROWID;
-- "What became of this change?"
CREATE INDEX told_change ON told (n);
-- "How much of it has nobody read?"
CREATE INDEX told_unseen ON told (version) WHERE seen = 0;

-- A row says that a record, as it shows here with the device's own changes, turned
-- out to be another one. It follows from records and outbox: see relink.
CREATE TABLE links (record BLOB PRIMARY KEY, survivor BLOB NOT NULL) WITHOUT ROWID;
-- "Which records may say so?"
CREATE INDEX records_same_as ON records (id) WHERE instr(live, '"same_as"') > 0;
CREATE INDEX outbox_same_as ON outbox (record) WHERE instr(body, '"same_as"') > 0;
`, `
-- A file may be sealed: outbox.body and hash, records.live and told.body are then bytes
-- that only the file's keys open (see type vault), and the row of lock says how: see
-- type lockRow. No row: nothing is sealed.
CREATE TABLE lock (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);

-- boxed is the change as it is sent while the file is locked: sealed for the server.
ALTER TABLE outbox ADD COLUMN boxed BLOB;

-- joins says that body, or live, may hold a write of same_as. An index can't look into
-- what is sealed.
ALTER TABLE outbox ADD COLUMN joins INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN joins INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET joins = 1 WHERE instr(body, '"same_as"') > 0;
UPDATE records SET joins = 1 WHERE instr(live, '"same_as"') > 0;
DROP INDEX records_same_as;
DROP INDEX outbox_same_as;
-- "Which records may say that they are another one?"
CREATE INDEX records_joins ON records (id) WHERE joins = 1;
CREATE INDEX outbox_joins ON outbox (record) WHERE joins = 1;
`, `
-- above is 1 for an area above the device's own: it gets nothing of it but what is
-- broadcast there.
ALTER TABLE areas ADD COLUMN above INTEGER NOT NULL DEFAULT 0;
`, `
-- A row is what was set in an area: value, as JSON, holds there and below it from a day on
-- (20200131); null says that what holds above holds here.
CREATE TABLE settings (
	area     TEXT NOT NULL,
	name     TEXT NOT NULL,
	from_day INTEGER NOT NULL,
	value    TEXT NOT NULL,
	PRIMARY KEY (area, name, from_day)
) WITHOUT ROWID;

-- A row is a template that the server sent, in place of a built-in one.
CREATE TABLE templates (
	name    TEXT NOT NULL,
	version INTEGER NOT NULL,
	body    TEXT NOT NULL,
	PRIMARY KEY (name, version)
) WITHOUT ROWID;
`, `
-- What the posts of this phone watch out for, as the server sent it last under a tag: body
-- is watch.Lists as JSON, sealed where the file is.
CREATE TABLE watch (one INTEGER PRIMARY KEY CHECK (one = 1), tag TEXT NOT NULL, body TEXT NOT NULL);
`}

func migrate(tx *sql.Tx) error {
	var have int
	if err := tx.QueryRow("PRAGMA user_version").Scan(&have); err != nil {
		return fmt.Errorf("reading the file's version: %w", err)
	}
	if have > len(schemas) {
		return fmt.Errorf("the file is of version %d, made by a newer program than this (version %d)", have, len(schemas))
	}
	for ; have < len(schemas); have++ {
		if _, err := tx.Exec(schemas[have]); err != nil {
			return fmt.Errorf("bringing the file to version %d: %w", have+1, err)
		}
	}
	_, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", have))
	return err
}

// meta is where the device stands. It is small, and read and written whole.
type meta struct {
	Device syncproto.DeviceID `json:"device"`
	Epoch  syncproto.Epoch    `json:"epoch"`
	Cursor string             `json:"cursor"`
	// More says that the last answer was not the last page.
	More bool `json:"more"`
	// High is the greatest n given out.
	High uint64 `json:"high"`
	// Offset is what to add to this device's clock to get the server's, in
	// milliseconds, as measured at LastSync (of this clock).
	Offset   syncproto.Instant `json:"offset"`
	LastSync syncproto.Instant `json:"last_sync"`
	// Covered is the sum of the hashes of the changes that the latest receipt covers,
	// pruned ones included, and CoveredCount how many they are.
	Covered      syncproto.Digest `json:"covered"`
	CoveredCount uint64           `json:"covered_count"`
	Pruned       uint64           `json:"pruned"`
	// Through is the receipt's.
	Through uint64 `json:"through"`
	// Agreed says that the digest of the latest receipt was confirmed.
	Agreed bool `json:"agreed"`
	// Foreign is what the server holds under this device's name and this file does
	// not (or, Lost negative, the other way round): see settleDigest.
	Foreign      syncproto.Digest `json:"foreign"`
	ForeignCount int64            `json:"foreign_count"`
	// Offering says that everything kept is being offered again after a mismatch.
	Offering bool `json:"offering"`
	// Restarts counts areas that were fetched again because their sums disagreed.
	Restarts int `json:"restarts"`
	// Notice is what the server last remarked on a request.
	Notice *syncproto.Error `json:"notice,omitempty"`
	// Closed says that the device's time is over, and its copy destroyed: see close.
	Closed bool `json:"closed,omitempty"`
}

func readMeta(tx *sql.Tx) (meta, error) {
	var m meta
	var body string
	switch err := tx.QueryRow("SELECT body FROM meta").Scan(&body); err {
	case nil:
	case sql.ErrNoRows:
		return m, nil
	default:
		return m, fmt.Errorf("reading where the device stands: %w", err)
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return m, fmt.Errorf("reading where the device stands: %w", err)
	}
	return m, nil
}

func (m *meta) write(tx *sql.Tx) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO meta (one, body) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET body = excluded.body", string(body))
	if err != nil {
		return fmt.Errorf("keeping where the device stands: %w", err)
	}
	return nil
}

// readForms lays the forms that the server sent over set.
func readForms(tx *sql.Tx, set form.Set) (form.Set, error) {
	rows, err := tx.Query("SELECT body FROM forms ORDER BY kind, version")
	if err != nil {
		return set, fmt.Errorf("reading forms: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return set, fmt.Errorf("reading forms: %w", err)
		}
		f, err := form.Parse([]byte(body))
		if err != nil {
			return set, fmt.Errorf("reading forms: %w", err)
		}
		set = set.With(f)
	}
	return set, rows.Err()
}
