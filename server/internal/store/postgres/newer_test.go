package postgres_test

import (
	"context"
	"errors"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/server/internal/store/storetest"
)

// TestAnOlderServerWritesNothingIntoNewerTables has a release to come alter the tables of
// servers that it took for dead, or hadn't seen yet, and that live.
func TestAnOlderServerWritesNothingIntoNewerTables(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	frozen, command, late := opened(t, url), opened(t, url), opened(t, url)
	lease := entered(t, frozen, postgres.Entrant{Name: "frozen", Lasts: lapsed})
	is(t, "before", commit(t.Context(), frozen), nil)
	_, err := observer(t, url).Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)")
	must(t, err)
	newer := &sqlstore.NewerError{}
	is(t, "a group of a server that was frozen", commit(t.Context(), frozen), newer)
	is(t, "its renewal", lease.Renew(t.Context()), newer)
	is(t, "keeping it on", lease.Keep(t.Context(), quietly), newer)
	is(t, "a command that had opened them before", command.PutAreas(t.Context(), []area.Node{{ID: "33", Name: "浙江省"}}), newer)
	_, err = late.Enter(t.Context(), postgres.Entrant{Name: "late"}, anybody)
	is(t, "a server that had opened them before", err, newer)
	if all, err := late.Servers(t.Context()); err != nil || len(all) != 1 || !all[0].Lapsed {
		t.Errorf("%+v, %v", all, err)
	}
	if tree, err := command.Areas(t.Context()); err != nil || len(tree) != 0 {
		t.Errorf("%d areas were written, %v", len(tree), err)
	}
}

// behindByOne takes the last step back.
const behindByOne = "DELETE FROM goose_db_version WHERE version_id = 52; ALTER TABLE meta DROP COLUMN timeline"

// TestNoTableChangesAmidAGroup has a server take another's step while a third one, of which
// nothing is heard, is amid a group.
func TestNoTableChangesAmidAGroup(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	slow, conn := opened(t, url), observer(t, url)
	_, err := conn.Exec(t.Context(), behindByOne)
	must(t, err)
	ended := make(chan error, 1)
	early := errors.New("the tables were altered amid the group")
	err = slow.Transact(t.Context(), func(sqlstore.Own) error {
		go func() {
			store, err := postgres.Open(context.WithoutCancel(t.Context()), url, postgres.Options{Keys: storetest.Keys(t)})
			if err == nil {
				err = store.Close()
			}
			ended <- err
		}()
		for number(t, conn, `SELECT COUNT(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
			WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted`) == 0 {
			select {
			case err := <-ended:
				ended <- err
				return early
			default:
			}
		}
		return nil
	})
	must(t, err)
	must(t, <-ended)
}
