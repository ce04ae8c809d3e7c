package host

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gridsync/server/internal/api"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// follower is another system that follows an area, page by page.
type follower struct {
	*matrix
	who   *Enrolled
	area  string
	next  string
	limit int
	// has are the records that it has, by id, and last the greatest version so far.
	has  map[syncproto.RecordID]syncproto.Version
	last syncproto.Version
	raw  strings.Builder
}

func (f *follower) page(wait int) api.Feed {
	f.Helper()
	path := fmt.Sprintf("/v1/areas/%s/feed?limit=%d&wait=%d&after=%s", f.area, f.limit, wait, url.QueryEscape(f.next))
	r := f.ask(http.MethodGet, request{path: path}, f.who)
	var page api.Feed
	if err := json.Unmarshal([]byte(r.body), &page); err != nil || r.status != http.StatusOK {
		f.Fatal(r.status, r.body)
	}
	f.raw.WriteString(r.body)
	for _, c := range page.Changes {
		if c.Version < f.last && f.next != "" {
			f.Errorf("version %d comes after %d", c.Version, f.last)
		}
		f.last = c.Version
		if c.Gone != nil {
			delete(f.has, c.Gone.Record)
			continue
		}
		f.has[c.Record.ID] = c.Version
	}
	f.next = page.Next
	return page
}

// follow reads until there is no more.
func (f *follower) follow() {
	f.Helper()
	for f.page(0).More {
		continue
	}
}

// roster is what the area holds.
func (f *follower) roster() map[syncproto.RecordID]syncproto.Version {
	f.Helper()
	all := make(map[syncproto.RecordID]syncproto.Version)
	for after := ""; ; {
		page := fetch[struct {
			Rows []struct {
				ID      syncproto.RecordID `json:"id"`
				Version syncproto.Version  `json:"version"`
			} `json:"rows"`
			Next string `json:"next"`
		}](f.matrix, f.who, http.MethodGet, "/v1/areas/"+f.area+"/roster?after="+after, "", http.StatusOK)
		for _, row := range page.Rows {
			all[row.ID] = row.Version
		}
		if after = page.Next; after == "" {
			return all
		}
	}
}

func (f *follower) compare() {
	f.Helper()
	want := f.roster()
	for id, version := range want {
		if f.has[id] != version {
			f.Errorf("record %s is at %d, the reader has %d", id, version, f.has[id])
		}
	}
	if len(f.has) != len(want) {
		f.Errorf("the reader has %d records of %d", len(f.has), len(want))
	}
}

// writer pushes what one phone says, without a test's help: it is one of several.
func (p *phone) pushes(changes ...json.RawMessage) error {
	body, err := json.Marshal(syncproto.Request{
		Protocol: syncproto.Protocol, Device: p.ID, Clock: syncproto.Instant(time.Now().UnixMilli()), High: p.n, Changes: changes, Deliver: true,
	})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(p.Context(), http.MethodPost, p.server.URL()+"/v1/sync", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+p.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	var answer syncproto.Answer
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return err
	}
	for _, v := range answer.Verdicts {
		if !v.Verdict.Held() || v.Verdict == syncproto.Parked {
			return fmt.Errorf("change %d: %+v", v.N, v)
		}
	}
	return nil
}

// However much is pushed at the same time, and however records move, whoever reads on has in
// the end what is there, and each version after the one before.
func TestAReaderMissesNothing(t *testing.T) {
	o := &matrix{T: t, Server: start(t, t.TempDir())}
	if _, problems, err := o.ImportAreas(t.Context(), strings.NewReader(matrixAreas+"g3,三网格,t1\n")); err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	county := newPhone(t, o.Server, identity.County, "3307")
	phones := make([]*phone, 4)
	for i := range phones {
		phones[i] = newPhone(t, o.Server, identity.County, "3307")
	}
	if err := o.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	grids := []string{"g1", "g2", "g3"}
	var work sync.WaitGroup
	failures := make(chan error, len(phones))
	for i, p := range phones {
		chance := rand.New(rand.NewPCG(seed, uint64(i)))
		work.Go(func() {
			for n := range 40 {
				var batch []json.RawMessage
				for range 1 + chance.IntN(4) {
					p.n++
					record := syncproto.RecordID{byte(i + 1), byte(chance.IntN(12) + 1)}
					fields := fmt.Sprintf(`{"name":"王%d","found_on":"2020-01-31"}`, n)
					if chance.IntN(3) == 0 {
						fields = fmt.Sprintf(`{"name":"王%d","found_on":"2020-01-31","area":%q}`, n, grids[chance.IntN(3)])
					}
					batch = append(batch, json.RawMessage(fmt.Sprintf(
						`{"id":%q,"n":%d,"author":%q,"kind":"person","record":%q,"area":"g1","base":0,"fields":%s,"at":%d,"form":1}`,
						syncproto.ChangeID{p.ID[15], p.ID[14], byte(p.n >> 8), byte(p.n), 9}, p.n, p.Authors[0].ID, record, fields, time.Now().UnixMilli(),
					)))
				}
				if err := p.pushes(batch...); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	readers := []*follower{}
	for i, area := range []string{"3307", "t1", "g2"} {
		readers = append(readers, &follower{matrix: o, who: &county.Enrolled, area: area, limit: 3 + 4*i, has: make(map[syncproto.RecordID]syncproto.Version)})
	}
	over := make(chan struct{})
	go func() { work.Wait(); close(over) }()
	for busy := true; busy; {
		select {
		case <-over:
			busy = false
		default:
		}
		for _, r := range readers {
			r.page(0)
		}
	}
	select {
	case err := <-failures:
		t.Fatal(err)
	default:
	}
	for _, r := range readers {
		r.follow()
		r.compare()
	}
	if len(readers[0].has) == 0 || len(readers[1].has) == len(readers[0].has) {
		t.Errorf("%d records, %d of them in t1: nothing was moved about", len(readers[0].has), len(readers[1].has))
	}
}

func TestAReaderIsShownWhatTheirPostSees(t *testing.T) {
	m := newMatrix(t)
	follow := func(role identity.Role) *follower {
		for i := range m.askers {
			if m.askers[i].role == role && !m.askers[i].desk {
				f := &follower{matrix: m, who: m.askers[i].phone, area: "t1", limit: 100, has: make(map[syncproto.RecordID]syncproto.Version)}
				f.follow()
				return f
			}
		}
		t.Fatal(role)
		return nil
	}
	clear, masked := follow(identity.Secretary).raw.String(), follow(identity.County).raw.String()
	for _, personal := range []string{m.near.name, m.near.idNumber, m.near.mobile, m.near.another} {
		if !strings.Contains(clear, personal) {
			t.Errorf("a secretary isn't shown %q", personal)
		}
		if strings.Contains(masked, personal) {
			t.Errorf("a county is shown %q", personal)
		}
	}
	for _, other := range []string{m.far.name, m.far.mobile} {
		if strings.Contains(clear, other) {
			t.Errorf("one town is shown %q of the other", other)
		}
	}
}

func TestAReaderWaitsForWhatComes(t *testing.T) {
	o := newClosing(t)
	f := &follower{matrix: o.matrix, who: &o.secretary.Enrolled, area: "c1", limit: 10, has: make(map[syncproto.RecordID]syncproto.Version)}
	f.follow()
	if len(f.has) != 0 {
		t.Fatal(f.has)
	}
	came := make(chan api.Feed)
	subscribed := make(chan struct{})
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, o.URL()+"/v1/areas/c1/feed?wait=15&after="+url.QueryEscape(f.next), nil)
		req.Header.Set("Authorization", "Bearer "+f.who.Token)
		close(subscribed)
		var page api.Feed
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = json.NewDecoder(res.Body).Decode(&page)
			_ = res.Body.Close()
		}
		came <- page
	}()
	<-subscribed // whether it waits already or not: what comes is in its answer
	id := o.fever()
	page := <-came
	if len(page.Changes) != 1 || page.Changes[0].Record == nil || page.Changes[0].Record.ID != id {
		t.Errorf("%+v", page)
	}
}

func TestACursorIsForOneAreaOneSightAndOneHistory(t *testing.T) {
	o := newClosing(t)
	o.fever()
	f := &follower{matrix: o.matrix, who: &o.township.Enrolled, area: "t1", limit: 10, has: make(map[syncproto.RecordID]syncproto.Version)}
	f.follow()
	refused := func(who *Enrolled, area, after, query string, status int, code syncproto.Code) {
		t.Helper()
		p := fetch[turnedAway](o.matrix, who, http.MethodGet, "/v1/areas/"+area+"/feed?after="+url.QueryEscape(after)+query, "", status)
		if p.Code != code {
			t.Errorf("%s: %+v", area, p)
		}
	}
	refused(f.who, "c1", f.next, "", http.StatusBadRequest, syncproto.CodeCursorInvalid)
	refused(f.who, "t1", "nonsense", "", http.StatusBadRequest, syncproto.CodeCursorInvalid)
	refused(f.who, "t1", "", "&wait=16", http.StatusBadRequest, syncproto.CodeBadRequest)
	county := newPhone(t, o.Server, identity.County, "3307")
	if err := o.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused(&county.Enrolled, "t1", f.next, "", http.StatusBadRequest, syncproto.CodeCursorInvalid)
	other := newClosing(t) // another history
	who := newPhone(t, other.Server, identity.Township, "t1")
	if err := other.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := fetch[turnedAway](other.matrix, &who.Enrolled, http.MethodGet, "/v1/areas/t1/feed?after="+url.QueryEscape(f.next), "", http.StatusGone)
	if p.Code != syncproto.CodeCursorForeign {
		t.Errorf("%+v", p)
	}
}
