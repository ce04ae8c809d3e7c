package simtest

import "slices"

// Shrink makes a script that fails as short as it can within a number of tries: it
// leaves out halves, quarters, … and at last single lines, as long as fails still
// reports true of what is left.
func Shrink(script []string, tries int, fails func([]string) bool) []string {
	for size := len(script) / 2; size > 0; {
		shorter := false
		for at := 0; at < len(script) && tries > 0; {
			rest := slices.Concat(script[:at], script[min(at+size, len(script)):])
			tries--
			if len(rest) > 0 && fails(rest) {
				script, shorter = rest, true
				continue // what came after now stands here
			}
			at += size
		}
		if tries == 0 {
			break
		}
		if size > 1 || !shorter {
			size /= 2
		}
	}
	return script
}
