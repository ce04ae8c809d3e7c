package postgres

import (
	"context"
	"database/sql"
	"net"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
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

// connector makes a handle whose connections are set up.
func connector(config *pgx.ConnConfig) *sql.DB {
	return stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(_ context.Context, conn *pgx.Conn) error {
		texts := pgtype.Type{Name: "text", OID: pgtype.TextOID, Codec: textCodec{}}
		conn.TypeMap().RegisterType(&texts)
		conn.TypeMap().RegisterType(&pgtype.Type{
			Name: "_text", OID: pgtype.TextArrayOID, Codec: &pgtype.ArrayCodec{ElementType: &texts},
		})
		return nil
	}))
}

// textCodec writes texts that PostgreSQL can hold. It holds no U+0000 and nothing that is
// not UTF-8; SQLite holds both, and a device may send them where it says what program it
// is: nothing of the group would be kept for it. A U+FFFD stands in their place.
type textCodec struct{ pgtype.TextCodec }

func (c textCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(string); ok {
		return textPlan{}
	}
	return c.TextCodec.PlanEncode(m, oid, format, value)
}

type textPlan struct{}

func (textPlan) Encode(value any, buf []byte) ([]byte, error) {
	return append(buf, heldText(value.(string))...), nil
}

// heldText is a text as PostgreSQL can hold it.
func heldText(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
