package demo

import (
	"context"
	"fmt"
	"slices"

	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Told counts what authors heard on their phones of what became of their entries: each
// question once for each phone.
type Told struct {
	Expected int `json:"expected"`
	Heard    int `json:"heard"`
}

// told compares who was to hear with who did, phone by phone.
func (p *play) told(ctx context.Context, o *outcome) (Told, []string, error) {
	expected := make(map[string]bool)
	for i, told := range o.told {
		planted := &p.w.Planted[i]
		for _, phone := range planted.By {
			if told {
				expected[p.hears(phone, planted.Question, planted.Record, planted.Other, planted.Field)] = true
			}
		}
	}
	aside := make(map[string]bool)
	for _, i := range o.aside {
		planted := &p.w.Planted[i]
		for _, phone := range planted.By {
			aside[p.hears(phone, planted.Question, planted.Record, planted.Other, planted.Field)] = true
		}
	}
	heard := make(map[string]bool)
	for i, ph := range p.phones {
		told, err := ph.client.Told(ctx)
		if err != nil {
			return Told{}, nil, fmt.Errorf("what %s heard: %w", ph.Name, err)
		}
		for _, t := range told {
			field, kind := t.Field, review.Kind(t.Item)
			if kind == review.Implausible {
				field = p.docket.rule(t.Kind, t.Field)
			}
			if name := p.hears(i, kind, t.Record, t.Other, field); !aside[name] {
				heard[name] = true
			}
		}
	}
	var differ []string
	for name := range expected {
		if !heard[name] {
			differ = append(differ, "nobody told "+name)
		}
	}
	for name := range heard {
		if !expected[name] {
			differ = append(differ, "not to be told: "+name)
		}
	}
	slices.Sort(differ)
	return Told{Expected: len(expected), Heard: len(heard)}, differ, nil
}

// hears names what a phone hears of.
func (p *play) hears(phone int, kind review.Kind, a, b syncproto.RecordID, field string) string {
	if a.String() > b.String() {
		a, b = b, a
	}
	about := fmt.Sprintf("%s %s %s", a, b, field)
	switch {
	case kind == review.Parked:
		about = fmt.Sprintf("%s %s", a, b)
	case slices.Contains(windowed, form.CheckRule(field)): // shown by any record of the window
		about = field
	}
	return fmt.Sprintf("%s of %s %s", p.w.Phones[phone].Name, kind, about)
}

// windowed are the rules about how entries came, rather than about one entry.
var windowed = []form.CheckRule{form.CheckPace, form.CheckRun, form.CheckBurst}
