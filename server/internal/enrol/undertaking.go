package enrol

import (
	_ "embed" // the text is a file, so that a lawyer can read it
	"strings"

	"gridsync/syncproto"
)

// InForce is the version of the undertaking that has to be accepted. A new text is a new
// version: what somebody accepted stays what it was.
const InForce = 1

var (
	//go:embed undertaking.zh.txt
	undertakingZH string
	//go:embed undertaking.en.txt
	undertakingEN string
)

// Undertaking is the one in force.
func Undertaking() syncproto.Undertaking {
	return syncproto.Undertaking{
		Version: InForce,
		Text:    syncproto.Text{ZH: strings.TrimSpace(undertakingZH), EN: strings.TrimSpace(undertakingEN)},
	}
}
