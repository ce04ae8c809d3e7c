package merge_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto"
	"gridsync/syncproto/merge"
)

// A glance shows what a long look shows, of many parts and of each part alone.
func TestAGlanceShowsWhatALongLookShows(t *testing.T) {
	f := thing(t)
	rapid.Check(t, func(t *rapid.T) {
		live := merge.Fold(f, drawHistory(t))
		looks := [][]syncproto.Part{live}
		for i := range live {
			looks = append(looks, merge.Fold(f, live[i:i+1]))
		}
		for _, live := range looks {
			view := merge.Show(f, live)
			want := merge.Brief{Values: view.Values(), Area: view.Area, Exit: view.Exit, SameAs: view.SameAs, Disputed: view.Disputed()}
			if got := merge.Glance(f, live); !reflect.DeepEqual(got, want) {
				t.Fatalf("of %+v\na glance shows  %+v\na look shows %+v", live, got, want)
			}
		}
	})
}
