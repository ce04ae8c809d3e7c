package console

import (
	"strings"
	"testing"

	"gridsync/syncproto"
)

// The secret and the times of RFC 6238, appendix B; of its eight digits the last six.
func TestCodesAreThoseOfTheRFC(t *testing.T) {
	secret := []byte("12345678901234567890")
	for second, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := code(secret, second/30); got != want {
			t.Errorf("at %d: %s, not %s", second, got, want)
		}
		if _, good := stepOf(secret, want, syncproto.Instant(second*1000), -1); !good {
			t.Errorf("at %d: its own code isn't taken", second)
		}
	}
}

func TestACodeIsGoodForOneStepEitherSideAndOnce(t *testing.T) {
	secret, now := []byte("12345678901234567890"), syncproto.Instant(1_600_000_000_000)
	current := int64(now) / totpPeriod
	for offset, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		step, good := stepOf(secret, code(secret, current+offset), now, -1)
		if good != want || good && step != current+offset {
			t.Errorf("%d steps away: %v, step %d", offset, good, step-current)
		}
		if _, good := stepOf(secret, code(secret, current+offset), now, current+offset); good {
			t.Errorf("%d steps away: taken twice", offset)
		}
	}
	for _, wrong := range []string{"", "0", "0000000", code([]byte("another"), current)} {
		if _, good := stepOf(secret, wrong, now, -1); good {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func TestAnAuthenticatorCanReadItsAddress(t *testing.T) {
	got := secretURI("wang.fang@wucheng", []byte("12345678901234567890"))
	if got != "otpauth://totp/gridsync:wang.fang@wucheng?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=gridsync" || strings.Contains(got, "=&") {
		t.Error(got)
	}
}
