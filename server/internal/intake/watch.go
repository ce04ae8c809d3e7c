package intake

import (
	"context"
	"encoding/binary"
	"sync"

	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/watch"
)

// watchFor is how long the digests of a list are kept in memory, in milliseconds: a number
// that was put right reaches the posts after that.
const watchFor = syncproto.Instant(5 * 60 * 1000)

// watchCache holds the digests of lists that were asked for lately.
type watchCache struct {
	mu     sync.Mutex
	byList map[syncproto.RecordID]cachedWatch
}

type cachedWatch struct {
	list    watch.List
	version syncproto.Version
	made    syncproto.Instant
}

// keptLists bounds the cache; a county sends down a few lists a day.
const keptLists = 64

// Watch returns what phones with grants in these areas watch out for: the newest version of
// every list of those areas and of the ones above them, until its deadline has passed. It
// holds no name and no number of anybody.
func (s *Service) Watch(ctx context.Context, areas []syncproto.AreaID, now syncproto.Instant) (*watch.Lists, error) {
	v := &view{s.registry.Current(), areas, form.DayOf(now).String()}
	newest, err := s.newestLists(ctx, v)
	if err != nil {
		return nil, err
	}
	out := &watch.Lists{Lists: []watch.List{}}
	for _, list := range newest {
		if deadline := textOf(list.Fields["deadline"]); deadline != "" && deadline < v.today {
			continue
		}
		one, err := s.watched(ctx, v, list, now)
		if err != nil {
			return nil, err
		}
		out.Lists = append(out.Lists, one)
	}
	return out, nil
}

// watched is a list as phones hold it.
func (s *Service) watched(ctx context.Context, v *view, list *roster.Row, now syncproto.Instant) (watch.List, error) {
	s.watch.mu.Lock()
	cached, ok := s.watch.byList[list.ID]
	s.watch.mu.Unlock()
	if ok && cached.version == list.Version && now-cached.made < watchFor && now >= cached.made {
		return cached.list, nil
	}
	one := watch.List{
		List: list.ID, Name: textOf(list.Fields["name"]), Number: numberOfList(list), Purpose: textOf(list.Fields["purpose"]),
		Note: textOf(list.Fields["note"]), Area: list.Area, Deadline: textOf(list.Fields["deadline"]), Key: s.watchKey(list.ID),
	}
	var numbers []watch.Number
	everywhere := &view{v.snap, []syncproto.AreaID{}, v.today}
	for _, root := range v.snap.Areas.Children("") {
		everywhere.areas = append(everywhere.areas, root.ID)
	}
	err := s.eachTask(ctx, everywhere, list, func(task *roster.Row) {
		if !task.Fields["withdrawn_on"].IsNull() {
			return
		}
		numbers = append(numbers,
			watch.Number{Type: form.IDNumber, Text: textOf(task.Fields["id_number"])},
			watch.Number{Type: form.Mobile, Text: textOf(task.Fields["mobile"])})
	})
	if err != nil {
		return one, err
	}
	one.Digests = watch.Digests(one.Key, numbers)
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	if s.watch.byList == nil || len(s.watch.byList) >= keptLists {
		s.watch.byList = make(map[syncproto.RecordID]cachedWatch)
	}
	s.watch.byList[list.ID] = cachedWatch{one, list.Version, now}
	return one, nil
}

// watchKey is a list version's own key. It follows from the digest key, which isn't in the
// database, and so needs no place to be kept in; nobody without that key can tell it from
// chance.
func (s *Service) watchKey(list syncproto.RecordID) []byte {
	key := make([]byte, 0, watch.KeySize)
	for i := range byte(watch.KeySize / 8) {
		key = binary.BigEndian.AppendUint64(key, s.digester.Digest(append([]byte{'w', 'a', 't', 'c', 'h', i}, list[:]...)))
	}
	return key
}
