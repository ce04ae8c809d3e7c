-- What areas come to together with all below them, so that a total costs the same however
-- many areas lie below and however many days have been.

-- +goose Up
-- +goose StatementBegin

-- What a measure comes to in an area and all below it. slot is a month (120200100) or a
-- year (220200000), or a day (20200131): of a day, n is what lies below alone, as the
-- area's own stands in counter, which most areas have nothing else of. Rows move with the
-- counters, in the same transaction. The key's order lets some slots of a measure be summed
-- in one range.
CREATE TABLE total (
    area    INTEGER NOT NULL,
    measure TEXT    NOT NULL,
    slot    INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (area, measure, slot)
) STRICT, WITHOUT ROWID;

-- Which area lay below which when total was last written; parent is 0 for one that lay
-- below none. An area that is put below another one takes its sums along in the next
-- group. An area that is new has no row until then, and nothing is counted in it.
CREATE TABLE total_tree (
    area   INTEGER PRIMARY KEY,
    parent INTEGER NOT NULL
) STRICT;

-- The fingerprint of total_tree, so that a reader sees whether the sums are those of the
-- tree that it has.
ALTER TABLE meta ADD COLUMN shape INTEGER NOT NULL DEFAULT 0;

-- A record belonged to this area once, and counts there for its days, though it is listed
-- in another: without these a total would not open to all of its rows.
CREATE TABLE lodging (
    area   INTEGER NOT NULL,
    record BLOB    NOT NULL,
    PRIMARY KEY (area, record)
) STRICT, WITHOUT ROWID;

-- How much waits that names this area, of which device? Every total says so, and must not
-- read the log for it.
DROP INDEX change_log_parked_area;
CREATE INDEX change_log_parked_area ON change_log (area, device) WHERE released = 0;
-- +goose StatementEnd
