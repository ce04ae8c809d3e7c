package postgres

import (
	"database/sql"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// How soon a machine that is gone without a word is noticed: a connection on which nothing
// was heard for some time is asked, and one whose bytes nobody takes is given up.
const (
	connectTime = 10 * time.Second
	quietTime   = 10 * time.Second
	askEvery    = 3 * time.Second
	askTimes    = 3
	unheardTime = 20 * time.Second
)

// configOf reads a URL. Of several hosts only the one that takes writes will do, for reading
// too: what another one shows may be old.
func configOf(url string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, ErrAddress
	}
	config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTime
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "gridsync"
	}
	dialer := &net.Dialer{
		Timeout:         config.ConnectTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: quietTime, Interval: askEvery, Count: askTimes},
		Control:         giveUpUnheard,
	}
	config.DialFunc = dialer.DialContext
	config.OnNotice = noteWarning
	return config, nil
}

// warning is under what a connection keeps the last warning that it was given.
const warning = "warning"

func noteWarning(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		c.CustomData()[warning] = n.Message
	}
}

// connector makes a handle.
func connector(config *pgx.ConnConfig) *sql.DB { return stdlib.OpenDB(*config) }
