-- Who fails to sign in is held up alike by every server of an installation.

-- +goose Up
-- +goose StatementBegin

-- Failures in a row that belong to no account: with a login that nobody has, or from one
-- browser that a person has signed in on before. id is a digest of what was tried, under a key
-- that isn't here: people type passwords where the login should be. There are never more
-- rows than console keeps.
CREATE TABLE sign_in_try (
    id       INTEGER PRIMARY KEY,
    failures INTEGER NOT NULL,
    locked   INTEGER NOT NULL
) STRICT;

-- Which are locked longest? They are kept where there are too many.
CREATE INDEX sign_in_try_locked ON sign_in_try (locked, id);

-- Failing with nobody's login wrote here, so that it took as long as with somebody's.
DELETE FROM link_once WHERE id = zeroblob(32);
-- +goose StatementEnd
