package main

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"gridsync/server/internal/api"
)

func TestLimitsAndProxiesAreTakenFromTheCommandLine(t *testing.T) {
	parse := func(args ...string) (api.Guard, error) {
		var line struct {
			Serve serveCommand `cmd:""`
		}
		parser, err := newParser(&line)
		if err != nil {
			t.Fatal(err)
		}
		_, err = parser.Parse(doubleDashes(append([]string{"serve"}, args...)))
		return line.Serve.guard(), err
	}
	g, err := parse("-limit", "sync=5/50", "-limit", "export=0.1/3", "-proxy", "10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	if g.Limits[api.LimitSync] != (api.Limit{Rate: 5, Burst: 50}) || g.Limits[api.LimitExport] != (api.Limit{Rate: 0.1, Burst: 3}) {
		t.Errorf("limits %v", g.Limits)
	}
	if g.Limits[api.LimitSignIn] != api.DefaultLimits()[api.LimitSignIn] {
		t.Error("a limit that was not given is not the API's own")
	}
	if len(g.Proxies) != 1 || g.Proxies[0] != netip.MustParsePrefix("10.0.0.0/8") {
		t.Errorf("proxies %v", g.Proxies)
	}
	if g, err = parse(); err != nil || len(g.Proxies) != 2 || len(g.Limits) != len(api.DefaultLimits()) {
		t.Errorf("without any: %+v %v", g, err)
	}
	if _, err = parse("-limit", "nothing=1/1"); !errors.Is(err, api.ErrLimit) {
		t.Errorf("a class that there is not: %v", err)
	}
	for _, bad := range [][]string{{"-limit", "sync"}, {"-limit", "sync=1"}, {"-limit", "sync=0/1"}, {"-proxy", "here"}} {
		if _, err = parse(bad...); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	var said bytes.Buffer
	if code := exitCode(usageError{api.ErrLimit}, &said); code != 2 || !strings.HasPrefix(said.String(), "-limit 应为") {
		t.Errorf("%d %s", code, said.String())
	}
}
