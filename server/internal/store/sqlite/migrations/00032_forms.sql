-- Forms, templates and settings as a county makes them, and by which of them the rest of
-- the database was derived.

-- +goose Up
-- +goose StatementBegin

-- A definition that was published here: a form (name is its kind) or a template. source is
-- its JSON, by is NULL for whoever sat at the machine. key rises in the order of
-- publishing. Records and phones name versions, so that rows are added and never altered
-- or taken away: the triggers hold whoever writes to it.
CREATE TABLE form (
    key     INTEGER PRIMARY KEY,
    sort    TEXT    NOT NULL CHECK (sort IN ('form', 'template')),
    name    TEXT    NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    source  TEXT    NOT NULL,
    by      INTEGER REFERENCES author (key),
    at      INTEGER NOT NULL,
    UNIQUE (sort, name, version)
) STRICT;

-- Replacing a row deletes it without asking the trigger that forbids that: a row must be
-- the next one.
CREATE TRIGGER form_grows_at_its_end BEFORE INSERT ON form WHEN NEW.key <= (SELECT MAX(key) FROM form)
    OR EXISTS (SELECT 1 FROM form WHERE sort = NEW.sort AND name = NEW.name AND version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'what was published is never altered'); END;
CREATE TRIGGER form_stays BEFORE DELETE ON form
BEGIN SELECT RAISE(ABORT, 'what was published is never taken away'); END;
CREATE TRIGGER form_is_not_altered BEFORE UPDATE ON form
BEGIN SELECT RAISE(ABORT, 'what was published is never altered'); END;

-- A definition that somebody works on; publishing it takes it away.
CREATE TABLE form_draft (
    sort   TEXT    NOT NULL CHECK (sort IN ('form', 'template')),
    name   TEXT    NOT NULL,
    source TEXT    NOT NULL,
    by     INTEGER REFERENCES author (key),
    at     INTEGER NOT NULL,
    PRIMARY KEY (sort, name)
) STRICT, WITHOUT ROWID;

-- Somebody said what holds in an area, named by its code, and below it from a day on.
-- value is JSON; null says that what holds above holds here again. Of two rows about one
-- area, name and day the later holds. Rows are added and never altered or taken away, so
-- that it can be told what held when a figure was worked out.
CREATE TABLE setting (
    key      INTEGER PRIMARY KEY,
    area     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    from_day INTEGER NOT NULL,
    value    TEXT    NOT NULL,
    by       INTEGER REFERENCES author (key),
    at       INTEGER NOT NULL
) STRICT;

CREATE TRIGGER setting_grows_at_its_end BEFORE INSERT ON setting WHEN NEW.key <= (SELECT MAX(key) FROM setting)
BEGIN SELECT RAISE(ABORT, 'what was set is never altered'); END;
CREATE TRIGGER setting_stays BEFORE DELETE ON setting
BEGIN SELECT RAISE(ABORT, 'what was set is never taken away'); END;
CREATE TRIGGER setting_is_not_altered BEFORE UPDATE ON setting
BEGIN SELECT RAISE(ABORT, 'what was set is never altered'); END;

-- rules is the fingerprint of the forms and settings by which everything was derived that
-- follows from the log: a database that was derived by others is derived anew.
ALTER TABLE meta ADD COLUMN rules INTEGER NOT NULL DEFAULT 0;
-- +goose StatementEnd
