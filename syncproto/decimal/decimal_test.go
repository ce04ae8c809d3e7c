package decimal_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto"
	"gridsync/syncproto/decimal"
)

// Whatever is read the short way is what the long way reads.
func TestMillionthsAreTheNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := syncproto.Value(rapid.StringMatching(`-?[0-9]{0,14}(\.[0-9]{0,8})?(e[0-9])?`).Draw(t, "number"))
		m, plain := decimal.Millionths(v)
		if !plain {
			return
		}
		x, ok := decimal.Read(v)
		if !ok || x.Cmp(big.NewRat(m, decimal.Million)) != 0 {
			t.Fatalf("%s was read as %d millionths, and is %v", v, m, x)
		}
	})
}

func TestOrdinaryNumbersAreReadTheShortWay(t *testing.T) {
	for v, want := range map[syncproto.Value]int64{"36.6": 36_600_000, "0": 0, "-7": -7 * decimal.Million, "999999999999": 999_999_999_999 * decimal.Million, "0.000001": 1} {
		if m, plain := decimal.Millionths(v); !plain || m != want {
			t.Errorf("%s: %d millionths, plain %v; want %d", v, m, plain, want)
		}
	}
	for _, v := range []syncproto.Value{"", "-", ".5", "5.", "1e3", "1.0000001", "1234567890123", `"5"`, "null", "1.2.3"} {
		if _, plain := decimal.Millionths(v); plain {
			t.Errorf("%q was read as a plain number", v)
		}
	}
}
