-- What people wrote is sealed from here on: places for it, still empty.
--
-- A sealed text is a BLOB made by the package seal, bound to its row by the row's own
-- numbers. It opens with a key that isn't in the database.

-- +goose Up
-- +goose StatementBegin

-- A key by which something in this database is, or may be, sealed; and a fingerprint by
-- which another key of the same number is told from it. The greatest seals. What is sealed
-- with a key that has no row here is a mistake.
CREATE TABLE seal_key (
    id    INTEGER PRIMARY KEY,
    print INTEGER NOT NULL
) STRICT;

-- digest is the fingerprint of the key by which match_key was digested: under another one
-- the index is derived anew.
ALTER TABLE meta ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;

-- said is all that the author's device wrote of the change: its id (16 bytes), the length
-- of fields (uvarint), fields, and what this program doesn't know, or nothing; sealed to
-- seq. NULL where the content is gone. The id is among it since it is random: without it
-- nobody can find what was said by trying, from chain or a device's digest.
ALTER TABLE change_log ADD COLUMN said BLOB;

-- parts is the record's live parts as JSON, sealed to id and version; NULL means that it
-- is one change with all its fields alive, the log row with seq = version.
ALTER TABLE record ADD COLUMN parts BLOB;

-- proof is what speaks for the question, as JSON, sealed to id; NULL for nothing.
ALTER TABLE review_item ADD COLUMN proof BLOB;

-- said is detail, behind its length (uvarint), and the changes of a decision as JSON, or
-- nothing; sealed to item and ordinal. NULL where there is neither.
ALTER TABLE review_event ADD COLUMN said BLOB;

-- said is what is to be heard, as JSON, sealed to device, version and ordinal; record is
-- what it is about.
ALTER TABLE told ADD COLUMN said BLOB;
ALTER TABLE told ADD COLUMN record BLOB;

-- beats is what the checks of forms remember of the device's latest entries, sealed to
-- device; NULL where nobody watches.
ALTER TABLE device_state ADD COLUMN beats BLOB;
-- +goose StatementEnd
