-- A database may be copied into another one, of another engine, and its history go on there.

-- +goose Up
-- +goose StatementBegin

-- moved says where the history goes on: 0 here, 1 here once the copy is whole, 2 here no
-- more as soon as the copy is whole, 3 elsewhere. Unless it is 0 nothing is written. moved_with
-- is what the other database is called.
ALTER TABLE meta ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;
ALTER TABLE meta ADD COLUMN moved_with TEXT NOT NULL DEFAULT '';
-- +goose StatementEnd
