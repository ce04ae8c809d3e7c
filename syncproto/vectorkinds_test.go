package syncproto_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/clock"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// texts are field values as JSON text, so that no reader of a vector loses a digit.
type texts map[string]string

func (f texts) fields() syncproto.Fields {
	fields := make(syncproto.Fields, len(f))
	for name, text := range f {
		fields[name] = syncproto.Value(text)
	}
	return fields
}

// settings are what is set in an area, each as JSON text, from a day on or always (0).
type settings map[string]map[form.Day]string

// Setting returns what holds on a day.
func (s settings) Setting(name string, day form.Day) syncproto.Value {
	since, value := form.Day(-1), syncproto.Null
	for from, text := range s[name] {
		if from <= day && from > since {
			since, value = from, syncproto.Value(text)
		}
	}
	return value
}

func textsOf(f syncproto.Fields) texts {
	out := make(texts, len(f))
	for name, v := range f {
		out[name] = string(v)
	}
	return out
}

func runDecode(input []byte) (string, any, error) {
	var in struct {
		Device syncproto.DeviceID `json:"device"`
		Raw    string             `json:"raw"`
		// Repeat is put in the place of "…" in Raw, so many times over.
		Repeat *struct {
			Text  string `json:"text"`
			Times int    `json:"times"`
		} `json:"repeat"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	raw := in.Raw
	if in.Repeat != nil {
		raw = repeated(raw, in.Repeat.Text, in.Repeat.Times)
	}
	c, err := syncproto.DecodeChange([]byte(raw), in.Device)
	var e *syncproto.Error
	if errors.As(err, &e) {
		return "refused", map[string]any{"code": e.Code, "field": e.Field, "n": c.N}, nil
	}
	extra := make(map[string]string, len(c.Extra))
	for name, text := range c.Extra {
		extra[name] = string(text)
	}
	hash := c.Hash()
	out := map[string]any{"n": c.N, "hash": fmt.Sprintf("%x", hash[:]), "extra": extra}
	if in.Repeat == nil {
		out["fields"] = string(c.Fields)
	}
	return "accepted", out, err
}

// repeated puts text, so many times over and with commas between, into the place
// of … in raw. A # in it is replaced by 0, 1, 2 …
func repeated(raw, text string, times int) string {
	filled := make([]string, times)
	for i := range filled {
		filled[i] = strings.ReplaceAll(text, "#", strconv.Itoa(i))
	}
	return strings.Replace(raw, "…", strings.Join(filled, ","), 1)
}

func runHashes(input []byte) (string, any, error) {
	var in struct {
		Device syncproto.DeviceID `json:"device"`
		One    string             `json:"one"`
		Other  string             `json:"other"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	one, err := syncproto.DecodeChange([]byte(in.One), in.Device)
	if err != nil {
		return "", nil, err
	}
	other, err := syncproto.DecodeChange([]byte(in.Other), in.Device)
	if err != nil {
		return "", nil, err
	}
	a, b := one.Hash(), other.Hash()
	return sameness(a == b), map[string]any{"one": fmt.Sprintf("%x", a[:]), "other": fmt.Sprintf("%x", b[:])}, nil
}

func sameness(same bool) string {
	if same {
		return "same"
	}
	return "different"
}

func runDigest(input []byte) (string, any, error) {
	var in struct {
		One   []syncproto.Digest `json:"one"` // hashes, in the form of a digest
		Other []syncproto.Digest `json:"other"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	add := func(hashes []syncproto.Digest) (d syncproto.Digest) {
		for _, h := range hashes {
			d = d.Add(syncproto.Hash(h))
		}
		return d
	}
	one, other := add(in.One), add(in.Other)
	return sameness(one == other), map[string]any{"one": one, "other": other}, nil
}

func runReceipt(input []byte) (string, any, error) {
	type reading struct {
		Notice syncproto.RecordID `json:"notice"`
		Author syncproto.AuthorID `json:"author"`
	}
	var in struct {
		One   reading `json:"one"`
		Other reading `json:"other"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	one, other := syncproto.ReceiptID(in.One.Notice, in.One.Author), syncproto.ReceiptID(in.Other.Notice, in.Other.Author)
	return sameness(one == other), map[string]any{"one": one, "other": other}, nil
}

func runSum(input []byte) (string, any, error) {
	type row struct {
		Record  syncproto.RecordID `json:"record"`
		Version syncproto.Version  `json:"version"`
	}
	var in struct {
		One   []row `json:"one"`
		Other []row `json:"other"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	add := func(rows []row) (s syncproto.Sum) {
		for _, r := range rows {
			s += syncproto.RowSum(r.Record, r.Version)
		}
		return s
	}
	one, other := add(in.One), add(in.Other)
	return sameness(one == other), map[string]any{"one": one, "other": other}, nil
}

func runEqual(input []byte) (string, any, error) {
	var in struct {
		Type form.Type `json:"type"`
		A    string    `json:"a"`
		B    string    `json:"b"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	field := form.Field{Type: in.Type}
	forth := field.Fold(syncproto.Value(in.A)) == field.Fold(syncproto.Value(in.B))
	return sameness(forth), map[string]any{}, nil
}

func runPart(input []byte) (string, any, error) {
	var in struct {
		Device   syncproto.DeviceID `json:"device"`
		Raw      string             `json:"raw"`
		Version  syncproto.Version  `json:"version"`
		LastSeen syncproto.Version  `json:"last_seen"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	c, err := syncproto.DecodeChange([]byte(in.Raw), in.Device)
	if err != nil {
		return "", nil, err
	}
	part, err := c.Part(in.Version, in.LastSeen, syncproto.Stamp{})
	class := "without_area"
	if part.Fields[syncproto.FieldArea] != "" {
		class = "with_area"
	}
	out := map[string]any{"version": part.Version, "base": part.Base, "fields": textsOf(part.Fields)}
	if len(part.With) > 0 {
		out["with"] = part.With
	}
	if len(part.Undoes) > 0 {
		out["undoes"] = part.Undoes
	}
	return class, out, err
}

// vectorPart is a part with its fields as texts and a time without bounds.
type vectorPart struct {
	Version syncproto.Version  `json:"version"`
	Device  syncproto.DeviceID `json:"device"`
	N       uint64             `json:"n"`
	Author  syncproto.AuthorID `json:"author"`
	Base    syncproto.Version  `json:"base"`
	Time    syncproto.Instant  `json:"time"`
	Amid    []string           `json:"amid"`
	Decides bool               `json:"decides"`
	With    []syncproto.Beside `json:"with"`
	Undoes  []syncproto.Origin `json:"undoes"`
	Fields  texts              `json:"fields"`
}

func (p vectorPart) part() syncproto.Part {
	return syncproto.Part{
		Version: p.Version, Device: p.Device, N: p.N, Author: p.Author, Base: p.Base,
		Stamp: syncproto.Stamp{Time: p.Time, Earliest: p.Time, Latest: p.Time},
		Amid:  p.Amid, Decides: p.Decides, With: p.With, Undoes: p.Undoes, Fields: p.Fields.fields(),
	}
}

func runFold(input []byte) (string, any, error) {
	var in struct {
		Form  json.RawMessage `json:"form"`
		Parts []vectorPart    `json:"parts"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	f, err := formOf(in.Form)
	if err != nil {
		return "", nil, err
	}
	var parts []syncproto.Part
	for _, p := range in.Parts {
		parts = append(parts, p.part())
	}
	last := parts[len(parts)-1]
	live := merge.Fold(f, parts)
	if err := anyOrder(f, parts, live); err != nil {
		return "", nil, err
	}
	class, out := shownOf(f, live, &last)
	return class, out, nil
}

// shownOf is what is seen of live parts, and what became of one change.
func shownOf(f *form.Form, live []syncproto.Part, last *syncproto.Part) (string, any) {
	view := merge.Show(f, live)
	class := "settled"
	if len(view.Disputed()) > 0 {
		class = "disputed"
	}
	out := map[string]any{
		"live": liveOf(live), "view": viewOf(view), "area": view.Area, "exit": view.Exit,
		"outcome": merge.Outcome(live, view, last),
	}
	if !view.SameAs.IsZero() {
		out["same_as"] = view.SameAs
	}
	return class, out
}

// anyOrder folds the parts in every rotation, backwards, and each twice.
func anyOrder(f *form.Form, parts, live []syncproto.Part) error {
	for i := range parts {
		turned := slices.Concat(parts[i:], parts, parts[:i])
		for range 2 {
			if got := merge.Fold(f, turned); !reflect.DeepEqual(got, live) {
				return fmt.Errorf("in another order %+v lives, not %+v", got, live)
			}
			slices.Reverse(turned)
		}
	}
	return nil
}

func liveOf(live []syncproto.Part) []any {
	out := []any{}
	for _, p := range live {
		part := map[string]any{"device": p.Device, "n": p.N, "fields": textsOf(p.Fields)}
		if len(p.Spent) > 0 {
			part["spent"] = textsOf(p.Spent)
		}
		if !p.Of.IsZero() {
			part["record"] = p.Of
		}
		out = append(out, part)
	}
	return out
}

func viewOf(view merge.View) map[string]any {
	out := map[string]any{}
	for name, shown := range view.Fields {
		candidates := []string{}
		for _, c := range shown.Candidates {
			candidates = append(candidates, string(c.Value))
		}
		out[name] = map[string]any{"value": string(shown.Value), "disputed": shown.Disputed, "candidates": candidates}
	}
	return out
}

func runJoin(input []byte) (string, any, error) {
	var in struct {
		Form    json.RawMessage `json:"form"`
		Records []vectorRecord  `json:"records"` // the survivor first
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	f, err := formOf(in.Form)
	if err != nil {
		return "", nil, err
	}
	var records []*syncproto.Record
	for _, r := range in.Records {
		folded, err := r.fold(f)
		if err != nil {
			return "", nil, err
		}
		records = append(records, folded)
	}
	live := merge.Join(f, records[0], records[1:])
	slices.Reverse(records[1:])
	if got := merge.Join(f, records[0], records[1:]); !reflect.DeepEqual(got, live) {
		return "", nil, fmt.Errorf("joined in another order %+v lives, not %+v", got, live)
	}
	survivor := in.Records[0]
	last := survivor.Parts[len(survivor.Parts)-1].part()
	last.Of = survivor.Record
	class, out := shownOf(f, live, &last)
	return class, out, nil
}

// vectorRecord is a record with all its parts.
type vectorRecord struct {
	Record syncproto.RecordID `json:"record"`
	Parts  []vectorPart       `json:"parts"`
}

func (r vectorRecord) fold(f *form.Form) (*syncproto.Record, error) {
	var parts []syncproto.Part
	for _, p := range r.Parts {
		parts = append(parts, p.part())
	}
	live := merge.Fold(f, parts)
	return &syncproto.Record{ID: r.Record, Live: live}, anyOrder(f, parts, live)
}

func runRoot(input []byte) (string, any, error) {
	var in struct {
		Record syncproto.RecordID                        `json:"record"`
		SameAs map[syncproto.RecordID]syncproto.RecordID `json:"same_as"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	root := merge.Root(in.Record, func(id syncproto.RecordID) (syncproto.RecordID, bool) {
		next, ok := in.SameAs[id]
		return next, ok
	})
	class := "another"
	if root == in.Record {
		class = "itself"
	}
	return class, map[string]any{"root": root}, nil
}

func runCorrect(input []byte) (string, any, error) {
	var in struct {
		At      syncproto.Instant `json:"at"`
		Contact struct {
			Server syncproto.Instant `json:"server"`
			Device syncproto.Instant `json:"device"`
		} `json:"contact"`
		Bounds struct {
			Absent   syncproto.Instant `json:"absent"`
			Based    syncproto.Instant `json:"based"`
			Previous syncproto.Stamp   `json:"previous"`
			Received syncproto.Instant `json:"received"`
		} `json:"bounds"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	contact := clock.Contact(in.Contact)
	stamp := clock.Correct(in.At, contact, clock.Bounds(in.Bounds))
	class := "held"
	if stamp.Time == in.At+contact.Offset() {
		class = "kept"
	}
	return class, map[string]any{"stamp": stamp, "off": contact.Off()}, nil
}

func runParse(input []byte) (string, any, error) {
	var in struct {
		Definition string `json:"definition"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	class := "accepted"
	if _, err := form.Parse([]byte(in.Definition)); err != nil {
		class = "refused"
	}
	return class, map[string]any{}, nil
}

func runCheck(input []byte) (string, any, error) {
	var in struct {
		Form    json.RawMessage `json:"form"`
		Fields  texts           `json:"fields"`
		Creates bool            `json:"creates"`
		// At is when it is said, Settings what is set there.
		At       syncproto.Instant `json:"at"`
		Settings settings          `json:"settings"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	f, err := formOf(in.Form)
	if err != nil {
		return "", nil, err
	}
	class, out := "passes", map[string]any{"unknown": append([]string{}, f.UnknownFields(in.Fields.fields())...)}
	if problem := f.Check(in.Fields.fields(), in.Creates, form.Occasion{At: in.At, Env: in.Settings}); problem != nil {
		class, out["field"] = "fails", problem.Field
	}
	return class, out, nil
}

func runShown(input []byte) (string, any, error) {
	var in struct {
		Form  json.RawMessage `json:"form"`
		Shown texts           `json:"shown"`
		Exit  *syncproto.Exit `json:"exit"`
		// Settings are those of the record's area.
		Settings settings `json:"settings"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	f, err := formOf(in.Form)
	if err != nil {
		return "", nil, err
	}
	counts := []any{}
	for _, c := range f.Counts(in.Shown.fields(), in.Exit, in.Settings) {
		count := map[string]any{"measure": c.Measure, "day": c.Day, "n": c.N}
		if c.Area != "" {
			count["area"] = c.Area
		}
		counts = append(counts, count)
	}
	flags := append([]string{}, f.FlagsOf(in.Shown.fields(), in.Settings)...)
	_, subjects := f.Seen(in.Shown.fields(), in.Settings)
	met := append([]syncproto.RecordID{}, subjects...)
	class := "nothing"
	if len(counts)+len(flags)+len(met) > 0 {
		class = "counts"
	}
	return class, map[string]any{"counts": counts, "flags": flags, "met": met}, nil
}

func runCovers(input []byte) (string, any, error) {
	var in struct {
		Receipt syncproto.Receipt `json:"receipt"`
		N       uint64            `json:"n"`
		// Holes, if given, makes Missing: so many single numbers 2, 4, 6 …
		Holes uint64 `json:"holes"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	for i := range in.Holes {
		in.Receipt.Missing = append(in.Receipt.Missing, syncproto.Span{From: 2*i + 2, To: 2*i + 2})
	}
	if in.Receipt.Covers(in.N) {
		return "covered", map[string]any{}, nil
	}
	return "open", map[string]any{}, nil
}

func runUnseal(input []byte) (string, any, error) {
	var in struct {
		Private []byte             `json:"private"`
		Device  syncproto.DeviceID `json:"device"`
		Raw     string             `json:"raw"`
	}
	if err := strictly(input, &in); err != nil {
		return "", nil, err
	}
	key, err := syncproto.NewBoxKey(in.Private)
	if err != nil {
		return "", nil, err
	}
	sealed, is := syncproto.SealedIn([]byte(in.Raw))
	if !is {
		return "", nil, errors.New("not a sealed change")
	}
	raw, err := syncproto.OpenSealed([]syncproto.BoxKey{key}, in.Device, sealed)
	if err != nil {
		var e *syncproto.Error
		if !errors.As(err, &e) {
			return "", nil, err
		}
		return "refused", map[string]any{"code": e.Code, "n": sealed.N}, nil
	}
	change, err := syncproto.DecodeChange(raw, in.Device)
	if err != nil {
		return "", nil, err
	}
	return "opened", map[string]any{"text": string(raw), "hash": change.Hash()}, nil
}
