package host

import (
	"context"
	"gridsync/server/internal/store/sqlstore"
)

func openCluster(ctx context.Context, url string, s *secrets) (engine, *sqlstore.Store, error) {
	return nil, nil, ErrDatabase
}
func clusterSealed(ctx context.Context, url string) (bool, error) { return false, ErrDatabase }
func clusterName(url string) string                               { return "" }
