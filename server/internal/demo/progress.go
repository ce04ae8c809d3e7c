package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"gridsync/syncproto"
)

// progress tells how far the story is: a bar on a terminal, else a line a phase.
type progress struct {
	mu          sync.Mutex
	out         io.Writer
	bar, colour bool
	whole, done int
	name        syncproto.Text
}

const barWidth = 32

// say names what goes on now.
func (p *progress) say(name syncproto.Text) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.name = name
	if !p.bar {
		fmt.Fprintf(p.out, "[%3d%%] %s · %s\n", p.percent(), name.ZH, name.EN)
		return
	}
	p.draw()
}

// add notes that so many more changes are on the server.
func (p *progress) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	if p.bar {
		p.draw()
	}
}

// end leaves the line empty for what follows.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

func (p *progress) percent() int {
	if p.whole == 0 {
		return 0
	}
	return min(100, p.done*100/p.whole)
}

func (p *progress) draw() {
	full := barWidth * p.percent() / 100
	bar := strings.Repeat("█", full) + strings.Repeat("░", barWidth-full)
	if p.colour {
		bar = "\x1b[32m" + bar + "\x1b[0m"
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s %3d%% %6d  %s · %s", bar, p.percent(), p.done, p.name.ZH, p.name.EN)
}
