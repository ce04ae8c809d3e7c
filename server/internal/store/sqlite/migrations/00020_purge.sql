-- What a purge leaves of records that lost their content.

-- +goose Up
-- +goose StatementBegin

-- hash is the change's hash where its content is gone (said and amid are then NULL), so
-- that the chain and the receipts still hold; NULL for all others.
ALTER TABLE change_log ADD COLUMN hash BLOB;

-- purged is the version under which the record was purged. It is then a bare name, with
-- the kind that it was of; NULL for all others.
ALTER TABLE record ADD COLUMN purged INTEGER;

-- A device's pulse follows from its rows of the log after this one: those up to it may
-- have lost what it was made of.
ALTER TABLE device_state ADD COLUMN pulse_after INTEGER NOT NULL DEFAULT 0;

-- What were authors told of this record?
CREATE INDEX told_record ON told (record) WHERE record IS NOT NULL;

-- Which questions were ever about this record? It may be either of two; review_item_other
-- has those that are open.
CREATE INDEX review_item_about ON review_item (record);
CREATE INDEX review_item_closed_other ON review_item (other) WHERE closed <> 0 AND other IS NOT NULL;

-- A counter's part that no record of the log accounts for any more: counter is what the
-- log says plus what was carried here.
CREATE TABLE carried (
    area    INTEGER NOT NULL,
    measure TEXT    NOT NULL,
    day     INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (area, measure, day)
) STRICT, WITHOUT ROWID;

-- How many records that said whom a round met, in an area, were purged.
CREATE TABLE purged_visit (
    round BLOB    NOT NULL,
    area  INTEGER NOT NULL,
    n     INTEGER NOT NULL,
    PRIMARY KEY (round, area)
) STRICT, WITHOUT ROWID;

-- A purge: one line for each time that somebody, or the schedule (by is NULL), had records
-- of a kind purged that were older than a day (older, as 20200131). began and version are
-- the versions of the first and the last record that it took, at is when it took the last.
-- It holds nothing of what they said.
CREATE TABLE purge (
    began   INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    by      BLOB,
    kind    TEXT    NOT NULL,
    area    TEXT    NOT NULL,
    older   INTEGER NOT NULL,
    records INTEGER NOT NULL,
    changes INTEGER NOT NULL
) STRICT;
-- +goose StatementEnd
