package sqlstore

import (
	"context"
	"errors"

	"gridsync/server/internal/area"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/server/internal/plausible"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

var errPending = errors.New("not written yet")

func (s *Store) Questions(ctx context.Context, areas []area.Key, want desk.Want, after desk.Place, limit int) ([]review.Item, error) {
	return nil, errPending
}
func (s *Store) CountQuestions(ctx context.Context, areas []area.Key) (map[review.Kind]int, error) {
	return nil, errPending
}
func (s *Store) Item(ctx context.Context, id syncproto.RecordID) (review.Item, bool, error) {
	return review.Item{}, false, errPending
}
func (s *Store) Events(ctx context.Context, id syncproto.RecordID) ([]review.Event, error) {
	return nil, errPending
}
func (s *Store) LogOf(ctx context.Context, ids []syncproto.RecordID) ([]exchange.Logged, error) {
	return nil, errPending
}
func (s *Store) ChangesOf(ctx context.Context, device syncproto.DeviceID, first, last uint64) ([]exchange.Logged, error) {
	return nil, errPending
}
func (s *Store) LogBy(ctx context.Context, author syncproto.AuthorID, before syncproto.Version, limit int) ([]exchange.Logged, error) {
	return nil, errPending
}
func (s *Store) Absorbed(ctx context.Context, survivors []syncproto.RecordID) ([]exchange.Link, error) {
	return nil, errPending
}
func (s *Store) CountOpen(ctx context.Context, areas []area.Key) (int, error) { return 0, nil }
func (s *Store) Told(ctx context.Context, device syncproto.DeviceID, after syncproto.Version, limit int) ([]syncproto.Told, error) {
	return nil, nil
}
func (s *Store) EachLogged(ctx context.Context, fn func(*exchange.Logged) error) error {
	return errPending
}

func (t *tx) Blocks(ranges []match.Range, limit int) ([][]syncproto.RecordID, error) {
	return make([][]syncproto.RecordID, len(ranges)), nil
}
func (t *tx) Items(ids []syncproto.RecordID) ([]review.Item, error)      { return nil, nil }
func (t *tx) ItemsAbout(ids []syncproto.RecordID) ([]review.Item, error) { return nil, nil }
func (t *tx) Tallies(buckets []plausible.Bucket) ([]plausible.Tally, error) {
	return nil, nil
}
func (t *tx) Totals(areas []area.Key, day form.Day, standing map[string]bool) ([]rollup.Count, error) {
	return nil, errPending
}
func (t *tx) Rederive(*exchange.Derived) error       { return errPending }
func (t *tx) SetChain(rows []exchange.Chained) error { return errPending }
