package host

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keyring is the keys that tokens are signed and verified with.
type keyring struct {
	signing ed25519.PrivateKey
	public  []ed25519.PublicKey
}

// firstKey is the name of the key that an installation starts with. The file
// whose name is the greatest signs; all of them are believed, so that a key is
// replaced by adding token-0002.pem and dropped by removing token-0001.pem.
const firstKey = "token-0001.pem"

// openKeys reads the keys in a folder, making the first one if there is none.
func openKeys(dir string) (*keyring, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	if len(names) == 0 {
		name := filepath.Join(dir, firstKey)
		if err := makeKey(name); err != nil {
			return nil, err
		}
		names = []string{name}
	}
	ring := &keyring{}
	for _, name := range names { // Glob sorts by name
		key, err := readKey(name)
		if err != nil {
			return nil, err
		}
		public, ok := key.Public().(ed25519.PublicKey)
		if !ok {
			return nil, fmt.Errorf("key %s: not an Ed25519 key", filepath.Base(name))
		}
		ring.signing, ring.public = key, append(ring.public, public)
	}
	return ring, nil
}

// makeKey writes a new key under a name, complete or not at all. When another
// process was faster its key stays.
func makeKey(name string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	return writeKey(name, func(f *os.File) error {
		return pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	})
}

// writeKey writes a file under a name, complete or not at all. When another process was
// faster its file stays.
func writeKey(name string, write func(*os.File) error) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	// CreateTemp makes files that their owner alone may read and write.
	f, err := os.CreateTemp(filepath.Dir(name), "new-*")
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	err = errors.Join(write(f), f.Sync(), f.Close())
	if err == nil {
		if err = os.Link(f.Name(), name); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	// What is sealed is lost with its key: the name must be as durable as what comes after it.
	folder := filepath.Dir(name)
	if err = errors.Join(err, os.Remove(f.Name()), syncFolder(folder), syncFolder(filepath.Dir(folder))); err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	return nil
}

func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func readKey(name string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read a key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("key %s: not a PEM private key", filepath.Base(name))
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", filepath.Base(name), err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("key %s: not an Ed25519 key", filepath.Base(name))
	}
	return key, nil
}
