package storetest

import (
	"fmt"
	"strings"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// telling is what a device is to hear of one of its changes.
func (w *world) telling(device int, version syncproto.Version, n uint64) exchange.Telling {
	return exchange.Telling{Device: deviceID(device), Told: syncproto.Told{
		Version: version, At: w.time(), N: n, Author: authorID(device), Kind: "person", Record: recordID(int(n)),
		Item: "conflict", Field: "phone",
	}}
}

// hears returns what a device hears after a version.
func (w *world) hears(device int, after syncproto.Version, limit int) []syncproto.Told {
	w.t.Helper()
	told, err := w.Told(w.ctx(), deviceID(device), after, limit)
	w.must(err)
	return told
}

// heard names tellings as "version:n".
func heard(told []syncproto.Told) string {
	names := make([]string, len(told))
	for i := range told {
		names[i] = fmt.Sprintf("%d:%d", told[i].Version, told[i].N)
	}
	return strings.Join(names, " ")
}

func authorsHearWholeVersions(w *world) {
	w.save(&exchange.Batch{Told: []exchange.Telling{w.telling(1, 3, 5), w.telling(2, 3, 1), w.telling(1, 3, 4)}})
	w.save(&exchange.Batch{Told: []exchange.Telling{
		w.telling(1, 7, 1), w.telling(1, 7, 2), w.telling(1, 7, 3), w.telling(1, 8, 9), w.telling(2, 9, 2),
	}})
	for _, ask := range []struct {
		device int
		after  syncproto.Version
		limit  int
		hears  string
	}{
		{1, 0, 100, "3:5 3:4 7:1 7:2 7:3 8:9"},
		{1, 0, 6, "3:5 3:4 7:1 7:2 7:3 8:9"},
		{1, 0, 5, "3:5 3:4 7:1 7:2 7:3"},
		{1, 0, 4, "3:5 3:4"},
		{1, 0, 2, "3:5 3:4"},
		{1, 0, 1, "3:5 3:4"},
		{1, 3, 1, "7:1 7:2 7:3"},
		{1, 3, 3, "7:1 7:2 7:3"},
		{1, 7, 1, "8:9"},
		{1, 8, 1, ""},
		{2, 0, 100, "3:1 9:2"},
		{2, 3, 100, "9:2"},
		{3, 0, 100, ""},
	} {
		same(w.t, fmt.Sprintf("device %d after %d, at most %d", ask.device, ask.after, ask.limit),
			heard(w.hears(ask.device, ask.after, ask.limit)), ask.hears)
	}
}

func tellingsComeBackWhole(w *world) {
	full := w.telling(1, 3, syncproto.MaxN)
	full.Said, full.By, full.Reason, full.Other = "merged", authorID(9), "核对过 <户口本>\u2028", recordID(8)
	full.Shows = syncproto.TextValue("王 <芳> & \u2028")
	bare := w.telling(1, 4, 1)
	bare.Field = ""
	w.save(&exchange.Batch{Told: []exchange.Telling{full, bare}})
	same(w.t, "told", w.hears(1, 0, 10), []syncproto.Told{full.Told, bare.Told})
}
