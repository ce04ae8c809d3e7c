-- The schema of one gridsync database on SQLite.
--
-- UUIDs are 16 bytes. Instants are milliseconds since 1970-01-01T00:00:00Z, days
-- are 20200131. What is repeated in many rows (a device, an author, a kind, an
-- area's code) is a small number that points into a table of its own: a log row
-- then costs little more than what its author typed.
--
-- References are declared for the reader and for the check in the tests; they are
-- not enforced while rows are written (see DESIGN.md).

-- +goose Up
-- +goose StatementBegin

-- The one row of meta says which history this is (epoch), the greatest number that
-- was given out as a place in the log or as a version (last_number), when the last
-- group was received (as_of), and how often areas or identities changed (revision).
-- last_number and revision only rise.
CREATE TABLE meta (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    epoch       BLOB    NOT NULL CHECK (length(epoch) = 16),
    last_number INTEGER NOT NULL,
    as_of       INTEGER NOT NULL,
    revision    INTEGER NOT NULL
) STRICT;

-- A device that was enrolled or that a change came from. name is NULL for one that
-- only the log speaks of. Rows are never deleted: the log points at them.
CREATE TABLE device (
    key     INTEGER PRIMARY KEY,
    id      BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    name    TEXT,
    revoked INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A person who records. name is NULL for one that only the log, or a device's list
-- of authors, speaks of.
CREATE TABLE author (
    key  INTEGER PRIMARY KEY,
    id   BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    name TEXT
) STRICT;

-- Who records on a device, in the order in which they were given. The order decides
-- the order of the device's scope.
CREATE TABLE device_author (
    device INTEGER NOT NULL REFERENCES device (key),
    ordinal INTEGER NOT NULL,
    author INTEGER NOT NULL REFERENCES author (key),
    PRIMARY KEY (device, ordinal)
) STRICT, WITHOUT ROWID;

-- An author may act in an area, named by its code, from from_at until before to_at
-- (0: open). The same grant given twice is one row.
CREATE TABLE entitlement (
    key     INTEGER PRIMARY KEY,
    author  INTEGER NOT NULL REFERENCES author (key),
    area    TEXT    NOT NULL,
    role    TEXT    NOT NULL,
    from_at INTEGER NOT NULL,
    to_at   INTEGER NOT NULL,
    UNIQUE (author, area, role, from_at, to_at)
) STRICT;

-- A node of the tree of areas. Its key stands in cursors, feeds and counters, and is
-- never given to another area: rows are never deleted, and the next key is one more
-- than the greatest.
CREATE TABLE area (
    key       INTEGER PRIMARY KEY,
    code      TEXT    NOT NULL UNIQUE,
    name      TEXT    NOT NULL,
    parent    TEXT    NOT NULL,
    first_day INTEGER NOT NULL,
    last_day  INTEGER NOT NULL
) STRICT;

-- A kind of record that some change named, whether or not there is a form for it.
CREATE TABLE kind (
    key  INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- A place is an area's code as some change spelled it. It is not a node of the tree:
-- a change may name an area that nobody has imported yet, and waits for it.
CREATE TABLE place (
    key  INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE
) STRICT;

-- A record that some change speaks of. While all its changes are parked it is only a
-- name: version is 0 and the columns about its state are NULL.
--
-- Else it stands in one feed (area.key * 2, plus 1 for the stream "history") under
-- the version of its last change. live holds its live parts as JSON; NULL means that
-- it is one change with all its fields alive, the log row with seq = version, so that
-- what most records are, an entry nobody touched again, is stored once.
CREATE TABLE record (
    key     INTEGER PRIMARY KEY,
    id      BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    kind    INTEGER REFERENCES kind (key),
    area    INTEGER REFERENCES place (key),
    feed    INTEGER,
    version INTEGER NOT NULL DEFAULT 0,
    live    TEXT
) STRICT;

-- What is in this feed after this version? A record that changes moves to the feed's
-- end by the very update that changes it. The kind stands beside so that a roster of
-- one kind steps over the others without reading them.
CREATE INDEX record_feed ON record (feed, version, kind) WHERE feed IS NOT NULL;

-- A record left a feed for another one, under the version of the change that moved
-- it. Together with record_feed this is everything that a reader of the feed hears.
CREATE TABLE gone (
    feed    INTEGER NOT NULL,
    version INTEGER NOT NULL,
    record  INTEGER NOT NULL REFERENCES record (key),
    PRIMARY KEY (feed, version, record)
) STRICT, WITHOUT ROWID;

-- The change log: one row for each statement that could be read, for ever. seq is its
-- place, from the same counter as versions, so that rows append to the table's end.
--
-- released is NULL for a change that became visible under its own seq, 0 while it is
-- parked, and the later version under which it became visible when it no longer is.
-- Only released, verdict, reason and field ever change, and only of parked rows.
-- fields and extra are the bytes that the device wrote. verdict: 1 applied, 2 merged,
-- 3 disputed, 4 parked.
CREATE TABLE change_log (
    seq      INTEGER PRIMARY KEY,
    id       BLOB    NOT NULL,
    device   INTEGER NOT NULL REFERENCES device (key),
    n        INTEGER NOT NULL,
    author   INTEGER NOT NULL REFERENCES author (key),
    kind     INTEGER NOT NULL REFERENCES kind (key),
    record   INTEGER NOT NULL REFERENCES record (key),
    area     INTEGER NOT NULL REFERENCES place (key),
    base     INTEGER NOT NULL,
    fields   TEXT    NOT NULL,
    amid     TEXT,
    decides  INTEGER NOT NULL DEFAULT 0,
    at       INTEGER NOT NULL,
    form     INTEGER NOT NULL,
    extra    TEXT,
    time     INTEGER NOT NULL,
    earliest INTEGER NOT NULL,
    latest   INTEGER NOT NULL,
    received INTEGER NOT NULL,
    released INTEGER,
    verdict  INTEGER NOT NULL,
    reason   TEXT,
    field    TEXT
) STRICT;

-- Is this change of this device here already? The retry key: a number is used once.
CREATE UNIQUE INDEX change_log_retry ON change_log (device, n);

-- What was ever said about this record, in order?
CREATE INDEX change_log_record ON change_log (record, seq);

-- What waits, the oldest first?
CREATE INDEX change_log_parked ON change_log (seq) WHERE released = 0;

-- How much waits that names this area?
CREATE INDEX change_log_parked_area ON change_log (area) WHERE released = 0;

-- The end of a feed: its greatest version, the fingerprint of the records in it (64
-- bits, as a signed number) and how many they are.
CREATE TABLE head (
    feed    INTEGER PRIMARY KEY,
    last    INTEGER NOT NULL,
    sum     INTEGER NOT NULL,
    records INTEGER NOT NULL
) STRICT;

-- What a device has delivered and when it was last heard of. missing (spans) and
-- parked (numbers with reasons) are JSON, NULL when there are none.
CREATE TABLE device_state (
    device         INTEGER PRIMARY KEY REFERENCES device (key),
    high           INTEGER NOT NULL,
    missing        TEXT,
    held           INTEGER NOT NULL,
    digest         BLOB    NOT NULL,
    stamp_time     INTEGER NOT NULL,
    stamp_earliest INTEGER NOT NULL,
    stamp_latest   INTEGER NOT NULL,
    contact_server INTEGER NOT NULL,
    contact_device INTEGER NOT NULL,
    contact_high   INTEGER NOT NULL,
    unsent         INTEGER NOT NULL,
    app            TEXT    NOT NULL,
    parked         TEXT
) STRICT;

-- A counter: what the records of an area add to a measure on a day. It moves with the
-- records, in the same transaction. The key's order lets a standing measure be summed
-- over its days in one range.
CREATE TABLE counter (
    area    INTEGER NOT NULL,
    measure TEXT    NOT NULL,
    day     INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (area, measure, day)
) STRICT, WITHOUT ROWID;

-- A person was met in a round, says a visit. The key answers both questions: whom did
-- this round meet, in order of persons, and did that round meet this one?
CREATE TABLE sighting (
    round  BLOB    NOT NULL,
    person BLOB    NOT NULL,
    visit  BLOB    NOT NULL,
    area   INTEGER NOT NULL,
    author INTEGER NOT NULL REFERENCES author (key),
    at     INTEGER NOT NULL,
    PRIMARY KEY (round, person, visit)
) STRICT, WITHOUT ROWID;

-- A question for a person: one field of one record. closed is 0 while it is open; a
-- question that arises again is the same row, opened again.
CREATE TABLE review_item (
    record INTEGER NOT NULL REFERENCES record (key),
    field  TEXT    NOT NULL,
    kind   TEXT    NOT NULL,
    area   INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (record, field, kind)
) STRICT, WITHOUT ROWID;

-- What lies open on these areas' desks, in order?
CREATE INDEX review_item_open ON review_item (area, opened) WHERE closed = 0;
-- +goose StatementEnd
