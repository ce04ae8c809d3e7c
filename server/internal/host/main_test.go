package host

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

// No server leaves a goroutine behind. The HTTP library keeps one to write the
// date and, for its idle time, its pool of workers; they belong to the process.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(
		closesIdle{m},
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
	)
}

// closesIdle gives back the connections of the tests' own client at the end.
type closesIdle struct{ *testing.M }

func (c closesIdle) Run() int {
	code := c.M.Run()
	http.DefaultClient.CloseIdleConnections()
	return code
}
