package sqlite_test

import "testing"

func TestALineOfTheAuditIsNeitherAlteredNorTakenAway(t *testing.T) {
	db := planner(t)
	for _, add := range []string{
		"INSERT INTO audit (key, at, act, detail) VALUES (1, 2, 'looked', '')",
		"INSERT INTO audit_record (record, line) VALUES (zeroblob(16), 1)",
	} {
		if _, err := db.ExecContext(t.Context(), add); err != nil {
			t.Fatal(err)
		}
	}
	for _, attempt := range []string{
		"DELETE FROM audit", "UPDATE audit SET who = NULL", "DELETE FROM audit_record", "UPDATE audit_record SET line = 2",
		"INSERT OR REPLACE INTO audit (key, at, act, detail) VALUES (1, 3, 'exported', '')",
	} {
		if _, err := db.ExecContext(t.Context(), attempt); err == nil {
			t.Errorf("%s went through", attempt)
		}
	}
}
