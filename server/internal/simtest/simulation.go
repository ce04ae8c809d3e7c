package simtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Played is what came of a seed.
type Played struct {
	// Script is what was played, line by line.
	Script []string
	// Counted are the questions that the oracle expected and those that were found.
	Counted Counted
	// Err says which promise was broken, if one was.
	Err error
}

// Simulate plays a seed in a place. Everything but the place follows from the seed.
func Simulate(ctx context.Context, place Place, seed uint64) Played {
	w, err := NewWorld(ctx, place)
	if err != nil {
		return Played{Err: err}
	}
	p := newPlayer(w, seed)
	played := Played{}
	played.Script, err = p.play(ctx)
	if err == nil {
		err = w.quiet(ctx)
	}
	played.Counted = w.counted
	played.Err = errors.Join(err, w.Close())
	return played
}

// play makes up a script and plays it.
func (p *player) play(ctx context.Context) ([]string, error) {
	var script []string
	act := func(line string) error {
		script = append(script, line)
		if err := p.w.Play(ctx, line); err != nil {
			return fmt.Errorf("line %d: %w", len(script), err)
		}
		return nil
	}
	for _, line := range p.opening() {
		if err := act(line); err != nil {
			return script, err
		}
	}
	for range p.length() {
		line, err := p.draw(ctx)
		if err != nil {
			return script, fmt.Errorf("after line %d: %w", len(script), err)
		}
		if err := act(line); err != nil {
			return script, err
		}
	}
	for _, line := range p.closing() {
		if err := act(line); err != nil {
			return script, err
		}
	}
	return script, nil
}

// length is how many steps a script has: mostly some 200, sometimes 600.
func (p *player) length() int {
	if p.chance(12) {
		return 400 + p.rand.IntN(200)
	}
	return 130 + p.rand.IntN(100)
}

// Replay plays a script in a place, in a world that was prepared.
func Replay(ctx context.Context, place Place, script []string, prepare ...func(*World)) error {
	w, err := NewWorld(ctx, place)
	if err != nil {
		return err
	}
	for _, do := range prepare {
		do(w)
	}
	return errors.Join(Run(ctx, w, strings.Join(script, "\n")), w.Close())
}

// Kind says which promise an error says was broken: the name of a check, "step" for a
// step that failed otherwise than a step may, or "script" for one that makes no sense.
func Kind(err error) string {
	var b *Broken
	switch {
	case err == nil:
		return ""
	case errors.As(err, &b):
		return b.Check
	case errors.Is(err, errScript):
		return "script"
	}
	return "step"
}
