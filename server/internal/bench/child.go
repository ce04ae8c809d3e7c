package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// Child is one side's process: args are "floor" or "server", -dir and -listen. It
// serves until its standard input ends or ctx is done.
func Child(ctx context.Context, args []string, serve Serve) error {
	if len(args) == 0 {
		return errors.New("bench: which side?")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	dir := flags.String("dir", "", "data directory")
	listen := flags.String("listen", "", "address to listen on")
	if err := flags.Parse(args[1:]); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // however it ends, it has ended
		cancel()
	}()
	switch args[0] {
	case floorSide:
		return serveFloor(ctx, *dir, *listen)
	case serverSide:
		return serve(ctx, *dir, *listen)
	}
	return fmt.Errorf("bench: no side called %q", args[0])
}
