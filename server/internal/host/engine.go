package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"gridsync/server/internal/seal"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/sqlstore"
)

// engine is what host needs of an engine itself. What is kept, it asks of sqlstore, which
// serves all of them.
type engine interface {
	files
	io.Closer
	// Enter lets a server of some name work on the database or, with alone, somebody who
	// suffers no server beside. It fails with ErrServing while a server works there that
	// suffers no other one, or while there is any and it is to be alone; and with
	// ErrOtherKeys when servers work there with other keys than these: keys tells those of
	// the moment, and is asked again for as long as the berth is kept.
	Enter(ctx context.Context, name string, keys func() Fingerprints, alone bool) (berth, error)
	// Hear calls stirred when another process may have committed something, until ctx ends.
	// It may call too often, and it may miss something: whoever must know looks as well.
	Hear(ctx context.Context, stirred func(), trouble func(error))
	// Serving lists the servers that work on the database, in so far as they can be known.
	Serving(ctx context.Context) ([]Serving, error)
	// Away reports whether a failure comes of a database that is away for a while, as when
	// another machine takes over.
	Away(err error) bool
}

// Serving is a server that works on a database, since when, and until when it is taken for
// alive if nothing more is heard of it.
type Serving struct {
	Name         string
	Since, Until time.Time
	Alone        bool
}

// files are what an engine does about what was written over.
type files interface {
	// Checkpoint sees to it that what a purge has overwritten stands in no file as it was.
	Checkpoint(ctx context.Context) error
	// Vacuum writes everything anew, so that what was once in a page is in none. Nobody else
	// may work on the database.
	Vacuum(ctx context.Context) error
}

// berth is the right to work on a database, for as long as it is kept.
type berth interface {
	// Keep keeps it until ctx ends, and fails with ErrOusted when it was taken away, and with
	// *sqlstore.NewerError when another release has altered the tables: whoever had it can
	// then write nothing more. told hears each time that it can't be kept for now, and with
	// nil when it can again.
	Keep(ctx context.Context, told func(error)) error
	// Servers is how many servers work on the database, as last seen.
	Servers() int
	// Mine says whether a piece of work that is done once, whatever number of servers there
	// is, is this one's to do. Then it stays so for some time, if the server does.
	Mine(ctx context.Context, work string, during time.Duration) (bool, error)
	// Leave gives it back, and waits for nobody who writes.
	Leave(ctx context.Context) error
}

// Errors of working on a database that others work on.
var (
	// ErrServing says that a server runs over the folder or, if it must run alone, over the
	// database.
	ErrServing = errors.New("a server is running on it")
	// ErrOtherKeys says that the servers of a database don't all have the same keys: what one
	// wrote or signed would be nothing to the others.
	ErrOtherKeys = errors.New("the servers of this database have other keys")
	// ErrOusted says that a server was taken for dead, and that somebody has worked on the
	// database since as if it were. Whatever writes may be the first to find out.
	ErrOusted = postgres.ErrLeaseLost
	// ErrNothingThere says that there is no installation where one was said to be.
	ErrNothingThere = errors.New("there is no installation")
	// ErrDatabase says that an address is none of a database. It doesn't repeat the address,
	// as that may hold a password.
	ErrDatabase = errors.New("a database is sqlite:DIR or postgres://USER@HOST/NAME")
	// ErrNoDatabase says that there is no database of that name on the machine.
	ErrNoDatabase = errors.New("there is no such database")
	// ErrNotLetIn says that the database doesn't let that user in, or not with that password.
	ErrNotLetIn = errors.New("the database doesn't let this user in")
	// ErrExhausted says that the database answers, and has no connection, disk or memory left.
	ErrExhausted = errors.New("the database has nothing left to work with")
	// ErrUnreached says that nothing answers where the database should be, or nothing that
	// takes writes.
	ErrUnreached = errors.New("the database can't be reached")
)

// place is where an installation's data is.
type place struct {
	// dir is the folder of what is local: the keys and, without url, the database.
	dir string
	// url is a PostgreSQL database's address; it may hold a password, and is shown to nobody.
	url string
	// name is how it is told to people: without whatever lets somebody in.
	name string
}

// placeOf reads the address of a database; an empty one means the folder.
func placeOf(dir, address string) (place, error) {
	scheme, rest, _ := strings.Cut(address, ":")
	switch {
	case address == "":
		return place{dir: dir, name: dir}, nil
	case scheme == "sqlite" && rest != "":
		return place{dir: rest, name: rest}, nil
	case scheme == "postgres" || scheme == "postgresql":
		name, err := clusterName(address)
		return place{dir: dir, url: address, name: name}, err
	}
	return place{}, ErrDatabase
}

// open opens the engine of a place.
func (p place) open(ctx context.Context, keys *seal.Ring) (engine, *sqlstore.Store, error) {
	if p.url != "" {
		return openCluster(ctx, p.url, keys)
	}
	return openFolder(ctx, p.dir, keys)
}

// mustExist fails with ErrNothingThere where no installation was begun.
func (p place) mustExist(ctx context.Context) error {
	there, err := p.there(ctx)
	if err == nil && !there {
		err = fmt.Errorf("%w: %s", ErrNothingThere, p.name)
	}
	return err
}

// there reports whether an installation was begun: a database of PostgreSQL's may be there
// and hold none. Each has noted the key that seals in it since it was opened first.
func (p place) there(ctx context.Context) (bool, error) {
	if p.url != "" {
		return clusterSealed(ctx, p.url)
	}
	return folderThere(p.dir)
}

// sealed reports whether the database holds anything that was sealed.
func (p place) sealed(ctx context.Context) (bool, error) {
	if p.url != "" {
		return clusterSealed(ctx, p.url)
	}
	return folderSealed(ctx, p.dir)
}

// serverName is how servers of one database tell each other apart in what people read.
func serverName(what string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "?" // a name for people, and nothing hangs on it
	}
	return fmt.Sprintf("%s %s/%d", what, host, os.Getpid())
}
