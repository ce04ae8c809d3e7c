package handset_test

import (
	"testing"

	"go.uber.org/goleak"
)

// No handset leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
