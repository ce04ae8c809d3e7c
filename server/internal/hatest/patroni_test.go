//go:build ha

package hatest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// What a failover takes is mostly lease: a leader that is gone is a leader until the
// lease that it last renewed, every renewal at the latest, has run out.
const (
	lease   = 20 // seconds; the least that Patroni's documents allow
	renewal = 3  // seconds; a leader's key is renewed this often
	steady  = 4  // seconds, more than a renewal: what was so before one may be another thing after it
	patient = 5  // seconds for which etcd and PostgreSQL may fail to answer; renewal + 2 × patient ≤ lease
)

// patroniConfig is what a node's Patroni is told.
//
// Synchronous strictly: a commit is answered when a second node has it on its disk, and
// where there is no second node, writes wait. Phones keep what they recorded for 30
// days, so that waiting costs them nothing, while a change that was acknowledged on one
// disk only could go with that disk.
//
// Of etcd's two protocols the first: Patroni before 3.0.3 overwrites the leader's key
// through the second when it wakes from a sleep longer than its lease, whoever leads by
// then, and what the new leader has acknowledged is rewound (DESIGN.md).
func patroniConfig(n *node, nodes int, bin string) string {
	var etcd []string
	for i := 1; i <= nodes; i++ {
		etcd = append(etcd, back.address(i)+":2379")
	}
	return fmt.Sprintf(`scope: gridsync
name: %[1]s
restapi:
  listen: %[2]s:8008
  connect_address: %[2]s:8008
etcd:
  hosts: [%[3]s]
bootstrap:
  dcs:
    ttl: %[4]d
    loop_wait: %[5]d
    retry_timeout: %[6]d
    synchronous_mode: true
    synchronous_mode_strict: true
    # A PostgreSQL that died and can't be started again in this time gives way.
    primary_start_timeout: 30
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
        max_connections: 100
        synchronous_commit: 'on'
        wal_level: replica
        wal_log_hints: 'on'
        max_wal_senders: 10
        max_replication_slots: 10
        shared_buffers: 64MB
        # In the folder of its data, and not the machine's /dev/shm, where one that is killed
        # leaves it.
        dynamic_shared_memory_type: mmap
        # How soon a node that lost its leader asks the next one. Writes wait for it: of
        # the default, 5 s, most was spent in silence after each failover.
        wal_retrieve_retry_interval: 500ms
        # What waits for a node that is gone waits no longer than for one that is slow.
        wal_sender_timeout: 10s
        wal_receiver_timeout: 10s
        tcp_user_timeout: 10s
  initdb:
  - encoding: UTF8
  - locale: C.UTF-8
  - data-checksums
  pg_hba:
  - local all all trust
  - host all all 127.0.0.1/32 trust
  - host all all 10.77.0.0/16 trust
  - host replication all 10.77.0.0/16 trust
postgresql:
  listen: %[2]s,127.0.0.1:5432
  connect_address: %[2]s:5432
  data_dir: %[7]s/data
  bin_dir: %[8]s
  pgpass: %[7]s/pgpass
  authentication:
    superuser: {username: postgres}
    replication: {username: replicator}
    rewind: {username: rewinder}
  # A rewind that was broken off, as when its source gave way amid it, leaves data that
  # nothing can start: the node is made again from the leader, and isn't lost for good.
  remove_data_directory_on_rewind_failure: true
  parameters:
    unix_socket_directories: %[7]s
watchdog:
  mode: 'off'
`, n.name, n.at(back), strings.Join(etcd, ", "), lease, renewal, patient, n.dir, bin)
}

// member is a node as Patroni sees it.
type member struct {
	Name, Role, State string
	Timeline          int
}

// members asks the nodes, one after the other, how the cluster stands.
func (g *ground) members() ([]member, error) {
	client := http.Client{Timeout: soon}
	var last error
	for _, n := range g.nodes {
		answer, err := client.Get("http://" + n.at(back) + ":8008/cluster")
		if err != nil {
			last = err
			continue
		}
		var cluster struct{ Members []member }
		err = json.NewDecoder(answer.Body).Decode(&cluster)
		answer.Body.Close()
		if err == nil {
			return cluster.Members, nil
		}
		last = err
	}
	return nil, last
}

// leads and follows ask a node itself: Patroni says the first when PostgreSQL takes writes,
// the second when it streams and isn't far behind.
func (n *node) leads() bool   { return n.is("primary") }
func (n *node) follows() bool { return n.is("replica?lag=1MB") }

func (n *node) is(what string) bool {
	client := http.Client{Timeout: soon}
	answer, err := client.Get("http://" + n.at(back) + ":8008/" + what)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// soon is how long somebody who is there may take to say so.
const soon = time.Second
