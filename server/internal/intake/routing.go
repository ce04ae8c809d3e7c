package intake

import (
	"context"
	"slices"
	"strconv"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// routeAll finds the people and the places of some rows, and makes their tasks.
func (l *listing) routeAll(ctx context.Context, part []draft, twins map[syncproto.RecordID]int) error {
	household := l.snap.Newest(kindHousehold)
	people, homes := make([]match.Profile, len(part)), make([]match.Profile, len(part))
	for i := range part {
		if d := &part[i]; d.Status != Bad {
			people[i] = d.profile
			if d.address != "" {
				homes[i] = match.ProfileOf(household, syncproto.Fields{"address": d.fields["address"]}, nil)
			}
		}
	}
	findPeople, persons, err := l.s.candidates(ctx, people, nil)
	if err != nil {
		return err
	}
	findHomes, doors, err := l.s.candidates(ctx, homes, nil)
	if err != nil {
		return err
	}
	for i := range part {
		d := &part[i]
		if d.Status == Bad {
			continue
		}
		d.Record = l.s.idOf(append([]string{string(kindTask), l.plan.List.Family.String()}, keyOfTask(d)...)...)
		if first, twice := twins[d.Record]; twice {
			l.twin(d, first)
			continue
		}
		twins[d.Record] = d.Row
		if before := l.before[d.Record]; before != nil {
			l.again(d, before)
			continue
		}
		l.route(d, findPeople.alike(d.profile, persons[i], l.places), findHomes.alike(homes[i], doors[i], l.places))
		l.give(d)
	}
	return nil
}

// keyOfTask is what a row is known by from one version of a list to the next.
func keyOfTask(d *draft) []string {
	if d.profile.IDNumber == "" && d.profile.Mobile == "" && d.profile.Birth == "" && d.address != "" {
		return []string{"address", d.profile.Name, foldText(d.address)}
	}
	return keyOf(d)
}

// twin is a row that speaks of the same person as one before it.
func (l *listing) twin(d *draft, first int) {
	d.Twin = first
	i := slices.IndexFunc(l.drafts, func(o draft) bool { return o.Row == first })
	l.second(d, &l.drafts[i], d.fields)
}

// route finds where somebody can find out about a row.
func (l *listing) route(d *draft, people, doors []found) {
	people = decisive(d.profile, people, l.places)
	switch {
	case len(people) == 1:
		person := people[0].row
		d.fields["person"] = syncproto.TextValue(person.ID.String())
		if home := textOf(person.Fields["household"]); home != "" {
			d.fields["household"] = syncproto.TextValue(home)
		}
		d.Area, d.Matches = person.Area, []syncproto.RecordID{person.ID}
		l.plan.List.ByPerson++
		return
	case len(people) > 1:
		for _, one := range people {
			d.Matches = append(d.Matches, one.row.ID)
		}
	}
	if d.said {
		l.plan.List.ByArea++
		return
	}
	if area, home := oneDoor(doors); area != "" {
		if !home.IsZero() {
			d.fields["household"] = syncproto.TextValue(home.String())
			d.Household = home
		}
		d.Area = area
		l.plan.List.ByAddress++
		return
	}
	l.plan.List.Unrouted++
}

// oneDoor is the one area in which an address stands, and the household if there is one
// alone.
func oneDoor(doors []found) (area syncproto.AreaID, home syncproto.RecordID) {
	for i, door := range doors {
		if i > 0 && door.row.Area != area {
			return "", syncproto.RecordID{}
		}
		area, home = door.row.Area, door.row.ID
	}
	if len(doors) != 1 {
		home = syncproto.RecordID{}
	}
	return area, home
}

// give makes the task of a row that is new.
func (l *listing) give(d *draft) {
	o := l.order
	d.Status = New
	for name, v := range map[string]syncproto.Value{
		"title": l.list["name"], "what": syncproto.TextValue(o.What), "issued_on": l.list["issued_on"], "deadline": l.list["deadline"],
	} {
		if _, said := d.fields[name]; !said && !v.IsNull() {
			d.fields[name] = v
		}
	}
	l.enroll(d, d.fields)
	l.plan.steps = append(l.plan.steps, step{
		Step: exchange.Step{Record: d.Record, Kind: kindTask, Area: d.Area, Fields: d.fields}, row: d.Row, home: -1,
	})
}

// enroll notes on a task in which version of the list it is, and where.
func (l *listing) enroll(d *draft, fields syncproto.Fields) {
	id := l.plan.List.ID.String()
	fields["list"], fields["lists"] = syncproto.TextValue(id), form.Delta([]string{id}, nil)
	fields["row"] = syncproto.TextValue(strconv.Itoa(d.Row))
}
