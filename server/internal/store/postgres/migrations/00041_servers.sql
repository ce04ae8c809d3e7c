-- Who fails to sign in is held up alike by every server, and servers know of each other.

-- +goose Up

-- Failures in a row that belong to no account: with a login that nobody has, or from one
-- browser that a person has signed in on before. id is a digest of what was tried, under a key
-- that isn't here: people type passwords where the login should be. There are never more
-- rows than console keeps.
CREATE TABLE sign_in_try (
    id       BIGINT PRIMARY KEY,
    failures BIGINT NOT NULL,
    locked   BIGINT NOT NULL
);

-- Which are locked longest? They are kept where there are too many.
CREATE INDEX sign_in_try_locked ON sign_in_try (locked, id);

-- A server that works on this database, or somebody who works on it alone: then there is no
-- other row. A server writes nothing without its row, which it looks for at the beginning of
-- each transaction, under the lock; so whoever takes a row away knows that its server, be it
-- dead, slow or cut off, has written its last. until is by the database's own clock, in
-- milliseconds, and put off by the server while it lives; a row that is past it may be taken
-- away by who would work alone. keys are fingerprints of the server's keys.
CREATE TABLE server_lease (
    id    BYTEA  PRIMARY KEY,
    name  TEXT   COLLATE "C" NOT NULL,
    keys  TEXT   COLLATE "C" NOT NULL,
    alone BOOLEAN NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL
);

-- Work that is done by one server for all, and by which until when. Another one may take it
-- before when that one is gone.
CREATE TABLE duty (
    name   TEXT   COLLATE "C" PRIMARY KEY,
    server BYTEA  NOT NULL,
    until  BIGINT NOT NULL
);
