package hook

import (
	"fmt"
	"testing"
	"time"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// The example of standardwebhooks.com: receivers check signatures with a library.
func TestSignaturesAreThoseThatLibrariesCheck(t *testing.T) {
	got, err := Sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := Sign("whsec_*", "a", 1, nil); err == nil {
		t.Error("a secret that is none signs")
	}
}

func TestWhatBecomesOfAnAttempt(t *testing.T) {
	r := &Rounds{wait: func(attempt int) time.Duration { return time.Duration(attempt) * time.Minute }}
	const day = syncproto.Instant(24 * 60 * 60 * 1000)
	for _, c := range []struct {
		attempts int
		age      syncproto.Instant
		reply    Reply
		want     string
	}{
		{0, 0, Reply{Status: 200}, "delivered 1 0 200 "},
		{0, 0, Reply{Status: 299}, "delivered 1 0 299 "},
		{0, 0, Reply{Status: 302}, "waiting 1 60000 302 answered 302"},
		{0, 0, Reply{Failure: "no answer in time"}, "waiting 1 60000 0 no answer in time"},
		{2, 0, Reply{Status: 500, RetryAfter: time.Second}, "waiting 3 180000 500 answered 500"},
		{2, 0, Reply{Status: 429, RetryAfter: time.Hour}, "waiting 3 3600000 429 answered 429"},
		{2, 0, Reply{Status: 503, RetryAfter: 48 * time.Hour}, "waiting 3 21600000 503 answered 503"},
		{0, 0, Reply{Status: 410}, "given_up 1 0 410 answered 410"},
		{6, day, Reply{Status: 500}, "waiting 7 420000 500 answered 500"},
		{7, day - 1, Reply{Status: 500}, "waiting 8 480000 500 answered 500"},
		{7, day, Reply{Status: 500}, "given_up 8 0 500 answered 500"},
	} {
		d := Delivery{State: Waiting, Attempts: c.attempts, Alert: exchange.Alert{At: 1000 - c.age}, Due: 1000}
		r.judge(&d, c.reply, 1000)
		if got := fmt.Sprint(d.State, " ", d.Attempts, " ", d.Due-1000, " ", d.Status, " ", d.Failure); got != c.want || d.Tried != 1000 {
			t.Errorf("%+v: %s, not %s", c, got, c.want)
		}
	}
}

func TestAMessageKeepsItsID(t *testing.T) {
	a, b := Delivery{Hook: [16]byte{1}, Alert: exchange.Alert{Seq: 7}}, Delivery{Hook: [16]byte{1}, Alert: exchange.Alert{Seq: 7}, Attempts: 3}
	other, next := Delivery{Hook: [16]byte{2}, Alert: exchange.Alert{Seq: 7}}, Delivery{Hook: [16]byte{1}, Alert: exchange.Alert{Seq: 8}}
	if a.ID() != b.ID() || a.ID() == other.ID() || a.ID() == next.ID() {
		t.Error("two messages share an id, or one has two")
	}
}
