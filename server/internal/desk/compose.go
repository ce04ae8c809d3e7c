package desk

import (
	"context"
	"slices"
	"strings"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// compose makes the changes that an order amounts to. It fails with bad_request for what
// makes no sense of this question, and with errMovedOn where the question is no longer
// one. Whether the values fit their form, and whether this author may, the exchange says.
func (s *Service) compose(ctx context.Context, m *matter, o *Order) ([]exchange.Step, error) {
	if err := m.fits(o); err != nil {
		return nil, err
	}
	steps, err := s.ruled(ctx, m, o)
	if err != nil {
		return nil, err
	}
	said, err := m.said(o)
	if err != nil {
		return nil, err
	}
	if o.Reason != "" {
		said[review.FieldReason] = syncproto.TextValue(o.Reason)
	}
	if len(said) > 0 {
		// First: a change that is accepted is taken up before what corrects it.
		steps = append([]exchange.Step{m.rule(said)}, steps...)
	}
	return steps, nil
}

// fits says what is wrong with an order about this question.
func (m *matter) fits(o *Order) error {
	known := o.Act == Undo
	for _, acts := range fitting {
		known = known || slices.Contains(acts, o.Act)
	}
	switch {
	case !known:
		return bad("act", "choose, merge, different, route, accept, return, assign or undo")
	case o.Act == Undo:
		return nil
	case !slices.Contains(fitting[m.item.Kind], o.Act):
		return bad("act", "not for a question of this kind")
	case m.item.State == review.Closed:
		return errMovedOn
	}
	return checkFields(o.Fields)
}

// checkFields bounds the values that somebody gives.
func checkFields(fields syncproto.Fields) error {
	if len(fields) > syncproto.MaxFields || len(fields.Encode()) > syncproto.MaxChangeBytes/2 {
		return bad("fields", "too much")
	}
	for name := range fields {
		if syncproto.CheckField(name) != nil {
			return bad("fields", "names of fields")
		}
	}
	return nil
}

// ruled are the changes of the records asked about.
func (s *Service) ruled(ctx context.Context, m *matter, o *Order) ([]exchange.Step, error) {
	switch o.Act {
	case Choose:
		return m.choose(o)
	case Merge:
		return m.merge(o)
	case Undo:
		return m.undo()
	case Accept:
		if m.item.Kind == review.Restated {
			return s.sign(ctx, m)
		}
		return m.correct(o)
	}
	return nil, nil
}

// said is what is said about the question itself.
func (m *matter) said(o *Order) (syncproto.Fields, error) {
	switch o.Act {
	case Different:
		return verdict(review.VerdictDifferent), nil
	case Return:
		if strings.TrimSpace(o.Reason) == "" {
			return nil, bad("reason", "what its author is to look at")
		}
		return verdict(review.VerdictReturn), nil
	case Accept:
		return m.accept(o)
	case Route:
		return m.route(o.Area)
	case Assign:
		return m.assign(o.Assignee)
	}
	return syncproto.Fields{}, nil
}

func verdict(v review.Verdict) syncproto.Fields {
	return syncproto.Fields{review.FieldVerdict: syncproto.TextValue(string(v))}
}

// rule writes to the record that holds what was said of the question, and makes it on
// first use: its area is the desk.
func (m *matter) rule(said syncproto.Fields) exchange.Step {
	step := exchange.Step{Record: m.item.ID(), Kind: review.RecordKind, Area: m.desk(), Fields: said}
	if r := m.ruling(); r != nil {
		step.Area, step.Base = r.Area, r.Version
		return step
	}
	m.name(said)
	return step
}

// name writes which question it is.
func (m *matter) name(said syncproto.Fields) {
	said[review.FieldItem] = syncproto.TextValue(string(m.item.Kind))
	if !m.item.Record.IsZero() {
		said[review.FieldAbout] = syncproto.TextValue(m.item.Record.String())
	}
	if m.item.Field != "" {
		said[review.FieldSubject] = syncproto.TextValue(m.item.Field)
	}
}

// on is a decision about a record as it stands.
func on(r *syncproto.Record, fields syncproto.Fields) exchange.Step {
	return exchange.Step{Record: r.ID, Kind: r.Kind, Area: r.Area, Base: r.Version, Fields: fields}
}

// choose decides the fields in doubt for which a value is given.
func (m *matter) choose(o *Order) ([]exchange.Step, error) {
	if len(m.asked) == 0 {
		return nil, errMovedOn
	}
	g := m.asked[0]
	doubts := g.view.Disputed()
	if len(o.Fields) == 0 {
		return nil, bad("fields", "a value for a field in doubt")
	}
	for name := range o.Fields {
		if !slices.Contains(doubts, name) {
			return nil, bad("fields", "only fields in doubt")
		}
	}
	step := on(g.record, o.Fields)
	step.With = g.with()
	return []exchange.Step{step}, nil
}

// merge says that the one record is the other: the second, which was recorded later, as
// ids of version 7 start with a time, unless somebody says which survives.
func (m *matter) merge(o *Order) ([]exchange.Step, error) {
	if len(m.asked) < 2 {
		return nil, errMovedOn
	}
	survivor, absorbed := m.asked[0], m.asked[1]
	switch o.Survivor {
	case syncproto.RecordID{}, survivor.record.ID:
	case absorbed.record.ID:
		survivor, absorbed = absorbed, survivor
	default:
		return nil, bad("survivor", "one of the two")
	}
	steps := []exchange.Step{on(absorbed.record, syncproto.Fields{syncproto.FieldSameAs: syncproto.TextValue(survivor.record.ID.String())})}
	fields, err := agreed(survivor, absorbed, o)
	if err != nil || len(fields) == 0 {
		return steps, err
	}
	step := on(survivor.record, fields)
	step.With = slices.Concat(survivor.with(), []syncproto.Beside{{Record: absorbed.record.ID, Version: absorbed.record.Version}}, absorbed.with())
	return append(steps, step), nil
}

// agreed is what a merge says about the values of the one record that the two become:
// what the order gives; where a person lived before; and what two records of one thing
// nearly always differ in and nobody would be asked about: what is written once holds as
// it was written first, and when an event was holds as the survivor says. Whatever else
// differs becomes a question.
func agreed(survivor, absorbed *group, o *Order) (syncproto.Fields, error) {
	all := append(slices.Clone(survivor.absorbed), absorbed.members()...)
	view := merge.Show(survivor.form, merge.Join(survivor.form, survivor.record, all))
	doubts := view.Disputed()
	fields := make(syncproto.Fields)
	for name, v := range o.Fields {
		if !slices.Contains(doubts, name) {
			return nil, bad("fields", "only fields in doubt")
		}
		fields[name] = v
	}
	for _, name := range doubts {
		field, _ := survivor.form.Field(name)
		_, given := fields[name]
		own, told := survivor.view.Fields[name]
		switch {
		case given:
		case field.Rule == form.Once:
			fields[name] = view.Fields[name].Value
		case field.Type == form.Time && told && !own.Disputed && isOfEvent(survivor.form, name):
			fields[name] = own.Value
		}
	}
	if o.Left == "" {
		return fields, nil
	}
	left, ok := form.ParseDay(o.Left)
	if !ok {
		return nil, bad("left", "a day, such as 2020-01-31")
	}
	if absorbed.record.Area == survivor.record.Area {
		return nil, bad("left", "both are in one area")
	}
	fields[syncproto.FieldResidences] = form.Delta([]string{form.Residence{Left: left, Area: absorbed.record.Area}.String()}, nil)
	return fields, nil
}

func isOfEvent(f *form.Form, name string) bool {
	return f.Match != nil && slices.Contains(f.Match.Event, name)
}

// undo withdraws the latest decision of the question.
func (m *matter) undo() ([]exchange.Step, error) {
	latest := m.latest()
	if latest == nil {
		return nil, bad("act", "there is nothing to undo")
	}
	var steps []exchange.Step
	for _, made := range latest.Changes {
		r := m.stands[made.Record]
		if r == nil || m.undone[made.Origin] {
			continue
		}
		at := slices.IndexFunc(steps, func(s exchange.Step) bool { return s.Record == made.Record })
		if at < 0 {
			at, steps = len(steps), append(steps, on(r, syncproto.Fields{}))
		}
		steps[at].Undoes = append(steps[at].Undoes, made.Origin)
		if made.Record == m.item.ID() {
			m.keep(steps[at].Fields, made.Origin)
		}
	}
	return steps, nil
}

// keep writes again what a withdrawn ruling said besides: which question it is about,
// and if it was the first, on which desk that lay. Only the ruling is to be undone.
func (m *matter) keep(said syncproto.Fields, undone syncproto.Origin) {
	m.name(said)
	first := m.rows[undone]
	if first == nil || first.Change.Base != 0 {
		return
	}
	for _, p := range m.ruling().Live {
		if _, routes := p.Fields[syncproto.FieldArea]; routes && (p.Device != undone.Device || p.N != undone.N) {
			return // somebody has routed it since
		}
	}
	said[syncproto.FieldArea] = syncproto.TextValue(string(first.Change.Area))
}

// sign signs a day again with the figures as they are now.
func (s *Service) sign(ctx context.Context, m *matter) ([]exchange.Step, error) {
	if len(m.asked) == 0 {
		return nil, errMovedOn
	}
	all, err := s.drift(ctx, m)
	if err != nil {
		return nil, err
	}
	return []exchange.Step{on(m.asked[0].record, m.signedNow(all))}, nil
}

// correct is what a decider who accepts a parked change puts in its place.
func (m *matter) correct(o *Order) ([]exchange.Step, error) {
	if len(o.Fields) == 0 {
		return nil, nil
	}
	if m.waiting == nil {
		return nil, bad("fields", "only for a change that waits")
	}
	if len(m.asked) > 0 {
		step := on(m.asked[0].record, o.Fields)
		step.With = m.asked[0].with()
		return []exchange.Step{step}, nil
	}
	c := &m.waiting.Change
	step := exchange.Step{Record: c.Record, Kind: c.Kind, Area: c.Area, Fields: o.Fields}
	if o.Area != "" {
		step.Area = o.Area
	}
	return []exchange.Step{step}, nil
}

// accept says that something is taken as it is, or as belonging elsewhere, or without
// some of its fields.
func (m *matter) accept(o *Order) (syncproto.Fields, error) {
	if m.item.Kind == review.Restated { // the signature says it
		return syncproto.Fields{}, nil
	}
	said := verdict(review.VerdictAccept)
	if m.item.Kind != review.Parked {
		if o.Area != "" || len(o.Without) > 0 {
			return nil, bad("act", "only a change that waits is taken otherwise than it is")
		}
		return said, nil
	}
	if m.waiting == nil {
		return nil, errMovedOn
	}
	if o.Area != "" {
		routed, err := m.route(o.Area)
		if err != nil {
			return nil, err
		}
		said[syncproto.FieldArea] = routed[syncproto.FieldArea]
	}
	without, err := m.without(o)
	if err != nil || len(without) == 0 {
		return said, err
	}
	said[review.FieldWithout] = syncproto.TextValue(strings.Join(without, " "))
	return said, nil
}

// without names the fields of the waiting change that are not taken: those given, and
// those in whose place the decider puts a value. Nobody has seen the change before it
// is in, so that both would otherwise stand side by side as a question.
func (m *matter) without(o *Order) ([]string, error) {
	written, _ := m.waiting.Change.Values()
	without := slices.Clone(o.Without)
	for _, name := range without {
		if _, there := written[name]; !there {
			return nil, bad("without", "names of fields of the change")
		}
	}
	for _, name := range o.Fields.Names() {
		if _, there := written[name]; there {
			without = append(without, name)
		}
	}
	slices.Sort(without)
	return slices.Compact(without), nil
}

// route moves the question to another desk, and with it the change that waits.
func (m *matter) route(to syncproto.AreaID) (syncproto.Fields, error) {
	if _, ok := m.snap.Areas.Find(to); !ok {
		return nil, bad("area", "an area's code")
	}
	return syncproto.Fields{syncproto.FieldArea: syncproto.TextValue(string(to))}, nil
}

func (m *matter) assign(to syncproto.AuthorID) (syncproto.Fields, error) {
	if to.IsZero() {
		return syncproto.Fields{review.FieldAssignee: syncproto.Null}, nil
	}
	if _, ok := m.snap.People.Author(to); !ok {
		return nil, bad("assignee", "somebody who records here")
	}
	return syncproto.Fields{review.FieldAssignee: syncproto.TextValue(to.String())}, nil
}
