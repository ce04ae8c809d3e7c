//go:build ha

package hatest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A node is a machine: a namespace with two cables, etcd, and PostgreSQL under Patroni.
type node struct {
	n       int
	name    string
	dir     string
	g       *ground
	started map[string]*exec.Cmd
	// ended is closed for a program that was started when it has ended.
	ended map[string]chan struct{}
	// off says that the machine is.
	off atomic.Bool
}

// ground is the cluster that all tests of a run share. Each begins with whole, and so
// finds it healthy whatever the one before did.
type ground struct {
	dir   string
	bin   string
	nodes []*node
}

const size = 3

var (
	shared    *ground
	sharing   sync.Once
	wholeness = 90 * time.Second
)

// whole gives the cluster with all nodes well: one leads, one of the others holds all
// that was answered, and all stream.
func whole(t *testing.T) *ground {
	t.Helper()
	sharing.Do(func() { shared = raise(t) })
	if shared == nil {
		t.Fatal("the cluster didn't come up")
	}
	g := shared
	t.Cleanup(func() {
		if t.Failed() {
			g.tell(t)
		}
	})
	began := time.Now()
	var since time.Time // when it was found so, and always from then on
	g.await(t, "the cluster is whole", wholeness, func() bool {
		switch {
		case !g.isWhole(t):
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		}
		return !since.IsZero() && time.Since(since) > steady*time.Second
	})
	t.Logf("whole after %.1f s", time.Since(began).Seconds())
	return g
}

// isWhole asks how the cluster stands now.
func (g *ground) isWhole(t *testing.T) bool {
	t.Helper()
	for _, n := range g.nodes {
		n.ensure(t)
	}
	members, err := g.members()
	roles := map[string]int{}
	for _, m := range members {
		if m.Timeline != members[0].Timeline {
			return false // what a node that came back says of itself is of before
		}
		if m.State == "running" || m.State == "streaming" {
			roles[m.Role]++
		}
	}
	// What is known of a node may be of before it was cut off: each is asked itself.
	leaders := 0
	for _, n := range g.nodes {
		switch {
		case n.leads():
			leaders++
		case !n.follows():
			return false
		}
	}
	return err == nil && leaders == 1 && roles["leader"] == 1 && roles["sync_standby"] == 1 && roles["replica"] == size-2
}

// raise makes the machines.
func raise(t *testing.T) *ground {
	t.Helper()
	bin, err := postgresBin()
	if err != nil {
		t.Fatal(err)
	}
	plug(t, size)
	g := &ground{dir: os.Getenv(folder), bin: bin}
	for i := 1; i <= size; i++ {
		n := &node{n: i, name: fmt.Sprintf("n%d", i), g: g, started: map[string]*exec.Cmd{}, ended: map[string]chan struct{}{}}
		n.dir = filepath.Join(g.dir, n.name)
		if err := os.Mkdir(n.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		own(t, n.dir)
		if err := os.WriteFile(filepath.Join(n.dir, "patroni.yml"), []byte(patroniConfig(n, size, bin)), 0o644); err != nil {
			t.Fatal(err)
		}
		g.nodes = append(g.nodes, n)
	}
	return g
}

// own gives a folder to the user whom PostgreSQL runs as: it refuses to be root.
func own(t *testing.T, path string) {
	t.Helper()
	who, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(who.Uid)
	gid, _ := strconv.Atoi(who.Gid)
	if err := os.Chown(path, uid, gid); err != nil {
		t.Fatal(err)
	}
}

func (n *node) at(s side) string { return s.address(n.n) }

// run prepares a program to run on the node. As no process stands between, what is
// started is what a signal meets.
func (n *node) run(as string, program ...string) *exec.Cmd {
	args := []string{"netns", "exec", n.name}
	if as != "" {
		args = append(args, "setpriv", "--reuid="+as, "--regid="+as, "--init-groups")
	}
	cmd := exec.Command("ip", append(args, program...)...)
	cmd.Dir = n.dir
	return cmd
}

// ensure starts what doesn't run on the node.
func (n *node) ensure(t *testing.T) {
	t.Helper()
	n.off.Store(false)
	if !n.runs("etcd") {
		var all []string
		for i := 1; i <= size; i++ {
			all = append(all, fmt.Sprintf("n%d=http://%s:2380", i, back.address(i)))
		}
		n.start(t, "etcd", "etcd",
			"--name", n.name, "--data-dir", filepath.Join(n.dir, "etcd"),
			"--listen-peer-urls", "http://"+n.at(back)+":2380", "--initial-advertise-peer-urls", "http://"+n.at(back)+":2380",
			"--listen-client-urls", "http://"+n.at(back)+":2379,http://127.0.0.1:2379", "--advertise-client-urls", "http://"+n.at(back)+":2379",
			"--initial-cluster", strings.Join(all, ","), "--initial-cluster-token", "gridsync",
			// A busy machine's disk may take its time over a sync without there being a
			// reason to elect anybody.
			"--heartbeat-interval", "200", "--election-timeout", "2000",
			// Patroni speaks etcd's first protocol here: see patroniConfig.
			"--enable-v2",
			"--logger", "zap", "--log-level", "warn")
	}
	if !n.runs("patroni") {
		n.start(t, "patroni", "patroni", filepath.Join(n.dir, "patroni.yml"))
	}
}

// start starts a program whose words go to a file.
func (n *node) start(t *testing.T, name string, program ...string) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(n.g.dir, n.name+"-"+name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := n.run("postgres", program...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "HOME="+n.dir, "PYTHONUNBUFFERED=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	n.started[name], n.ended[name] = cmd, ended
	go func() {
		_ = cmd.Wait() // it ends by being killed
		close(ended)
	}()
}

// runs says whether a program that was started is still there.
func (n *node) runs(name string) bool {
	ended, started := n.ended[name]
	if !started {
		return false
	}
	select {
	case <-ended:
		return false
	default:
		return true
	}
}

// pids are the processes on the node.
func (n *node) pids(t *testing.T) []int {
	t.Helper()
	var pids []int
	for _, field := range strings.Fields(ip(t, "netns pids %s", n.name)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// kill9 ends every process on the node, as when its power goes; but other machines are
// told by its kernel that their connections are gone, which a pulled cable doesn't do.
func (n *node) kill9(t *testing.T) {
	t.Helper()
	n.off.Store(true)
	for pids := n.pids(t); len(pids) > 0; pids = n.pids(t) {
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
				t.Fatal(err)
			}
		}
	}
	for _, ended := range n.ended {
		<-ended
	}
}

// leader is the node that leads, second the one whose disk a commit waits for.
func (g *ground) leader(t *testing.T) *node { t.Helper(); return g.role(t, "leader") }
func (g *ground) second(t *testing.T) *node { t.Helper(); return g.role(t, "sync_standby") }
func (g *ground) third(t *testing.T) *node  { t.Helper(); return g.role(t, "replica") }

func (g *ground) role(t *testing.T, role string) *node {
	t.Helper()
	members, err := g.members()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range g.nodes {
		if slices.ContainsFunc(members, func(m member) bool { return m.Name == n.name && m.Role == role }) {
			return n
		}
	}
	t.Fatalf("nobody is %s: %v", role, members)
	return nil
}

// others are the nodes but one.
func (g *ground) others(but *node) []*node {
	var others []*node
	for _, n := range g.nodes {
		if n != but {
			others = append(others, n)
		}
	}
	return others
}

// await asks ten times a second, as other programs can't be waited for in another way.
func (g *ground) await(t *testing.T, what string, limit time.Duration, so func() bool) {
	t.Helper()
	end := time.NewTimer(limit)
	defer end.Stop()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for !so() {
		select {
		case <-again.C:
		case <-end.C:
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// tell prints the end of what the programs said.
func (g *ground) tell(t *testing.T) {
	logs, _ := filepath.Glob(filepath.Join(g.dir, "*.log"))
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Error(err)
		}
		lines := strings.Split(string(text), "\n")
		t.Logf("%s:\n%s", filepath.Base(log), strings.Join(lines[max(0, len(lines)-30):], "\n"))
	}
	members, err := g.members()
	t.Log(members, err)
}

// url is where PostgreSQL is, wherever it leads. Nothing is said of how long a statement
// may take: a commit that is broken off while it waits for the second node is kept by the
// first and answered as if it had succeeded.
func (g *ground) url(database string) string {
	var hosts []string
	for _, n := range g.nodes {
		hosts = append(hosts, net.JoinHostPort(n.at(back), "5432"))
	}
	return "postgres://postgres@" + strings.Join(hosts, ",") + "/" + database + "?target_session_attrs=read-write&connect_timeout=2"
}
