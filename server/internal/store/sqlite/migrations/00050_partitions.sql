-- The log of a large installation is spread by county, in PostgreSQL; here the columns are the
-- same, so that either database can be copied into the other.

-- +goose Up
-- +goose StatementBegin

-- An area (area.key) whose rows of the log lie apart from now on.
CREATE TABLE county (
    area INTEGER PRIMARY KEY
);

-- county is that of them which was nearest above the place that the change named when it was
-- committed, 0 for none, and for a row that waited then. A row's county never changes.
ALTER TABLE change_log ADD COLUMN county INTEGER NOT NULL DEFAULT 0;

-- county is that of the log row which the record stands for; 0 where it holds a copy.
ALTER TABLE record ADD COLUMN county INTEGER NOT NULL DEFAULT 0;

-- The log's rows from first on were received at this instant, until the next one says
-- otherwise: when was a version committed?
CREATE TABLE moment (
    first    INTEGER PRIMARY KEY,
    received INTEGER NOT NULL
);

INSERT INTO moment (first, received)
SELECT seq, received FROM (SELECT seq, received, LAG(received) OVER (ORDER BY seq) AS before FROM change_log)
WHERE before IS NULL OR before <> received;
-- +goose StatementEnd
