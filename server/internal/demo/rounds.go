package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// findings is what the rounds found, as the API tells it.
type findings struct {
	rounds []round
	diff   *roster.Diff
}

type round struct {
	id     syncproto.RecordID
	number int
	name   string
	met    Met
}

// findings reads the rounds and whom they met. A round's residents are counted
// twice, from its visits' rows and by the comparison of rounds, and must agree. into
// says which people turned out to be others.
func (r *reader) findings(ctx context.Context, community syncproto.AreaID, into map[string]string) (*findings, error) {
	f := &findings{}
	err := r.roster(ctx, community, "round", func(row *roster.Row) {
		number, _ := strconv.Atoi(string(row.Fields["number"]))
		name, _ := row.Fields["name"].Text()
		f.rounds = append(f.rounds, round{id: row.ID, number: number, name: name})
	})
	if err != nil {
		return nil, err
	}
	if len(f.rounds) != 2 {
		return nil, fmt.Errorf("there are %d rounds, and two to compare", len(f.rounds))
	}
	slices.SortFunc(f.rounds, func(a, b round) int { return cmp.Compare(a.number, b.number) })
	if err := r.met(ctx, community, f.rounds, into); err != nil {
		return nil, err
	}
	f.diff, err = r.diff(ctx, f.rounds[0].id, f.rounds[1].id, community)
	if err != nil {
		return nil, err
	}
	for i, total := range []roster.RoundTotal{f.diff.A, f.diff.B} {
		if total.Met != f.rounds[i].met.Residents {
			return nil, fmt.Errorf("round %d met %d people by its visits and %d by the comparison",
				i+1, f.rounds[i].met.Residents, total.Met)
		}
	}
	return f, nil
}

// met counts the people in the visits of each round, and the returnees among them.
func (r *reader) met(ctx context.Context, community syncproto.AreaID, rounds []round, into map[string]string) error {
	returnee := make(map[string]bool)
	err := r.roster(ctx, community, "person", func(row *roster.Row) {
		returnee[row.ID.String()] = slices.Contains(row.Flags, "returnee")
	})
	if err != nil {
		return err
	}
	people := make(map[string]map[string]bool)
	for _, round := range rounds {
		people[round.id.String()] = make(map[string]bool)
	}
	err = r.roster(ctx, community, "visit", func(row *roster.Row) {
		round, _ := row.Fields["round"].Text()
		found, _ := row.Fields["found"].Texts()
		if outcome, _ := row.Fields["outcome"].Text(); outcome != "met" || people[round] == nil {
			return
		}
		for _, person := range found {
			people[round][cmp.Or(into[person], person)] = true
		}
	})
	if err != nil {
		return err
	}
	for i := range rounds {
		for person := range people[rounds[i].id.String()] {
			rounds[i].met.Residents++
			if returnee[person] {
				rounds[i].met.Returnees++
			}
		}
	}
	return nil
}

// late counts the people met only in the second round. Each must come with a
// finder and the visit that says so.
func (f *findings) late() (Met, error) {
	var late Met
	for _, found := range f.diff.OnlyB {
		if found.Finder.IsZero() || found.FinderName == "" || found.Visit.IsZero() {
			return late, fmt.Errorf("nobody knows who found %s", found.Person)
		}
		late.Residents++
		if slices.Contains(found.Flags, "returnee") {
			late.Returnees++
		}
	}
	return late, nil
}
