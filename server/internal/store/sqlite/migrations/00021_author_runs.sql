-- An author's log, in a fraction of the room.

-- +goose Up
-- +goose StatementBegin

-- Which rows of the log are this author's, on whatever device? Runs of them: of the log's
-- rows from first to last, all are the author's. A batch of a phone is one run, as rule.
CREATE TABLE author_run (
    author INTEGER NOT NULL REFERENCES author (key),
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    PRIMARY KEY (author, first)
) STRICT, WITHOUT ROWID;

-- Where the author is another one than in the row before, a run begins; it ends before
-- the next.
CREATE TABLE run_start (first INTEGER PRIMARY KEY, author INTEGER NOT NULL) STRICT;

INSERT INTO run_start SELECT c.seq, c.author FROM change_log c
WHERE c.author IS NOT (SELECT b.author FROM change_log b WHERE b.seq < c.seq ORDER BY b.seq DESC LIMIT 1);

INSERT INTO author_run SELECT s.author, s.first, COALESCE(
    (SELECT n.first - 1 FROM run_start n WHERE n.first > s.first ORDER BY n.first LIMIT 1),
    (SELECT MAX(seq) FROM change_log))
FROM run_start s;

DROP TABLE run_start;
DROP INDEX change_log_author;
-- +goose StatementEnd
