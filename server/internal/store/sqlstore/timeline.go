package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// TimelineStep is how many numbers are left out for each timeline that lies between the one
// that numbers were given out on and the one that they go on. The end of a timeline may be lost
// with its machine, and have been read before: phones hold its numbers as cursors and as what
// they saw when they edited, and no number may stand for something else than what they read.
// No machine is 2^32 of them ahead of its standby, and 2^53 have room for two million steps.
const TimelineStep = 1 << 32

// unknown is no timeline.
const unknown = -1

// onTimeline looks whether numbers go on where they were given out, under the lock that Begin
// took. Where the engine has come to another timeline, it moves them on and commits that at
// once, so that everything after it is as if it had always been so: whoever remembers how
// things stood boots anew. Where it says that it has committed, the transaction is over.
func (w *writer) onTimeline(ctx context.Context, timeline int64) (committed bool, err error) {
	var noted int64
	rows, err := w.query(ctx, "SELECT timeline FROM meta")
	err = one(rows, err, &noted)
	switch {
	case errors.Is(err, sql.ErrNoRows): // nothing was ever given out, and there is nowhere to write it down
		return false, nil
	case err != nil:
		return false, fmt.Errorf("timeline: %w", err)
	case noted == timeline:
		w.timeline = timeline
		return false, nil
	case noted == 0: // a new database, a copy, or one of before timelines were written down
		err = w.exec(ctx, "UPDATE meta SET timeline = $1", timeline)
	default:
		// From each timeline to this one it is another distance: what an equally lost one in
		// between gave out is not given out either. They only rise, but for a new cluster.
		steps := max(timeline-noted, 1)
		err = w.exec(ctx, `UPDATE meta SET timeline = $1, last_number = last_number + $2, last_turn = last_turn + 1, turn_name = $3`,
			timeline, steps*TimelineStep, newName())
	}
	if err != nil {
		return false, fmt.Errorf("go on from timeline %d to %d: %w", noted, timeline, err)
	}
	if err := w.commit(ctx); err != nil {
		return false, fmt.Errorf("go on from timeline %d to %d: %w", noted, timeline, err)
	}
	w.timeline = timeline
	return true, nil
}
