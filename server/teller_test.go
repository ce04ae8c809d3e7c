package main

import (
	"encoding/json"
	"strings"
	"testing"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// said is a row of a log: what one device says of a record.
func said(n uint64, record syncproto.RecordID, fields string) exchange.Logged {
	seq := syncproto.Version(n)
	return exchange.Logged{
		Seq: seq, Version: seq, Verdict: syncproto.Applied, Stamp: syncproto.Stamp{Time: 1_580_000_000_000, Latest: 1_580_000_000_000},
		Change: syncproto.Change{
			Device: syncproto.DeviceID{15: 1}, N: n, Author: syncproto.AuthorID{15: 1}, Kind: "person", Record: record, Area: "33",
			Base: seq - 1, Fields: json.RawMessage(fields), Decides: strings.Contains(fields, "same_as"),
		},
	}
}

// A history marks a merge, what was said of the other record, a withdrawal and what was
// withdrawn by it; what waits alters nothing that is shown after it; and nobody reads a
// whole mobile in it.
func TestAHistoryMarksMergesAndWithdrawals(t *testing.T) {
	one, other := syncproto.RecordID{15: 1}, syncproto.RecordID{15: 2}
	waits := said(3, other, `{"mobile":"99900000009"}`)
	waits.Version, waits.Verdict, waits.Reason = 0, syncproto.Parked, syncproto.CodeOutOfArea
	undo := said(6, other, `{}`)
	undo.Change.Decides = true
	undo.Change.SetUndoes([]syncproto.Origin{{Device: syncproto.DeviceID{15: 1}, N: 5}})
	log := []exchange.Logged{
		said(1, one, `{"name":"甲"}`), said(2, other, `{"name":"甲","mobile":"99900000001"}`), waits,
		said(4, other, `{"mobile":"99900000002"}`), said(5, other, `{"same_as":"`+one.String()+`"}`), undo,
	}
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	people := identity.NewDirectory(identity.Everyone{
		Devices: []identity.Device{{ID: syncproto.DeviceID{15: 1}, Name: "甲手机"}},
		Authors: []identity.Author{{ID: syncproto.AuthorID{15: 1}, Name: "网格员甲"}},
	})
	told, err := (&teller{record: one, forms: forms, people: people}).tell(log)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := printHistory(&b, told); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	find := func(mark string) string {
		for _, l := range lines {
			if strings.Contains(l, mark) {
				return l
			}
		}
		t.Errorf("no line has %s:\n%s", mark, b.String())
		return ""
	}
	for mark, want := range map[string][]string{
		"#1 ": {"网格员甲", "甲手机", textOf("applied")},
		"#2 ": {textAbsorbed.ZH}, "#3 ": {"out_of_area", verdictTexts[syncproto.Parked].ZH},
		"#5 ": {textMerges.EN, textUndone.ZH, textDecision.ZH}, "#6 ": {textUndoes.EN},
		"999****0002": {"999****0001 → 999****0002"},
	} {
		for _, w := range want {
			if line := find(mark); !strings.Contains(line, w) {
				t.Errorf("%s: no %q in %q", mark, w, line)
			}
		}
	}
	if strings.Contains(find("#1 "), textAbsorbed.ZH) || strings.Contains(find("#6 "), textUndone.ZH) || strings.Contains(b.String(), "99900000001") {
		t.Errorf("says too much:\n%s", b.String())
	}
}

func textOf(o syncproto.Outcome) string { return verdictTexts[o].ZH }
