package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gridsync/clientsdk"
	"gridsync/server/internal/area"
	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// household is recorded by a volunteer of the grid, whose secretary then corrects it.
var household = syncproto.RecordID{0x01, 6: 0x70, 8: 0x80, 15: 1}

// installation is a folder in which a volunteer and a secretary have written.
func installation(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, err := host.Start(t.Context(), host.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	if err := s.PutAreas(t.Context(), []area.Node{{ID: "33", Name: "浙江省"}}); err != nil {
		t.Fatal(err)
	}
	fields := func(address string) syncproto.Fields {
		return syncproto.Fields{"address": syncproto.TextValue(address), "found_on": syncproto.TextValue("2026-11-22")}
	}
	writes(t, s, "甲手机", identity.Volunteer, clientsdk.Edit{Record: household, Kind: "household", Area: "33", Fields: fields("一号楼")})
	writes(t, s, "乙手机", identity.Secretary, clientsdk.Edit{
		Record: household, Kind: "household", Decides: true, Fields: syncproto.Fields{"address": syncproto.TextValue("二号楼")},
	})
	return dir
}

// writes lets a new phone fetch what is there, write, and send it.
func writes(t *testing.T, s *host.Server, name string, role identity.Role, edit clientsdk.Edit) {
	t.Helper()
	seat, err := s.AddDevice(t.Context(), host.Device{Name: name, Areas: []syncproto.AreaID{"33"}, Role: role})
	if err != nil {
		t.Fatal(err)
	}
	phone, err := clientsdk.Open(t.Context(), filepath.Join(t.TempDir(), "phone.db"), clientsdk.Options{
		Server: s.URL(), Token: seat.Token, Device: seat.ID,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = phone.Sync(t.Context())
	if err == nil {
		_, err = phone.As(seat.Authors[0].ID).Put(t.Context(), edit)
	}
	if err == nil {
		_, err = phone.Sync(t.Context())
	}
	if err := errors.Join(err, phone.Close()); err != nil {
		t.Fatal(err)
	}
}

// tamper alters a database behind the server's back, and returns what asked names.
func tamper(t *testing.T, dir, asked, statement string) (row int64) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "gridsync.db"))
	if err != nil {
		t.Fatal(err)
	}
	if asked != "" {
		err = db.QueryRowContext(context.Background(), asked).Scan(&row)
	}
	if err == nil {
		_, err = db.ExecContext(context.Background(), statement)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return row
}

func TestVerifyPassesWhatNobodyTouched(t *testing.T) {
	dir := installation(t)
	if code, out, told := command(t, "", "verify", "-data", dir); code != 0 || !strings.Contains(out, "链条完整") || told != "" {
		t.Errorf("%d %s %s", code, out, told)
	}
	if code, out, told := command(t, "", "verify", "-json", "-data", dir); code != 0 || !strings.Contains(out, `"total": 0`) {
		t.Errorf("%d %s %s", code, out, told)
	}
}

// Whatever is altered of a row, verify names that row and no other as the first bad one.
func TestVerifyNamesTheRowThatWasTamperedWith(t *testing.T) {
	for name, statement := range map[string]string{
		"one byte":             `UPDATE change_log SET said = CAST(substr(said, 1, length(said) - 1) || CASE substr(said, -1) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB) WHERE seq = %d`,
		"all that was said":    `UPDATE change_log SET said = NULL WHERE seq = %d`,
		"what was said":        `UPDATE change_log SET said = (SELECT x.said FROM change_log x WHERE x.seq <> change_log.seq) WHERE seq = %d`,
		"when it was recorded": `UPDATE change_log SET at = at + 1 WHERE seq = %d`,
		"when it was received": `UPDATE change_log SET received = received + 1 WHERE seq = %d`,
		"its link":             `UPDATE change_log SET chain = zeroblob(32) WHERE seq = %d`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, which := range []string{"min", "max"} {
				dir := installation(t)
				row := tamper(t, dir, "SELECT "+which+"(seq) FROM change_log", "SELECT 1")
				tamper(t, dir, "", fmt.Sprintf(statement, row))
				code, out, told := command(t, "", "verify", "-data", dir)
				if code != 1 || !strings.Contains(out, fmt.Sprintf("日志第 %d (", row)) || !strings.Contains(told, "核验未通过") {
					t.Errorf("the %s row: %d %s %s", which, code, out, told)
				}
			}
		})
	}
}

func TestVerifyFindsATotalThatTheLogDoesNotSay(t *testing.T) {
	dir := installation(t)
	tamper(t, dir, "", "DELETE FROM head")
	code, out, told := command(t, "", "verify", "-data", dir)
	if code != 1 || !strings.Contains(out, "链条完整") || !strings.Contains(out, "feed") || !strings.Contains(told, "核验未通过") {
		t.Errorf("%d %s %s", code, out, told)
	}
}

func TestHistoryTellsWhoSaidWhatBesideARunningServer(t *testing.T) {
	dir := installation(t)
	s, err := host.Start(t.Context(), host.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	code, out, told := command(t, "", "history", household.String(), "-data", dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out, "\n")
	if code != 0 || told != "" || len(lines) < 5 {
		t.Fatalf("%d %s %s", code, out, told)
	}
	for _, want := range []string{"甲手机", "已记入", "∅ → 一号楼", "乙手机", "裁定", "一号楼 → 二号楼"} {
		if !strings.Contains(out, want) {
			t.Errorf("doesn't say %q:\n%s", want, out)
		}
	}
}

func TestHistoryOfWhatNobodyWroteIsAnError(t *testing.T) {
	dir := t.TempDir()
	for record, want := range map[string]int{"x": 2, household.String(): 1} {
		if code, out, told := command(t, "", "history", record, "-data", dir); code != want || out != "" || !strings.Contains(told, " / ") {
			t.Errorf("%s: %d %s %s", record, code, out, told)
		}
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}
