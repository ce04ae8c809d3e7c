-- The schema of one gridsync database on PostgreSQL: the tables and columns that SQLite's
-- schema has come to, in one step, as there was no release before on this engine.
--
-- UUIDs are 16 bytes. Instants are milliseconds since 1970-01-01T00:00:00Z, days are
-- 20200131. Numbers are BIGINT, yes and no are 1 and 0, and every text that is compared is
-- COLLATE "C": the order of bytes, as in SQLite and in Go. What is repeated in many rows (a
-- device, an author, a kind, an area's code) is a small number that points into a table of
-- its own.
--
-- References are said in words and not declared: all keys come from the writer itself, and
-- enforcing them would cost lookups in every row. The tests check them.
--
-- A sealed text is a BYTEA made by the package seal, bound to its row by the row's own
-- numbers. It opens with a key that isn't in the database.
--
-- In a table of which rows are altered at every group, pages keep room for the row's next
-- form (fillfactor), so that no index hears of it.

-- +goose Up

-- The one row of meta says which history this is (epoch), the greatest number that was given
-- out as a place in the log or as a version (last_number), when the last group was received
-- (as_of), and how often areas or identities changed (revision). derivation numbers the rules
-- by which everything was written that follows from the log, rules is the fingerprint of the
-- forms and settings, digest that of the key by which match_key was digested: a database that
-- says otherwise than the program is derived anew. shape is the fingerprint of total_tree.
-- last_number and revision only rise.
--
-- Who writes holds the lock on writing (see DESIGN.md), so that numbers are given out in the
-- order in which they become visible.
CREATE TABLE meta (
    one         BIGINT PRIMARY KEY CHECK (one = 1),
    epoch       BYTEA  NOT NULL CHECK (length(epoch) = 16),
    last_number BIGINT NOT NULL,
    as_of       BIGINT NOT NULL,
    revision    BIGINT NOT NULL,
    derivation  BIGINT NOT NULL DEFAULT 0,
    digest      BIGINT NOT NULL DEFAULT 0,
    shape       BIGINT NOT NULL DEFAULT 0,
    rules       BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

-- A key by which something in this database is, or may be, sealed; and a fingerprint by which
-- another key of the same number is told from it. The greatest seals. What is sealed with a
-- key that has no row here is a mistake.
CREATE TABLE seal_key (
    id    BIGINT PRIMARY KEY,
    print BIGINT NOT NULL
);

-- A device that was enrolled or that a change came from. name is NULL for one that only the
-- log speaks of. status is empty for a device in use, or retired, lost or suspended, since an
-- instant. public is the key with which the device proves that it is itself; NULL for one
-- that never registered. Rows are never deleted: the log points at them.
CREATE TABLE device (
    key    BIGINT PRIMARY KEY,
    id     BYTEA  NOT NULL UNIQUE CHECK (length(id) = 16),
    name   TEXT,
    status TEXT   COLLATE "C" NOT NULL DEFAULT '',
    since  BIGINT NOT NULL DEFAULT 0,
    public BYTEA
);

-- A person who records. name is NULL for one that only the log, or a device's list of
-- authors, speaks of.
CREATE TABLE author (
    key  BIGINT PRIMARY KEY,
    id   BYTEA  NOT NULL UNIQUE CHECK (length(id) = 16),
    name TEXT
);

-- Who (author.key) records on a device (device.key), in the order in which they were given.
-- The order decides the order of the device's scope.
CREATE TABLE device_author (
    device  BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    author  BIGINT NOT NULL,
    PRIMARY KEY (device, ordinal)
);

-- An author (author.key) may act in an area, named by its code, from from_at until before
-- to_at (0: open). A grant is one for its author, area, role and beginning: ending it early
-- moves to_at. key says in which order grants came.
CREATE TABLE entitlement (
    key     BIGINT PRIMARY KEY,
    author  BIGINT NOT NULL,
    area    TEXT   COLLATE "C" NOT NULL,
    role    TEXT   COLLATE "C" NOT NULL,
    from_at BIGINT NOT NULL,
    to_at   BIGINT NOT NULL,
    UNIQUE (author, area, role, from_at)
);

-- A node of the tree of areas. Its key stands in cursors, feeds and counters, and is never
-- given to another area: rows are never deleted, and the next key is one more than the
-- greatest.
CREATE TABLE area (
    key       BIGINT PRIMARY KEY,
    code      TEXT   COLLATE "C" NOT NULL UNIQUE,
    name      TEXT   NOT NULL,
    parent    TEXT   COLLATE "C" NOT NULL,
    first_day BIGINT NOT NULL,
    last_day  BIGINT NOT NULL
);

-- A kind of record that some change named, whether or not there is a form for it.
CREATE TABLE kind (
    key  BIGINT PRIMARY KEY,
    name TEXT   COLLATE "C" NOT NULL UNIQUE
);

-- A place is an area's code as some change spelled it. It is not a node of the tree: a change
-- may name an area that nobody has imported yet, and waits for it.
CREATE TABLE place (
    key  BIGINT PRIMARY KEY,
    code TEXT   COLLATE "C" NOT NULL UNIQUE
);

-- A record that some change speaks of, its kind (kind.key) and area (place.key). While all
-- its changes are parked it is only a name: version is 0 and the columns about its state are
-- NULL.
--
-- Else it stands in one feed (area.key * 2, plus 1 for the stream "history") under the
-- version of its last change. parts is its live parts as JSON, sealed to id and version; NULL
-- means that it is one change with all its fields alive, the log row with seq = version, so
-- that what most records are, an entry nobody touched again, is stored once.
--
-- purged is the version under which the record was purged. It is then a bare name, with the
-- kind that it was of; NULL for all others.
CREATE TABLE record (
    key     BIGINT PRIMARY KEY,
    kind    BIGINT,
    area    BIGINT,
    feed    BIGINT,
    version BIGINT NOT NULL DEFAULT 0,
    purged  BIGINT,
    id      BYTEA  NOT NULL UNIQUE CHECK (length(id) = 16),
    parts   BYTEA
);

-- What is in this feed after this version? A record that changes moves to the feed's end by
-- the very update that changes it. The kind stands beside so that a roster of one kind steps
-- over the others without reading them.
CREATE INDEX record_feed ON record (feed, version, kind) WHERE feed IS NOT NULL;

-- A record (record.key) left a feed for another one, under the version of the change that
-- moved it. Together with record_feed this is everything that a reader of the feed hears.
CREATE TABLE gone (
    feed    BIGINT NOT NULL,
    version BIGINT NOT NULL,
    record  BIGINT NOT NULL,
    PRIMARY KEY (feed, version, record)
);

-- The change log: one row for each statement that could be read, for ever. seq is its place,
-- from the same counter as versions, so that rows append to the table's end. device, author,
-- kind, record and area are keys of the tables of those names (area of place).
--
-- released is NULL for a change that became visible under its own seq, 0 while it is parked,
-- and the later version under which it became visible when it no longer is. admitted says, as
-- JSON, how a person let a parked change in; NULL for all others. Only released, verdict,
-- reason, field and admitted ever change, and only of parked rows. verdict: 1 applied, 2
-- merged, 3 disputed, 4 parked.
--
-- said is all that the author's device wrote of the change: its id (16 bytes), the length of
-- fields (uvarint), fields, and what this program doesn't know, or nothing; sealed to seq.
-- NULL where the content is gone. The id is among it since it is random: without it nobody can
-- find what was said by trying, from chain or a device's digest. hash is the change's hash
-- where its content is gone (said and amid are then NULL), so that the chain and the receipts
-- still hold; NULL for all others.
--
-- chain is the row's link: 32 bytes that follow from the row and the link of the row before.
-- A link that is there never changes.
CREATE TABLE change_log (
    seq      BIGINT PRIMARY KEY,
    device   BIGINT NOT NULL,
    n        BIGINT NOT NULL,
    author   BIGINT NOT NULL,
    kind     BIGINT NOT NULL,
    record   BIGINT NOT NULL,
    area     BIGINT NOT NULL,
    base     BIGINT NOT NULL,
    decides  BIGINT NOT NULL DEFAULT 0,
    at       BIGINT NOT NULL,
    form     BIGINT NOT NULL,
    time     BIGINT NOT NULL,
    earliest BIGINT NOT NULL,
    latest   BIGINT NOT NULL,
    received BIGINT NOT NULL,
    released BIGINT,
    verdict  BIGINT NOT NULL,
    amid     TEXT,
    reason   TEXT COLLATE "C",
    field    TEXT COLLATE "C",
    admitted TEXT,
    chain    BYTEA,
    said     BYTEA,
    hash     BYTEA
);

-- Sealed bytes don't get smaller: nobody should try.
ALTER TABLE change_log ALTER COLUMN said SET STORAGE EXTERNAL;
ALTER TABLE record ALTER COLUMN parts SET STORAGE EXTERNAL;

-- Is this change of this device here already? The retry key: a number is used once.
CREATE UNIQUE INDEX change_log_retry ON change_log (device, n);

-- What was ever said about this record, in order?
CREATE INDEX change_log_record ON change_log (record, seq);

-- What waits, the oldest first?
CREATE INDEX change_log_parked ON change_log (seq) WHERE released = 0;

-- How much waits that names this area, of which device? Every total says so, and must not
-- read the log for it.
CREATE INDEX change_log_parked_area ON change_log (area, device) WHERE released = 0;

-- Which rows of the log are this author's (author.key), on whatever device? Runs of them: of
-- the log's rows from first to last, all are the author's. A batch of a phone is one run, as
-- rule.
CREATE TABLE author_run (
    author BIGINT NOT NULL,
    first  BIGINT NOT NULL,
    last   BIGINT NOT NULL,
    PRIMARY KEY (author, first)
);

-- The end of a feed: its greatest version, the fingerprint of the records in it (64 bits, as
-- a signed number) and how many they are.
CREATE TABLE head (
    feed    BIGINT PRIMARY KEY,
    last    BIGINT NOT NULL,
    sum     BIGINT NOT NULL,
    records BIGINT NOT NULL
) WITH (fillfactor = 50);

-- What a device (device.key) has delivered and when it was last heard of. missing (spans) and
-- parked (numbers with reasons) are JSON, NULL when there are none. told is the version of the
-- last thing that the device's authors are to hear. beats is what the checks of forms remember
-- of the device's latest entries, sealed to device; NULL where nobody watches. It follows from
-- the device's rows of the log after pulse_after: those up to it may have lost what it was
-- made of.
CREATE TABLE device_state (
    device         BIGINT PRIMARY KEY,
    high           BIGINT NOT NULL,
    held           BIGINT NOT NULL,
    stamp_time     BIGINT NOT NULL,
    stamp_earliest BIGINT NOT NULL,
    stamp_latest   BIGINT NOT NULL,
    contact_server BIGINT NOT NULL,
    contact_device BIGINT NOT NULL,
    contact_high   BIGINT NOT NULL,
    unsent         BIGINT NOT NULL,
    told           BIGINT NOT NULL DEFAULT 0,
    pulse_after    BIGINT NOT NULL DEFAULT 0,
    digest         BYTEA  NOT NULL,
    app            TEXT   NOT NULL,
    missing        TEXT,
    parked         TEXT,
    beats          BYTEA
) WITH (fillfactor = 50);

-- A counter: what the records of an area add to a measure on a day. It moves with the
-- records, in the same transaction. The key's order lets a standing measure be summed over its
-- days in one range.
CREATE TABLE counter (
    area    BIGINT NOT NULL,
    measure TEXT   COLLATE "C" NOT NULL,
    day     BIGINT NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (area, measure, day)
) WITH (fillfactor = 70);

-- A counter's part that no record of the log accounts for any more: counter is what the log
-- says plus what was carried here.
CREATE TABLE carried (
    area    BIGINT NOT NULL,
    measure TEXT   COLLATE "C" NOT NULL,
    day     BIGINT NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (area, measure, day)
);

-- What a measure comes to in an area and all below it. slot is a month (120200100) or a year
-- (220200000), or a day (20200131): of a day, n is what lies below alone, as the area's own
-- stands in counter, which most areas have nothing else of. Rows move with the counters, in
-- the same transaction. The key's order lets some slots of a measure be summed in one range.
CREATE TABLE total (
    area    BIGINT NOT NULL,
    measure TEXT   COLLATE "C" NOT NULL,
    slot    BIGINT NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (area, measure, slot)
) WITH (fillfactor = 70);

-- Which area lay below which when total was last written; parent is 0 for one that lay below
-- none. An area that is put below another one takes its sums along in the next group. An area
-- that is new has no row until then, and nothing is counted in it.
CREATE TABLE total_tree (
    area   BIGINT PRIMARY KEY,
    parent BIGINT NOT NULL
);

-- A record belonged to this area once, and counts there for its days, though it is listed in
-- another: without these a total would not open to all of its rows.
CREATE TABLE lodging (
    area   BIGINT NOT NULL,
    record BYTEA  NOT NULL,
    PRIMARY KEY (area, record)
);

-- A person was met in a round, says a visit by an author (author.key). The key answers both
-- questions: whom did this round meet, in order of persons, and did that round meet this one?
CREATE TABLE sighting (
    round  BYTEA  NOT NULL,
    person BYTEA  NOT NULL,
    visit  BYTEA  NOT NULL,
    area   BIGINT NOT NULL,
    author BIGINT NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (round, person, visit)
);

-- A visit by an author (author.key) went to a household in a round. outcome is a choice of
-- the form's, empty for anything else. Which households did this round reach, and how?
CREATE TABLE visited (
    round     BYTEA  NOT NULL,
    household BYTEA  NOT NULL,
    visit     BYTEA  NOT NULL,
    area      BIGINT NOT NULL,
    outcome   TEXT   COLLATE "C" NOT NULL,
    author    BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (round, household, visit)
);

-- A household that there is, or was: from the day found until before the day left_day
-- (99999999 while nobody says that it left). Households that turned out to be one have one
-- row, so that a round counts them once, as totals do. tenure is a choice of the form's or
-- empty.
CREATE TABLE dwelling (
    household BYTEA  PRIMARY KEY,
    area      BIGINT NOT NULL,
    tenure    TEXT   COLLATE "C" NOT NULL,
    found     BIGINT NOT NULL,
    left_day  BIGINT NOT NULL
);

-- Which households are in this area?
CREATE INDEX dwelling_area ON dwelling (area, household);

-- A record names another one in a field that its form calls indexed; kind is kind.key. Which
-- records name this one?
CREATE TABLE reference (
    target BYTEA  NOT NULL,
    kind   BIGINT NOT NULL,
    field  TEXT   COLLATE "C" NOT NULL,
    record BYTEA  NOT NULL,
    area   BIGINT NOT NULL,
    PRIMARY KEY (target, kind, record, field)
);

-- How many records that said whom a round met, in an area, were purged.
CREATE TABLE purged_visit (
    round BYTEA  NOT NULL,
    area  BIGINT NOT NULL,
    n     BIGINT NOT NULL,
    PRIMARY KEY (round, area)
);

-- A purge: one line for each time that somebody, or the schedule (by is NULL), had records of
-- a kind purged that were older than a day (older, as 20200131). began and version are the
-- versions of the first and the last record that it took, at is when it took the last. It
-- holds nothing of what they said.
CREATE TABLE purge (
    began   BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    by      BYTEA,
    kind    TEXT   COLLATE "C" NOT NULL,
    area    TEXT   COLLATE "C" NOT NULL,
    older   BIGINT NOT NULL,
    records BIGINT NOT NULL,
    changes BIGINT NOT NULL
);

-- A question for a person: one row for each key (kind, record, field), under the id that
-- follows from it. A question that arises again is the same row, opened again.
--
-- record is 16 zero bytes for a question about no record. other is the second record of a
-- question about two, NULL for others. closed is 0 while it is open, and ended, ending and by
-- are then 0, empty and NULL. proof is what speaks for the question, as JSON, sealed to id;
-- NULL for nothing.
CREATE TABLE review_item (
    id       BYTEA  PRIMARY KEY CHECK (length(id) = 16),
    kind     TEXT   COLLATE "C" NOT NULL,
    record   BYTEA  NOT NULL CHECK (length(record) = 16),
    field    TEXT   COLLATE "C" NOT NULL,
    other    BYTEA,
    area     BIGINT NOT NULL,
    opened   BIGINT NOT NULL,
    closed   BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    ended    BIGINT NOT NULL,
    state    TEXT   COLLATE "C" NOT NULL,
    ending   TEXT   COLLATE "C" NOT NULL,
    by       BYTEA,
    assignee BYTEA,
    score    BIGINT NOT NULL,
    sample   BYTEA,
    proof    BYTEA
);

-- What lies open on these areas' desks, in order, and how many of each kind?
CREATE INDEX review_item_open ON review_item (area, opened, id, kind) WHERE closed = 0;

-- Which open questions about two records are about this one? It may be either.
CREATE INDEX review_item_record ON review_item (record) WHERE closed = 0 AND other IS NOT NULL;
CREATE INDEX review_item_other ON review_item (other) WHERE closed = 0 AND other IS NOT NULL;

-- Which questions were ever about this record? It may be either of two; review_item_other has
-- those that are open.
CREATE INDEX review_item_about ON review_item (record);
CREATE INDEX review_item_closed_other ON review_item (other) WHERE closed <> 0 AND other IS NOT NULL;

-- What happened to a question (review_item.id), line by line: ordinal counts from 0 in the
-- order in which it happened. said is what is told of it, behind its length (uvarint), and the
-- changes of a decision as JSON, or nothing; sealed to item and ordinal. NULL where there is
-- neither. Rows are only added.
CREATE TABLE review_event (
    item    BYTEA  NOT NULL,
    ordinal BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    what    TEXT   COLLATE "C" NOT NULL,
    by      BYTEA,
    said    BYTEA,
    PRIMARY KEY (item, ordinal)
);

-- The blocked index: a record (record.key) stands under each of its keys. A key is an
-- unsigned number of 64 bits less 2^63, so that the order of keys is kept. The table's own
-- order is the question: who stands in this range?
CREATE TABLE match_key (
    key    BIGINT NOT NULL,
    record BIGINT NOT NULL,
    PRIMARY KEY (key, record)
);

-- A record that turned out to be another one. The other may have turned out to be a third one
-- in its turn.
CREATE TABLE link (
    record BYTEA PRIMARY KEY CHECK (length(record) = 16),
    became BYTEA NOT NULL CHECK (length(became) = 16)
);

-- Who turned out to be this one?
CREATE INDEX link_became ON link (became);

-- A day that was signed for an area, by the record that signs it: the figures as signed, and
-- by how much each has moved since, both JSON, NULL when empty. scope is a fingerprint of the
-- areas that counted into drift: where others do now, it is stale.
CREATE TABLE signature (
    record  BYTEA  PRIMARY KEY CHECK (length(record) = 16),
    area    BIGINT NOT NULL,
    day     BIGINT NOT NULL,
    figures TEXT,
    drift   TEXT,
    scope   BIGINT NOT NULL
);

-- Which record signs this area's day?
CREATE INDEX signature_area_day ON signature (area, day);

-- By how much a record moved a figure of a day after that was signed. Those with a greater
-- version than the signature have restated it; those before restated one that was replaced.
CREATE TABLE restating (
    signature BYTEA  NOT NULL CHECK (length(signature) = 16),
    version   BIGINT NOT NULL,
    record    BYTEA  NOT NULL CHECK (length(record) = 16),
    measure   TEXT   COLLATE "C" NOT NULL,
    n         BIGINT NOT NULL,
    PRIMARY KEY (signature, version, record, measure)
);

-- Which figures of signed days did this record move? A purge takes the rows away: beside its
-- name they would keep what it said.
CREATE INDEX restating_record ON restating (record);

-- What the authors of a device (device.key) are to hear, as JSON, sealed to device, version
-- and ordinal; record is what it is about. What one version brought is written at once and
-- told at once.
CREATE TABLE told (
    device  BIGINT NOT NULL,
    version BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    said    BYTEA,
    record  BYTEA,
    PRIMARY KEY (device, version, ordinal)
);

-- What were authors told of this record?
CREATE INDEX told_record ON told (record) WHERE record IS NOT NULL;

-- Something that somebody may want to hear of at once. seq rises in the order of commits,
-- with no hole: whoever has heard everything up to one misses nothing before it. what is
-- flag, closed, returned or settled; detail is the flag, the day, or the kind of question. It
-- names no person. Lines are never altered, but that a purge takes a record's name out.
CREATE TABLE alert (
    seq     BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    area    BIGINT NOT NULL,
    what    TEXT   COLLATE "C" NOT NULL,
    kind    TEXT   COLLATE "C" NOT NULL,
    record  BYTEA  CHECK (record IS NULL OR length(record) = 16),
    detail  TEXT   NOT NULL,
    item    BYTEA  CHECK (item IS NULL OR length(item) = 16),
    ending  TEXT   COLLATE "C" NOT NULL
);

-- Which alerts name this record?
CREATE INDEX alert_record ON alert (record) WHERE record IS NOT NULL;

-- Another system that wants to hear of what happens in an area and below it. target is where
-- it is reached and the secret by which it knows us, sealed to id; events are names of events,
-- with spaces between. The alerts up to position are in delivery, as far as it wants them.
-- ended is when somebody, or the receiver itself, ended it (ending says which); 0 while it is
-- in use.
CREATE TABLE hook (
    id       BYTEA  PRIMARY KEY CHECK (length(id) = 16),
    area     TEXT   COLLATE "C" NOT NULL,
    events   TEXT   NOT NULL,
    target   BYTEA  NOT NULL,
    by       BYTEA  CHECK (by IS NULL OR length(by) = 16),
    made     BIGINT NOT NULL,
    position BIGINT NOT NULL,
    ended    BIGINT NOT NULL DEFAULT 0,
    ending   TEXT   COLLATE "C" NOT NULL DEFAULT ''
);

-- Which hooks are there in these areas?
CREATE INDEX hook_area ON hook (area, made);

-- One alert (alert.seq) for one hook (hook.id). Those of one hook and area go out one after
-- the other. state is waiting, delivered or given_up; due is when it is tried next; until then
-- nobody tries it whose lease is not the one here: claimed is when that ends. status is the
-- receiver's last answer, 0 if there was none, and failure says in words of ours what was
-- wrong.
CREATE TABLE delivery (
    hook     BYTEA  NOT NULL,
    seq      BIGINT NOT NULL,
    area     BIGINT NOT NULL,
    state    TEXT   COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    due      BIGINT NOT NULL,
    claimed  BIGINT NOT NULL,
    tried    BIGINT NOT NULL,
    status   BIGINT NOT NULL,
    failure  TEXT   NOT NULL,
    PRIMARY KEY (hook, seq)
);

-- What goes out next to this hook, area by area?
CREATE INDEX delivery_waiting ON delivery (hook, area, seq) WHERE state = 'waiting';

-- An invitation into an area, by a keyed digest of its code: uses is how often it may still be
-- redeemed, total how often at first. author is who gets the grant, NULL for somebody new.
-- confirm is 1 where a person looks at who has come before the grant holds. ended is when it
-- was withdrawn, 0 if it was not.
CREATE TABLE invite (
    id      BYTEA  PRIMARY KEY CHECK (length(id) = 16),
    code    BYTEA  NOT NULL UNIQUE CHECK (length(code) = 32),
    area    TEXT   COLLATE "C" NOT NULL,
    role    TEXT   COLLATE "C" NOT NULL,
    from_at BIGINT NOT NULL,
    to_at   BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    uses    BIGINT NOT NULL CHECK (uses >= 0),
    total   BIGINT NOT NULL,
    confirm BIGINT NOT NULL,
    author  BYTEA,
    label   TEXT   NOT NULL,
    by      BYTEA  NOT NULL,
    made    BIGINT NOT NULL,
    ended   BIGINT NOT NULL
);

-- Which invitations lead into this area?
CREATE INDEX invite_area ON invite (area, made);

-- Somebody (author.key) redeemed an invitation (invite.id) on a device (device.key). There is
-- one row for an invitation and a device, however often it asks. phone is sealed to id, NULL
-- for none.
CREATE TABLE enrolment (
    id      BYTEA  PRIMARY KEY CHECK (length(id) = 16),
    invite  BYTEA  NOT NULL,
    device  BIGINT NOT NULL,
    author  BIGINT NOT NULL,
    area    TEXT   COLLATE "C" NOT NULL,
    role    TEXT   COLLATE "C" NOT NULL,
    from_at BIGINT NOT NULL,
    to_at   BIGINT NOT NULL,
    name    TEXT   NOT NULL,
    phone   BYTEA,
    state   TEXT   COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    by      BYTEA,
    settled BIGINT NOT NULL,
    UNIQUE (invite, device)
);

-- Who waits to be confirmed?
CREATE INDEX enrolment_waiting ON enrolment (area, at) WHERE state = 'waiting';
-- How far has this device come?
CREATE INDEX enrolment_device ON enrolment (device, at);

-- A person (author.key) accepted a version of the undertaking on a device.
CREATE TABLE undertaking (
    author  BIGINT NOT NULL,
    version BIGINT NOT NULL,
    device  BYTEA,
    at      BIGINT NOT NULL,
    PRIMARY KEY (author, version)
);

-- A device's (device.key) refresh tokens: secret, which is sealed to device, makes them,
-- generation is the one that is good now. One of generation - 1 is an answer that was lost; an
-- older one is theft. vouched is 1 while a device that was taken back into use has not shown
-- its new one yet.
CREATE TABLE refresh (
    device     BIGINT PRIMARY KEY,
    secret     BYTEA  NOT NULL,
    generation BIGINT NOT NULL,
    expires    BIGINT NOT NULL,
    vouched    BIGINT NOT NULL
);

-- Somebody (author.key) who may sign in at a desk. password is an argon2id string, totp the
-- sealed secret of an authenticator (NULL until there is one), step the last time step of
-- which a code was taken, failures how often in a row signing in failed.
CREATE TABLE account (
    author   BIGINT PRIMARY KEY,
    login    TEXT   COLLATE "C" NOT NULL UNIQUE,
    password TEXT   NOT NULL,
    totp     BYTEA,
    step     BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    locked   BIGINT NOT NULL,
    made     BIGINT NOT NULL
);

-- Somebody (author.key) is signed in, by the SHA-256 of the cookie.
CREATE TABLE session (
    id      BYTEA  PRIMARY KEY CHECK (length(id) = 32),
    author  BIGINT NOT NULL,
    made    BIGINT NOT NULL,
    seen    BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    agent   TEXT   NOT NULL
);

-- Where is this person signed in?
CREATE INDEX session_author ON session (author, made);

-- A link that sets a person's password (author.key), once, by the SHA-256 of its token. It is
-- good for as long as whoever made it (by; NULL for whoever sat at the machine) may make it.
CREATE TABLE link_once (
    id      BYTEA  PRIMARY KEY CHECK (length(id) = 32),
    author  BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used    BIGINT NOT NULL,
    by      BYTEA
);

-- A line of the audit: who (author.key) was shown whose records, who took lists away, and who
-- let people in or out. key rises in the order in which lines became durable. who, device
-- (device.key) and area (place.key) are NULL where there is none. shown is the ids of the
-- records that were shown, 16 bytes each, one after the other.
--
-- Lines are added and never altered or taken away: the triggers below hold whoever writes to
-- it, and the purge of what the lines speak of leaves them as they are, as they hold ids and
-- nothing of what was seen.
CREATE TABLE audit (
    key    BIGINT PRIMARY KEY,
    at     BIGINT NOT NULL,
    act    TEXT   COLLATE "C" NOT NULL,
    who    BIGINT,
    device BIGINT,
    area   BIGINT,
    detail TEXT   NOT NULL,
    shown  BYTEA  CHECK (shown IS NULL OR length(shown) % 16 = 0)
);

-- Who saw this record? One row for each record of a line's (audit.key) shown.
CREATE TABLE audit_record (
    record BYTEA  NOT NULL CHECK (length(record) = 16),
    line   BIGINT NOT NULL,
    PRIMARY KEY (record, line)
);

-- A definition that was published here: a form (name is its kind) or a template. source is its
-- JSON, by (author.key) is NULL for whoever sat at the machine. key rises in the order of
-- publishing. Records and phones name versions, so that rows are added and never altered or
-- taken away: the triggers below hold whoever writes to it.
CREATE TABLE form (
    key     BIGINT PRIMARY KEY,
    sort    TEXT   COLLATE "C" NOT NULL CHECK (sort IN ('form', 'template')),
    name    TEXT   COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    source  TEXT   NOT NULL,
    by      BIGINT,
    at      BIGINT NOT NULL,
    UNIQUE (sort, name, version)
);

-- A definition that somebody works on; publishing it takes it away.
CREATE TABLE form_draft (
    sort   TEXT   COLLATE "C" NOT NULL CHECK (sort IN ('form', 'template')),
    name   TEXT   COLLATE "C" NOT NULL,
    source TEXT   NOT NULL,
    by     BIGINT,
    at     BIGINT NOT NULL,
    PRIMARY KEY (sort, name)
);

-- Somebody (author.key) said what holds in an area, named by its code, and below it from a day
-- on. value is JSON; null says that what holds above holds here again. Of two rows about one
-- area, name and day the later holds. Rows are added and never altered or taken away, so that
-- it can be told what held when a figure was worked out.
CREATE TABLE setting (
    key      BIGINT PRIMARY KEY,
    area     TEXT   COLLATE "C" NOT NULL,
    name     TEXT   COLLATE "C" NOT NULL,
    from_day BIGINT NOT NULL,
    value    TEXT   NOT NULL,
    by       BIGINT,
    at       BIGINT NOT NULL
);

-- What is only ever added to. A row can't be replaced here without an update, so that two
-- triggers hold a table: one for its rows, one for emptying it at once.
-- +goose StatementBegin
CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % is never altered and never taken away', TG_TABLE_NAME;
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION stays();
CREATE TRIGGER audit_stays_whole BEFORE TRUNCATE ON audit EXECUTE FUNCTION stays();
CREATE TRIGGER audit_record_stays BEFORE UPDATE OR DELETE ON audit_record FOR EACH ROW EXECUTE FUNCTION stays();
CREATE TRIGGER audit_record_stays_whole BEFORE TRUNCATE ON audit_record EXECUTE FUNCTION stays();
CREATE TRIGGER form_stays BEFORE UPDATE OR DELETE ON form FOR EACH ROW EXECUTE FUNCTION stays();
CREATE TRIGGER form_stays_whole BEFORE TRUNCATE ON form EXECUTE FUNCTION stays();
CREATE TRIGGER setting_stays BEFORE UPDATE OR DELETE ON setting FOR EACH ROW EXECUTE FUNCTION stays();
CREATE TRIGGER setting_stays_whole BEFORE TRUNCATE ON setting EXECUTE FUNCTION stays();
