package clientsdk_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// forgetful is a server that took five changes of a phone and lost the third, from its
// log and from its record. The answer that says so arrives, and then the link breaks.
func forgetful(t *testing.T) (f *fake, p *phone, lost syncproto.RecordID) {
	t.Helper()
	f = newFake(t)
	p = newPhone(t, f, 1)
	for i := range 5 {
		if h := p.household(t, fmt.Sprint(i)); i == 2 {
			lost = h
		}
	}
	p.sync(t)
	equal(t, "agreed at first", p.status(t).Agreed, true)
	delete(f.log[p.Device()], 3)
	delete(f.records, lost)
	f.fail(func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) { next(w, r) }, loseRequest, loseRequest)
	p.opt.Attempts = 1
	p.reopen(t)
	return f, p, lost
}

// brokenSync syncs until the link breaks.
func (p *phone) brokenSync(t *testing.T) clientsdk.Report {
	t.Helper()
	report, err := p.Sync(background)
	if !errors.Is(err, clientsdk.ErrOffline) {
		t.Fatalf("got %v, want a broken link", err)
	}
	return report
}

// repaired checks that the server holds everything again.
func (p *phone) repaired(t *testing.T, f *fake, lost syncproto.RecordID) {
	t.Helper()
	report := p.sync(t)
	equal(t, "taken as new, once", report.Sent[syncproto.Applied], 1)
	f.holdsExactly(t, p)
	s := p.status(t)
	equal(t, "agreed in the end", s.Agreed, true)
	equal(t, "delivered in the end", s.Delivered, 5)
	equal(t, "its record is there", f.records[lost] != nil, true)
}

func TestAServerThatSaysThatItLacksAMiddleChangeGetsItBack(t *testing.T) {
	f, p, lost := forgetful(t)
	report := p.brokenSync(t)
	equal(t, "the report says what is lost", slices.Equal(report.Lost, []uint64{3}), true)
	s := p.status(t)
	equal(t, "of the others it agrees", s.Agreed && s.Delivered == 4, true)
	equal(t, "and this one is to be sent", s.Unsent, 1)
	p.repaired(t, f, lost)
}

// Its receipt names no hole, and only its digest shows that something is missing.
func TestAServerThatLostAMiddleChangeUnawaresGetsItBack(t *testing.T) {
	f, p, lost := forgetful(t)
	f.lie = func(a *syncproto.Answer) { a.Receipt.Missing = nil }
	report := p.brokenSync(t)
	equal(t, "the report says that all is offered", report.Reoffered, true)
	s := p.status(t)
	equal(t, "agreed", s.Agreed, false)
	equal(t, "nothing counts as delivered", s.Delivered, 0)
	p.repaired(t, f, lost)
}
