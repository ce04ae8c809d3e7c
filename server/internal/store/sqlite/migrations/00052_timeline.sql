-- What another machine takes over from may have given out numbers that it never heard of, and
-- that were read.

-- +goose Up
-- +goose StatementBegin

-- The timeline on which the numbers of meta were given out, as the engine counts them; 0 where
-- nobody has looked yet. Where the engine is on another one, last_number first rises beyond
-- whatever may have been given out.
ALTER TABLE meta ADD COLUMN timeline INTEGER NOT NULL DEFAULT 0;
-- +goose StatementEnd
