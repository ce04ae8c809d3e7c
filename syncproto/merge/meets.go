package merge

import "gridsync/syncproto"

// ExitMeets reports whether e is an exit and w another author's write about
// something else, neither of whom had seen the other's: the question that Show asks
// about an exit, for those who list its sides.
func ExitMeets(e, w *syncproto.Part) bool { return exitMeets(e, w) }
