package simtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// Run plays a script. Every line is a step; ";" separates steps on one line, and
// "#" begins a comment. A minute passes at each step. At the end every device
// comes online and syncs, and then everything must hold that holds after every
// script: see quiet.
func Run(ctx context.Context, w *World, script string) error {
	lines := bufio.NewScanner(strings.NewReader(script))
	for number := 1; lines.Scan(); number++ {
		if err := w.Play(ctx, lines.Text()); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
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

// Play plays one line of a script.
func (w *World) Play(ctx context.Context, line string) error {
	line, _, _ = strings.Cut(line, "#")
	for step := range strings.SplitSeq(line, ";") {
		words, err := split(step)
		if err != nil {
			return err
		}
		if len(words) == 0 {
			continue
		}
		w.learn(words)
		w.pass(1)
		if err := w.step(ctx, words); err != nil {
			return fmt.Errorf("%s: %w", strings.TrimSpace(step), err)
		}
	}
	return nil
}

// learn remembers what a script calls its records, for what is said of them.
func (w *World) learn(words []string) {
	for _, word := range words {
		_, value, given := strings.Cut(word, "=")
		if !given {
			value = word
		}
		for name := range strings.SplitSeq(value, ",") {
			if kind, _, ok := strings.Cut(name, "/"); ok && syncproto.Kind(kind).Check() == nil {
				w.names[recordID(name)] = name
			}
		}
	}
}

// name is what the script calls a record.
func (w *World) name(id syncproto.RecordID) string {
	if name, ok := w.names[id]; ok {
		return name
	}
	return id.String()
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

// step does one step: a device's, or the world's. One that begins with "try" may be
// turned away, as scripts that a machine wrote ask for what can't be.
func (w *World) step(ctx context.Context, words []string) error {
	if words[0] == "try" && len(words) > 1 {
		if err := w.step(ctx, words[1:]); !turnedAway(err) {
			return err
		}
		return nil
	}
	if d := w.devices[words[0]]; d != nil {
		if len(words) < 2 {
			return fmt.Errorf("%w: what does %s do?", errScript, d.name)
		}
		do := deviceSteps[words[1]]
		if do == nil {
			return fmt.Errorf("%w: a device can't %q", errScript, words[1])
		}
		return do(ctx, w, d, words[2:])
	}
	do := worldSteps[words[0]]
	if do == nil {
		return fmt.Errorf("%w: neither a device nor a step: %q", errScript, words[0])
	}
	return do(ctx, w, words[1:])
}

// turnedAway reports whether a step failed as a step may: the product said no, or
// there was no network.
func turnedAway(err error) bool {
	var said *syncproto.Error
	return errors.As(err, &said) && said.Code != syncproto.CodeInternal || errors.Is(err, clientsdk.ErrNotFound) ||
		errors.Is(err, clientsdk.ErrMasked) || errors.Is(err, clientsdk.ErrOffline) ||
		errors.Is(err, clientsdk.ErrClosed) || errors.Is(err, clientsdk.ErrLocked) || errors.Is(err, errLink) || errors.Is(err, errNothing) || errors.Is(err, errNoBackup)
}

// errScript says that a script makes no sense, whatever the product does.
var errScript = errors.New("no such step")

// errNothing says that a step is about something that isn't there.
var errNothing = errors.New("there is no such thing")

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
