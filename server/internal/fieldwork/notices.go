package fieldwork

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Notice is a notice as its readers see it.
type Notice struct {
	Notice   syncproto.RecordID `json:"notice"`
	Area     syncproto.AreaID   `json:"area"`
	AreaName string             `json:"area_name"`
	Title    string             `json:"title"`
	Body     string             `json:"body,omitempty"`
	// Level is info or urgent.
	Level        string `json:"level"`
	IssuedOn     string `json:"issued_on"`
	ExpiresOn    string `json:"expires_on,omitempty"`
	NeedsReceipt bool   `json:"needs_receipt,omitempty"`
	// Expired says that it holds no more on the day of the question.
	Expired bool `json:"expired,omitempty"`
	// Read says that whoever asks has said that they read it.
	Read bool `json:"read"`
	// Receipt is the id of the record by which whoever asks says to have read it, if they
	// are one person: said twice, it is one receipt.
	Receipt syncproto.RecordID `json:"receipt,omitzero"`
	Version syncproto.Version  `json:"version"`
}

// NoticePage is one page of notices.
type NoticePage struct {
	Notices []Notice `json:"notices"`
	Next    string   `json:"next,omitempty"`
}

// Notices returns a page of what is said to an area, by itself or from above: the latest
// first. readers are those who ask. It fails with code not_found for an area that isn't
// there, and bad_request for a place that it didn't give out.
func (s *Service) Notices(ctx context.Context, in syncproto.AreaID, readers []syncproto.AuthorID, now syncproto.Instant, after string, limit int) (*NoticePage, error) {
	snap := s.registry.Current()
	path := snap.Areas.Path(in)
	if len(path) == 0 {
		return nil, notFound("area")
	}
	skip := 0
	if after != "" {
		var err error
		if skip, err = strconv.Atoi(after); err != nil || skip < 0 {
			return nil, badRequest("after", "the next of the page before")
		}
	}
	all, err := s.list(ctx, snap, keysOf(path), KindNotice)
	if err != nil {
		return nil, fmt.Errorf("notices of %s: %w", in, err)
	}
	all = slices.DeleteFunc(all, func(e entry) bool { return e.Exit != nil })
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(b.day("issued_on"), a.day("issued_on")), cmp.Compare(b.said, a.said), bytes.Compare(a.ID[:], b.ID[:]))
	})
	limit = clamp(limit)
	page := &NoticePage{Notices: []Notice{}}
	if len(all) > skip+limit {
		page.Next = strconv.Itoa(skip + limit)
	}
	all = all[min(skip, len(all)):min(skip+limit, len(all))]
	read, err := s.read(ctx, snap, all, readers)
	if err != nil {
		return nil, fmt.Errorf("notices of %s: %w", in, err)
	}
	for i := range all {
		n := noticeOf(snap, &all[i])
		n.Read = read[n.Notice]
		if len(readers) == 1 {
			n.Receipt = syncproto.ReceiptID(n.Notice, readers[0])
		}
		n.Expired = !inForce(&all[i], form.DayOf(now))
		page.Notices = append(page.Notices, n)
	}
	return page, nil
}

func noticeOf(snap *registry.Snapshot, e *entry) Notice {
	at, _ := snap.Areas.Find(e.Area)
	n := Notice{
		Notice: e.ID, Area: e.Area, AreaName: at.Name, Title: e.text("title"), Body: e.text("body"), Level: cmp.Or(e.text("level"), "info"),
		IssuedOn: e.text("issued_on"), ExpiresOn: e.text("expires_on"), Version: e.Version,
	}
	n.NeedsReceipt = e.Fields["needs_receipt"] == "true"
	return n
}

// read says which of some notices somebody has said to have read.
func (s *Service) read(ctx context.Context, snap *registry.Snapshot, notices []entry, readers []syncproto.AuthorID) (map[syncproto.RecordID]bool, error) {
	of := make(map[syncproto.RecordID]syncproto.RecordID)
	var ids []syncproto.RecordID
	for i := range notices {
		for _, reader := range readers {
			id := syncproto.ReceiptID(notices[i].ID, reader)
			of[id] = notices[i].ID
			ids = append(ids, id)
		}
	}
	found, err := s.find(ctx, snap, ids)
	if err != nil {
		return nil, err
	}
	read := make(map[syncproto.RecordID]bool)
	for id, e := range found {
		if e.Exit == nil && slices.Contains(readers, e.author) {
			read[of[id]] = true
		}
	}
	return read, nil
}

// Receipts says who has read a notice.
type Receipts struct {
	Notice
	// Readers counts those posted in the area asked about and below it to whom the notice
	// speaks, HaveRead those of them who said that they read it.
	Readers  int      `json:"readers"`
	HaveRead int      `json:"have_read"`
	Share    *float64 `json:"share"`
	// ByArea counts them by where they are posted; somebody with several posts counts in each.
	ByArea []ReceiptsOfArea `json:"by_area"`
	// People is one page of them: those who have not read it first.
	People []Reader `json:"people"`
	Next   string   `json:"next,omitempty"`
}

// ReceiptsOfArea counts the readers of one area.
type ReceiptsOfArea struct {
	Area     syncproto.AreaID `json:"area"`
	Name     string           `json:"name"`
	Readers  int              `json:"readers"`
	HaveRead int              `json:"have_read"`
}

// Reader is one of those to whom a notice speaks.
type Reader struct {
	Author syncproto.AuthorID `json:"author"`
	Name   string             `json:"name"`
	Areas  []syncproto.AreaID `json:"areas"`
	Role   identity.Role      `json:"role"`
	// ReadAt is when they say that they read it, as far as is known.
	ReadAt *syncproto.Instant `json:"read_at,omitempty"`
}

// Receipts tells who of those posted in an area has read a notice. It fails with code
// not_found for a notice or an area that isn't there, or of which the one doesn't speak to
// the other.
func (s *Service) Receipts(ctx context.Context, id syncproto.RecordID, in syncproto.AreaID, now syncproto.Instant, after string, limit int) (*Receipts, error) {
	snap := s.registry.Current()
	found, err := s.find(ctx, snap, []syncproto.RecordID{id})
	if err != nil {
		return nil, fmt.Errorf("receipts of %s: %w", id, err)
	}
	e, ok := found[id]
	if !ok || e.Kind != KindNotice {
		return nil, notFound("notice")
	}
	nodes := within(snap.Areas, in, e.Area)
	if len(nodes) == 0 {
		return nil, notFound("area")
	}
	skip := 0
	if after != "" {
		if skip, err = strconv.Atoi(after); err != nil || skip < 0 {
			return nil, badRequest("after", "the next of the page before")
		}
	}
	people, err := s.readers(ctx, snap, id, nodes, now)
	if err != nil {
		return nil, fmt.Errorf("receipts of %s: %w", id, err)
	}
	r := &Receipts{Notice: noticeOf(snap, &e), ByArea: []ReceiptsOfArea{}, People: []Reader{}}
	r.Expired = !inForce(&e, form.DayOf(now))
	r.count(nodes, people)
	limit = clamp(limit)
	if len(people) > skip+limit {
		r.Next = strconv.Itoa(skip + limit)
	}
	r.People = append(r.People, people[min(skip, len(people)):min(skip+limit, len(people))]...)
	return r, nil
}

// readers are those who may read records in some areas now: who has not read the notice
// first, and then by name.
func (s *Service) readers(ctx context.Context, snap *registry.Snapshot, notice syncproto.RecordID, nodes []area.Node, now syncproto.Instant) ([]Reader, error) {
	ids, err := s.referring(ctx, notice, KindNoticeRead)
	if err != nil {
		return nil, err
	}
	receipts, err := s.find(ctx, snap, ids)
	if err != nil {
		return nil, err
	}
	at := make(map[syncproto.AuthorID]syncproto.Instant, len(receipts))
	for _, receipt := range receipts {
		if receipt.Exit != nil {
			continue
		}
		read, ok := receipt.instant(syncproto.ReadAt)
		if first, known := at[receipt.author]; ok && (!known || read < first) {
			at[receipt.author] = read
		}
	}
	people := posted(snap, nodes, now)
	for i := range people {
		if read, ok := at[people[i].Author]; ok {
			people[i].ReadAt = &read
		}
	}
	slices.SortFunc(people, func(a, b Reader) int {
		return cmp.Or(cmp.Compare(btoi(a.ReadAt != nil), btoi(b.ReadAt != nil)), cmp.Compare(a.Name, b.Name), bytes.Compare(a.Author[:], b.Author[:]))
	})
	return people, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// posted are those who may read in some areas now, with the posts that say so: the areas
// are one and all below it.
func posted(snap *registry.Snapshot, nodes []area.Node, now syncproto.Instant) []Reader {
	var people []Reader
	for _, author := range snap.People.Holders(snap.Areas, nodes[0].ID) {
		r := Reader{Author: author.ID, Name: author.Name}
		for _, g := range snap.People.Grants(author.ID) {
			if !g.At(now) || !g.Role.May(identity.Read) || !snap.Areas.Within(g.Area, nodes[0].ID) {
				continue
			}
			if r.Role == "" {
				r.Role = g.Role
			}
			if !slices.Contains(r.Areas, g.Area) {
				r.Areas = append(r.Areas, g.Area)
			}
		}
		if len(r.Areas) > 0 {
			people = append(people, r)
		}
	}
	return people
}

// count counts readers, in all and where they are posted.
func (r *Receipts) count(nodes []area.Node, people []Reader) {
	of := make(map[syncproto.AreaID]*ReceiptsOfArea)
	for i := range people {
		read := btoi(people[i].ReadAt != nil)
		r.Readers++
		r.HaveRead += read
		for _, id := range people[i].Areas {
			if of[id] == nil {
				of[id] = &ReceiptsOfArea{Area: id}
			}
			of[id].Readers++
			of[id].HaveRead += read
		}
	}
	r.Share = rollup.ShareOf(int64(r.HaveRead), int64(r.Readers))
	for _, n := range nodes {
		if one := of[n.ID]; one != nil {
			one.Name = n.Name
			r.ByArea = append(r.ByArea, *one)
		}
	}
}

// notices are those in force that ask for a receipt which some of those posted in the area
// have not given.
func (a *agenda) notices(ctx context.Context, asked DutyKind) error {
	notices, err := a.s.about(ctx, a.snap, a.in, KindNotice)
	if err != nil {
		return err
	}
	for i := range notices {
		n := &notices[i]
		if n.Fields["needs_receipt"] != "true" || !inForce(n, a.day) {
			continue
		}
		people, err := a.s.readers(ctx, a.snap, n.ID, within(a.snap.Areas, a.in, n.Area), a.moment())
		if err != nil {
			return err
		}
		unread := 0
		for j := range people {
			if people[j].ReadAt == nil || *people[j].ReadAt >= dayStart(nextDay(a.day)) {
				unread++
			}
		}
		if unread == 0 {
			continue
		}
		// A notice from above is a duty of the area that was asked about.
		in := n.Area
		if a.snap.Areas.Within(a.in, in) {
			in = a.in
		}
		a.add(asked, &Duty{
			Kind: DutyNotice, Area: in, Record: n.ID, RecordKind: KindNotice, Title: n.text("title"),
			Due: n.text("expires_on"), Unread: unread, Readers: len(people),
		})
	}
	return nil
}

// inForce reports whether a notice holds on a day.
func inForce(n *entry, day form.Day) bool {
	expires := n.day("expires_on")
	return n.day("issued_on") <= day && (expires == 0 || expires >= day)
}
