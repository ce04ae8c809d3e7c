package simtest

import (
	"bufio"
	"context"
	"fmt"
	"strings"
)

// Run plays a script. Every line is a step; ";" separates steps on one line, and
// "#" begins a comment. A minute passes at each step. At the end every device
// comes online and syncs, and then all replicas must agree, a rebuild must find
// nothing, and nothing may be lost or doubled.
func Run(ctx context.Context, w *World, script string) error {
	lines := bufio.NewScanner(strings.NewReader(script))
	for number := 1; lines.Scan(); number++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		for step := range strings.SplitSeq(line, ";") {
			words, err := split(step)
			if err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
			if len(words) == 0 {
				continue
			}
			w.pass(1)
			if err := w.step(ctx, words); err != nil {
				return fmt.Errorf("line %d: %s: %w", number, strings.TrimSpace(step), err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if err := w.quiet(ctx); err != nil {
		return fmt.Errorf("at the end: %w", err)
	}
	return nil
}

// split cuts a step into words; a word in double quotes may hold spaces.
func split(step string) ([]string, error) {
	var words []string
	var word strings.Builder
	quoted, any := false, false
	for _, r := range step {
		switch {
		case r == '"':
			quoted, any = !quoted, true
		case !quoted && (r == ' ' || r == '\t'):
			if any {
				words = append(words, word.String())
			}
			word.Reset()
			any = false
		default:
			word.WriteRune(r)
			any = true
		}
	}
	if quoted {
		return nil, fmt.Errorf("a quote is not closed")
	}
	if any {
		words = append(words, word.String())
	}
	return words, nil
}

// step does one step: a device's, or the world's.
func (w *World) step(ctx context.Context, words []string) error {
	if d := w.devices[words[0]]; d != nil {
		if len(words) < 2 {
			return fmt.Errorf("what does %s do?", d.name)
		}
		do := deviceSteps[words[1]]
		if do == nil {
			return fmt.Errorf("a device can't %q", words[1])
		}
		return do(ctx, w, d, words[2:])
	}
	do := worldSteps[words[0]]
	if do == nil {
		return fmt.Errorf("neither a device nor a step: %q", words[0])
	}
	return do(ctx, w, words[1:])
}

// pairs reads field=value words.
func pairs(words []string) ([][2]string, error) {
	out := make([][2]string, 0, len(words))
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			return nil, fmt.Errorf("not field=value: %q", word)
		}
		out = append(out, [2]string{name, value})
	}
	return out, nil
}
