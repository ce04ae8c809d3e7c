package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gridsync/server/internal/division"
)

func TestACityIsImportedWithAllItsVillages(t *testing.T) {
	nodes, err := division.Jinhua()
	if err != nil {
		t.Fatal(err)
	}
	levels := map[int]string{2: "provinces", 4: "cities", 6: "areas", 9: "streets", 12: "villages"}
	places := map[string][]division.Place{"provinces": {{Code: "33", Name: "浙江省"}}}
	for _, n := range nodes {
		places[levels[len(n.ID)]] = append(places[levels[len(n.ID)]], division.Place{Code: string(n.ID), Name: n.Name})
	}
	source, dir := t.TempDir(), t.TempDir()
	for name, list := range places {
		body, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(source, name+".json"), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time changes nothing
		code, _, told := command(t, "", "areas", "division", source, "-prefix", "3307", "-data", dir)
		if code != 0 || !strings.Contains(told, "3456 个区域，现共有 3456 个") || !strings.Contains(told, "乡镇（街道）146 个、村（社区）3300 个") {
			t.Fatalf("%d %s", code, told)
		}
	}
	code, out, told := command(t, "", "areas", "list", "-data", dir)
	if code != 0 || strings.Count(out, "\n") != 3456 {
		t.Fatalf("%d: %d areas; %s", code, strings.Count(out, "\n"), told)
	}
	for _, line := range []string{"3307  金华市\n", "\n  330702  婺城区\n", "\n    330702008  秋滨街道\n"} {
		if !strings.Contains(out, line) {
			t.Errorf("%q is not there", line)
		}
	}
	if strings.Contains(out, "浙江省") {
		t.Error("what lies above the prefix was imported, too")
	}
	if code, _, told := command(t, "", "areas", "division", source, "-prefix", "98", "-data", dir); code != 1 || !strings.Contains(told, "未导入") {
		t.Errorf("a prefix that nothing has: %d %s", code, told)
	}
}
