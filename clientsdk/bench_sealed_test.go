package clientsdk_test

import (
	"fmt"
	"testing"
)

// benchPhone is an enrolled phone, sealed or not.
func benchPhone(b *testing.B, f *fake, sealed bool) *phone {
	b.Helper()
	p, _ := enrolledPhone(b, f, 1)
	if sealed {
		if err := p.Seal(background, pin); err != nil {
			b.Fatal(err)
		}
	}
	return p
}

func BenchmarkSealing(b *testing.B) {
	for _, sealed := range []bool{false, true} {
		b.Run(fmt.Sprint("record100/sealed=", sealed), func(b *testing.B) {
			p := benchPhone(b, newFake(b), sealed)
			for b.Loop() {
				if _, err := p.alice.PutAll(background, visits(100)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint("record1/sealed=", sealed), func(b *testing.B) {
			p := benchPhone(b, newFake(b), sealed)
			for b.Loop() {
				if _, err := p.alice.PutAll(background, visits(1)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint("firstsync5000/sealed=", sealed), func(b *testing.B) {
			f := newFake(b)
			f.now = start
			full := newPhone(b, f, 9)
			if _, err := full.alice.PutAll(background, visits(5000)); err != nil {
				b.Fatal(err)
			}
			full.sync(b)
			for b.Loop() {
				b.StopTimer()
				f.office = nil
				p := benchPhone(b, f, sealed)
				b.StartTimer()
				p.sync(b)
			}
		})
		b.Run(fmt.Sprint("list5000/sealed=", sealed), func(b *testing.B) {
			p := benchPhone(b, newFake(b), sealed)
			if _, err := p.alice.PutAll(background, visits(5000)); err != nil {
				b.Fatal(err)
			}
			p.sync(b)
			for b.Loop() {
				if got := len(must(p.List(background, "household"))); got != 5000 {
					b.Fatal(got)
				}
			}
		})
	}
}

func BenchmarkUnlock(b *testing.B) {
	p := benchPhone(b, newFake(b), true)
	for b.Loop() {
		if err := p.Unlock(background, pin); err != nil {
			b.Fatal(err)
		}
	}
}
