package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gridsync/server/internal/demo/world"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/plausible"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// ByKind counts questions by kind; every kind is there.
type ByKind map[review.Kind]int

func newByKind() ByKind {
	n := ByKind{}
	for _, kind := range review.Kinds {
		n[kind] = 0
	}
	return n
}

// docket holds what was planted against what the server asks.
type docket struct {
	w     *world.World
	forms form.Set
	// names are the keys by which questions are recognised, in the order of what was planted.
	names []string
	// lines are the questions that came up, by the index of what was planted.
	lines map[int]*desk.Line
}

// newDocket looks up what the planted questions are called: changes that wait by device
// and number, which the phones gave them, everything else by what it is about.
func (p *play) newDocket(ctx context.Context) (*docket, error) {
	forms, err := form.BuiltIn()
	if err != nil {
		return nil, fmt.Errorf("forms: %w", err)
	}
	waiting, err := p.waiting(ctx)
	if err != nil {
		return nil, err
	}
	d := &docket{w: p.w, forms: forms, lines: make(map[int]*desk.Line)}
	for i := range p.w.Planted {
		d.names = append(d.names, p.nameOf(&p.w.Planted[i], waiting))
	}
	return d, nil
}

// waiting returns the questions about changes that wait, by record, as the phones know
// them.
func (p *play) waiting(ctx context.Context) (map[syncproto.RecordID]string, error) {
	found := make(map[syncproto.RecordID]string)
	for _, ph := range p.phones {
		entries, err := ph.client.Log(ctx)
		if err != nil {
			return nil, fmt.Errorf("the log of %s: %w", ph.Name, err)
		}
		for i := range entries {
			if e := &entries[i]; e.Parked {
				key := review.Key{Kind: review.Parked, Record: e.Record, Field: fmt.Sprintf("%s/%d", ph.client.Device(), e.N)}
				found[e.Record] = key.ID().String()
			}
		}
	}
	return found, nil
}

func (p *play) nameOf(planted *world.Planted, waiting map[syncproto.RecordID]string) string {
	switch planted.Question {
	case "":
		return ""
	case review.Parked:
		return waiting[planted.Record]
	case review.Duplicate, review.DoubleVisit:
		return review.Pair(planted.Question, planted.Record, planted.Other).ID().String()
	case review.Restated:
		return review.Key{Kind: planted.Question, Record: planted.Record}.ID().String()
	case review.Implausible:
		if planted.Record.IsZero() {
			ph := p.phones[planted.By[0]]
			who := ph.Authors[0].ID.String()
			if form.CheckRule(planted.Field) == form.CheckBurst {
				who = ph.client.Device().String()
			}
			return planted.Field + " " + who
		}
		return planted.Field + " " + planted.Record.String()
	}
	return review.Key{Kind: planted.Question, Record: planted.Record, Field: planted.Field}.ID().String()
}

// nameOfLine is nameOf for a question that the server asks.
func (d *docket) nameOfLine(l *desk.Line) string {
	if l.Kind != review.Implausible {
		return l.ID.String()
	}
	if bucket, ok := plausible.ParseBucket(l.Field); ok && l.Record == nil {
		return d.rule(bucket.Kind, bucket.Rule) + " " + bucket.Who
	}
	if l.Record == nil {
		return l.ID.String()
	}
	return d.rule(l.Record.Kind, l.Field) + " " + l.Record.ID.String()
}

// rule is the rule behind a form's check.
func (d *docket) rule(kind syncproto.Kind, check string) string {
	for _, c := range d.forms.Newest(kind).Checks {
		if c.Name == check {
			return string(c.Rule)
		}
	}
	return check
}

// compare holds the open questions against those that must be open, and returns what is
// missing and what is there too much, one by one.
func (d *docket) compare(lines []desk.Line, open func(i int) bool) []string {
	index := make(map[string]int, len(d.names))
	for i, name := range d.names {
		index[name] = i
	}
	there := make(map[int]bool, len(lines))
	var differ []string
	for n := range lines {
		l := &lines[n]
		i, planted := index[d.nameOfLine(l)]
		if !planted || !open(i) || there[i] {
			differ = append(differ, "not planted: "+describe(l))
			continue
		}
		there[i] = true
		d.lines[i] = l
	}
	for i := range d.names {
		if planted := &d.w.Planted[i]; open(i) && !there[i] {
			differ = append(differ, fmt.Sprintf("planted and not asked: %s %s of %s %s %s",
				planted.Question, planted.Why, planted.Record, planted.Other, planted.Field))
		}
	}
	return differ
}

// describe names a question that nobody expects, so that it can be found.
func describe(l *desk.Line) string {
	words := []string{string(l.Kind), l.ID.String(), l.Field}
	if l.Record != nil {
		words = append(words, l.Record.ID.String())
	}
	if l.Other != nil {
		words = append(words, l.Other.ID.String(), fmt.Sprint(l.Score))
	}
	return strings.Join(words, " ")
}

// questions reads every open question and the counts, and holds them against each other.
func (p *play) questions(ctx context.Context) ([]desk.Line, ByKind, error) {
	lines, counts, err := p.screen.questions(ctx, p.w.County)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the open questions: %w", err)
	}
	listed := newByKind()
	for i := range lines {
		listed[lines[i].Kind]++
	}
	told := newByKind()
	for kind, n := range counts {
		told[kind] = n
	}
	for _, kind := range review.Kinds {
		if listed[kind] != told[kind] {
			return nil, nil, fmt.Errorf("the desk counts %d %s and lists %d", told[kind], kind, listed[kind])
		}
	}
	if i := slices.IndexFunc(lines, func(l desk.Line) bool { return l.State == review.Closed }); i >= 0 {
		return nil, nil, fmt.Errorf("question %s is closed and listed as open", lines[i].ID)
	}
	return lines, told, nil
}
