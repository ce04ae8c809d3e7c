package audit

import (
	"context"
	"errors"
	"sync"
	"testing"

	"gridsync/syncproto"
)

// shelf is a store that writes when it is let, and notes in which batches.
type shelf struct {
	Store
	let     chan error
	began   chan int
	mu      sync.Mutex
	batches [][]Entry
}

func newShelf() *shelf { return &shelf{let: make(chan error), began: make(chan int, 100)} }

func (s *shelf) AppendAudit(_ context.Context, entries []Entry) error {
	s.began <- len(entries)
	err := <-s.let
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, entries)
	return err
}

// noteAll notes entries, each for itself, and returns once all of them wait.
func noteAll(t *testing.T, k *Keeper, n int) chan error {
	t.Helper()
	done := make(chan error, n)
	for range n {
		note := &note{entries: []Entry{{Act: Looked}}, done: done}
		if err := k.queue(t.Context(), note); err != nil {
			t.Fatal(err)
		}
	}
	return done
}

func TestNobodyGoesOnBeforeTheLineIsDurable(t *testing.T) {
	s := newShelf()
	k := NewKeeper(s)
	done := make(chan error, 1)
	go func() { done <- k.Note(t.Context(), Entry{Act: Looked}) }()
	<-s.began
	select {
	case err := <-done:
		t.Fatalf("it went on while the line was being written: %v", err)
	default:
	}
	s.let <- nil
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestLinesThatWaitAreWrittenTogether(t *testing.T) {
	s := newShelf()
	k := NewKeeper(s)
	first := noteAll(t, k, 1)
	<-s.began
	rest := noteAll(t, k, 50)
	s.let <- nil
	<-first
	if n := <-s.began; n != 50 {
		t.Errorf("%d lines in the second batch", n)
	}
	s.let <- nil
	for range 50 {
		if err := <-rest; err != nil {
			t.Error(err)
		}
	}
	third := noteAll(t, k, 1) // whoever comes after all is written begins anew
	<-s.began
	s.let <- nil
	<-third
}

func TestAFailureIsToldToAllWhoWaited(t *testing.T) {
	s := newShelf()
	k := NewKeeper(s)
	first := noteAll(t, k, 1)
	<-s.began
	rest := noteAll(t, k, 2)
	s.let <- nil
	full := errors.New("the disk is full")
	s.let <- full
	if err := <-first; err != nil {
		t.Errorf("the batch before failed: %v", err)
	}
	for range 2 {
		if err := <-rest; !errors.Is(err, full) {
			t.Errorf("%v", err)
		}
	}
}

func TestTooManyWaitingLinesAreBusy(t *testing.T) {
	s := newShelf()
	k := NewKeeper(s)
	first := noteAll(t, k, 1)
	<-s.began
	rest := noteAll(t, k, MaxWaiting)
	if err := k.Note(t.Context(), Entry{}); !errors.Is(err, &syncproto.Error{Code: syncproto.CodeBusy}) {
		t.Errorf("one more: %v", err)
	}
	s.let <- nil
	s.let <- nil
	<-first
	for range MaxWaiting {
		<-rest
	}
}

func TestACallerWhoLeavesHoldsUpNobody(t *testing.T) {
	s := newShelf()
	k := NewKeeper(s)
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.Note(ctx, Entry{Act: Looked}) }()
	<-s.began
	leave()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	rest := noteAll(t, k, 1)
	s.let <- nil
	s.let <- nil
	if err := <-rest; err != nil {
		t.Error(err)
	}
	if s.mu.Lock(); len(s.batches) != 2 || s.batches[0][0].Act != Looked {
		t.Errorf("%v", s.batches)
	}
	s.mu.Unlock()
}

func TestNothingToNoteWritesNothing(t *testing.T) {
	if err := NewKeeper(nil).Note(t.Context()); err != nil {
		t.Error(err)
	}
}
