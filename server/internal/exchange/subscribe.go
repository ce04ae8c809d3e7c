package exchange

import (
	"maps"
	"sync"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// News is what was committed since a subscriber last took it.
type News struct {
	// Version and At are those of the last group.
	Version syncproto.Version
	At      syncproto.Instant
	// Areas are those of whose feeds one has moved.
	Areas map[area.Key]struct{}
	// Anew says that totals may have moved anywhere, though no record did: everything was
	// derived anew, or areas lie elsewhere.
	Anew bool
	// Alerts came about, in their order. Missed says that there were more than are kept
	// for a subscriber who doesn't take them, or for a server that was far behind.
	Alerts []Alert
	Missed bool
}

// maxNews bounds what is kept for one subscriber.
const maxNews = 1000

// Subscription hears of every group that is committed, also by other servers over the same
// database once what they did is taken up. It never holds one up: what isn't
// taken is added together.
type Subscription struct {
	// Stirred is told when there is something to take.
	Stirred <-chan struct{}

	stirred chan struct{}
	mu      sync.Mutex
	news    News
	end     func()
}

// Take returns what was committed since it was called last.
func (s *Subscription) Take() News {
	s.mu.Lock()
	defer s.mu.Unlock()
	news := s.news
	s.news = News{}
	return news
}

// End ends the subscription. It may be called more than once.
func (s *Subscription) End() { s.end() }

func (s *Subscription) add(more *News) {
	s.mu.Lock()
	s.news.Version, s.news.At = more.Version, more.At
	s.news.Anew, s.news.Missed = s.news.Anew || more.Anew, s.news.Missed || more.Missed
	if s.news.Areas == nil {
		s.news.Areas = make(map[area.Key]struct{})
	}
	maps.Copy(s.news.Areas, more.Areas)
	for i := range more.Alerts {
		if len(s.news.Alerts) == maxNews {
			s.news.Missed = true
			break
		}
		s.news.Alerts = append(s.news.Alerts, more.Alerts[i])
	}
	s.mu.Unlock()
	select {
	case s.stirred <- struct{}{}:
	default:
	}
}

// subscriptions are those that hear of groups.
type subscriptions struct {
	mu  sync.Mutex
	all map[*Subscription]struct{}
}

// Subscribe begins to hear of what is committed from now on; End it.
func (s *Service) Subscribe() *Subscription {
	one := &Subscription{stirred: make(chan struct{}, 1)}
	one.Stirred = one.stirred
	subs := &s.subscribed
	one.end = func() {
		subs.mu.Lock()
		defer subs.mu.Unlock()
		delete(subs.all, one)
	}
	subs.mu.Lock()
	defer subs.mu.Unlock()
	if subs.all == nil {
		subs.all = make(map[*Subscription]struct{})
	}
	subs.all[one] = struct{}{}
	return one
}

// tell tells everybody what was committed.
func (s *subscriptions) tell(news *News) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for one := range s.all {
		one.add(news)
	}
}
