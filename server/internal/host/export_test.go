package host

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"gridsync/server/internal/identity"
	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
)

// reportPaths are every list that can be taken away of a side's town.
func reportPaths(s *side) map[string]string {
	at := "/v1/areas/" + string(s.town) + "/reports/"
	return map[string]string{
		"roster":     at + "roster?kind=person",
		"households": at + "roster?kind=household",
		"ledger":     at + "ledger?kind=visit&from=2020-01-31&to=2020-01-31",
		"daily":      at + "daily?day=2020-01-31",
		"review":     at + "review",
		"rounds":     at + fmt.Sprintf("rounds?a=%s&b=%s", s.rounds[0], s.rounds[1]),
	}
}

func (m *matrix) by(role identity.Role) *Enrolled {
	return m.askers[slices.IndexFunc(m.askers, func(a asker) bool { return a.role == role && !a.desk })].phone
}

// workbook takes a list away as a workbook and has it opened by another program's library.
func (m *matrix) workbook(path string, e *Enrolled) [][]string {
	m.Helper()
	h := m.ask(http.MethodGet, request{path: path + "&format=xlsx"}, e)
	if h.status != http.StatusOK {
		m.Fatalf("%s: %d %s", path, h.status, h.body)
	}
	f, err := excelize.OpenReader(strings.NewReader(h.body))
	if err != nil {
		m.Fatalf("%s: %v", path, err)
	}
	rows, err := f.GetRows(f.GetSheetName(0))
	if err != nil || f.Close() != nil {
		m.Fatalf("%s: %v", path, err)
	}
	return rows
}

// under finds what stands under a heading in the first row of data.
func under(rows [][]string, heading string) string {
	at := slices.Index(rows[1], heading)
	if at < 0 || len(rows) < 4 || at >= len(rows[2]) {
		return ""
	}
	return rows[2][at]
}

func query(path string) string {
	if strings.Contains(path, "?") {
		return path
	}
	return path + "?"
}

func TestEveryListIsTakenAwayAsAWorkbook(t *testing.T) {
	m := newMatrix(t)
	secretary, paths := m.by(identity.Secretary), reportPaths(m.near)
	record := func(n byte) string { return syncproto.RecordID{n}.String() }
	for name, want := range map[string]map[string]string{
		"roster":     {"档案编号": record(m.near.person), "姓名": m.near.name, "身份证号": m.near.idNumber, "区域名称": "一网格", "待核查栏目": "手机号"},
		"households": {"档案编号": record(m.near.household), "住址": m.near.address},
		"ledger":     {"日期": "2020-01-31", "档案编号": record(m.near.visit), "填写次数": "1", "区域代码": "g1"},
		"daily":      {"区域代码": "t1", "区域名称": "一镇 合计", "日清状态": "未签"},
		"review":     {"问题编号": m.near.question.String(), "类型": "填写不一致", "栏目": "手机号", "档案": record(m.near.person)},
		"rounds":     {"档案编号": record(m.near.person), "姓名": m.near.name, "走访记录": record(m.near.visit)},
	} {
		rows := m.workbook(query(paths[name]), secretary)
		for heading, value := range want {
			if got := under(rows, heading); got != value {
				t.Errorf("%s, %s: %q, want %q\n%q", name, heading, got, value, rows)
			}
		}
		last := rows[len(rows)-1]
		author := secretary.Authors[0].ID.String()
		if !sheet.Marked(rows[0][0]) || !strings.Contains(rows[0][0], author) || last[0] != rows[0][0] || !strings.HasPrefix(last[1], fmt.Sprintf("共 %d 行；", len(rows)-3)) {
			t.Errorf("%s is marked %q … %q", name, rows[0], last)
		}
		if text := fmt.Sprint(rows); strings.Contains(text, m.far.name) || strings.Contains(text, m.far.mobile) || strings.Contains(text, m.far.address) {
			t.Errorf("%s tells of the other town: %s", name, text)
		}
	}
	ledger := m.workbook(paths["ledger"], secretary)
	if by, at := under(ledger, "填写人"), under(ledger, "收到时间"); by == "" || len(at) != len("2020-01-31 13:05:00") || under(ledger, "填写时间") == "" {
		t.Errorf("a ledger without author or times: %q", ledger)
	}
	if rows := m.workbook("/v1/areas/t1/reports/ledger?kind=visit&from=2020-02-01&to=2020-02-02", secretary); len(rows) != 3 {
		t.Errorf("days on which nothing was recorded: %q", rows)
	}
	if said := under(m.workbook(query(paths["review"]), secretary), "各方填写"); !strings.Contains(said, m.near.mobile) || !strings.Contains(said, m.near.another) {
		t.Errorf("who said what: %q", said)
	}
}

// What a role doesn't see on the screen it doesn't take away either.
func TestAListIsMaskedForWhoeverTakesIt(t *testing.T) {
	m := newMatrix(t)
	for name, path := range reportPaths(m.near) {
		rows := m.workbook(query(path), m.by(identity.County))
		text := fmt.Sprint(rows[1 : len(rows)-1])
		for _, hidden := range []string{m.near.name, m.near.mobile, m.near.idNumber, m.near.another, m.near.address} {
			if strings.Contains(text, hidden) {
				t.Errorf("%s tells the county %s: %s", name, hidden, text)
			}
		}
		if town := fmt.Sprint(m.workbook(query(path), m.by(identity.Township))); strings.Contains(town, m.near.mobile) || strings.Contains(town, m.near.idNumber) {
			t.Errorf("%s tells the township %s", name, town)
		}
		for _, role := range []identity.Role{identity.Volunteer, identity.Administrator, identity.Auditor} {
			if h := m.ask(http.MethodGet, request{path: path}, m.by(role)); h.status != http.StatusForbidden {
				t.Errorf("%s for a %s: %d", name, role, h.status)
			}
		}
	}
}

// The daily report's figures are those of the summary.
func TestADailyReportIsTheSummary(t *testing.T) {
	m := newMatrix(t)
	h := m.ask(http.MethodGet, request{path: "/v1/areas/t1/summary?day=2020-01-31"}, m.by(identity.Secretary))
	var sum struct {
		Measures []struct {
			Label syncproto.Text `json:"label"`
			Value int64          `json:"value"`
		} `json:"measures"`
		Ratios []struct {
			Label syncproto.Text `json:"label"`
			Share *float64       `json:"share"`
		} `json:"ratios"`
	}
	if err := json.Unmarshal([]byte(h.body), &sum); err != nil || len(sum.Measures) < 10 {
		t.Fatal(err, h.body)
	}
	rows := m.workbook("/v1/areas/t1/reports/daily?day=2020-01-31", m.by(identity.Secretary))
	positive := 0
	for i, measure := range sum.Measures {
		col := 4 + i
		if rows[1][col] != measure.Label.ZH || rows[2][col] != fmt.Sprint(measure.Value) {
			t.Errorf("column %d: %s %s, want %s %d", col, rows[1][col], rows[2][col], measure.Label.ZH, measure.Value)
		}
		if measure.Value > 0 {
			positive++
		}
	}
	if len(sum.Ratios) == 0 || len(rows[1]) != 4+len(sum.Measures)+len(sum.Ratios) {
		t.Fatalf("%d ratios, %d columns", len(sum.Ratios), len(rows[1]))
	}
	for i, ratio := range sum.Ratios {
		col, want := 4+len(sum.Measures)+i, "" // which says that there is nothing to have a share of
		if ratio.Share != nil {
			want = strconv.FormatFloat(*ratio.Share, 'f', -1, 64)
		}
		if got := append(rows[2], make([]string, len(rows[1]))...)[col]; rows[1][col] != ratio.Label.ZH+"（%）" || got != want {
			t.Errorf("column %d: %s %s, want %s %s", col, rows[1][col], got, ratio.Label.ZH, want)
		}
	}
	if positive < 3 {
		t.Errorf("hardly anything was counted: %s", h.body)
	}
}

// What was taken away comes back in as it was: a roster's file is read by its headings.
func TestARosterThatWasTakenAwayIsReadAgain(t *testing.T) {
	m := newMatrix(t)
	for _, format := range []string{"xlsx", "csv"} {
		h := m.ask(http.MethodGet, request{path: "/v1/areas/t1/reports/roster?kind=person&format=" + format}, m.by(identity.Secretary))
		table, err := sheet.Read(t.Context(), "x."+format, []byte(h.body), sheet.Options{})
		if err != nil || len(table.Rows) != 1 || len(table.Problems) > 0 || table.HeaderRow != 2 {
			t.Fatalf("%s: %v, %+v", format, err, table)
		}
		for heading, want := range map[string]string{"姓名": m.near.name, "身份证号": m.near.idNumber} {
			if got := table.Rows[0].Cell(table.Column(heading)).Text; got != want {
				t.Errorf("%s, %s: %q", format, heading, got)
			}
		}
	}
}
