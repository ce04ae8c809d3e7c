package postgres

import (
	"strings"
	"syscall"
)

// userTimeout is TCP_USER_TIMEOUT, which the package syscall has no name for.
const userTimeout = 0x12

// giveUpUnheard makes the system end a connection whose bytes nobody takes. Without it, a
// commit on its way to a machine that was cut off would be waited for a quarter of an hour.
func giveUpUnheard(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, int(unheardTime.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
