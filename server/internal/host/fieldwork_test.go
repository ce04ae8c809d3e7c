package host

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// enters pushes a new record of some kind, which the server must take.
func (p *phone) enters(kind syncproto.Kind, record byte, area syncproto.AreaID, fields string) {
	p.Helper()
	p.n++
	p.sync(json.RawMessage(fmt.Sprintf(
		`{"id":%q,"n":%d,"author":%q,"kind":%q,"record":%q,"area":%q,"base":0,"fields":%s,"at":%d,"form":1}`,
		syncproto.ChangeID{p.ID[15], p.ID[14], byte(p.n), 4}, p.n, p.Authors[0].ID, kind, syncproto.RecordID{record}, area, fields, time.Now().UnixMilli(),
	)))
	if v := p.answer.Verdicts[0]; !v.Verdict.Held() || v.Verdict == syncproto.Parked {
		p.Fatalf("%s: %+v", kind, v)
	}
}

// asks gets an answer with the phone's token.
func (p *phone) asks(path string) (int, string) {
	p.Helper()
	res := p.gets(path)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// gets begins to get an answer with the phone's token. Whoever calls closes its body.
func (p *phone) gets(path string) *http.Response {
	p.Helper()
	r, err := http.NewRequestWithContext(p.Context(), http.MethodGet, p.server.URL()+path, http.NoBody)
	if err != nil {
		p.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.Token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	return res
}

// aDay is a day of field work: somebody under observation, a household that nobody has
// visited, a task, a lead, and supplies that were issued.
func aDay(t *testing.T, s *Server) *phone {
	t.Helper()
	secretary := newPhone(t, s, identity.Secretary, "3307")
	secretary.enters("person", 1, "g1", aPerson)
	secretary.enters("household", 2, "g1", `{"address":"某路18号302室","head":"王大明","found_on":"2020-01-30"}`)
	secretary.enters("round", 3, "3307", `{"name":"一轮","starts":"2020-01-30"}`)
	secretary.enters("observation", 4, "g1", fmt.Sprintf(`{"person":%q,"start":"2020-01-30"}`, syncproto.RecordID{1}))
	secretary.enters("task", 5, "g1", `{"what":"check_person","issued_on":"2020-01-30","name":"李小强","mobile":"10012345678","title":"核查"}`)
	secretary.enters("lead", 6, "g1", `{"text":"楼上有人从外地回来","about":"赵小明","received_at":1580350000000}`)
	secretary.enters("supply", 7, "g1", fmt.Sprintf(`{"item":"mask","movement":"issued","quantity":5,"day":"2020-01-31","person":%q,"donor":"某某商店"}`, syncproto.RecordID{1}))
	return secretary
}

func TestFieldWorkNamesPeopleOnlyToThoseWhoSeeThem(t *testing.T) {
	s := start(t, t.TempDir())
	secretary := aDay(t, s)
	county := newPhone(t, s, identity.County, "3307")
	round := syncproto.RecordID{3}.String()
	for path, names := range map[string][]string{
		"/v1/areas/3307/duties?day=2020-01-31":                                                    {"王小芳", "李小强", "赵小明", "某路18号302室"},
		"/v1/areas/3307/rounds/" + round + "/households?day=2020-01-31":                           {"某路18号302室", "王大明"},
		"/v1/areas/3307/supplies?day=2020-01-31":                                                  {"王小芳"},
		"/v1/areas/g1/duties?day=2020-01-31&kind=observation_check":                               {"王小芳"},
		"/v1/areas/g1/duties?day=2020-01-31&limit=1&after=task." + syncproto.RecordID{5}.String(): {"赵小明"},
	} {
		status, clear := secretary.asks(path)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, clear)
		}
		_, seen := county.asks(path)
		for _, name := range names {
			if !strings.Contains(clear, name) {
				t.Errorf("%s: a secretary does not see %s: %s", path, name, clear)
			}
			if strings.Contains(seen, name) {
				t.Errorf("%s: the county sees %s: %s", path, name, seen)
			}
		}
		for _, never := range []string{aMobile, anID, "楼上有人", "某某商店"} {
			if strings.Contains(clear+seen, never) {
				t.Errorf("%s tells of %s", path, never)
			}
		}
	}
}

func TestNumbersOfFieldWorkNameNobody(t *testing.T) {
	s := start(t, t.TempDir())
	secretary := aDay(t, s)
	round := syncproto.RecordID{3}.String()
	for path, wants := range map[string]string{
		"/v1/areas/3307/rounds":                                                  `"name":"一轮"`,
		"/v1/areas/3307/rounds/" + round + "?day=2020-01-31":                     `"never_heard_of":1`,
		"/v1/areas/3307/rounds/" + round + "/turns/" + round + "?day=2020-01-31": `{"a":"never","b":"never","households":1}`,
	} {
		status, body := secretary.asks(path)
		if status != http.StatusOK || !strings.Contains(body, wants) {
			t.Errorf("%s: %d %s", path, status, body)
		}
		for _, name := range []string{"王小芳", "王大明", "某路18号", "李小强", aMobile} {
			if strings.Contains(body, name) {
				t.Errorf("%s tells of %s: %s", path, name, body)
			}
		}
	}
}

func TestFieldWorkSaysWhatIsAskedWrongly(t *testing.T) {
	s := start(t, t.TempDir())
	secretary := aDay(t, s)
	round, other := syncproto.RecordID{3}.String(), syncproto.RecordID{9}.String()
	for path, want := range map[string]int{
		"/v1/areas/3307/duties?kind=luck":                                http.StatusBadRequest,
		"/v1/areas/3307/duties?after=x":                                  http.StatusBadRequest,
		"/v1/areas/3307/duties?after=task.x":                             http.StatusBadRequest,
		"/v1/areas/3307/duties?after=visit." + round + ".x":              http.StatusBadRequest,
		"/v1/areas/3307/duties?day=yesterday":                            http.StatusBadRequest,
		"/v1/areas/3307/notices?after=-1":                                http.StatusBadRequest,
		"/v1/areas/3307/supplies?after=x":                                http.StatusBadRequest,
		"/v1/areas/3307/supplies?limit=0":                                http.StatusBadRequest,
		"/v1/areas/3307/rounds/x":                                        http.StatusBadRequest,
		"/v1/areas/3307/rounds/" + other:                                 http.StatusNotFound,
		"/v1/areas/3307/rounds/" + syncproto.RecordID{1}.String():        http.StatusNotFound,
		"/v1/areas/3307/rounds/" + round + "/households?reached=somehow": http.StatusBadRequest,
		"/v1/areas/3307/rounds/" + round + "/households?after=1":         http.StatusBadRequest,
		"/v1/areas/3307/rounds/" + round + "/turns/" + other:             http.StatusNotFound,
		"/v1/notices/" + round + "/receipts?area=3307":                   http.StatusNotFound,
		"/v1/notices/x/receipts?area=3307":                               http.StatusBadRequest,
	} {
		if status, body := secretary.asks(path); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// A breach that was taken back was none.
func TestOnlyBreachesThatStandAreCounted(t *testing.T) {
	s := start(t, t.TempDir())
	secretary := aDay(t, s)
	breach := fmt.Sprintf(`{"observation":%q,"at":1580432400000,"what":"外出"}`, syncproto.RecordID{4})
	secretary.enters("breach", 8, "g1", breach)
	secretary.enters("breach", 9, "g1", breach)
	counted := func(want string) {
		t.Helper()
		status, body := secretary.asks("/v1/areas/g1/duties?day=2020-01-31&kind=observation_check")
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%d, not %s: %s", status, want, body)
		}
	}
	counted(`"breaches":2`)
	secretary.enters("breach", 9, "g1", `{"exit":{"reason":"mistake","date":"2020-01-31"}}`)
	counted(`"breaches":1`)
}
