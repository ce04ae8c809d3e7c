//go:build ha

package hatest

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// service is a gridsync server on a node, started again whenever it ends, as systemd
// would do it, for as long as the machine is on.
type service struct {
	n    *node
	stop chan struct{}
	done chan struct{}
	// kills asks for a kill -9 of the process that runs now.
	kills chan struct{}
}

// port is the servers'; each node has its own.
const port = "8080"

// serve runs a server on the node until the test ends.
func (n *node) serve(t *testing.T, database string) *service {
	t.Helper()
	s := &service{n: n, stop: make(chan struct{}), done: make(chan struct{}), kills: make(chan struct{})}
	log, err := os.OpenFile(filepath.Join(n.g.dir, n.name+"-server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.done)
		defer log.Close()
		again := time.NewTicker(soon)
		defer again.Stop()
		for {
			if !n.off.Load() {
				s.run(log, database)
			}
			select {
			case <-again.C:
			case <-s.kills: // it is dead already
			case <-s.stop:
				return
			}
		}
	}()
	t.Cleanup(func() {
		close(s.stop)
		<-s.done
	})
	return s
}

// run runs the server once.
func (s *service) run(log *os.File, database string) {
	cmd := s.n.run("", filepath.Join(s.n.g.dir, "server"), "serve",
		"-data", filepath.Join(s.n.dir, "gridsync"), "-keys", s.n.g.keys(), "-listen", s.n.at(front)+":"+port,
		// These phones sync as fast as they can, and wait for nobody.
		"-limit", "sync=100000/1000")
	cmd.Env = append(os.Environ(), "GRIDSYNC_DB="+database)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return // the machine has gone down meanwhile
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it ends by being killed
		close(ended)
	}()
	select {
	case <-ended:
	case <-s.kills:
		_ = cmd.Process.Kill()
		<-ended
	case <-s.stop:
		_ = cmd.Process.Kill()
		<-ended
	}
}

// kill9 ends the server as the kernel does that is short of memory.
func (s *service) kill9() { s.kills <- struct{}{} }

// keys are what all servers share.
func (g *ground) keys() string { return filepath.Join(g.dir, "keys") }
