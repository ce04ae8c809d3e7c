package syncproto_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto"
)

func TestADigestIsOfASetAndNotOfAnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hashes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) (h syncproto.Hash) {
			for i := range h {
				h[i] = rapid.SampledFrom([]byte{0, 1, 0x7f, 0x80, 0xff}).Draw(t, "byte")
			}
			return h
		}), 1, 8).Draw(t, "hashes")
		var forth, back syncproto.Digest
		for i, h := range hashes {
			forth = forth.Add(h)
			back = back.Add(hashes[len(hashes)-1-i])
		}
		if forth != back {
			t.Fatalf("%s in one order, %s in the other", forth, back)
		}
		for _, h := range hashes {
			forth = forth.Sub(h)
		}
		if forth != (syncproto.Digest{}) {
			t.Fatalf("all taken away leaves %s", forth)
		}
	})
}

func TestADigestCarriesAndWraps(t *testing.T) {
	var most, one syncproto.Hash
	for i := range most {
		most[i] = 0xff
	}
	one[31] = 1
	d := syncproto.Digest{}.Add(one)
	if got := d.Add(most); got != (syncproto.Digest{}) {
		t.Errorf("2^256-1 and 1 are %s, want 0", got)
	}
	if got := (syncproto.Digest{}).Sub(one); got.String() != strings.Repeat("f", 64) {
		t.Errorf("0 less 1 is %s", got)
	}
}

func TestSumsAndDigestsAreTextOfFixedLength(t *testing.T) {
	var d syncproto.Digest
	d[0], d[31] = 0xab, 0x01
	var again syncproto.Digest
	text, err := json.Marshal(d)
	if err != nil || json.Unmarshal(text, &again) != nil || again != d {
		t.Errorf("%s came back as %s (%v)", d, again, err)
	}
	sums := map[syncproto.AreaID]syncproto.Sum{"330702": 1<<63 + 1}
	text, err = json.Marshal(sums)
	if err != nil || string(text) != `{"330702":"8000000000000001"}` {
		t.Errorf("%s (%v)", text, err)
	}
	for _, bad := range []string{`"ab"`, `"` + strings.Repeat("x", 64) + `"`, `5`} {
		if json.Unmarshal([]byte(bad), &again) == nil {
			t.Errorf("%s was read as a digest", bad)
		}
	}
	var sum syncproto.Sum
	for _, bad := range []string{`"ab"`, `"` + strings.Repeat("x", 16) + `"`, `5`} {
		if json.Unmarshal([]byte(bad), &sum) == nil {
			t.Errorf("%s was read as a sum", bad)
		}
	}
}

func TestARowSumTellsRecordsAndVersionsApart(t *testing.T) {
	a, b := syncproto.RecordID{1}, syncproto.RecordID{2}
	seen := map[syncproto.Sum]bool{}
	for _, s := range []syncproto.Sum{syncproto.RowSum(a, 1), syncproto.RowSum(a, 2), syncproto.RowSum(b, 1), syncproto.RowSum(b, 2)} {
		seen[s] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d sums for 4 rows", len(seen))
	}
}

func TestAReceiptCoversWhatItSays(t *testing.T) {
	full := syncproto.Receipt{Through: 1000}
	for i := range uint64(syncproto.MaxMissing) {
		full.Missing = append(full.Missing, syncproto.Span{From: 2 * (i + 1), To: 2 * (i + 1)})
	}
	cases := []struct {
		name    string
		receipt syncproto.Receipt
		covers  []uint64
		not     []uint64
	}{
		{"nothing held", syncproto.Receipt{}, nil, []uint64{0, 1, syncproto.MaxN}},
		{"no holes", syncproto.Receipt{Through: 3}, []uint64{1, 2, 3}, []uint64{0, 4}},
		{"a hole", syncproto.Receipt{Through: 9, Missing: []syncproto.Span{{From: 3, To: 5}}}, []uint64{1, 2, 6, 9}, []uint64{3, 4, 5, 10}},
		{"a full list of holes", full, []uint64{1, 3, 199}, []uint64{2, 200, 201, 1000}},
		{"parked is held", syncproto.Receipt{Through: 2, Parked: []syncproto.Waiting{{N: 2, Code: syncproto.CodeOutOfArea}}}, []uint64{2}, []uint64{3}},
	}
	for _, c := range cases {
		for _, n := range c.covers {
			if !c.receipt.Covers(n) {
				t.Errorf("%s: %d is not covered", c.name, n)
			}
		}
		for _, n := range c.not {
			if c.receipt.Covers(n) {
				t.Errorf("%s: %d is covered", c.name, n)
			}
		}
	}
}
