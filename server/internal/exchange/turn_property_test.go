package exchange_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// Whatever is done, and at whichever of some servers: what is stored, what phones are told
// that is held, and what every server says of it is as if there were one.
func TestManyServersAreAsOne(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			one, many := tell(t, seed, 1), tell(t, seed, 2+int(seed%2))
			alike(t, "", reflect.ValueOf(*one), reflect.ValueOf(*many))
		})
	}
}

// alike fails at the first things that differ, by their names.
func alike(t *testing.T, what string, one, many reflect.Value) {
	t.Helper()
	if reflect.DeepEqual(one.Interface(), many.Interface()) {
		return
	}
	switch {
	case one.Kind() == reflect.Struct && one.NumField() > 0:
		for i := range one.NumField() {
			if one.Type().Field(i).IsExported() {
				alike(t, what+"."+one.Type().Field(i).Name, one.Field(i), many.Field(i))
			}
		}
	case one.Kind() == reflect.Slice && one.Len() == many.Len() && one.Len() > 0:
		for i := range one.Len() {
			alike(t, fmt.Sprint(what, "[", i, "]"), one.Index(i), many.Index(i))
		}
	default:
		t.Errorf("%s: as one %+v, among others %+v", what, one.Interface(), many.Interface())
	}
}

// told is what came of a script.
type told struct {
	Verdicts []syncproto.Verdict
	Receipts []string // as they travel
	Derived  exchange.Derived
	Log      []exchange.Logged
	Waiting  int
}

// tell plays the script of a seed over so many servers.
func tell(t *testing.T, seed uint64, count int) *told {
	t.Helper()
	s := serve(t, count)
	script := rand.New(rand.NewPCG(seed, 1))
	where := rand.New(rand.NewPCG(seed, 2)) // which server: no part of the script
	at := func() int { return where.IntN(count) }
	out := &told{}
	kinds := make(map[int]change)
	for range 60 {
		s.now += syncproto.Instant(1000 + script.IntN(600_000))
		from, n, grid := 1+script.IntN(4), 1+script.IntN(14), tree[3+script.IntN(3)].ID
		switch script.IntN(14) {
		default:
			c, made := kinds[n]
			if !made {
				c = []change{household(n, grid, fmt.Sprint("户主", script.IntN(3))), temperature(n, grid, 0, fmt.Sprint(36+script.IntN(4))), visit(n, grid, script.IntN(2))}[n%3]
			} else {
				c = c.on(syncproto.Version(script.IntN(40)), fields{"note": text(fmt.Sprint(script.IntN(3)))})
				if c.kind == "household" {
					c.fields["head"] = text(fmt.Sprint("户主", script.IntN(3)))
				}
			}
			kinds[n] = change{kind: c.kind, record: c.record, area: c.area}
			out.Verdicts = append(out.Verdicts, s.push(at(), from, c))
		case 1: // of a record that isn't there yet
			kind := []syncproto.Kind{"household", "temperature", "visit"}[n%3]
			out.Verdicts = append(out.Verdicts, s.push(at(), from, change{kind: kind, record: record(n), area: grid, base: 3, fields: fields{"note": text("等")}}))
		case 2:
			if s.pushed[from] != nil {
				out.Verdicts = append(out.Verdicts, s.again(at(), from).Verdicts...)
			}
		case 3:
			into := of(record(3 * (1 + script.IntN(3))))
			if script.IntN(3) == 0 {
				into = syncproto.Null
			}
			_ = s.decide(at(), household(3*(1+script.IntN(4)), grid, "").on(1<<30, fields{syncproto.FieldSameAs: into})) // turned away or not, it is the same
		case 4:
			_ = s.decide(at(), signed(100+script.IntN(2), []syncproto.AreaID{"c1", "c2"}[script.IntN(2)], "2020-01-31", int64(script.IntN(4))))
		case 5:
			parent := []syncproto.AreaID{"c1", "c2"}[script.IntN(2)]
			s.must(s.all[at()].store.PutAreas(s.Context(), []area.Node{{ID: "g2", Name: "二网格", Parent: parent}}))
			s.everywhere()
		case 6:
			if script.IntN(3) == 0 {
				s.sets([]syncproto.AreaID{"33", "c1"}[script.IntN(2)], "fever_threshold", fmtValue(37+script.IntN(3)))
				s.everywhere()
			}
		case 7:
			to := syncproto.Instant(0)
			if script.IntN(2) == 0 {
				to = s.now
			}
			s.must(s.all[at()].store.AddIdentities(s.Context(), identity.Everyone{
				Grants: []identity.Grant{{Author: author(1), Area: "33", Role: identity.Volunteer, To: to}},
			}))
			s.everywhere()
		case 8:
			if script.IntN(4) == 0 {
				s.now += 40 * 86_400_000
				_, err := s.all[at()].Purge(s.Context(), exchange.PurgeOrder{Kind: []syncproto.Kind{"temperature", "visit"}[script.IntN(2)], Days: 30, By: county})
				s.must(err)
			}
		}
	}
	for from := 1; from <= 4; from++ {
		receipt, err := syncproto.Encode(s.contact(at(), from, "", 0).Receipt)
		s.must(err)
		out.Receipts = append(out.Receipts, string(receipt))
	}
	for i := range s.all {
		s.must(s.all[i].TakeUp(s.Context()))
		if waiting := s.all[i].Waiting(); i == 0 {
			out.Waiting = waiting
		} else if waiting != out.Waiting {
			s.Errorf("at server %d %d changes wait, and %d at the first", i, waiting, out.Waiting)
		}
	}
	s.sound()
	out.Derived = s.derived()
	s.must(s.all[0].store.EachLogged(s.Context(), func(l *exchange.Logged) error {
		out.Log = append(out.Log, *l)
		return nil
	}))
	return out
}

func fmtValue(n int) syncproto.Value { return syncproto.Value(fmt.Sprint(n)) }

// everywhere lets each server hear of the registry, as it does every second.
func (s *servers) everywhere() {
	s.Helper()
	for _, one := range s.all {
		_, err := one.registry.Refresh(s.Context())
		s.must(err)
		s.must(one.RegistryChanged(s.Context()))
	}
}
