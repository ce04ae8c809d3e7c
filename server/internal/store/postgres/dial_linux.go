package postgres

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// giveUpUnheard makes the system end a connection whose bytes nobody takes. Without it, a
// commit on its way to a machine that was cut off would be waited for a quarter of an hour.
func giveUpUnheard(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unheardTime.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
