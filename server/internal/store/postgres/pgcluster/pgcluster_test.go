package pgcluster

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// elsewhere has folders made where whoever runs PostgreSQL may not write.
func elsewhere(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // or they don't get there
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	return dir
}

// left is what is left in a folder.
func left(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if path != dir {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestWhatIsStoppedLeavesNothing(t *testing.T) {
	above := elsewhere(t)
	c, err := Start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(left(t, above)) == 0 {
		t.Error("it is made somewhere else")
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	if names := left(t, above); len(names) > 0 {
		t.Errorf("left: %v", names)
	}
}

func TestWhoDoesNotStartSaysWhy(t *testing.T) {
	above := elsewhere(t)
	for _, c := range []struct{ setting, why string }{
		{"no_such_setting=1", "no_such_setting"},          // told by who starts it
		{"shared_preload_libraries='nothing'", "nothing"}, // told in its log
	} {
		if _, err := Start(Options{Settings: []string{c.setting}}); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", c.setting, err)
		}
	}
	if names := left(t, above); len(names) > 0 {
		t.Errorf("left: %v", names)
	}
}

// TestNothingGoesOnWhoseStarterDiedAmidTheStart closes both ends of the shell, as the end of the
// process that started it does, while initdb runs.
func TestNothingGoesOnWhoseStarterDiedAmidTheStart(t *testing.T) {
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	owner, err := ownerOf()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := Folder("settings", owner, func(dir string) []string {
		return append(append([]string{"unix_socket_directories='" + dir + "'"}, settings...), quick...)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	}()
	shell := Shell(script, owner, bin, dir, "leader")
	input, said, err := Pipes(shell)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(input.Close(), said.(io.Closer).Close()); err != nil {
		t.Fatal(err)
	}
	if err := shell.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Error(err)
	}
	if !shell.ProcessState.Exited() {
		t.Errorf("the shell was ended before it had cleaned up: %v", shell.ProcessState)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); !errors.Is(err, os.ErrNotExist) {
		stop := Shell(`"$1/pg_ctl" -D "$2/data" -m immediate -w stop`, owner, bin, dir)
		t.Errorf("its data is there, %v; stopped by the test: %v", err, stop.Run())
	}
}

func TestProgramsThatAreTooOldAreNone(t *testing.T) {
	for said, fits := range map[string]bool{
		"initdb (PostgreSQL) 14.19":                  false,
		"initdb (PostgreSQL) 15.14 (Debian 15.14-0)": true,
		"initdb (PostgreSQL) 18beta1":                true,
		"initdb":                                     false,
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "initdb")
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+said+"'\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", dir)
		found, err := programsInPath()
		if fits && (err != nil || found != dir) || !fits && !errors.Is(err, ErrNone) {
			t.Errorf("%s: %s, %v", said, found, err)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := programsInPath(); !errors.Is(err, ErrNone) {
		t.Errorf("none: %v", err)
	}
}
