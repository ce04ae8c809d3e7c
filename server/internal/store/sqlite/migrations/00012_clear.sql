-- Whatever stood in the clear goes. The blocked index was made without a key, so that
-- mobiles could be found from it by trying: it is derived anew when a server starts.

-- +goose Up
-- +goose StatementBegin

ALTER TABLE change_log DROP COLUMN id;
ALTER TABLE change_log DROP COLUMN fields;
ALTER TABLE change_log DROP COLUMN extra;
ALTER TABLE record DROP COLUMN live;
ALTER TABLE review_item DROP COLUMN evidence;
ALTER TABLE review_event DROP COLUMN detail;
ALTER TABLE review_event DROP COLUMN changes;
ALTER TABLE told DROP COLUMN body;
ALTER TABLE device_state DROP COLUMN pulse;

DELETE FROM match_key;
UPDATE meta SET derivation = 0;
-- +goose StatementEnd
