//go:build !linux

package bench

import "errors"

// freeIn is known on Linux only.
func freeIn(string) (int64, error) { return 0, errors.ErrUnsupported }
