package simtest

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"gridsync/server/internal/desk"
	"gridsync/server/internal/plausible"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// A script names a question by its kind and what it is about:
//
//	conflict RECORD FIELD         exit RECORD
//	duplicate RECORD RECORD       double_visit RECORD RECORD
//	parked RECORD DEVICE/N        restated RECORD
//	implausible RECORD CHECK      implausible WHO CHECK (author or device, how entries came)

// question reads a question's name and returns its id and the words after it.
func (w *World) question(ctx context.Context, words []string) (syncproto.RecordID, []string, error) {
	key, rest, err := w.key(ctx, words)
	return key.ID(), rest, err
}

// key reads a question's name and returns the words after it.
func (w *World) key(ctx context.Context, words []string) (review.Key, []string, error) {
	if len(words) < 2 {
		return review.Key{}, nil, fmt.Errorf("which question?")
	}
	key := review.Key{Kind: review.Kind(words[0]), Record: recordID(words[1])}
	rest := words[2:]
	switch key.Kind {
	case review.Restated:
		return key, rest, nil
	case review.Exit:
		key.Field = syncproto.FieldExit
		return key, rest, nil
	}
	if len(rest) == 0 {
		return key, nil, fmt.Errorf("which question about %s?", words[1])
	}
	about, rest := rest[0], rest[1:]
	var err error
	switch {
	case key.Kind == review.Duplicate || key.Kind == review.DoubleVisit:
		key = review.Pair(key.Kind, key.Record, recordID(about))
	case key.Kind == review.Parked:
		key.Field, err = w.waiting(about)
	case key.Kind == review.Implausible && !strings.Contains(words[1], "/"):
		key, err = w.bucket(ctx, words[1], about)
	default:
		key.Field = about
	}
	return key, rest, err
}

// waiting reads DEVICE/N.
func (w *World) waiting(word string) (string, error) {
	name, n, _ := strings.Cut(word, "/")
	d := w.devices[name]
	if d == nil {
		return "", fmt.Errorf("%w: not DEVICE/N: %q", errScript, word)
	}
	return d.id.String() + "/" + n, nil
}

// bucket finds the question about how somebody's entries came: an open one, or else the
// one that was spoken of last.
func (w *World) bucket(ctx context.Context, who, check string) (review.Key, error) {
	lines, err := w.queue(ctx, "county")
	if err != nil {
		return review.Key{}, err
	}
	for i := range lines {
		b, ok := plausible.ParseBucket(lines[i].Field)
		if ok && b.Rule == check && w.nameOf(b.Who) == who {
			w.buckets[who+" "+check] = w.keyOf(&lines[i])
		}
	}
	key, ok := w.buckets[who+" "+check]
	if !ok {
		return key, errNothing
	}
	return key, nil
}

// nameOf is what the script calls an author or a device, given as text.
func (w *World) nameOf(id string) string {
	for name, author := range w.authors {
		if author.String() == id {
			return name
		}
	}
	for name, d := range w.devices {
		if d.id.String() == id {
			return name
		}
	}
	return id
}

// keyOf is what an open question is about. A line shows no record that isn't there yet:
// the script's names are tried.
func (w *World) keyOf(l *desk.Line) review.Key {
	k := review.Key{Kind: l.Kind, Field: l.Field}
	if l.Record != nil {
		k.Record = l.Record.ID
	}
	if l.Other != nil {
		k = review.Pair(l.Kind, k.Record, l.Other.ID)
	}
	if k.ID() == l.ID {
		return k
	}
	for id := range w.names {
		if named := (review.Key{Kind: k.Kind, Record: id, Field: k.Field}); named.ID() == l.ID {
			return named
		}
	}
	return k
}

// tell names a question as a script does.
func (w *World) tell(k review.Key) string {
	words := []string{string(k.Kind)}
	if b, ok := plausible.ParseBucket(k.Field); ok && k.Record.IsZero() {
		return strings.Join(append(words, w.nameOf(b.Who), b.Rule), " ")
	}
	words = append(words, w.name(k.Record))
	switch k.Kind {
	case review.Restated, review.Exit:
	case review.Duplicate, review.DoubleVisit:
		words = append(words, w.name(k.Other()))
	case review.Parked:
		device, n, _ := strings.Cut(k.Field, "/")
		words = append(words, w.nameOf(device)+"/"+n)
	default:
		words = append(words, k.Field)
	}
	return strings.Join(words, " ")
}

// queue reads all open questions of an area.
func (w *World) queue(ctx context.Context, at string) ([]desk.Line, error) {
	var lines []desk.Line
	for after := ""; ; {
		var page desk.Page
		path := "/v1/areas/" + at + "/review?limit=" + strconv.Itoa(pageOfQueue)
		if after != "" {
			path += "&after=" + after
		}
		if err := w.get(ctx, path, &page); err != nil {
			return nil, err
		}
		lines = append(lines, page.Items...)
		if after = page.Next; after == "" {
			return lines, nil
		}
	}
}

// pageOfQueue is small, so that long queues come in pages.
const pageOfQueue = 50
