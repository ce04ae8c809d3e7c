-- The log is spread by county: in one table for each that was given one, and one for the rest.

-- +goose Up

-- An area (area.key) whose rows of the log lie apart from now on.
CREATE TABLE county (
    area BIGINT PRIMARY KEY
);

-- county is that of the log row which the record stands for; 0 where it holds a copy.
ALTER TABLE record ADD COLUMN county BIGINT NOT NULL DEFAULT 0;

-- county is that of them which was nearest above the place that the change named when it was
-- committed, 0 for none, and for a row that waited then: what may alter is all in one place. A
-- row's county never changes. change_log_rest holds the rows without one, and gives the others
-- their shape, keys and all. change_log_other holds rows of counties that have no table, as in
-- a copy of another database. The whole has no key of its own, since one that may lie on
-- other servers can't have one: that a place in the log is given out once, and a device's
-- number used once, is kept by the lock on writing (see DESIGN.md).
ALTER TABLE change_log RENAME TO change_log_rest;
ALTER TABLE change_log_rest ADD COLUMN county BIGINT NOT NULL DEFAULT 0;
CREATE TABLE change_log (LIKE change_log_rest INCLUDING DEFAULTS INCLUDING STORAGE) PARTITION BY LIST (county);
ALTER TABLE change_log ATTACH PARTITION change_log_rest FOR VALUES IN (0);
CREATE TABLE change_log_other (LIKE change_log_rest INCLUDING ALL);
ALTER TABLE change_log ATTACH PARTITION change_log_other DEFAULT;

-- The log's rows from first on were received at this instant, until the next one says
-- otherwise: when was a version committed?
CREATE TABLE moment (
    first    BIGINT PRIMARY KEY,
    received BIGINT NOT NULL
);

INSERT INTO moment (first, received)
SELECT seq, received FROM (SELECT seq, received, LAG(received) OVER (ORDER BY seq) AS before FROM change_log) l
WHERE before IS NULL OR before <> received;

-- A table on another server commits a moment before this database does. Whatever dies between
-- leaves rows there beyond the last number, of which nobody was told that they are kept.
-- Whoever writes takes them away first, under the lock; were they left, their numbers would be
-- given out to others.
-- +goose StatementBegin
CREATE FUNCTION take_back_far_rows() RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE far REGCLASS;
BEGIN
    FOR far IN SELECT f.ftrelid FROM pg_foreign_table f JOIN pg_inherits i ON i.inhrelid = f.ftrelid
        WHERE i.inhparent = 'change_log'::regclass ORDER BY f.ftrelid
    LOOP
        EXECUTE format('DELETE FROM %s WHERE seq > %s', far, COALESCE((SELECT last_number FROM meta), 0));
    END LOOP;
END $$;
-- +goose StatementEnd

-- For the same reason nothing of a row there may change that this database must agree to.
-- Sealing it anew is harmless: that is done again until all is done.
-- +goose StatementBegin
CREATE FUNCTION far_row_stays() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.said IS NULL AND OLD.said IS NOT NULL OR NEW.hash IS DISTINCT FROM OLD.hash OR NEW.released IS DISTINCT FROM OLD.released
        OR NEW.verdict <> OLD.verdict OR NEW.seq <> OLD.seq OR NEW.county <> OLD.county THEN
        RAISE EXCEPTION '日志第 % 行在另一台数据库服务器上，不能清除或改动：请先把该分区移回本库 / row % of the log lies on another database server and can''t be purged or altered: bring its partition back first', OLD.seq, OLD.seq
            USING ERRCODE = 'GS001';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
