package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"gridsync/server/internal/store/postgres/pgtest"
)

// demonstrated is what a demo prints, without the seconds that it took.
func demonstrated(t *testing.T, args ...string) map[string]any {
	t.Helper()
	var out, notes bytes.Buffer
	if err := realMain(t.Context(), append([]string{"demo", "-once", "-json", "-scale", "200"}, args...), strings.NewReader(""), &out, &notes); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, &notes)
	}
	var printed map[string]any
	if err := json.Unmarshal(out.Bytes(), &printed); err != nil {
		t.Fatal(err)
	}
	delete(printed, "seconds")
	return printed
}

func TestTheDemoEndsAlikeOnBothEngines(t *testing.T) {
	here, there := demonstrated(t), demonstrated(t, "-db", pgtest.Database(t))
	if len(here) < 5 {
		t.Fatalf("the demo prints %v", here)
	}
	if mine, theirs := encoded(t, here), encoded(t, there); mine != theirs {
		for field := range maps.Keys(here) {
			if a, b := encoded(t, here[field]), encoded(t, there[field]); a != b {
				t.Errorf("%s: %s in SQLite, %s in PostgreSQL", field, a, b)
			}
		}
		if len(here) != len(there) {
			t.Errorf("%d fields in SQLite, %d in PostgreSQL", len(here), len(there))
		}
	}
}

func encoded(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
