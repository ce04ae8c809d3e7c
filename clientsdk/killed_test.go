package clientsdk_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// victim names the folder of the phone that this program is to be, until it is killed.
const victim = "GRIDSYNC_TEST_VICTIM"

// No client leaves a goroutine behind.
func TestMain(m *testing.M) {
	if folder := os.Getenv(victim); folder != "" {
		recordUntilKilled(folder)
		return
	}
	goleak.VerifyTestMain(m)
}

// ofFolder are the options of a phone that outlives its process.
func ofFolder(folder string) clientsdk.Options {
	return newcomer(&fake{}, clientsdk.FileKeystore(filepath.Join(folder, "keys")))
}

// recordUntilKilled records into a sealed file, and says of each entry that it is kept
// once Put has said so. It ends by itself when nobody kills it.
func recordUntilKilled(folder string) {
	c := must(clientsdk.Open(background, filepath.Join(folder, "phone.db"), ofFolder(folder)))
	if err := c.Unlock(background, pin); err != nil {
		panic(err)
	}
	for i := range 500 {
		address := fmt.Sprintf("幸福路 %d-%d", os.Getpid(), i)
		must(c.As(c.Me()).Put(background, clientsdk.Edit{Kind: "household", Area: grid1, Fields: syncproto.Fields{
			"address": syncproto.TextValue(address), "found_on": `"2020-02-03"`,
		}}))
		fmt.Println(address)
	}
}

// killAfter starts a phone in a folder, kills it (and nothing else) once it has said that
// some entries are kept, and returns all of those.
func killAfter(t *testing.T, folder string, entries int) (kept []string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0]) // #nosec G204 -- this program itself
	child.Env, child.Stderr = append(os.Environ(), victim+"="+folder), os.Stderr
	said := bufio.NewScanner(must(child.StdoutPipe()))
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for said.Scan() {
		kept = append(kept, said.Text())
		if len(kept) == entries {
			equal(t, "killed", child.Process.Kill(), nil)
		}
	}
	if err := child.Wait(); err == nil || len(kept) < entries {
		t.Fatalf("it ended by itself after %d entries", len(kept))
	}
	return kept
}

func TestWhatASealedPhoneSaidThatItKeptIsThereAfterAnyKillAndDeliversWhileLocked(t *testing.T) {
	f := newFake(t)
	f.openOffice(t).codes["CODE1"] = author(2)
	folder := t.TempDir()
	path, opt := filepath.Join(folder, "phone.db"), ofFolder(folder)
	opt.Server, opt.Transport = f.url, &http.Transport{DisableKeepAlives: true}
	must(clientsdk.Enrol(background, opt, mei))
	c := must(clientsdk.Open(background, path, opt))
	equal(t, "sealed", c.Seal(background, pin), nil)
	equal(t, "closed", c.Close(), nil)

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2022))
	var kept []string
	for range 5 {
		kept = append(kept, killAfter(t, folder, 1+r.IntN(25))...)
		c := must(clientsdk.Open(background, path, opt))
		equal(t, "locked", c.Locked(), true)
		equal(t, "delivers", second(c.Deliver(background)), nil)
		equal(t, "unsent", must(c.Status(background)).Unsent, 0)
		equal(t, "closed", c.Close(), nil)
	}
	var held strings.Builder
	for _, s := range f.log[c.Device()] {
		held.Write(s.change.Fields)
	}
	for _, address := range kept {
		if !strings.Contains(held.String(), `"`+address+`"`) {
			t.Errorf("%s was kept and isn't at the server", address)
		}
	}
	for _, body := range f.bodies {
		equal(t, "in the clear on the way", strings.Contains(body, "幸福路"), false)
	}
	c = must(clientsdk.Open(background, path, opt))
	equal(t, "opens", c.Unlock(background, pin), nil)
	equal(t, "in the log", len(must(c.Log(background))), len(f.log[c.Device()]))
	equal(t, "closed", c.Close(), nil)
}
