package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// process is one of the two sides while it runs.
type process struct {
	side, dir, address string

	cmd    *exec.Cmd
	stdin  io.Closer
	said   *tail
	exited chan struct{}
	err    error // after exited
}

// Bounds on a process's life.
const (
	startTimeout = 30 * time.Second
	stopTimeout  = 60 * time.Second
)

// start starts one side on a data directory and waits until it accepts connections.
func (r *run) start(ctx context.Context, side, dir string) (*process, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	p := &process{side: side, dir: dir, address: address, said: &tail{}, exited: make(chan struct{})}
	args := slices.Concat(r.Child[1:], []string{side, "-dir", dir, "-listen", address})
	// It isn't killed when ctx ends, but asked to end in good order: see stop.
	//nolint:gosec // the program is this one, or what its caller named
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), r.Child[0], args...)
	p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
	p.cmd.Env = append(os.Environ(), r.Env...)
	// The child ends when its input does: with us, even if we are killed.
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("starting the %s: %w", side, err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the %s: %w", side, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	if err := p.ready(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	address := ln.Addr().String()
	return address, ln.Close()
}

// ready waits until the process accepts a connection.
func (p *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", p.address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.exited:
			return fmt.Errorf("the %s ended before it listened: %w\n%s", p.side, p.err, p.said)
		case <-ctx.Done():
			return fmt.Errorf("the %s didn't listen within %v: %w\n%s", p.side, startTimeout, err, p.said)
		case <-again.C:
		}
	}
}

// stop ends the process in good order, or at last by force.
func (p *process) stop() error {
	_ = p.stdin.Close() // it fails only when the process has ended, which is seen below
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill() // it fails only when the process has just ended
		<-p.exited
		return fmt.Errorf("the %s didn't end within %v\n%s", p.side, stopTimeout, p.said)
	}
	if p.err != nil {
		return fmt.Errorf("the %s ended badly: %w\n%s", p.side, p.err, p.said)
	}
	return nil
}

// peakMemory is the largest resident size that the process has had, in bytes. It
// is known on Linux only.
func (p *process) peakMemory() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("peak memory of the %s (told by Linux only): %w", p.side, err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("peak memory of the %s: %w", p.side, err)
			}
			return kb * 1024, nil
		}
	}
	return 0, fmt.Errorf("peak memory of the %s: no VmHWM in its status", p.side)
}

// tail keeps the last of what a process said.
type tail struct {
	mu   sync.Mutex
	last []byte
}

const tailBytes = 4096

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	if over := len(t.last) - tailBytes; over > 0 {
		t.last = bytes.Clone(t.last[over:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.last)
}

// sizeOf adds up the files below a folder.
func sizeOf(dir string) (int64, error) {
	var total int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("size of the data: %w", err)
	}
	return total, nil
}

// copyDir copies a folder whose process has ended.
func copyDir(from, to string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return fmt.Errorf("copying the data: %w", err)
	}
	return nil
}
