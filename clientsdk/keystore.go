package clientsdk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Keystore is the phone's safe for small secrets, outside the client's file: the
// Keychain, the Android Keystore, or FileKeystore where there is neither. Who has the
// file without it can read nothing that is sealed.
type Keystore interface {
	// Load returns what was kept last, or nil for nothing.
	Load() ([]byte, error)
	// Save keeps secrets in place of what was there, wholly or not at all, and durably
	// when it returns nil. Nothing is kept in place of it for nil: what was there is
	// destroyed.
	Save(secrets []byte) error
}

// FileKeystore is a keystore in a file that its owner alone can read. It protects from
// who gets hold of the client's file alone, such as in a backup, and from no one else.
type FileKeystore string

// Load reads the file.
func (f FileKeystore) Load() ([]byte, error) {
	body, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the phone's keys: %w", err)
	}
	return body, nil
}

// Save writes a new file and puts it in the old one's place.
func (f FileKeystore) Save(secrets []byte) error {
	if err := f.save(secrets); err != nil {
		return fmt.Errorf("keeping the phone's keys: %w", err)
	}
	return nil
}

func (f FileKeystore) save(secrets []byte) error {
	folder, name := filepath.Split(string(f))
	folder = filepath.Clean(folder)
	if secrets == nil {
		return errors.Join(f.destroy(folder, name), syncFolder(folder))
	}
	// Each process writes a file of its own: two may save at once.
	out, err := os.CreateTemp(folder, name+fresh)
	if err != nil {
		return err
	}
	if err := writeThrough(out, secrets); err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	if err := os.Rename(out.Name(), string(f)); err != nil {
		return err
	}
	return syncFolder(folder)
}

// fresh ends the name of a file that is on its way into the keystore's place.
const fresh = ".new"

// destroy takes the file away, and what saves that were cut off have left of it.
func (f FileKeystore) destroy(folder, name string) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, file := range files {
		if file.Name() != name && !strings.HasPrefix(file.Name(), name+fresh) {
			continue
		}
		if err := os.Remove(filepath.Join(folder, file.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// writeThrough writes a file, which only its owner can read, and sees it to the disk.
func writeThrough(out *os.File, body []byte) error {
	_, err := out.Write(body)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// syncFolder sees to the disk which files are in a folder.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
