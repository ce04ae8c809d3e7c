package postgres

import (
	"errors"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ErrAddress says that an address of a database can't be read. It says nothing of what it is:
// somewhere in it may be a password, and in one that can't be read nobody knows where.
var ErrAddress = errors.New("postgres: the address of the database can't be read")

// Name is how a database is told to people: where it is and its name, and nothing that lets
// somebody in.
func Name(url string) (string, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return "", ErrAddress
	}
	at := []string{where(config.Host, config.Port)}
	for _, other := range config.Fallbacks { // each host again without TLS, where that will do
		if host := where(other.Host, other.Port); !slices.Contains(at, host) {
			at = append(at, host)
		}
	}
	return "postgres://" + strings.Join(at, ",") + "/" + config.Database, nil
}

func where(host string, port uint16) string {
	if filepath.IsAbs(host) { // the folder of a socket
		return host + ":" + strconv.Itoa(int(port))
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
