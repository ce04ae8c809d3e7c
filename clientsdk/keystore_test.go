package clientsdk_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"gridsync/clientsdk"
)

func TestKeysThatTwoProcessesSaveAtOnceAreThoseOfOneOfThem(t *testing.T) {
	folder := t.TempDir()
	keys := clientsdk.FileKeystore(filepath.Join(folder, "keys"))
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for range 20 {
				if err := keys.Save(bytes.Repeat([]byte{byte('a' + w)}, 1000*(w+1))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	kept := must(keys.Load())
	if len(kept) == 0 || len(bytes.Trim(kept, string(kept[:1]))) > 0 || len(kept) != 1000*int(kept[0]-'a'+1) {
		t.Errorf("the keys are of nobody: %d bytes of %q", len(kept), kept[:min(len(kept), 1)])
	}
	equal(t, "files", len(must(os.ReadDir(folder))), 1)
	equal(t, "readable by", fmt.Sprint(must(os.Stat(string(keys))).Mode().Perm()), "-rw-------")
}

func TestDestroyedKeysLeaveNothingOfASaveThatWasCutOff(t *testing.T) {
	folder := t.TempDir()
	keys := clientsdk.FileKeystore(filepath.Join(folder, "keys"))
	equal(t, "saved", keys.Save([]byte("secret")), nil)
	equal(t, "cut off", os.WriteFile(string(keys)+".new", []byte("secret"), 0o600), nil)
	equal(t, "another file", os.WriteFile(filepath.Join(folder, "keysmith"), nil, 0o600), nil)
	equal(t, "destroyed", keys.Save(nil), nil)
	left := must(os.ReadDir(folder))
	if len(left) != 1 || left[0].Name() != "keysmith" {
		t.Errorf("left: %v", left)
	}
	equal(t, "and again", keys.Save(nil), nil)
}
