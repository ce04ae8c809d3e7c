package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrLocked says that another server works on the folder.
var ErrLocked = errors.New("another server is running on this folder")

// Lock is held until it is released, or its process ends, however it ends.
type Lock struct{ file *os.File }

// serving is the file that a server locks.
const serving = "serve.lock"

// LockServe takes the folder for one server; ErrLocked if another process, or
// another call, holds it. Commands that write beside a server don't take it.
func (s *Store) LockServe() (*Lock, error) {
	lock, err := lockFile(s.dir, serving, false)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	return lock, nil
}

// lockFile locks a file of the folder, waiting for it or not.
func lockFile(dir, name string, wait bool) (*Lock, error) {
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err = syscall.Flock(int(file.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrLocked
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), file.Close())
	}
	return &Lock{file}, nil
}

// Release gives the lock back. The file stays: deleting it would let two processes
// lock two files of one name.
func (l *Lock) Release() error { return l.file.Close() }
