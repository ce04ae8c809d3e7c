package clientsdk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	if secrets == nil {
		if err := os.Remove(string(f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return syncFolder(filepath.Dir(string(f)))
	}
	fresh := string(f) + ".new"
	if err := writeThrough(fresh, secrets); err != nil {
		return err
	}
	if err := os.Rename(fresh, string(f)); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(string(f)))
}

// writeThrough writes a file and sees it to the disk.
func writeThrough(path string, body []byte) error {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(body)
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
