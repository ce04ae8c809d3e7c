package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"
)

// ScaleReport is what was measured of servers of one PostgreSQL. Figures are medians of the
// rounds, ratios are of medians.
type ScaleReport struct {
	Machine  Machine       `json:"machine"`
	Settings ScaleSettings `json:"settings"`
	Push     []ScalePush   `json:"push"`
	Seconds  float64       `json:"seconds"`
}

// ScaleSettings says what was measured.
type ScaleSettings struct {
	Changes     int    `json:"changes"`
	Batch       int    `json:"batch"`
	Rounds      int    `json:"rounds"`
	Seed        uint64 `json:"seed"`
	ChangeBytes int    `json:"change_bytes"`
}

// ScalePush is so many clients, spread over so many servers. The floors have as many
// connections as there are servers, and commit as many changes at once as those would.
type ScalePush struct {
	Servers int `json:"servers"`
	Clients int `json:"clients"`
	// Changes a second.
	Server float64 `json:"server_per_second"`
	Copy   float64 `json:"copy_per_second"`
	Upsert float64 `json:"upsert_per_second"`
	// OfCopy and OfUpsert are the servers' rate by the floor's, OfFewest by that of the fewest
	// servers, which were given first, with as many clients.
	OfCopy   float64 `json:"of_copy"`
	OfUpsert float64 `json:"of_upsert"`
	OfFewest float64 `json:"of_fewest_servers"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Spent    *Spent  `json:"spent,omitempty"`
	// CPU is the servers' own, in µs of processor time a change; WAL is bytes a change that
	// PostgreSQL wrote to its log.
	CPU float64 `json:"server_cpu_us_per_change"`
	WAL float64 `json:"wal_bytes_per_change"`
}

// Spent is where the time went, in ms a group. Statements are those of all servers; with
// Statements and Sync, Rest makes up the time from one group's end to the next one's: a server's
// own work between statements while it holds the lock, and whatever all of them waited for.
type Spent struct {
	// Group is how many changes a group had.
	Group      float64 `json:"changes_per_group"`
	Lock       float64 `json:"lock_waited_ms"`
	Statements float64 `json:"statements_ms"`
	Sync       float64 `json:"log_synced_ms"`
	Rest       float64 `json:"rest_ms"`
	// Top are the statements of one round that took longest.
	Top []Statement `json:"top"`
}

// Statement is one text, and what all its calls took.
type Statement struct {
	Text  string  `json:"text"`
	Calls int64   `json:"calls"`
	Took  float64 `json:"ms"`
}

func (s *scale) report() ScaleReport {
	report := ScaleReport{
		Machine: Machine{CPUs: runtime.NumCPU(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH},
		Settings: ScaleSettings{
			Changes: s.Changes, Batch: s.Batch, Rounds: s.Rounds, Seed: s.Seed, ChangeBytes: s.changeBytes,
		},
		Seconds: time.Since(s.began).Seconds(),
	}
	for _, clients := range s.Clients {
		fewest := 0.0
		for _, servers := range s.counts {
			p := s.line(cell{servers, clients})
			if fewest == 0 {
				fewest = p.Server
			}
			p.OfFewest = ratio(p.Server, fewest)
			report.Push = append(report.Push, p)
		}
	}
	return report
}

func (s *scale) line(c cell) ScalePush {
	rate := func(side string) float64 { return medianOf(s.took[side][c], pushed.rate) }
	within := func(percent int) float64 {
		return medianOf(s.took[serverSide][c], func(x pushed) float64 { return milliseconds(x.percentile(percent)) })
	}
	p := ScalePush{
		Servers: c.servers, Clients: c.clients,
		Server: rate(serverSide), Copy: rate(copySide), Upsert: rate(upsertSide), P50: within(50), P99: within(99),
	}
	p.OfCopy, p.OfUpsert = ratio(p.Server, p.Copy), ratio(p.Server, p.Upsert)
	each := func(value func(spent) float64) float64 { return medianOf(s.spent[c], value) }
	p.CPU = each(func(x spent) float64 { return x.cpu.Seconds() * 1e6 / float64(s.Changes) })
	p.WAL = each(func(x spent) float64 { return float64(x.walBytes) / float64(s.Changes) })
	if s.looks {
		p.Spent = s.spentOn(c)
	}
	return p
}

// spentOn is where a cell's time went.
func (s *scale) spentOn(c cell) *Spent {
	took := medianOf(s.took[serverSide][c], func(x pushed) float64 { return milliseconds(x.took) })
	each := func(value func(spent) float64) float64 { return medianOf(s.spent[c], value) }
	aGroup := func(value func(spent) time.Duration) float64 {
		return each(func(x spent) float64 { return ratio(milliseconds(value(x)), float64(x.groups)) })
	}
	groups := each(func(x spent) float64 { return float64(x.groups) })
	spent := &Spent{
		Group:      ratio(float64(s.Changes), groups),
		Lock:       aGroup(func(x spent) time.Duration { return x.lock }),
		Statements: aGroup(func(x spent) time.Duration { return x.statements }),
		Sync:       aGroup(func(x spent) time.Duration { return x.sync }),
	}
	spent.Rest = ratio(took, groups) - spent.Statements - spent.Sync
	if all := s.spent[c]; len(all) > 0 {
		spent.Top = all[len(all)-1].top
	}
	return spent
}

func (r ScaleReport) write(o *ScaleOptions) error {
	if !o.JSON {
		return r.Table(o.Out)
	}
	enc := json.NewEncoder(o.Out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return r.Table(o.Progress)
}

// Table writes the report for people.
func (r ScaleReport) Table(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "clients\tservers\tchanges/s\tof fewest\tCOPY\tof it\tupsert\tof it\tp50 ms\tp99 ms\tCPU µs\tWAL bytes\t")
	for _, p := range r.Push {
		fmt.Fprintf(w, "%d\t%d\t%.0f\t%.2f\t%.0f\t%.2f\t%.0f\t%.2f\t%.1f\t%.1f\t%.1f\t%.0f\t\n",
			p.Clients, p.Servers, p.Server, p.OfFewest, p.Copy, p.OfCopy, p.Upsert, p.OfUpsert, p.P50, p.P99, p.CPU, p.WAL)
	}
	fmt.Fprintln(w, "\nclients\tservers\tchanges/group\tms a group: lock waited for\tstatements\tlog synced\trest\t")
	for _, p := range r.Push {
		if x := p.Spent; x != nil {
			fmt.Fprintf(w, "%d\t%d\t%.0f\t%.2f\t%.2f\t%.2f\t%.2f\t\n", p.Clients, p.Servers, x.Group, x.Lock, x.Statements, x.Sync, x.Rest)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}
