package syncproto_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto"
)

func TestAnAnswerIsWrittenAsItIsEncoded(t *testing.T) {
	outcomes := []syncproto.Outcome{
		syncproto.Applied, syncproto.Merged, syncproto.Disputed, syncproto.Parked, syncproto.Duplicate, syncproto.Refused,
	}
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Int64Range(-2, syncproto.MaxN)
		a := syncproto.Answer{
			Protocol: syncproto.Protocol, Epoch: syncproto.Epoch{7}, Now: syncproto.Instant(number.Draw(t, "now")),
			Receipt: syncproto.Receipt{Through: 3}, Cursor: rapid.String().Draw(t, "cursor"),
		}
		for range rapid.IntRange(0, 4).Draw(t, "verdicts") {
			v := syncproto.Verdict{
				N: uint64(max(number.Draw(t, "n"), 0)), Verdict: rapid.SampledFrom(outcomes).Draw(t, "verdict"),
				Version: syncproto.Version(number.Draw(t, "version")),
			}
			if rapid.Bool().Draw(t, "first") {
				v.First = rapid.SampledFrom(outcomes).Draw(t, "before")
			}
			if rapid.Bool().Draw(t, "stamped") {
				v.Stamp = &syncproto.Stamp{
					Time: syncproto.Instant(number.Draw(t, "time")), Earliest: syncproto.Instant(number.Draw(t, "earliest")),
					Latest: syncproto.Instant(number.Draw(t, "latest")),
				}
			}
			if rapid.Bool().Draw(t, "reasoned") {
				v.Reason = &syncproto.Error{Code: syncproto.CodeFailsForm, Field: rapid.String().Draw(t, "field")}
			}
			a.Verdicts = append(a.Verdicts, v)
		}
		want, err := syncproto.Encode(a)
		if err != nil {
			t.Fatal(err)
		}
		got := bytes.NewBufferString("before ")
		if err := a.Write(got); err != nil || got.String() != "before "+string(want) {
			t.Fatalf("%s, %v\nnot %s", got, err, want)
		}
	})
}
