//go:build ha

package hatest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// The tests run in a world of their own: namespaces for networks, processes and mounts.
// Its networks are ours, so that a node can have the ports that it has in earnest and a
// cable can be pulled; and whatever was started in it ends with its first process, even
// when that was killed, and nothing else can be hit. Three copies of this program stand
// one in the other:
//
//	outside   checks what is needed, builds the server, starts the world, sweeps up
//	first     process 1 of the world: mounts, and buries what its parents left
//	inside    runs the tests
//
// A fourth, a writer, is started by tests on a node.
const (
	stage       = "GRIDSYNC_HA_STAGE"
	stageFirst  = "first"
	stageInside = "inside"
	stageWriter = "writer"
	// folder is where everything lies, from outside to inside.
	folder = "GRIDSYNC_HA_FOLDER"
	// logs is a folder for what the programs said; it may be left out.
	logs = "GRIDSYNC_HA_LOGS"
)

func TestMain(m *testing.M) {
	var code int
	var err error
	switch os.Getenv(stage) {
	case stageInside:
		code = inside(m)
	case stageFirst:
		code, err = first()
	case stageWriter:
		err = writeHere()
	default:
		code, err = outside()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "hatest:", err)
		code = 1
	}
	os.Exit(code)
}

// outside starts the world and says how it ended.
func outside() (code int, err error) {
	if err := equipped(); err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "gridsync-ha-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, keepLogs(dir), os.RemoveAll(dir)) }()
	// PostgreSQL runs as another user, who must be able to get to its own folder.
	if err := os.Chmod(dir, 0o711); err != nil {
		return 0, err
	}
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "server"), "gridsync/server").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go build: %w\n%s", err, out)
	}

	// The world must not outlive this thread, which is therefore not given back.
	runtime.LockOSThread()
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	world := exec.Command(self, os.Args[1:]...)
	world.Env = append(os.Environ(), stage+"="+stageFirst, folder+"="+dir)
	world.Stdout, world.Stderr = os.Stdout, os.Stderr
	world.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	if err := world.Start(); err != nil {
		return 0, fmt.Errorf("this machine doesn't let us make namespaces (root is needed, and in a container CAP_SYS_ADMIN): %w", err)
	}
	go func() {
		<-stop
		_ = world.Process.Kill() // it may have ended by itself
	}()
	var ended *exec.ExitError
	if err := world.Wait(); errors.As(err, &ended) {
		return max(ended.ExitCode(), 1), nil
	} else if err != nil {
		return 0, err
	}
	return 0, nil
}

// keepLogs copies what the programs said to where somebody asked for it.
func keepLogs(dir string) error {
	to := os.Getenv(logs)
	if to == "" {
		return nil
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o750); err != nil {
		return err
	}
	for _, log := range found {
		text, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(log)), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// first readies the world, runs the tests in it, and waits for every process whose
// parent has gone: Patroni takes a dead PostgreSQL for a living one until somebody has.
func first() (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	for _, m := range []struct {
		what, where, kind string
		flags             uintptr
	}{
		{"none", "/", "", syscall.MS_REC | syscall.MS_PRIVATE},
		{"proc", "/proc", "proc", 0},
		{"tmpfs", "/run", "tmpfs", 0}, // where "ip netns" keeps names
	} {
		if err := syscall.Mount(m.what, m.where, m.kind, m.flags, ""); err != nil {
			return 0, fmt.Errorf("mount %s on %s: %w", m.kind, m.where, err)
		}
	}
	if err := os.Setenv(stage, stageInside); err != nil {
		return 0, err
	}
	tests, err := syscall.ForkExec(self, os.Args, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		return 0, err
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, fmt.Errorf("wait: %w", err)
		case pid == tests && status.Signaled():
			return 0, fmt.Errorf("the tests were ended: %s", status.Signal())
		case pid == tests:
			return status.ExitStatus(), nil
		}
	}
}

// inside runs the tests; what they started goes down with the world.
func inside(m *testing.M) int {
	return m.Run()
}

// equipped says what is missing and how to get it.
func equipped() error {
	var missing []error
	for _, program := range []string{"patroni", "etcd", "ip", "setpriv"} {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, err)
		}
	}
	if _, err := postgresBin(); err != nil {
		missing = append(missing, err)
	}
	if len(missing) > 0 {
		return fmt.Errorf("make ha-tools installs what is missing: %w", errors.Join(missing...))
	}
	return nil
}

// postgresBin is the folder of the newest PostgreSQL's programs.
func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", errors.New("no PostgreSQL in /usr/lib/postgresql")
	}
	return filepath.Dir(found[len(found)-1]), nil
}
