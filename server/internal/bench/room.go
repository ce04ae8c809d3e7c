package bench

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

// RoomError says that a disk has less room than a growth run needs.
type RoomError struct {
	Dir        string
	Need, Free int64 // bytes
}

func (e *RoomError) Error() string {
	return fmt.Sprintf("bench: %s has room for %.1f GB, and %.1f GB are needed", e.Dir, float64(e.Free)/1e9, float64(e.Need)/1e9)
}

// Is matches any other one, whatever its sizes.
func (e *RoomError) Is(other error) bool {
	_, ok := other.(*RoomError)
	return ok
}

// What is set aside for a run: bytes a record with half as much again as they have taken, and
// what a log may grow to beside them.
const (
	sqliteRoomEach   = 900
	sqliteRoomBeside = 200e6
	postgresRoomEach = 1800
	postgresRoomWAL  = 9e9
)

// makeRoom says how much disk each engine needs, and fails when there is less. They come one
// after the other, and the first has left when the second comes.
func (o *GrowthOptions) makeRoom() error {
	records := int64(o.Marks[len(o.Marks)-1])
	if slices.Contains(o.Engines, SQLite) {
		dir := o.Dir
		if dir == "" {
			dir = os.TempDir()
		}
		if err := o.roomIn(SQLite, dir, sqliteRoomEach*records+sqliteRoomBeside); err != nil {
			return err
		}
	}
	if !slices.Contains(o.Engines, PostgreSQL) {
		return nil
	}
	need := postgresRoomEach*records + min(postgresRoomWAL, 2*postgresRoomEach*records) + sqliteRoomBeside
	if o.Disk == "" {
		fmt.Fprintf(o.Progress, "%-8s  up to %.1f GB of its disk, which can't be seen from here\n", PostgreSQL, float64(need)/1e9)
		return nil
	}
	return o.roomIn(PostgreSQL, o.Disk, need)
}

func (o *GrowthOptions) roomIn(engine, dir string, need int64) error {
	free, err := freeIn(dir)
	if errors.Is(err, errors.ErrUnsupported) {
		fmt.Fprintf(o.Progress, "%-8s  up to %.1f GB in %s; how much is free isn't known on this system\n", engine, float64(need)/1e9, dir)
		return nil
	}
	if err != nil {
		return fmt.Errorf("bench: room in %s: %w", dir, err)
	}
	fmt.Fprintf(o.Progress, "%-8s  up to %.1f GB of the %.1f GB that are free in %s\n", engine, float64(need)/1e9, float64(free)/1e9, dir)
	if free < need {
		return &RoomError{Dir: dir, Need: need, Free: free}
	}
	return nil
}
