-- What field work is found by: the households that rounds are to reach, those that they
-- reached, and which records name which.

-- +goose Up
-- +goose StatementBegin

-- A visit went to a household in a round. outcome is a choice of the form's, empty for
-- anything else. Which households did this round reach, and how?
CREATE TABLE visited (
    round     BLOB    NOT NULL,
    household BLOB    NOT NULL,
    visit     BLOB    NOT NULL,
    area      INTEGER NOT NULL,
    outcome   TEXT    NOT NULL,
    author    INTEGER NOT NULL REFERENCES author (key),
    at        INTEGER NOT NULL,
    PRIMARY KEY (round, household, visit)
) STRICT, WITHOUT ROWID;

-- A household that there is, or was: from the day found until before the day left_day
-- (99999999 while nobody says that it left). Households that turned out to be one have one
-- row, so that a round counts them once, as totals do. tenure is a choice of the form's or
-- empty.
CREATE TABLE dwelling (
    household BLOB    PRIMARY KEY,
    area      INTEGER NOT NULL,
    tenure    TEXT    NOT NULL,
    found     INTEGER NOT NULL,
    left_day  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which households are in this area?
CREATE INDEX dwelling_area ON dwelling (area, household);

-- A record names another one in a field that its form calls indexed. Which records name
-- this one?
CREATE TABLE reference (
    target BLOB    NOT NULL,
    kind   INTEGER NOT NULL REFERENCES kind (key),
    field  TEXT    NOT NULL,
    record BLOB    NOT NULL,
    area   INTEGER NOT NULL,
    PRIMARY KEY (target, kind, record, field)
) STRICT, WITHOUT ROWID;
-- +goose StatementEnd
