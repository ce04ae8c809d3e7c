package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"gridsync/clientsdk"
	"gridsync/server/internal/area"
	"gridsync/server/internal/demo/sight"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// replicas compares every phone's copies with the server's records, one by one,
// and those of a new phone that has just fetched everything. It returns what
// differs.
func (p *play) replicas(ctx context.Context, l *ledger) ([]string, error) {
	tree, err := area.NewTree(nodes(p.w))
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var differ []string
	compare := func(name string, client *clientsdk.Client, scope syncproto.AreaID, role identity.Role) error {
		within := func(c copyOf) bool { return tree.Within(c.area, scope) || c.broadcast && tree.Within(scope, c.area) }
		found, err := compareReplica(ctx, client, l, within, sight.Of(role, client.Forms()))
		mu.Lock()
		defer mu.Unlock()
		for _, f := range found {
			differ = append(differ, name+": "+f)
		}
		return err
	}
	err = p.each(func(ph *phone, _ int) error { return compare(ph.Name, ph.client, ph.Area, roleOf(ph.Phone)) })
	if err != nil {
		return nil, err
	}
	fresh, err := p.desk(ctx, "核对用新手机", p.w.Community, identity.Secretary)
	if err != nil {
		return nil, err
	}
	_, err = fresh.Sync(ctx)
	if err == nil {
		err = compare("the new phone", fresh, p.w.Community, identity.Secretary)
	}
	return differ, errors.Join(err, fresh.Close())
}

// compareReplica returns how a replica differs from what the server has within a
// scope. A record on which a change of the phone's own is still waiting at a desk
// shows that change too; its copy is then compared by version.
func compareReplica(ctx context.Context, client *clientsdk.Client, l *ledger, within reach, eyes sight.Eyes) ([]string, error) {
	var differ []string
	held := make(map[syncproto.RecordID]bool)
	for _, kind := range client.Forms().Kinds() {
		records, err := client.List(ctx, kind)
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", kind, err)
		}
		for i := range records {
			r := &records[i]
			if r.Version == 0 { // on this phone only: parked
				continue
			}
			problem, err := l.records.difference(r, within, eyes)
			if err != nil {
				return nil, err
			}
			if problem != "" {
				differ = append(differ, fmt.Sprintf("%s %s: %s", kind, r.ID, problem))
			}
			for _, id := range append(r.Absorbed, r.ID) {
				held[id] = true
			}
		}
	}
	expected := 0
	for _, c := range l.records.byID {
		if within(c) {
			expected++
		}
	}
	if len(held) != expected {
		differ = append(differ, fmt.Sprintf("holds %d records of %d", len(held), expected))
	}
	return differ, nil
}
