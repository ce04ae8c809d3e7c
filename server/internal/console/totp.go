package console

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238 as every authenticator has it; HMAC doesn't rest on collisions
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"

	"gridsync/syncproto"
)

// Codes of an authenticator, RFC 6238 with what every app for it takes: SHA-1, six digits,
// a new code every 30 seconds.
const (
	totpPeriod  = 30_000 // milliseconds
	totpModulus = 1_000_000
	totpSecret  = 20 // bytes, RFC 4226's recommendation
)

// issuer stands in the authenticator beside the login.
const issuer = "gridsync"

// code is the code of a time step.
func code(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	number := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	return fmt.Sprintf("%06d", number%totpModulus)
}

// stepOf finds the time step whose code was given: the one that runs, the one before or the
// one after, as phones' clocks differ. It must lie after last, as a code is taken once.
func stepOf(secret []byte, given string, now syncproto.Instant, last int64) (int64, bool) {
	current, found := int64(now)/totpPeriod, int64(-1)
	for step := current - 1; step <= current+1; step++ {
		// Compared to the end whatever is found, so that the time doesn't tell which.
		if subtle.ConstantTimeCompare([]byte(code(secret, step)), []byte(given)) == 1 && step > last {
			found = step
		}
	}
	return found, found >= 0
}

// secretText and secretURI are a secret as a person types it, and as an app reads it. A
// login has no character that a URI would have to escape.
func secretText(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

func secretURI(login string, secret []byte) string {
	return "otpauth://totp/" + issuer + ":" + login + "?secret=" + secretText(secret) + "&issuer=" + issuer
}
