# gridsync. `make help` lists the targets.
#
# Whatever builds, runs and plays the demo needs Go alone: no C compiler, no database, no
# network beyond Go's module proxy. The tests, web, test-ha and bench-scale need programs of
# others, which they install on Debian, if root runs them, and ask for elsewhere.

.DEFAULT_GOAL := help
SHELL := /bin/bash

export CGO_ENABLED := 0

# How long each fuzz target is fuzzed.
FUZZTIME ?= 5s

# The race detector watches all of our code. Left out are libraries that compute for
# whoever calls them: C that was translated to Go (SQLite's engine), compression, patterns,
# command lines. They would be several times slower, and only our own use of them is in question.
UNWATCHED := modernc.org/libc/... modernc.org/memory modernc.org/sqlite/lib \
	compress/flate github.com/klauspost/compress/... regexp/... github.com/alecthomas/kong
RACE := -race $(foreach library,$(UNWATCHED),-gcflags=$(library)=-race=false)

TOOLS := bin/tally bin/golangci-lint

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## the whole case: phones offline, a bad network, merged totals (only Go needed)
	go run ./server demo

# Whatever builds and tests collects rubbish seldom, for which two gigabytes of memory are enough;
# what check has vetted isn't vetted again.
.PHONY: test
test: export GOGC := 300
test: compiler office postgres check $(TOOLS) web ## everything: check, the web client, 100 simulations on each engine, all tests (with SQLite and with PostgreSQL) under the race detector, each fuzz target for 5 s
	@$(IN_MEMORY); GOFLAGS=-vet=off bin/tally -plain '$(PLAIN)' -flags '-timeout=15m $(RACE)' -fuzz $(FUZZTIME) . tools

# Tests write what they write to memory where there is enough of it: they end processes, and
# never the machine, so that no disk has to be waited for. What Go builds stays where it was.
# User postgres has to get in.
IN_MEMORY := build=$${TMPDIR:-/tmp}; \
	if [ "$$(df -Pk /dev/shm 2>/dev/null | awk 'END { print $$4 + 0 }')" -gt 6000000 ] && memory=$$(mktemp -d /dev/shm/gridsync.XXXXXX); then \
		trap 'rm -rf "$$memory"' EXIT; chmod 755 "$$memory"; \
		if cp /bin/true "$$memory/runs" && "$$memory/runs" 2>/dev/null; then export TMPDIR=$$memory GOTMPDIR=$$build; fi; \
	fi

# Packages with tests that leave themselves out under the race detector, as they would take too
# long there or aren't its business: those run before, without it.
PLAIN := ./server/internal/simtest ./server/internal/store/postgres

# How many fleets are simulated on each engine.
SEEDS ?= 100

.PHONY: simulation
simulation: postgres ## fleets of phones against a slow reading of the log, on each engine (SEEDS=5000 for longer)
	go test ./server/internal/simtest -run 'TestSimulation$$' -seeds $(SEEDS) -timeout=4h -v | grep -v -e '^=== ' -e '--- PASS: TestSimulation/'; exit $${PIPESTATUS[0]}

# It makes networks and processes of its own, for which it must be root; ten minutes are
# its end whatever happens. GRIDSYNC_HA_LOGS=DIR keeps what Patroni and etcd said.
.PHONY: test-ha
test-ha: ha-tools ## failover: three nodes under Patroni and etcd, a server on each, phones that push (root)
	go test -tags ha ./server/internal/hatest -count=1 -timeout 10m -v

.PHONY: quick
quick: bin/tally ## all tests, without the race detector and without fuzzing
	bin/tally . tools

.PHONY: check
check: bin/golangci-lint ## formatting, vet, linters, tidy modules, generated files up to date
	bin/golangci-lint fmt --diff ./...
	cd tools && ../bin/golangci-lint fmt --diff ./...
	go vet ./...
	bin/golangci-lint run ./...
	cd tools && ../bin/golangci-lint run ./...
	go mod tidy -diff
	go mod verify

.PHONY: format
format: bin/golangci-lint ## rewrite the Go files as gofumpt has them
	bin/golangci-lint fmt ./...
	cd tools && ../bin/golangci-lint fmt ./...

.PHONY: web
web: node ## the web client: compiled strictly, and held against the same vectors
	cd clientsdk/web && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund; } && npm test

.PHONY: fuzz
fuzz: bin/tally ## each fuzz target for FUZZTIME (5s)
	bin/tally -flags '-run=^Fuzz' -fuzz $(FUZZTIME) .

PEOPLE ?= 1000000

.PHONY: bench
bench: ## push, first sync, idle sync, memory and disk beside the bare floor; then duplicates among PEOPLE (1000000), and a county's summary while phones push
	go run ./server bench -json
	go test ./server/internal/host -run '^$$' -bench DuplicateSearch -benchtime 300x -people $(PEOPLE) -timeout 1h
	go test ./server/internal/host -run '^$$' -bench CountySummary -benchtime 200x -county-grids 2000 -county-phones 5000 -timeout 1h

.PHONY: bench-scale
bench-scale: postgres ## 1, 2 and 3 servers on one PostgreSQL beside COPY and upserts of the same rows (ten minutes); then what a record costs from 10^5 to 10^7 (an hour and more, 30 GB of disk)
	go run ./server bench -scale -json
	go run ./server bench -growth -json

# A test under the race detector needs a C compiler. It is fetched where that can
# be done without asking anybody.
.PHONY: compiler
compiler:
	@command -v gcc >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { \
			echo "make test needs gcc for the race detector: please install it (Debian: apt-get install gcc libc6-dev)" >&2; exit 1; }; \
		apt-get update -q && apt-get install -y -q --no-install-recommends gcc libc6-dev; }

# The web client needs node, which is fetched in the same way.
.PHONY: node
node:
	@command -v node >/dev/null && command -v npm >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { \
			echo "make web needs node and npm: please install them (Debian: apt-get install nodejs npm)" >&2; exit 1; }; \
		apt-get update -q && apt-get install -y -q --no-install-recommends nodejs npm; }

bin/tally: $(wildcard tools/tally/*.go) tools/go.mod
	go build -C tools -o ../bin/tally ./tally

bin/golangci-lint: tools/go.mod tools/go.sum
	go build -C tools -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

# The tests of the second engine run clusters of their own, one for each test binary, and a
# pgbouncer before one. Debian's package starts a cluster, too, which nothing here uses.
.PHONY: postgres
postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && [ -x /usr/sbin/pgbouncer ] || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { \
			echo "make test needs PostgreSQL (15 or newer) and pgbouncer: please install them (Debian: apt-get install --no-install-recommends postgresql pgbouncer)" >&2; exit 1; }; \
		apt-get update -q && apt-get install -y -q --no-install-recommends postgresql pgbouncer; }

# What we write as .xlsx is opened by a program of others, too.
.PHONY: office
office:
	@command -v soffice >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { \
			echo "make test needs LibreOffice to open the workbooks that we write: please install it (Debian: apt-get install --no-install-recommends libreoffice-calc-nogui)" >&2; exit 1; }; \
		apt-get update -q && apt-get install -y -q --no-install-recommends libreoffice-calc-nogui; }

# The failover test starts Patroni, etcd and PostgreSQL itself, as processes of its own:
# their packages mustn't start any.
.PHONY: ha-tools
ha-tools:
	@command -v patroni >/dev/null && command -v etcd >/dev/null && command -v ip >/dev/null && ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { \
			echo "make test-ha needs Patroni, etcd and PostgreSQL: please install them (Debian: apt-get install --no-install-recommends patroni etcd-server postgresql iproute2)" >&2; exit 1; }; \
		policy=/usr/sbin/policy-rc.d; \
		[ -e $$policy ] || { printf '#!/bin/sh\nexit 101\n' >$$policy; chmod +x $$policy; trap 'rm -f /usr/sbin/policy-rc.d' EXIT; }; \
		apt-get update -q && apt-get install -y -q --no-install-recommends patroni etcd-server postgresql iproute2; }
