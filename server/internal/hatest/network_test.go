//go:build ha

package hatest

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// Every node has two cables: at the back the databases and etcd speak with each other,
// and servers with databases; at the front phones reach servers. The test is on both.
type side string

const (
	back  side = "back"
	front side = "front"
)

// address is where a node is on one side; node 0 is the test.
func (s side) address(node int) string {
	net := map[side]int{back: 1, front: 2}[s]
	return fmt.Sprintf("10.77.%d.%d", net, 100+node)
}

// plug makes the switches and the nodes' namespaces, and puts all cables in.
func plug(t *testing.T, nodes int) {
	t.Helper()
	ip(t, "link set lo up")
	for _, s := range []side{back, front} {
		ip(t, "link add %s type bridge", s)
		ip(t, "addr add %s/24 dev %s", s.address(0), s)
		ip(t, "link set %s up", s)
	}
	for n := 1; n <= nodes; n++ {
		ip(t, "netns add n%d", n)
		ip(t, "-n n%d link set lo up", n)
		for _, s := range []side{back, front} {
			ip(t, "link add %s%d type veth peer name %s netns n%d", s, n, s, n)
			ip(t, "link set %s%d master %s up", s, n, s)
			ip(t, "-n n%d addr add %s/24 dev %s", n, s.address(n), s)
			ip(t, "-n n%d link set %s up", n, s)
		}
	}
}

// pull takes a node's cables out: nothing passes and nobody is told.
func (n *node) pull(t *testing.T, sides ...side) {
	t.Helper()
	for _, s := range sides {
		ip(t, "link set %s%d down", s, n.n)
	}
}

// put puts them in again.
func (n *node) put(t *testing.T, sides ...side) {
	t.Helper()
	for _, s := range sides {
		ip(t, "link set %s%d up", s, n.n)
	}
}

func ip(t *testing.T, format string, args ...any) string {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v\n%s", line, err, out)
	}
	return string(out)
}
