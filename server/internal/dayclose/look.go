package dayclose

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// Service shows days and takes what is done about them.
type Service struct {
	store     Store
	summaries Summaries
	decider   Decider
	registry  *registry.Registry
}

// NewService wires the service.
func NewService(store Store, summaries Summaries, decider Decider, r *registry.Registry) *Service {
	return &Service{store: store, summaries: summaries, decider: decider, registry: r}
}

// maxChanges bounds the list of what restated a day.
const maxChanges = 500

// Look returns an area's day. It fails with code not_found for an area that isn't there.
func (s *Service) Look(ctx context.Context, id syncproto.AreaID, day form.Day, now syncproto.Instant) (*Day, error) {
	l, err := s.look(ctx, id, day, now)
	if err != nil {
		return nil, err
	}
	return &l.Day, nil
}

// looked is a day with what it was read from.
type looked struct {
	Day
	node  area.Node
	snap  *registry.Snapshot
	day   form.Day
	now   syncproto.Instant
	paper Paper
	// own is the day's signature, as far as there is one.
	own stored
}

// stored is a signature with its record; if there is none, id is the one that it will have.
type stored struct {
	id     syncproto.RecordID
	record *syncproto.Record
	view   merge.View
	drift  map[string]int64
}

func (s *Service) look(ctx context.Context, id syncproto.AreaID, day form.Day, now syncproto.Instant) (*looked, error) {
	snap := s.registry.Current()
	node, ok := snap.Areas.Find(id)
	if !ok {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	l := &looked{Day: Day{Area: id, Name: node.Name, Day: day.String()}, node: node, snap: snap, day: day, now: now}
	// The watermark is read before the figures: what commits between the two is then in
	// them without being claimed.
	sum, err := s.summaries.Summary(ctx, id, rollup.On(day), now)
	if err != nil {
		return nil, fmt.Errorf("day %s of %s: %w", day, id, err)
	}
	l.Watermark = sum.Watermark
	for _, step := range []func(context.Context, *looked) error{s.figures, s.signatures, s.acts, s.delta} {
		if err := step(ctx, l); err != nil {
			return nil, fmt.Errorf("day %s of %s: %w", day, id, err)
		}
	}
	l.Seen = Seen{Version: l.Watermark.Version, Hash: l.paper.Hash()}
	if l.own.record != nil {
		l.Seen.Record = l.own.record.Version
	}
	l.Closing, l.Late = closing(snap, id, day, l.State, now)
	return l, nil
}

// figures counts every measure that there is.
func (s *Service) figures(ctx context.Context, l *looked) error {
	standing := make(map[string]bool)
	for _, kind := range l.snap.Forms.Kinds() {
		for _, m := range l.snap.Forms.Newest(kind).Measures {
			standing[m.Name] = m.Standing
			l.Figures = append(l.Figures, Figure{Name: m.Name, Label: m.Label, Unit: m.Unit, Standing: m.Standing})
		}
	}
	nodes := l.snap.Areas.Subtree(l.node.ID)
	keys := make([]area.Key, len(nodes))
	for i, n := range nodes {
		keys[i] = n.Key
	}
	counts, err := s.store.Totals(ctx, keys, l.day, standing)
	if err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	sums := make(map[string]int64, len(l.Figures))
	for _, c := range counts {
		sums[c.Measure] += c.N
	}
	l.paper = Paper{Area: l.node.ID, Day: l.day, AsOf: l.Watermark.Version, Figures: make(map[string]int64, len(l.Figures))}
	for i := range l.Figures {
		f := &l.Figures[i]
		f.Value = sums[f.Name]
		l.paper.Figures[f.Name] = f.Value
	}
	l.Nothing = l.paper.Nothing(standing)
	return nil
}

// signatures reads how the area stands with the day, and those below that sign theirs.
func (s *Service) signatures(ctx context.Context, l *looked) error {
	children := l.snap.Areas.Children(l.node.ID)
	nodes := append([]area.Node{l.node}, children...)
	found, err := s.stored(ctx, nodes, l.day)
	if err != nil {
		return err
	}
	l.own = found[l.node.Key]
	l.State = l.own.state()
	for _, n := range l.signers(children, found) {
		one := found[n.Key]
		child := one.child(l.snap, n)
		_, child.Late = closing(l.snap, n.ID, l.day, child.State, l.now)
		if child.State == Open || child.State == Returned {
			l.Unsigned++
		}
		l.Below = append(l.Below, child)
		l.paper.Below = append(l.paper.Below, Under{Area: n.ID, State: child.State, Version: child.version, Hash: child.Hash})
	}
	return nil
}

// signers are the areas below that sign their days: those with somebody to sign, or whose day
// was signed, and where there are any such, those beside them that have areas below, too. A
// community whose secretary isn't there yet is missing; residents' groups are not, where
// nobody of them signs, nor is a post.
func (l *looked) signers(children []area.Node, found map[area.Key]stored) []area.Node {
	desks := l.snap.People.Desks(l.snap.Areas, l.now)
	own := func(n area.Node) bool { return desks[n.ID] || found[n.Key].record != nil }
	if !slices.ContainsFunc(children, own) {
		return nil
	}
	return slices.DeleteFunc(children, func(n area.Node) bool { return !own(n) && len(l.snap.Areas.Children(n.ID)) == 0 })
}

// stored finds the signatures of areas for a day, by area. One that a phone made has an id
// of its own; where there are several, the one that was changed last holds.
func (s *Service) stored(ctx context.Context, nodes []area.Node, day form.Day) (map[area.Key]stored, error) {
	found, err := s.atDesks(ctx, nodes, day)
	if err != nil {
		return nil, fmt.Errorf("signatures: %w", err)
	}
	keys := make([]area.Key, len(nodes))
	for i, n := range nodes {
		keys[i] = n.Key
	}
	signed, err := s.store.Signed(ctx, keys, day)
	if err != nil {
		return nil, fmt.Errorf("signatures: %w", err)
	}
	at := make(map[syncproto.RecordID]*exchange.Signature, len(signed))
	ids := make([]syncproto.RecordID, len(signed))
	for i := range signed {
		at[signed[i].Record], ids[i] = &signed[i], signed[i].Record
	}
	records, err := s.store.RecordsByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("signatures: %w", err)
	}
	for i := range records {
		key := at[records[i].ID].Area
		one := s.read(&records[i])
		one.drift = at[one.id].Drift
		had := found[key]
		if had.record != nil && had.id != one.id && (had.live() && !one.live() || had.live() == one.live() && had.record.Version > one.record.Version) {
			continue
		}
		found[key] = one
	}
	return found, nil
}

// atDesks finds the records with which areas' days are signed at a desk, and for areas that
// have none the id that it will have. Everybody can work these ids out: what lies under one
// and isn't a signature of the area for the day is passed over.
func (s *Service) atDesks(ctx context.Context, nodes []area.Node, day form.Day) (map[area.Key]stored, error) {
	found := make(map[area.Key]stored, len(nodes))
	for turn := 0; len(nodes) > 0; turn++ {
		ids := make([]syncproto.RecordID, len(nodes))
		for i, n := range nodes {
			ids[i] = recordOf(n.ID, day, turn)
		}
		records, err := s.store.RecordsByID(ctx, ids)
		if err != nil {
			return nil, err
		}
		there := make(map[syncproto.RecordID]*syncproto.Record, len(records))
		for i := range records {
			there[records[i].ID] = &records[i]
		}
		var passed []area.Node
		for i, n := range nodes {
			if r := there[ids[i]]; r == nil {
				found[n.Key] = stored{id: ids[i]}
			} else if one := s.read(r); one.signs(n.ID, day) {
				found[n.Key] = one
			} else {
				passed = append(passed, n)
			}
		}
		nodes = passed
	}
	return found, nil
}

func (s *Service) read(r *syncproto.Record) stored {
	return stored{id: r.ID, record: r, view: merge.Show(s.registry.Current().Forms.Newest(r.Kind), r.Live)}
}

// signs reports whether the record is one with which the area signs the day, or signed it
// before that was taken back.
func (s *stored) signs(id syncproto.AreaID, day form.Day) bool {
	of := text(s.view.Values(), FieldDay)
	return s.record.Kind == review.DayCloseKind && s.record.Area == id && (of == "" || of == day.String())
}

// live reports whether the record says anything of a day.
func (s *stored) live() bool {
	return s.record != nil && s.view.Exit == nil && text(s.view.Values(), FieldFigures) != ""
}

func (s *stored) state() State {
	switch {
	case !s.live():
		return Open
	case text(s.view.Values(), FieldReturned) != "":
		return Returned
	case len(s.drift) > 0:
		return Restated
	}
	return Signed
}

// child is how an area below stands.
func (s *stored) child(snap *registry.Snapshot, n area.Node) Child {
	c := Child{Area: n.ID, Name: n.Name, State: s.state(), record: s.id}
	if s.record == nil {
		return c
	}
	c.version = s.record.Version
	values := s.view.Values()
	c.Hash, c.Reason = text(values, FieldHash), text(values, FieldReturned)
	if part := s.signing(); part != nil && c.State != Open {
		author, _ := snap.People.Author(part.Author)
		c.By, c.ByName, c.At = part.Author, author.Name, part.Time
	}
	return c
}

// signing is the statement whose figures show.
func (s *stored) signing() *syncproto.Part {
	var last *syncproto.Part
	for i := range s.record.Live {
		p := &s.record.Live[i]
		if !p.Fields[FieldFigures].IsNull() && (last == nil || p.Version > last.Version) {
			last = p
		}
	}
	return last
}

// closing returns the hour at which an area's day is to be signed, and whether that has
// passed without it.
func closing(snap *registry.Snapshot, id syncproto.AreaID, day form.Day, state State, now syncproto.Instant) (string, bool) {
	hour := ""
	if def, ok := form.SettingOf("closing_hour"); ok {
		hour, _ = def.Set(snap.Settings.Of(id), "closing_hour", day).Text()
	}
	today := form.DayOf(now)
	clock := time.UnixMilli(int64(now)).In(form.Zone).Format("15:04")
	late := today > day || today == day && clock >= hour
	return hour, late && (state == Open || state == Returned)
}

// acts tells what happened to the day, from the log.
func (s *Service) acts(ctx context.Context, l *looked) error {
	if l.own.record == nil {
		return nil
	}
	log, err := s.store.LogOf(ctx, []syncproto.RecordID{l.own.id})
	if err != nil {
		return fmt.Errorf("what was said: %w", err)
	}
	log = slices.DeleteFunc(log, func(row exchange.Logged) bool { return row.Version == 0 })
	slices.SortStableFunc(log, func(a, b exchange.Logged) int { return cmp.Compare(a.Version, b.Version) })
	for i := range log {
		if act, ok := l.act(&log[i]); ok {
			l.History = append(l.History, act)
		}
	}
	values := l.own.view.Values()
	paper, hash, ok := PaperOf(l.node.ID, values)
	part := l.own.signing()
	if !l.own.live() || !ok || part == nil {
		return nil
	}
	author, _ := l.snap.People.Author(part.Author)
	l.Signed = &Signature{
		Record: l.own.id, By: part.Author, ByName: author.Name, At: part.Time, AsOf: paper.AsOf, Figures: paper.Figures,
		Zero: values[FieldZero] == "true", Note: text(values, FieldNote), Below: paper.Below,
		Hash: hash, Holds: hash == paper.Hash(), Text: paper.Text(),
	}
	if l.State == Returned {
		for i := range l.History {
			if act := &l.History[i]; act.What == string(Returned) {
				l.Returned = &Return{By: act.By, ByName: act.ByName, At: act.At, Reason: text(values, FieldReturned)}
			}
		}
	}
	return nil
}

// act reads what a row of the log did about the day; one that did nothing about it is no act.
func (l *looked) act(row *exchange.Logged) (Act, bool) {
	fields, err := row.Change.Values()
	if err != nil {
		return Act{}, false
	}
	author, _ := l.snap.People.Author(row.Change.Author)
	act := Act{By: row.Change.Author, ByName: author.Name, At: row.Time, Version: row.Version}
	if reason := text(fields, FieldReturned); reason != "" {
		act.What, act.Reason = string(Returned), reason
		return act, true
	}
	fields[FieldDay] = syncproto.TextValue(l.day.String())
	paper, hash, ok := PaperOf(l.node.ID, fields)
	if !ok {
		return Act{}, false
	}
	act.What, act.Figures, act.Hash, act.Note = string(Signed), paper.Figures, hash, text(fields, FieldNote)
	return act, true
}
