package storetest

import (
	"errors"

	"gridsync/server/internal/console"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// atDesk is an account of one of people, with everything in it.
func atDesk(n int) console.Account {
	return console.Account{
		Author: authorID(n), Login: "wang.fang", Password: "a hash", TOTP: []byte{1, 0, 2},
		Step: 52_000_000, Attempts: console.Attempts{Failures: 3, Locked: start + 7}, Made: start,
	}
}

func (w *world) console(fn func(console.Tx) error) {
	w.t.Helper()
	w.must(w.Console(w.ctx(), fn))
}

// account returns what is kept of a login.
func (w *world) account(login string) (a console.Account, known bool) {
	w.t.Helper()
	w.console(func(tx console.Tx) (err error) {
		a, known, err = tx.Account(login)
		return err
	})
	return a, known
}

func accountsComeBackWhole(w *world) {
	w.must(w.AddIdentities(w.ctx(), people()))
	want := atDesk(9)
	w.console(func(tx console.Tx) error { return tx.PutAccount(&want) })
	w.console(func(tx console.Tx) error {
		byLogin, known, err := tx.Account(want.Login)
		same(w.t, "by login", []any{byLogin, known, err}, []any{want, true, nil})
		byPerson, known, err := tx.AccountOf(want.Author)
		same(w.t, "by person", []any{byPerson, known, err}, []any{want, true, nil})
		_, known, err = tx.Account("Wang.Fang")
		same(w.t, "another login", []any{known, err}, []any{false, nil})
		_, known, err = tx.AccountOf(authorID(1))
		same(w.t, "somebody without an account", []any{known, err}, []any{false, nil})
		return nil
	})
	want.Password, want.TOTP, want.Attempts, want.Login = "", nil, console.Attempts{}, "wf2"
	w.console(func(tx console.Tx) error { return tx.PutAccount(&want) })
	got, known := w.account("wf2")
	same(w.t, "replaced", []any{got, known}, []any{want, true})
	if _, known := w.account("wang.fang"); known {
		w.t.Error("the login before is still one")
	}
}

func aLoginIsOnePersons(w *world) {
	w.must(w.AddIdentities(w.ctx(), people()))
	w.console(func(tx console.Tx) error { a := atDesk(9); return tx.PutAccount(&a) })
	err := w.Console(w.ctx(), func(tx console.Tx) error { a := atDesk(1); return tx.PutAccount(&a) })
	if err == nil {
		w.t.Error("two people have one login")
	}
	for name, n := range map[string]int{"nobody has heard of": 77, "is only known as somebody on a device": 5} {
		err = w.Console(w.ctx(), func(tx console.Tx) error { a := atDesk(n); a.Login = "nobody"; return tx.PutAccount(&a) })
		if err == nil {
			w.t.Errorf("an account of somebody who %s", name)
		}
	}
	if got, _ := w.account("wang.fang"); got.Author != authorID(9) {
		w.t.Errorf("the login is %v's", got.Author)
	}
}

// link returns what is kept of a link.
func (w *world) link(id console.Digest) (l console.Link, known bool) {
	w.t.Helper()
	w.console(func(tx console.Tx) (err error) {
		l, known, err = tx.Link(id)
		return err
	})
	return l, known
}

func aPersonHasOneLink(w *world) {
	w.must(w.AddIdentities(w.ctx(), people()))
	first := console.Link{ID: console.Digest{1, 31: 9}, Author: authorID(9), By: authorID(1), Expires: start + 5}
	other := console.Link{ID: console.Digest{2}, Author: authorID(1), Expires: start + 6}
	w.console(func(tx console.Tx) error { return errors.Join(tx.PutLink(first), tx.PutLink(other)) })
	got, known := w.link(first.ID)
	same(w.t, "link", []any{got, known}, []any{first, true})
	w.console(func(tx console.Tx) error { return tx.UseLink(first.ID, start+1) })
	first.Used = start + 1
	got, _ = w.link(first.ID)
	same(w.t, "used", got, first)
	second := console.Link{ID: console.Digest{3}, Author: authorID(9), Expires: start + 9}
	w.console(func(tx console.Tx) error { return tx.PutLink(second) })
	if _, known := w.link(first.ID); known {
		w.t.Error("the link before is still there")
	}
	got, _ = w.link(other.ID)
	same(w.t, "somebody else's", got, other)
}

func attemptsOfNobodyAreKept(w *world) {
	tried := func(id console.Try) (a console.Attempts, known bool) {
		w.console(func(tx console.Tx) (err error) {
			a, known, err = tx.Tried(id)
			return err
		})
		return a, known
	}
	const high = console.Try(1<<63 + 5) // beyond what a signed number holds
	w.console(func(tx console.Tx) error {
		return errors.Join(
			tx.PutTried(high, console.Attempts{Failures: 1}), tx.PutTried(2, console.Attempts{Failures: 9, Locked: start + 9}),
			tx.PutTried(3, console.Attempts{Failures: 8, Locked: start + 8}), tx.PutTried(high, console.Attempts{Failures: 7, Locked: start + 7}),
			tx.PutTried(4, console.Attempts{Failures: 1}), tx.ForgetTried(4), tx.ForgetTried(5),
		)
	})
	got, known := tried(high)
	same(w.t, "put twice", []any{got, known}, []any{console.Attempts{Failures: 7, Locked: start + 7}, true})
	if _, known := tried(4); known {
		w.t.Error("one that was forgotten is there")
	}
	w.console(func(tx console.Tx) error {
		n, err := tx.CountTried()
		same(w.t, "how many", n, 3)
		return errors.Join(err, tx.KeepTried(2))
	})
	for id, kept := range map[console.Try]bool{2: true, 3: true, high: false} {
		if _, known := tried(id); known != kept {
			w.t.Errorf("of three the two that are locked longest stay: %d is there: %v", id, known)
		}
	}
}

func deskSession(n byte, author int, made syncproto.Instant) *console.Session {
	return &console.Session{
		ID: identity.Session{n, 31: n}, Author: authorID(author), Made: made, Seen: made + 1, Expires: made + 100, Agent: "浏览器 🖥",
	}
}

// sessions names a person's sessions by their first byte.
func (w *world) sessions(author int) (names []byte) {
	w.t.Helper()
	list, err := w.SessionsOf(w.ctx(), authorID(author))
	w.must(err)
	for _, s := range list {
		names = append(names, s.ID[0])
	}
	return names
}

func sessionsComeAndGo(w *world) {
	w.must(w.AddIdentities(w.ctx(), people()))
	w.console(func(tx console.Tx) error {
		return errors.Join(tx.AddSession(deskSession(1, 9, start)), tx.AddSession(deskSession(2, 9, start+5)),
			tx.AddSession(deskSession(3, 9, start+3)), tx.AddSession(deskSession(4, 1, start)))
	})
	got, known, err := w.Session(w.ctx(), identity.Session{2, 31: 2})
	same(w.t, "session", []any{got, known, err}, []any{*deskSession(2, 9, start+5), true, nil})
	_, known, err = w.Session(w.ctx(), identity.Session{2})
	same(w.t, "another", []any{known, err}, []any{false, nil})
	same(w.t, "newest first", w.sessions(9), []byte{2, 3, 1})

	w.console(func(tx console.Tx) error { return tx.SeenSession(identity.Session{2, 31: 2}, start+50) })
	got, _, err = w.Session(w.ctx(), identity.Session{2, 31: 2})
	same(w.t, "seen", []any{got.Seen, err}, []any{start + 50, nil})

	w.console(func(tx console.Tx) error { return tx.EndSession(identity.Session{3, 31: 3}) })
	same(w.t, "one ended", w.sessions(9), []byte{2, 1})
	w.console(func(tx console.Tx) error { return tx.SeenSession(identity.Session{3, 31: 3}, start+60) })
	same(w.t, "one that ended isn't back", w.sessions(9), []byte{2, 1})

	w.console(func(tx console.Tx) error { return tx.AddSession(deskSession(5, 9, start+100)) })
	same(w.t, "what expired goes", w.sessions(9), []byte{5, 2})
	w.console(func(tx console.Tx) error { return tx.EndSessions(authorID(9), identity.Session{2, 31: 2}) })
	same(w.t, "all but one", w.sessions(9), []byte{2})
	w.console(func(tx console.Tx) error { return tx.EndSessions(authorID(9), identity.Session{}) })
	same(w.t, "all", w.sessions(9), []byte(nil))
	same(w.t, "somebody else's", w.sessions(1), []byte{4})
}

func theConsoleKeepsAllOrNothing(w *world) {
	failed := errors.New("failed")
	err := w.Console(w.ctx(), func(tx console.Tx) error {
		a := atDesk(9)
		return errors.Join(tx.AddIdentities(people()), tx.PutAccount(&a), tx.AddSession(deskSession(1, 9, start)), failed)
	})
	if !errors.Is(err, failed) {
		w.t.Fatal(err)
	}
	same(w.t, "everyone", w.everyone(), identity.Everyone{})
	if _, known := w.account("wang.fang"); known {
		w.t.Error("an account of a transaction that failed")
	}
	before := w.revision()
	w.console(func(tx console.Tx) error {
		a := atDesk(9)
		return errors.Join(tx.AddIdentities(people()), tx.PutAccount(&a), tx.AddSession(deskSession(1, 9, start)))
	})
	same(w.t, "everyone", w.everyone(), people())
	same(w.t, "sessions", w.sessions(9), []byte{1})
	if w.revision() <= before {
		w.t.Error("nobody hears of the people whom the console adds")
	}
}
