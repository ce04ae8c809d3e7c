package clientsdk_test

import (
	"fmt"
	"testing"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

func visits(n int) []clientsdk.Edit {
	edits := make([]clientsdk.Edit, n)
	for i := range edits {
		edits[i] = clientsdk.Edit{Kind: "household", Area: grid1, Fields: syncproto.Fields{
			"address": syncproto.TextValue(fmt.Sprint("幸福路 ", i)), "found_on": `"2020-02-03"`, "headcount": "3", "tenure": `"rented"`,
		}}
	}
	return edits
}

func BenchmarkPutAll100(b *testing.B) {
	p := newPhone(b, newFake(b), 1)
	for b.Loop() {
		if _, err := p.alice.PutAll(background, visits(100)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListPending(b *testing.B) {
	for _, n := range []int{1000, 4000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := newPhone(b, newFake(b), 1)
			if _, err := p.alice.PutAll(background, visits(n)); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if got := len(must(p.List(background, "household"))); got != n {
					b.Fatal(got)
				}
			}
		})
	}
}

func BenchmarkSync5000(b *testing.B) {
	for b.Loop() {
		p := newPhone(b, newFake(b), 1)
		if _, err := p.alice.PutAll(background, visits(5000)); err != nil {
			b.Fatal(err)
		}
		p.sync(b)
	}
}
