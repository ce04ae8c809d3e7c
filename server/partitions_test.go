package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"gridsync/server/internal/host"
	"gridsync/server/internal/store/postgres/pgtest"
)

// TestACountyIsGivenAPartition tries the commands out on both engines.
func TestACountyIsGivenAPartition(t *testing.T) {
	dir, db := t.TempDir(), pgtest.Empty(t)
	said := func(args ...string) (string, error) {
		t.Helper()
		var out, notes bytes.Buffer
		in := strings.NewReader("code,name,parent\n330702,婺城区,\n")
		err := realMain(t.Context(), append(args, "-data", dir), in, &out, &notes)
		return out.String() + notes.String(), err
	}
	for _, step := range []struct {
		args []string
		says string
		err  error
	}{
		{[]string{"areas", "import", "-", "-db", db}, "1", nil},
		{[]string{"partitions", "add", "330702", "-db", db}, "330702", nil},
		{[]string{"partitions", "-db", db}, "330702  婺城区\tchange_log_of_1\t", nil},
		{[]string{"partitions", "list", "-db", db}, "其他各地 / all other places\tchange_log_rest\t", nil},
		{[]string{"partitions", "shape", "330702", "-db", db}, "CREATE TABLE change_log_of_1 (", nil},
		{[]string{"partitions", "add", "330702", "-db", db}, "", host.ErrHasPartition},
		{[]string{"partitions", "add", "99", "-db", db}, "", host.ErrUnknownArea},
		{[]string{"partitions", "shape", "99", "-db", db}, "", host.ErrUnknownArea},
		{[]string{"areas", "import", "-"}, "1", nil},
		{[]string{"partitions", "list"}, "", host.ErrNoPartitions},
		{[]string{"partitions", "add", "330702"}, "", host.ErrNoPartitions},
		{[]string{"partitions", "shape", "330702"}, "", host.ErrNoPartitions},
	} {
		got, err := said(step.args...)
		if !errors.Is(err, step.err) || !strings.Contains(got, step.says) {
			t.Errorf("%q: %v\n%s", step.args, err, got)
		}
		if text, _ := explain(err); err != nil && text == textFailed {
			t.Errorf("%q: nobody is told what %v means", step.args, err)
		}
	}
}
