package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
)

// pagesOf has a list of some pages of two rows that can be taken away as "pages"; before is
// called with the number of each page, from 1, before it is read.
func pagesOf(t *testing.T, n int, before func(ctx context.Context, page int) error) {
	t.Helper()
	reports["pages"] = func(*API, *call, syncproto.AreaID) (*takeaway, error) {
		page := 0
		return &takeaway{
			title: syncproto.Text{ZH: "名单", EN: "list"}, columns: []sheet.Column{{Head: syncproto.Text{ZH: "号", EN: "no"}}}, noted: "pages",
			page: func(ctx context.Context, lens *privacy.Lens) ([][]sheet.Value, bool, error) {
				page++
				if err := before(ctx, page); err != nil {
					return nil, false, err
				}
				var rows [][]sheet.Value
				for i := range 2 {
					rows = append(rows, []sheet.Value{sheet.TextOf(fmt.Sprintf("%d-%d", page, i))})
					lens.Saw(syncproto.RecordID{byte(page), byte(i + 1)}, "g1")
				}
				return rows, page < n, nil
			},
		}, nil
	}
	t.Cleanup(func() { delete(reports, "pages") })
}

func always(context.Context, int) error { return nil }

// exporter is a world whose device may take lists away, over a real connection.
func exporter(t *testing.T) (*world, func(path string) *http.Request) {
	t.Helper()
	w, ln := serving(t, Bounds{})
	w.store.everyone.Grants = append(w.store.everyone.Grants, identity.Grant{Author: syncproto.AuthorID{1}, Area: "33.07-a_b", Role: identity.Secretary})
	w.store.revision++
	if _, err := w.Registry.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w, func(path string) *http.Request {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+ln.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+w.token(t, ours))
		return req
	}
}

// fetch reads an answer to its end; it fails where that was cut.
func fetch(req *http.Request) (reply, error) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return reply{}, err
	}
	body, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, body}, errors.Join(err, res.Body.Close())
}

func whole(t *testing.T, req *http.Request) reply {
	t.Helper()
	r, err := fetch(req)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAListLeavesPageByPageAndIsNotedPageByPage(t *testing.T) {
	w, ask := exporter(t)
	var notedBefore []int
	pagesOf(t, 3, func(context.Context, int) error { notedBefore = append(notedBefore, len(w.noted)); return nil })
	r := whole(t, ask("/v1/areas/g1/reports/pages?format=csv"))
	lines, err := csv.NewReader(strings.NewReader(strings.Replace(string(r.body), "共 6 行", "x", 1))).ReadAll()
	if err == nil {
		t.Errorf("the last line has as many cells as the others: %q", lines)
	}
	text := strings.Split(strings.TrimSpace(strings.TrimPrefix(string(r.body), "\ufeff")), "\r\n")
	if r.status != http.StatusOK || len(text) != 9 || text[2] != "1-0" || text[7] != "3-1" || !strings.HasSuffix(text[8], ",共 6 行") || !slices.Equal(notedBefore, []int{0, 1, 2}) {
		t.Errorf("%d, noted %v\n%q", r.status, notedBefore, text)
	}
	for i, e := range w.noted {
		want := []syncproto.RecordID{{byte(i + 1), 1}, {byte(i + 1), 2}}
		if e.Act != audit.Exported || e.Area != "g1" || e.Detail != "pages 2" || !slices.Equal(e.Records, want) || e.Who != (syncproto.AuthorID{1}) {
			t.Errorf("noted %+v", e)
		}
	}
	if len(w.noted) != 3 {
		t.Errorf("%d lines are noted", len(w.noted))
	}
	if mark := r.header.Get(MarkHeader); mark == "" || strings.ContainsAny(mark, "内 ") {
		t.Errorf("mark %q", mark)
	}
	const name = `attachment; filename="g1-pages.csv"; filename*=UTF-8''%E4%B8%80%E7%BD%91%E6%A0%BC%20%E5%90%8D%E5%8D%95%20`
	if got := r.header.Get("Content-Disposition"); !strings.HasPrefix(got, name) || !strings.HasSuffix(got, ".csv") || r.header.Get("Content-Type") != "text/csv; charset=utf-8" || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", r.header)
	}
	r = whole(t, ask("/v1/areas/g1/reports/pages?lang=en"))
	f, err := excelize.OpenReader(bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := f.GetRows("list")
	if err := errors.Join(err, f.Close()); err != nil || len(rows) != 9 || rows[7][0] != "3-1" || r.header.Get("Content-Type") != sheet.XLSX.Media() {
		t.Errorf("%v %q", err, rows)
	}
}

// Nobody takes the half of a list for the whole: the connection is cut, and what had left by
// then was noted.
func TestAListThatFailsIsCutShort(t *testing.T) {
	w, ask := exporter(t)
	gone := errors.New("王芳's disk is gone")
	for name, c := range map[string]struct {
		fail func(page int) error
		log  string
	}{
		"the store":   {func(page int) error { return map[int]error{2: gone}[page] }, "a file was cut short"},
		"the program": {func(page int) error { return []error{nil, nil}[page-1] }, "a file was cut short"},
		"the audit":   {func(page int) error { w.deaf = map[int]error{2: gone}[page]; return nil }, "note an export"},
	} {
		for range cap(exporting) + 1 { // and each gives back its place
			pagesOf(t, 5, func(_ context.Context, page int) error { return c.fail(page) })
			w.log.Reset()
			for _, format := range []string{"csv", "xlsx"} {
				r, err := fetch(ask("/v1/areas/g1/reports/pages?format=" + format))
				if err == nil {
					t.Errorf("%s, %s: a whole answer of %d bytes: %d", name, format, len(r.body), r.status)
				}
				done() // before anything is altered that it may still read
				if strings.Contains(string(r.body), "2-0") || strings.Contains(string(r.body), "disk") {
					t.Errorf("%s: what was not noted has left: %q", name, r.body)
				}
			}
			if c.log != "" && !strings.Contains(w.log.String(), c.log) {
				t.Errorf("%s: the log says %s", name, w.log)
			}
			w.deaf = nil
		}
	}
}

func TestWhatIsWrongFromTheStartIsSaid(t *testing.T) {
	w, ask := exporter(t)
	pagesOf(t, 1, func(context.Context, int) error {
		return &syncproto.Error{Code: syncproto.CodeNotFound, Field: "round"}
	})
	for path, want := range map[string]int{
		"/v1/areas/g1/reports/pages": 404, "/v1/areas/g1/reports/rumours": 404, "/v1/areas/34/reports/pages": 403, "/v1/areas/g1/reports/pages?format=pdf": 400,
		"/v1/areas/g1/reports/pages?lang=fr": 400, "/v1/areas/g1/reports/roster": 400, "/v1/areas/g1/reports/ledger?kind=x": 400, "/v1/areas/g1/reports/rounds?a=x": 400,
		"/v1/areas/g1/reports/review?kind=rumour": 400, "/v1/areas/g1/reports/daily?day=x": 400,
	} {
		r := whole(t, ask(path))
		if r.status != want || r.header.Get("Content-Disposition") != "" || !strings.Contains(string(r.body), `"code"`) {
			t.Errorf("%s: %d %v %s", path, r.status, r.header, r.body)
		}
	}
	pagesOf(t, 1, always)
	w.deaf = errors.New("the disk is full")
	if r := whole(t, ask("/v1/areas/g1/reports/pages?format=csv")); r.status != http.StatusInternalServerError || strings.Contains(string(r.body), "1-0") || strings.Contains(string(r.body), "disk") {
		t.Errorf("not noted: %d %s", r.status, r.body)
	}
}

// What fails before anything has left gives its place back, too, even where it is a fault of
// the program.
func TestAListThatFailsAtOnceKeepsNoPlace(t *testing.T) {
	_, ask := exporter(t)
	pagesOf(t, 1, func(context.Context, int) error { return []error{}[1] })
	for range cap(exporting) + 1 {
		if r := whole(t, ask("/v1/areas/g1/reports/pages?format=csv")); r.status != http.StatusInternalServerError || strings.Contains(string(r.body), "1-0") {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	pagesOf(t, 1, always)
	if r := whole(t, ask("/v1/areas/g1/reports/pages?format=csv")); r.status != http.StatusOK {
		t.Errorf("afterwards: %d", r.status)
	}
}

// A reader who leaves ends the reading of the store, and gives back the place.
func TestAReaderWhoLeavesEndsTheList(t *testing.T) {
	_, ask := exporter(t)
	pagesOf(t, 1<<30, always)
	for range cap(exporting) {
		res, err := http.DefaultTransport.RoundTrip(ask("/v1/areas/g1/reports/pages?format=csv"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadFull(res.Body, make([]byte, 64<<10))
		if err := errors.Join(err, res.Body.Close()); err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(res.Status, err)
		}
	}
	done()
}

// done waits until no file is on its way: for each of the places, and for ever if one is lost.
func done() {
	for range cap(exporting) {
		exporting <- struct{}{}
	}
	for range cap(exporting) {
		<-exporting
	}
}

func TestMoreListsThanThereArePlacesForAreBusy(t *testing.T) {
	_, ask := exporter(t)
	pagesOf(t, 1, always)
	for range cap(exporting) {
		exporting <- struct{}{}
	}
	if r := whole(t, ask("/v1/areas/g1/reports/pages")); r.status != http.StatusTooManyRequests {
		t.Errorf("%d", r.status)
	}
	for range cap(exporting) {
		<-exporting
	}
	if r := whole(t, ask("/v1/areas/g1/reports/pages")); r.status != http.StatusOK {
		t.Errorf("afterwards: %d", r.status)
	}
}

// A record that changes while a list is read comes again at the end of its area.
func TestARecordStandsInAListOnce(t *testing.T) {
	var o once
	for i, c := range []struct {
		id   byte
		area syncproto.AreaID
		want bool
	}{{1, "g1", false}, {2, "g1", false}, {1, "g1", true}, {1, "g2", false}, {1, "g2", true}, {3, "g2", false}} {
		if got := o.again(syncproto.RecordID{c.id}, c.area); got != c.want {
			t.Errorf("%d: %v", i, got)
		}
	}
}

func TestAFileIsNamedAsPeopleCallIt(t *testing.T) {
	at := time.Date(2020, 1, 31, 10, 0, 0, 0, time.UTC)
	got := disposition("g1", "ledger person", `D/社"区`+"\r\n"+`*`, at, sheet.XLSX)
	if got != `attachment; filename="g1-ledger-person.xlsx"; filename*=UTF-8''D%20%E7%A4%BE%20%E5%8C%BA%20%20%20%2020200131-1800.xlsx` {
		t.Error(got)
	}
}
