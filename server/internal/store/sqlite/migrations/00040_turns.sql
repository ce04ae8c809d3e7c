-- What each group did to what other servers over this database hold in memory.

-- +goose Up
-- +goose StatementBegin

-- The number of the last turn: every group that is saved is one. It is never given out
-- twice, and rises only with a commit.
ALTER TABLE meta ADD COLUMN last_turn INTEGER NOT NULL DEFAULT 0;

-- What a group did, for whoever isn't as far yet: exchange.Turn as JSON, in the order of
-- commits. Ids, numbers and names that forms give; nothing that people wrote. The last
-- thousand are kept. Whoever looks for one that isn't here, because it is too old or because
-- its group said nothing, reads everything anew. alerts are what subscribers are told, which
-- is the one thing that says what a record said: a purge makes it NULL.
CREATE TABLE turn (
    number INTEGER PRIMARY KEY,
    said   TEXT NOT NULL,
    alerts TEXT
) STRICT;
-- +goose StatementEnd
