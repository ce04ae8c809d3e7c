-- A link is good for as long as whoever made it may make it.

-- +goose Up
-- +goose StatementBegin

-- by is who made the link; NULL for whoever sat at the machine.
ALTER TABLE link_once ADD COLUMN by BLOB;
-- +goose StatementEnd
