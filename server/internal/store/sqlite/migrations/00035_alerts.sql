-- What is told at once, what restates a day, and whom the server tells.

-- +goose Up
-- +goose StatementBegin

-- Something that somebody may want to hear of at once. seq rises in the order of commits,
-- with no hole: whoever has heard everything up to one misses nothing before it. what is
-- flag, closed, returned or settled; detail is the flag, the day, or the kind of question.
-- It names no person. Lines are never altered.
CREATE TABLE alert (
    seq     INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    area    INTEGER NOT NULL,
    what    TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    record  BLOB CHECK (record IS NULL OR length(record) = 16),
    detail  TEXT    NOT NULL,
    item    BLOB CHECK (item IS NULL OR length(item) = 16),
    ending  TEXT    NOT NULL
) STRICT;

-- By how much a record moved a figure of a day after that was signed. Those with a greater
-- version than the signature have restated it; those before restated one that was replaced.
CREATE TABLE restating (
    signature BLOB    NOT NULL CHECK (length(signature) = 16),
    version   INTEGER NOT NULL,
    record    BLOB    NOT NULL CHECK (length(record) = 16),
    measure   TEXT    NOT NULL,
    n         INTEGER NOT NULL,
    PRIMARY KEY (signature, version, record, measure)
) STRICT, WITHOUT ROWID;

-- Which record signs this area's day?
CREATE INDEX signature_area_day ON signature (area, day);

-- Another system that wants to hear of what happens in an area and below it. target is
-- where it is reached and the secret by which it knows us, sealed; events are names of
-- events, with spaces between. The alerts up to position are in delivery, as far as it
-- wants them. ended is when somebody, or the receiver itself, ended it (ending says
-- which); 0 while it is in use.
CREATE TABLE hook (
    id       BLOB    PRIMARY KEY CHECK (length(id) = 16),
    area     TEXT    NOT NULL,
    events   TEXT    NOT NULL,
    target   BLOB    NOT NULL,
    by       BLOB CHECK (by IS NULL OR length(by) = 16),
    made     INTEGER NOT NULL,
    position INTEGER NOT NULL,
    ended    INTEGER NOT NULL DEFAULT 0,
    ending   TEXT    NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- Which hooks are there in these areas?
CREATE INDEX hook_area ON hook (area, made);

-- One alert for one hook. Those of one hook and area go out one after the other. state is
-- waiting, delivered or given_up; due is when it is tried next; until then nobody tries it
-- whose lease is not the one here: claimed is when that ends. status is the receiver's last
-- answer, 0 if there was none, and failure says in words of ours what was wrong.
CREATE TABLE delivery (
    hook     BLOB    NOT NULL REFERENCES hook (id),
    seq      INTEGER NOT NULL REFERENCES alert (seq),
    area     INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    attempts INTEGER NOT NULL,
    due      INTEGER NOT NULL,
    claimed  INTEGER NOT NULL,
    tried    INTEGER NOT NULL,
    status   INTEGER NOT NULL,
    failure  TEXT    NOT NULL,
    PRIMARY KEY (hook, seq)
) STRICT, WITHOUT ROWID;

-- What goes out next to this hook, area by area?
CREATE INDEX delivery_waiting ON delivery (hook, area, seq) WHERE state = 'waiting';
-- +goose StatementEnd
