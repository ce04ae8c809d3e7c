package intake

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// ListCounts say how far a list is.
type ListCounts struct {
	Tasks int `json:"tasks"`
	// Open have no result and aren't withdrawn; Overdue are those whose deadline has passed.
	Open    int `json:"open"`
	Overdue int `json:"overdue"`
	// Withdrawn are no longer on the list; Unrouted are open at the list's own desk.
	Withdrawn int `json:"withdrawn"`
	Unrouted  int `json:"unrouted"`
	// Results counts the tasks that have one, by the choices of the form.
	Results map[string]int `json:"results"`
}

// ListState is a version of a list and how far it is, as far as its reader may see.
type ListState struct {
	ID       syncproto.RecordID `json:"id"`
	Family   syncproto.RecordID `json:"family"`
	Number   int                `json:"number"`
	Newest   bool               `json:"newest"`
	Name     string             `json:"name"`
	Area     syncproto.AreaID   `json:"area"`
	Purpose  string             `json:"purpose,omitempty"`
	Source   string             `json:"source,omitempty"`
	IssuedOn string             `json:"issued_on"`
	Deadline string             `json:"deadline,omitempty"`
	Rows     int                `json:"rows"`
	ListCounts
	// Areas has the same for each area directly below the list's own, and for its desk;
	// Versions are all there are, the oldest first. Both only where one list is asked for.
	Areas    []ListArea           `json:"areas,omitempty"`
	Versions []syncproto.RecordID `json:"versions,omitempty"`
}

// ListArea is the part of a list that lies in one area.
type ListArea struct {
	Area syncproto.AreaID `json:"area"`
	Name string           `json:"name"`
	ListCounts
}

// Lists are the newest versions of lists.
type Lists struct {
	Lists []ListState `json:"lists"`
}

// ListRow is what came of a row.
type ListRow struct {
	roster.Row
	AreaName string `json:"area_name"`
	// By and ByName gave the result, at When; absent where there is none.
	By     syncproto.AuthorID `json:"by,omitzero"`
	ByName string             `json:"by_name,omitempty"`
	When   syncproto.Instant  `json:"when,omitzero"`
}

// ListRows is a page of them, in order of ids.
type ListRows struct {
	List syncproto.RecordID `json:"list"`
	Rows []ListRow          `json:"rows"`
	// Next is what to give as after for the next page; empty at the end.
	Next string `json:"next,omitempty"`
}

// Disclose implements privacy.Disclosed.
func (r *ListRows) Disclose(l *privacy.Lens) {
	for i := range r.Rows {
		row := &r.Rows[i].Row
		row.Disclose(l, l.Eyes(row.Area), "")
	}
}

// Disclose implements privacy.Disclosed: the file's values are its bringer's own, those of
// the roster are shown as far as they may see them.
func (p *Plan) Disclose(l *privacy.Lens) {
	kind := p.Kind
	for i := range p.Lines {
		line := &p.Lines[i]
		where := line.where
		if where == "" {
			continue
		}
		eyes, seen := l.Eyes(where), make([]Difference, 0, len(line.Differs))
		for _, d := range line.Differs {
			if !d.Roster.IsNull() {
				d.Roster, _ = l.Value(eyes, kind, d.Field, d.Roster)
			}
			seen = append(seen, d)
		}
		line.Differs = seen
		l.Saw(line.Record, where)
	}
}

// view is what one reader asks: in which areas, on which day.
type view struct {
	snap  *registry.Snapshot
	areas []syncproto.AreaID
	today string
}

func (v *view) sees(id syncproto.AreaID) bool {
	return slices.ContainsFunc(v.areas, func(root syncproto.AreaID) bool { return v.snap.Areas.Within(id, root) })
}

// concerns reports whether a list of an area may have rows in those that are seen.
func (v *view) concerns(list syncproto.AreaID) bool {
	return v.sees(list) || slices.ContainsFunc(v.areas, func(root syncproto.AreaID) bool { return v.snap.Areas.Within(root, list) })
}

// Lists returns the newest version of each list with rows in these areas, the newest first,
// and counts those rows.
func (s *Service) Lists(ctx context.Context, areas []syncproto.AreaID, today form.Day) (*Lists, error) {
	v := &view{s.registry.Current(), areas, today.String()}
	rows, err := s.newestLists(ctx, v)
	if err != nil {
		return nil, err
	}
	out := &Lists{Lists: make([]ListState, 0, len(rows))}
	for _, row := range rows {
		state, err := s.state(ctx, v, row, nil)
		if err != nil {
			return nil, err
		}
		state.Newest = true
		out.Lists = append(out.Lists, state)
	}
	slices.SortStableFunc(out.Lists, func(a, b ListState) int { return bytes.Compare([]byte(b.IssuedOn), []byte(a.IssuedOn)) })
	return out, nil
}

// newestLists returns the newest version of each list that concerns these areas.
func (s *Service) newestLists(ctx context.Context, v *view) ([]*roster.Row, error) {
	var keys []area.Key
	seen := make(map[area.Key]bool)
	add := func(nodes []area.Node) {
		for _, n := range nodes {
			if !seen[n.Key] {
				seen[n.Key] = true
				keys = append(keys, n.Key)
			}
		}
	}
	for _, root := range v.areas {
		add(v.snap.Areas.Path(root))
		add(v.snap.Areas.Subtree(root))
	}
	newest := make(map[string]*roster.Row)
	var order []string
	for place, more := (roster.Place{}), true; more; {
		records, end, err := s.store.Roster(ctx, keys, kindList, place, roster.MaxRows)
		if err != nil {
			return nil, fmt.Errorf("lists: %w", err)
		}
		for i := range records {
			row := roster.NewRow(v.snap, &records[i])
			if row.SameAs != nil || row.Exit != nil {
				continue
			}
			family := textOf(row.Fields["family"])
			if family == "" {
				family = row.ID.String()
			}
			if newest[family] == nil {
				order = append(order, family)
			}
			if newest[family] == nil || numberOfList(newest[family]) < numberOfList(&row) {
				newest[family] = &row
			}
		}
		place, more = end, len(records) == roster.MaxRows
	}
	rows := make([]*roster.Row, 0, len(order))
	for _, family := range order {
		rows = append(rows, newest[family])
	}
	return rows, nil
}

// List returns one version of a list. It fails with code not_found for one that isn't
// there, or has nothing to do with these areas.
func (s *Service) List(ctx context.Context, id syncproto.RecordID, areas []syncproto.AreaID, today form.Day) (*ListState, error) {
	v := &view{s.registry.Current(), areas, today.String()}
	row, versions, err := s.version(ctx, v, id)
	if err != nil {
		return nil, err
	}
	var split []ListArea
	state, err := s.state(ctx, v, row, &split)
	if err != nil {
		return nil, err
	}
	for _, one := range versions {
		state.Versions = append(state.Versions, one.ID)
	}
	state.Newest, state.Areas = versions[len(versions)-1].ID == id, split
	return &state, nil
}

// version finds a version of a list and all the others.
func (s *Service) version(ctx context.Context, v *view, id syncproto.RecordID) (*roster.Row, []*roster.Row, error) {
	notFound := &syncproto.Error{Code: syncproto.CodeNotFound, Field: "list"}
	rows, err := s.rosters.Shown(ctx, []syncproto.RecordID{id})
	if err != nil {
		return nil, nil, fmt.Errorf("a list: %w", err)
	}
	if len(rows) == 0 || rows[0].Kind != kindList || !v.concerns(rows[0].Area) {
		return nil, nil, notFound
	}
	family, err := syncproto.ParseID[syncproto.RecordID](textOf(rows[0].Fields["family"]))
	if err != nil {
		family = id
	}
	versions, err := s.versions(ctx, family)
	if err != nil {
		return nil, nil, err
	}
	if len(versions) == 0 {
		versions = []*roster.Row{&rows[0]}
	}
	return &rows[0], versions, nil
}

// state counts what came of a version's rows.
func (s *Service) state(ctx context.Context, v *view, list *roster.Row, split *[]ListArea) (ListState, error) {
	state := ListState{
		ID: list.ID, Number: numberOfList(list), Name: textOf(list.Fields["name"]), Area: list.Area,
		Purpose: textOf(list.Fields["purpose"]), Source: textOf(list.Fields["source"]),
		IssuedOn: textOf(list.Fields["issued_on"]), Deadline: textOf(list.Fields["deadline"]),
		ListCounts: ListCounts{Results: make(map[string]int)},
	}
	if state.Family, _ = syncproto.ParseID[syncproto.RecordID](textOf(list.Fields["family"])); state.Family.IsZero() {
		state.Family = list.ID
	}
	if rows, ok := integer(list.Fields["rows"]); ok {
		state.Rows = rows
	}
	at := make(map[syncproto.AreaID]int)
	err := s.eachTask(ctx, v, list, func(task *roster.Row) {
		state.count(task, list.Area, v.today)
		if split == nil {
			return
		}
		n := v.below(list.Area, task.Area)
		i, known := at[n.ID]
		if !known {
			i = len(*split)
			at[n.ID] = i
			*split = append(*split, ListArea{Area: n.ID, Name: n.Name, ListCounts: ListCounts{Results: make(map[string]int)}})
		}
		(*split)[i].count(task, list.Area, v.today)
	})
	if split != nil {
		slices.SortFunc(*split, func(a, b ListArea) int { return bytes.Compare([]byte(a.Area), []byte(b.Area)) })
	}
	return state, err
}

func integer(v syncproto.Value) (n int, ok bool) {
	_, err := fmt.Sscan(string(v), &n)
	return n, err == nil
}

// below is the area directly below a list's that an area lies in, or the list's own; an
// area that lies elsewhere (somebody who moved away) stands for itself.
func (v *view) below(list, id syncproto.AreaID) area.Node {
	path := v.snap.Areas.Path(id)
	for i, n := range path {
		if n.ID == list {
			return path[min(i+1, len(path)-1)]
		}
	}
	n, _ := v.snap.Areas.Find(id)
	return n
}

func (c *ListCounts) count(task *roster.Row, desk syncproto.AreaID, today string) {
	c.Tasks++
	result := textOf(task.Fields["result"])
	switch {
	case result != "":
		c.Results[result]++
	case !task.Fields["withdrawn_on"].IsNull():
	default:
		c.Open++
		if deadline := textOf(task.Fields["deadline"]); deadline != "" && deadline < today {
			c.Overdue++
		}
		if task.Area == desk {
			c.Unrouted++
		}
	}
	if !task.Fields["withdrawn_on"].IsNull() {
		c.Withdrawn++
	}
}

// eachTask calls fn for every task of a version that lies where the reader sees, in order
// of ids.
func (s *Service) eachTask(ctx context.Context, v *view, list *roster.Row, fn func(*roster.Row)) error {
	ids, err := s.taskIDs(ctx, list)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, chunk) {
		rows, err := s.rosters.Shown(ctx, part)
		if err != nil {
			return fmt.Errorf("tasks of a list: %w", err)
		}
		for i := range rows {
			if onList(&rows[i], list.ID) && v.sees(rows[i].Area) {
				fn(&rows[i])
			}
		}
	}
	return nil
}

// onList reports whether a task came of a version, or was still on it.
func onList(task *roster.Row, list syncproto.RecordID) bool {
	if task.Kind != kindTask || task.SameAs != nil {
		return false
	}
	versions, _ := form.Members(task.Fields["lists"])
	return slices.Contains(versions, list.String()) || textOf(task.Fields["list"]) == list.String()
}

// taskIDs are the tasks of a list, of any version: one that a version had may be found by
// the version that had it last.
func (s *Service) taskIDs(ctx context.Context, list *roster.Row) ([]syncproto.RecordID, error) {
	targets := []syncproto.RecordID{list.ID}
	family, err := syncproto.ParseID[syncproto.RecordID](textOf(list.Fields["family"]))
	if err == nil {
		versions, err := s.versions(ctx, family)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			targets = append(targets, v.ID)
		}
	}
	ids, err := s.referring(ctx, unique(targets), kindTask, "list")
	if err != nil {
		return nil, fmt.Errorf("tasks of a list: %w", err)
	}
	slices.SortFunc(ids, func(a, b syncproto.RecordID) int { return bytes.Compare(a[:], b[:]) })
	return ids, nil
}

// Rows returns a page of what came of a version's rows, after one. It fails with codes
// not_found (list) and bad_request (after).
func (s *Service) Rows(ctx context.Context, id syncproto.RecordID, areas []syncproto.AreaID, after string, limit int) (*ListRows, error) {
	v := &view{snap: s.registry.Current(), areas: areas}
	list, _, err := s.version(ctx, v, id)
	if err != nil {
		return nil, err
	}
	var from syncproto.RecordID
	if after != "" {
		if from, err = syncproto.ParseID[syncproto.RecordID](after); err != nil {
			return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "after"}
		}
	}
	if limit <= 0 || limit > roster.MaxRows {
		limit = roster.DefaultRows
	}
	ids, err := s.taskIDs(ctx, list)
	if err != nil {
		return nil, err
	}
	ids = slices.DeleteFunc(ids, func(id syncproto.RecordID) bool { return bytes.Compare(id[:], from[:]) <= 0 })
	page := &ListRows{List: id, Rows: []ListRow{}}
	for part := range slices.Chunk(ids, roster.MaxRows) {
		rows, err := s.rosters.Shown(ctx, part)
		if err != nil {
			return nil, fmt.Errorf("rows of a list: %w", err)
		}
		for i := range rows {
			if !onList(&rows[i], id) || !v.sees(rows[i].Area) {
				continue
			}
			if len(page.Rows) == limit {
				page.Next = page.Rows[limit-1].ID.String()
				return page, s.tellWho(ctx, v, page)
			}
			n, _ := v.snap.Areas.Find(rows[i].Area)
			page.Rows = append(page.Rows, ListRow{Row: rows[i], AreaName: n.Name})
		}
	}
	return page, s.tellWho(ctx, v, page)
}

// tellWho says of each result who gave it and when: of several that live, the one that
// shows.
func (s *Service) tellWho(ctx context.Context, v *view, page *ListRows) error {
	ids := make([]syncproto.RecordID, len(page.Rows))
	for i := range page.Rows {
		ids[i] = page.Rows[i].ID
	}
	records, err := s.store.RecordsByID(ctx, ids)
	if err != nil {
		return fmt.Errorf("who gave results: %w", err)
	}
	byID := make(map[syncproto.RecordID]*syncproto.Record, len(records))
	for i := range records {
		byID[records[i].ID] = &records[i]
	}
	for i := range page.Rows {
		row := &page.Rows[i]
		record := byID[row.ID]
		if record == nil || row.Fields["result"].IsNull() {
			continue
		}
		for j := range record.Live {
			part := &record.Live[j]
			if part.Fields["result"] == row.Fields["result"] && part.Stamp.Time >= row.When {
				author, _ := v.snap.People.Author(part.Author)
				row.By, row.ByName, row.When = part.Author, author.Name, part.Stamp.Time
			}
		}
	}
	return nil
}
