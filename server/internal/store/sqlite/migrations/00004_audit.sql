-- Who was shown whose records, who took lists away, and who let people in or out.
--
-- Lines are added and never altered or taken away: the triggers hold whoever writes to
-- it, and the purge of what the lines speak of leaves them as they are, as they hold ids
-- and nothing of what was seen.

-- +goose Up
-- +goose StatementBegin

-- One line. key rises in the order in which lines became durable. who, device and area
-- are NULL where there is none. shown is the ids of the records that were shown, 16 bytes
-- each, one after the other.
CREATE TABLE audit (
    key    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    act    TEXT    NOT NULL,
    who    INTEGER REFERENCES author (key),
    device INTEGER REFERENCES device (key),
    area   INTEGER REFERENCES place (key),
    detail TEXT    NOT NULL,
    shown  BLOB CHECK (shown IS NULL OR length(shown) % 16 = 0)
) STRICT;

-- Who saw this record? One row for each record of a line's shown.
CREATE TABLE audit_record (
    record BLOB    NOT NULL CHECK (length(record) = 16),
    line   INTEGER NOT NULL REFERENCES audit (key),
    PRIMARY KEY (record, line)
) STRICT, WITHOUT ROWID;

-- Replacing a line deletes it without asking the trigger that forbids that: a line must be
-- the next one.
CREATE TRIGGER audit_grows_at_its_end BEFORE INSERT ON audit WHEN NEW.key <= (SELECT MAX(key) FROM audit)
BEGIN SELECT RAISE(ABORT, 'a line of the audit is never altered'); END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'a line of the audit is never taken away'); END;
CREATE TRIGGER audit_is_not_altered BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'a line of the audit is never altered'); END;
CREATE TRIGGER audit_record_stays BEFORE DELETE ON audit_record
BEGIN SELECT RAISE(ABORT, 'a line of the audit is never taken away'); END;
CREATE TRIGGER audit_record_is_not_altered BEFORE UPDATE ON audit_record
BEGIN SELECT RAISE(ABORT, 'a line of the audit is never altered'); END;
-- +goose StatementEnd
