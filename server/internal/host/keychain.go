package host

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// keychain is the keys of tokens and boxes as they are in a folder now. What changes in
// the folder is taken up by refresh, so that keys are added and dropped while a server
// runs.
type keychain struct {
	dir     string
	now     func() time.Time
	current atomic.Pointer[keysInUse]
}

// keysInUse is the keys at one moment. It is never altered.
type keysInUse struct {
	listing  string
	tokens   []ed25519.PublicKey
	signer   *identity.Signer
	verifier *identity.Verifier
	boxes    []syncproto.BoxKey
}

// The private keys of boxes: X25519, 32 bytes in base64. The greatest name is the one
// under which phones seal; all of them open.
const (
	firstBox   = "box-0001.key"
	boxPattern = "box-*.key"
)

func openKeychain(dir string, now func() time.Time) (*keychain, error) {
	k := &keychain{dir: dir, now: now}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, firstBox)); errors.Is(err, fs.ErrNotExist) {
		if names, err := filepath.Glob(filepath.Join(dir, boxPattern)); err != nil || len(names) == 0 {
			if err := errors.Join(err, makeSecret(filepath.Join(dir, firstBox))); err != nil {
				return nil, err
			}
		}
	}
	if err := k.refresh(); err != nil {
		return nil, err
	}
	return k, nil
}

// refresh takes up what has changed in the folder. If that can't be read, what was in use
// stays so.
func (k *keychain) refresh() error {
	listing, err := k.list()
	if err != nil {
		return err
	}
	if now := k.current.Load(); now != nil && now.listing == listing {
		return nil
	}
	ring, err := openKeys(k.dir)
	if err != nil {
		return err
	}
	boxes, err := openBoxes(k.dir)
	if err != nil {
		return err
	}
	if listing, err = k.list(); err != nil { // with the first key, if it was made just now
		return err
	}
	k.current.Store(&keysInUse{
		listing: listing, tokens: ring.public, signer: identity.NewSigner(ring.signing), verifier: identity.NewVerifier(ring.public, k.now), boxes: boxes,
	})
	return nil
}

// list names the files of keys. Keys are never altered, only added and removed.
func (k *keychain) list() (string, error) {
	var all []string
	for _, pattern := range []string{"*.pem", boxPattern} {
		names, err := filepath.Glob(filepath.Join(k.dir, pattern))
		if err != nil {
			return "", fmt.Errorf("keys: %w", err)
		}
		all = append(all, names...)
	}
	return strings.Join(all, "\n"), nil
}

// Sign implements enrol.Signer, with the newest key.
func (k *keychain) Sign(device syncproto.DeviceID, author syncproto.AuthorID, from, until time.Time) (string, error) {
	return k.current.Load().signer.Sign(device, author, from, until)
}

// Verify implements api.Tokens, with all keys.
func (k *keychain) Verify(token []byte) (identity.Bearer, error) {
	return k.current.Load().verifier.Verify(token)
}

// Boxes are the keys that open what phones have sealed, the newest last.
func (k *keychain) Boxes() []syncproto.BoxKey { return k.current.Load().boxes }

// Box is the public key under which phones seal.
func (k *keychain) Box() []byte {
	boxes := k.Boxes()
	return boxes[len(boxes)-1].Public()
}

func openBoxes(dir string) ([]syncproto.BoxKey, error) {
	names, err := filepath.Glob(filepath.Join(dir, boxPattern))
	if err != nil {
		return nil, fmt.Errorf("box keys: %w", err)
	}
	boxes := make([]syncproto.BoxKey, 0, len(names))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read a box key: %w", err)
		}
		private, err := secretBytes(string(text))
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", filepath.Base(name), err)
		}
		box, err := syncproto.NewBoxKey(private)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", filepath.Base(name), err)
		}
		boxes = append(boxes, box)
	}
	if len(boxes) == 0 {
		return nil, errors.New("there is no box key")
	}
	return boxes, nil
}

// AddTokenKey adds a key that signs tokens from now on, and returns the name of its file
// and of the key. Those signed with older ones stay good until they end, at most a quarter
// of an hour: then the older file may be removed. A running server takes both up by itself.
func AddTokenKey(dir string, opts Options) (file, key string, err error) {
	at, err := placeOf(dir, opts.DB)
	if err != nil {
		return "", "", err
	}
	folder := opts.keysFolder(at.dir)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return "", "", fmt.Errorf("%w: %s", ErrNothingThere, folder)
	}
	if _, err := openKeys(folder); err != nil {
		return "", "", err
	}
	names, err := filepath.Glob(filepath.Join(folder, "token-*.pem"))
	if err != nil {
		return "", "", fmt.Errorf("keys: %w", err)
	}
	last := 0
	for _, name := range names {
		number := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "token-"), ".pem")
		if n, err := strconv.Atoi(number); err == nil {
			last = max(last, n)
		}
	}
	file = filepath.Join(folder, fmt.Sprintf("token-%04d.pem", last+1))
	if err := makeKey(file); err != nil {
		return "", "", err
	}
	private, err := readKey(file)
	if err != nil {
		return "", "", err
	}
	public, ok := private.Public().(ed25519.PublicKey)
	if !ok {
		return "", "", errors.New("the new key is not an Ed25519 key")
	}
	return file, identity.KeyID(public), nil
}
