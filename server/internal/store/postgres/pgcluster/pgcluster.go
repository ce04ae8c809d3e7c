// Package pgcluster runs a PostgreSQL of one's own, for tests and for the bench: in a temporary
// folder, on a socket there, until it is stopped or the process that started it ends.
//
// It refuses to touch a cluster that is there already.
package pgcluster

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Options say what kind of cluster is needed.
type Options struct {
	// Durable waits for the disk at every commit; who doesn't need that is answered sooner.
	Durable bool
	// Settings are further settings of the server, as "name=value".
	Settings []string
	// Standby takes no writes, as if it followed another machine.
	Standby bool
}

// Cluster is a running PostgreSQL.
type Cluster struct {
	// Dir is its folder, which holds its socket, too.
	Dir string

	shell *exec.Cmd
	end   io.Closer // closing it ends the cluster
}

// Superuser is who may do everything there, and who runs it where root starts it.
const Superuser = "postgres"

// URL names a database of the cluster.
func (c *Cluster) URL(name string) string {
	query := url.Values{"host": {c.Dir}, "user": {Superuser}}
	return (&url.URL{Scheme: "postgres", Path: "/" + name, RawQuery: query.Encode()}).String()
}

// Owner is who runs the cluster; nil for whoever runs this process.
func (c *Cluster) Owner() *syscall.Credential { return c.shell.SysProcAttr.Credential }

// script makes a cluster, of a kind $3, in folder $2 with the programs of folder $1, says so,
// and waits for the end of its input, which comes with the end of the process that started it, however
// that ends. Then it ends the cluster and empties the folder; so it does where nobody is left
// to hear that the cluster is ready, which must not end the shell. Of a cluster that doesn't
// start it says why.
const script = `
trap : PIPE
exec 2>&1
bin=$1 dir=$2
if { "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=zh --no-sync &&
	cat "$dir/settings" >> "$dir/data/postgresql.conf" &&
	if [ "$3" = standby ]; then touch "$dir/data/standby.signal"; fi &&
	"$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start; } >"$dir/made" 2>&1 </dev/null
then echo ready && cat >/dev/null
else cat "$dir/made" "$dir/log"
fi
"$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1
rm -rf "$dir" 2>/dev/null
`

// The order of texts is that of Chinese, so that a text key which forgot to say how it is
// ordered shows.
var settings = []string{
	"listen_addresses=''", "max_connections=200", "shared_buffers='64MB'", "max_wal_size='2GB'",
	"log_min_messages='warning'", "autovacuum_naptime='10s'",
}

var quick = []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off"}

// ErrNone says that there is no PostgreSQL on this machine to run.
var ErrNone = errors.New("pgcluster: PostgreSQL 15 or newer is needed: make postgres (Debian: apt-get install postgresql)")

// Start starts a cluster in a new folder. It fails with ErrNone where there is none of 15 or newer.
func Start(opts Options) (c *Cluster, err error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	owner, err := ownerOf()
	if err != nil {
		return nil, err
	}
	all := slices.Clone(settings)
	if !opts.Durable {
		all = append(all, quick...)
	}
	all = append(all, opts.Settings...)
	dir, err := Folder("settings", owner, func(dir string) []string { return append(all, "unix_socket_directories='"+dir+"'") })
	if err != nil {
		return nil, err
	}
	kind := "leader"
	if opts.Standby {
		kind = "standby"
	}
	if c, err = run(Shell(script, owner, bin, dir, kind), dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

// Folder makes a folder with a file of some lines, for somebody: nil for ourselves.
func Folder(name string, owner *syscall.Credential, lines func(dir string) []string) (string, error) {
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return "", fmt.Errorf("pgcluster: %w", err)
	}
	path := filepath.Join(dir, name)
	err = os.WriteFile(path, []byte(strings.Join(lines(dir), "\n")+"\n"), 0o600)
	if err == nil && owner != nil {
		err = errors.Join(os.Chown(path, int(owner.Uid), int(owner.Gid)), os.Chown(dir, int(owner.Uid), int(owner.Gid)))
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("pgcluster: %w", err), os.RemoveAll(dir))
	}
	return dir, nil
}

// run runs the script until the cluster takes connections.
func run(shell *exec.Cmd, dir string) (*Cluster, error) {
	c := &Cluster{Dir: dir, shell: shell}
	end, said, err := Pipes(c.shell)
	if err != nil {
		return nil, err
	}
	c.end = end
	lines := bufio.NewReader(said)
	line, _ := lines.ReadString('\n')
	if line == "ready\n" {
		return c, nil
	}
	why, err := io.ReadAll(lines)
	return nil, errors.Join(fmt.Errorf("pgcluster: PostgreSQL didn't start: %s%s", line, why), err, c.Stop())
}

// Shell is a shell that runs a script of ours for somebody. A signal from the keyboard ends
// the tests, and not the shell that cleans up after them.
func Shell(script string, owner *syscall.Credential, args ...string) *exec.Cmd {
	shell := exec.Command("/bin/sh", append([]string{"-c", script, "sh"}, args...)...) //nolint:gosec,noctx // only scripts of this package; they outlive the test that comes first
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: owner}
	shell.Dir = "/"
	return shell
}

// Stop ends the cluster and waits until its folder is gone. Where nobody is left to call it,
// the folder is emptied, and stays if its owner may not write to the one above.
func (c *Cluster) Stop() error {
	err := c.end.Close()
	if waited := c.shell.Wait(); waited != nil && !errors.As(waited, new(*exec.ExitError)) {
		err = errors.Join(err, waited)
	}
	return errors.Join(err, os.RemoveAll(c.Dir))
}

// oldest is the first version that will do.
const oldest = 15

// programs finds the folder of PostgreSQL's programs: the newest that Debian has, or else those
// in the PATH, from 15 on.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	best, folder := oldest-1, ""
	for _, path := range found {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err == nil && version > best {
			best, folder = version, filepath.Dir(path)
		}
	}
	if folder == "" {
		return programsInPath()
	}
	return folder, nil
}

func programsInPath() (string, error) {
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", ErrNone
	}
	said, err := exec.Command(path, "--version").Output() //nolint:gosec,noctx // it says one line and ends
	if err != nil {
		return "", fmt.Errorf("pgcluster: %s: %w", path, err)
	}
	version := 0
	if _, err := fmt.Sscanf(string(said), "initdb (PostgreSQL) %d", &version); err != nil || version < oldest {
		return "", ErrNone
	}
	return filepath.Dir(path), nil
}

// ownerOf is who runs the cluster: PostgreSQL refuses to be run by root.
func ownerOf() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	found, err := user.Lookup(Superuser)
	if err != nil {
		return nil, fmt.Errorf("pgcluster: as root, a user %s is needed to run PostgreSQL: %w", Superuser, err)
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// Pipes starts a program; closing input ends it, if it reads to the end of it.
func Pipes(program *exec.Cmd) (input io.Closer, said io.Reader, err error) {
	in, err := program.StdinPipe()
	if err == nil {
		said, err = program.StdoutPipe()
	}
	if err == nil {
		err = program.Start()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("pgcluster: %w", err)
	}
	return in, said, nil
}
