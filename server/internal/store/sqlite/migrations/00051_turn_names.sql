-- A turn is known by more than its number: after another machine has taken over that had not
-- heard of the last commits, their numbers are given out again.

-- +goose Up
-- +goose StatementBegin

-- The name of the last turn, drawn by chance when it was saved.
ALTER TABLE meta ADD COLUMN turn_name INTEGER NOT NULL DEFAULT 0;

-- name is the turn's own, follows that of the turn before it. Whoever has taken up a turn asks
-- for those that follow it, and where the next one follows another, what was taken up is not
-- of this history. Turns of before there were names have 0, and so has the one that they
-- follow.
ALTER TABLE turn ADD COLUMN name INTEGER NOT NULL DEFAULT 0;
ALTER TABLE turn ADD COLUMN follows INTEGER NOT NULL DEFAULT 0;
-- +goose StatementEnd
