-- What alerts and signed days still say of records that are purged.

-- +goose Up
-- +goose StatementBegin

-- Which alerts name this record? A purge takes its name out of them: what was raised, where
-- and when stays, as a counter does.
CREATE INDEX alert_record ON alert (record) WHERE record IS NOT NULL;

-- Which figures of signed days did this record move? A purge takes the rows away: beside its
-- name they would keep what it said.
CREATE INDEX restating_record ON restating (record);

-- What was purged before this was known.
UPDATE alert SET record = NULL WHERE record IN (SELECT id FROM record WHERE purged IS NOT NULL);
DELETE FROM restating WHERE record IN (SELECT id FROM record WHERE purged IS NOT NULL);
-- +goose StatementEnd
