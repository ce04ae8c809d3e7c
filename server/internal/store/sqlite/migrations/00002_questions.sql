-- What the log's chain, the desks and the questions on them need kept.

-- +goose Up
-- +goose StatementBegin

-- derivation numbers the rules by which everything that follows from the log was
-- written: a database that says less than the program is derived anew.
ALTER TABLE meta ADD COLUMN derivation INTEGER NOT NULL DEFAULT 0;

-- admitted says, as JSON, how a person let a parked change in; NULL for all others.
-- Like released, it changes only for rows that were parked.
ALTER TABLE change_log ADD COLUMN admitted TEXT;

-- chain is the row's link: 32 bytes that follow from the row and the link of the row
-- before. NULL only for rows written before there was a chain, until they are given
-- theirs; a link that is there never changes.
ALTER TABLE change_log ADD COLUMN chain BLOB;

-- What did this author ever write, on whatever device, the newest first?
CREATE INDEX change_log_author ON change_log (author, seq);

-- told is the version of the last thing that the device's authors are to hear.
ALTER TABLE device_state ADD COLUMN told INTEGER NOT NULL DEFAULT 0;

-- pulse is what the checks of forms remember of the device's latest entries; NULL where
-- nobody watches.
ALTER TABLE device_state ADD COLUMN pulse BLOB;

-- A question for a person: one row for each key (kind, record, field), under the id
-- that follows from it. A question that arises again is the same row, opened again.
--
-- record is 16 zero bytes for a question about no record. other is the second record of
-- a question about two, NULL for others. closed is 0 while it is open, and ended,
-- ending and by are then 0, empty and NULL. evidence is JSON.
DROP TABLE review_item;
CREATE TABLE review_item (
    id       BLOB    PRIMARY KEY CHECK (length(id) = 16),
    kind     TEXT    NOT NULL,
    record   BLOB    NOT NULL CHECK (length(record) = 16),
    field    TEXT    NOT NULL,
    other    BLOB,
    area     INTEGER NOT NULL,
    opened   INTEGER NOT NULL,
    closed   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    ended    INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    ending   TEXT    NOT NULL,
    by       BLOB,
    assignee BLOB,
    score    INTEGER NOT NULL,
    evidence TEXT,
    sample   BLOB
) STRICT, WITHOUT ROWID;

-- What lies open on these areas' desks, in order, and how many of each kind?
CREATE INDEX review_item_open ON review_item (area, opened, id, kind) WHERE closed = 0;

-- Which open questions about two records are about this one? It may be either.
CREATE INDEX review_item_record ON review_item (record) WHERE closed = 0 AND other IS NOT NULL;
CREATE INDEX review_item_other ON review_item (other) WHERE closed = 0 AND other IS NOT NULL;

-- What happened to a question, line by line: ordinal counts from 0 in the order in
-- which it happened. changes are those of a decision, as JSON. Rows are only added.
CREATE TABLE review_event (
    item    BLOB    NOT NULL REFERENCES review_item (id),
    ordinal INTEGER NOT NULL,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    what    TEXT    NOT NULL,
    by      BLOB,
    detail  TEXT    NOT NULL,
    changes TEXT,
    PRIMARY KEY (item, ordinal)
) STRICT, WITHOUT ROWID;

-- The blocked index: a record stands under each of its keys. A key is an unsigned
-- number of 64 bits less 2^63, so that the order of keys is kept. The table's own
-- order is the question: who stands in this range?
CREATE TABLE match_key (
    key    INTEGER NOT NULL,
    record INTEGER NOT NULL REFERENCES record (key),
    PRIMARY KEY (key, record)
) STRICT, WITHOUT ROWID;

-- A record that turned out to be another one. The other may have turned out to be a
-- third one in its turn.
CREATE TABLE link (
    record BLOB PRIMARY KEY CHECK (length(record) = 16),
    became BLOB NOT NULL CHECK (length(became) = 16)
) STRICT, WITHOUT ROWID;

-- Who turned out to be this one?
CREATE INDEX link_became ON link (became);

-- A day that was signed for an area, by the record that signs it: the figures as
-- signed, and by how much each has moved since, both JSON, NULL when empty. scope is a
-- fingerprint of the areas that counted into drift: where others do now, it is stale.
CREATE TABLE signature (
    record  BLOB    PRIMARY KEY CHECK (length(record) = 16),
    area    INTEGER NOT NULL,
    day     INTEGER NOT NULL,
    figures TEXT,
    drift   TEXT,
    scope   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the authors of a device are to hear, as JSON. What one version brought is
-- written at once and told at once.
CREATE TABLE told (
    device  INTEGER NOT NULL REFERENCES device (key),
    version INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    body    TEXT    NOT NULL,
    PRIMARY KEY (device, version, ordinal)
) STRICT, WITHOUT ROWID;
-- +goose StatementEnd
