-- What people are let in by, and what keeps them in.

-- +goose Up
-- +goose StatementBegin

-- status is empty for a device in use, or retired, lost or suspended, since an instant.
-- public is the key with which the device proves that it is itself; NULL for one that
-- never registered. A device that was revoked by the older program counts as lost.
ALTER TABLE device ADD COLUMN status TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN public BLOB;
UPDATE device SET status = 'lost' WHERE revoked <> 0;
ALTER TABLE device DROP COLUMN revoked;

-- A grant is one for its author, area, role and beginning: ending it early moves to_at.
-- Of those that were given twice the one that lasts longest stays.
CREATE TABLE entitlement_new (
    key     INTEGER PRIMARY KEY,
    author  INTEGER NOT NULL REFERENCES author (key),
    area    TEXT    NOT NULL,
    role    TEXT    NOT NULL,
    from_at INTEGER NOT NULL,
    to_at   INTEGER NOT NULL,
    UNIQUE (author, area, role, from_at)
) STRICT;
INSERT INTO entitlement_new (key, author, area, role, from_at, to_at)
    SELECT MIN(key), author, area, role, from_at, CASE WHEN MIN(to_at) = 0 THEN 0 ELSE MAX(to_at) END
    FROM entitlement GROUP BY author, area, role, from_at ORDER BY MIN(key);
DROP TABLE entitlement;
ALTER TABLE entitlement_new RENAME TO entitlement;

-- An invitation into an area, by a keyed digest of its code: uses is how often it may still
-- be redeemed, total how often at first. author is who gets the grant, NULL for somebody
-- new. confirm is 1 where a person looks at who has come before the grant holds. ended is
-- when it was withdrawn, 0 if it was not.
CREATE TABLE invite (
    id      BLOB    PRIMARY KEY CHECK (length(id) = 16),
    code    BLOB    NOT NULL UNIQUE CHECK (length(code) = 32),
    area    TEXT    NOT NULL,
    role    TEXT    NOT NULL,
    from_at INTEGER NOT NULL,
    to_at   INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    uses    INTEGER NOT NULL CHECK (uses >= 0),
    total   INTEGER NOT NULL,
    confirm INTEGER NOT NULL,
    author  BLOB,
    label   TEXT    NOT NULL,
    by      BLOB    NOT NULL,
    made    INTEGER NOT NULL,
    ended   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which invitations lead into this area?
CREATE INDEX invite_area ON invite (area, made);

-- Somebody redeemed an invitation on a device. There is one row for an invitation and a
-- device, however often it asks. phone is sealed to id, NULL for none.
CREATE TABLE enrolment (
    id      BLOB    PRIMARY KEY CHECK (length(id) = 16),
    invite  BLOB    NOT NULL REFERENCES invite (id),
    device  INTEGER NOT NULL REFERENCES device (key),
    author  INTEGER NOT NULL REFERENCES author (key),
    area    TEXT    NOT NULL,
    role    TEXT    NOT NULL,
    from_at INTEGER NOT NULL,
    to_at   INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    phone   BLOB,
    state   TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    by      BLOB,
    settled INTEGER NOT NULL,
    UNIQUE (invite, device)
) STRICT, WITHOUT ROWID;

-- Who waits to be confirmed?
CREATE INDEX enrolment_waiting ON enrolment (area, at) WHERE state = 'waiting';
-- How far has this device come?
CREATE INDEX enrolment_device ON enrolment (device, at);

-- A person accepted a version of the undertaking on a device.
CREATE TABLE undertaking (
    author  INTEGER NOT NULL REFERENCES author (key),
    version INTEGER NOT NULL,
    device  BLOB,
    at      INTEGER NOT NULL,
    PRIMARY KEY (author, version)
) STRICT, WITHOUT ROWID;

-- A device's refresh tokens: secret, which is sealed to device, makes them, generation is the one that is good now.
-- One of generation - 1 is an answer that was lost; an older one is theft. vouched is 1 while
-- a device that was taken back into use has not shown its new one yet.
CREATE TABLE refresh (
    device     INTEGER PRIMARY KEY REFERENCES device (key),
    secret     BLOB    NOT NULL,
    generation INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    vouched    INTEGER NOT NULL
) STRICT;

-- Somebody who may sign in at a desk. password is an argon2id string, totp the sealed
-- secret of an authenticator (NULL until there is one), step the last time step of which
-- a code was taken, failures how often in a row signing in failed.
CREATE TABLE account (
    author   INTEGER PRIMARY KEY REFERENCES author (key),
    login    TEXT    NOT NULL UNIQUE,
    password TEXT    NOT NULL,
    totp     BLOB,
    step     INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    locked   INTEGER NOT NULL,
    made     INTEGER NOT NULL
) STRICT;

-- Somebody is signed in, by the SHA-256 of the cookie.
CREATE TABLE session (
    id      BLOB    PRIMARY KEY CHECK (length(id) = 32),
    author  INTEGER NOT NULL REFERENCES author (key),
    made    INTEGER NOT NULL,
    seen    INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    agent   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Where is this person signed in?
CREATE INDEX session_author ON session (author, made);

-- A link that sets a person's password, once, by the SHA-256 of its token.
CREATE TABLE link_once (
    id      BLOB    PRIMARY KEY CHECK (length(id) = 32),
    author  INTEGER NOT NULL REFERENCES author (key),
    expires INTEGER NOT NULL,
    used    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- +goose StatementEnd
