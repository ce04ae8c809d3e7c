package bench

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// Report is what was measured. Figures of rounds are medians; a ratio is the
// server's figure by the floor's, such that more is better.
type Report struct {
	Machine  Machine  `json:"machine"`
	Settings Settings `json:"settings"`
	// Push is durable pushes by the number of clients.
	Push []Push `json:"push"`
	// FirstSync is a phone that gets its community's roster.
	FirstSync FirstSync `json:"first_sync"`
	// Idle is syncs with nothing new.
	Idle Idle `json:"idle"`
	// Memory and Disk are bytes.
	Memory  Memory   `json:"memory"`
	Disk    Disk     `json:"disk"`
	Targets []Target `json:"targets"`
	Reached bool     `json:"reached"`
	Seconds float64  `json:"seconds"`
}

// Machine says where it was measured.
type Machine struct {
	CPUs int    `json:"cpus"`
	Go   string `json:"go"`
	OS   string `json:"os"`
	Arch string `json:"arch"`
}

// Settings says what was measured.
type Settings struct {
	Changes int    `json:"changes"`
	Batch   int    `json:"batch"`
	People  int    `json:"people"`
	Roster  int    `json:"roster"`
	Rounds  int    `json:"rounds"`
	Seed    uint64 `json:"seed"`
	// ChangeBytes is the mean size of a temperature on the wire.
	ChangeBytes int `json:"change_bytes"`
}

// Push compares pushing from so many clients: changes a second, and the
// milliseconds within which 50 and 99 of a hundred batches were answered.
type Push struct {
	Clients   int     `json:"clients"`
	Floor     float64 `json:"floor_per_second"`
	Server    float64 `json:"server_per_second"`
	Ratio     float64 `json:"ratio"`
	FloorP50  float64 `json:"floor_p50_ms"`
	ServerP50 float64 `json:"server_p50_ms"`
	FloorP99  float64 `json:"floor_p99_ms"`
	ServerP99 float64 `json:"server_p99_ms"`
}

// FirstSync compares getting a roster, in milliseconds.
type FirstSync struct {
	People      int     `json:"people"`
	Of          int     `json:"of"`
	Floor       float64 `json:"floor_ms"`
	Server      float64 `json:"server_ms"`
	Ratio       float64 `json:"ratio"`
	FloorBytes  int     `json:"floor_bytes"`
	ServerBytes int     `json:"server_bytes"`
	ServerPages int     `json:"server_pages"`
	// ServerGzip is the bytes that travel with gzip.
	ServerGzip int `json:"server_gzip_bytes"`
}

// Idle compares syncs with nothing new, in requests a second.
type Idle struct {
	Clients int     `json:"clients"`
	Floor   float64 `json:"floor_per_second"`
	Server  float64 `json:"server_per_second"`
	Ratio   float64 `json:"ratio"`
	// Body is the largest answer, in bytes before compression.
	Body int `json:"body_bytes"`
}

// Memory is the largest resident size that each process had while everything was
// measured, in bytes.
type Memory struct {
	Floor  int64 `json:"floor_peak"`
	Server int64 `json:"server_peak"`
}

// Disk is bytes on disk after a clean stop.
type Disk struct {
	Records int   `json:"records"`
	Floor   int64 `json:"floor"`
	Server  int64 `json:"server"`
	// A record's share, with log, indexes, counters and all else: of everything, of
	// the people alone, and of the temperatures alone.
	FloorRecord       float64 `json:"floor_per_record"`
	ServerRecord      float64 `json:"server_per_record"`
	ServerPerson      float64 `json:"server_per_person"`
	ServerTemperature float64 `json:"server_per_temperature"`
}

// Target is what was to be reached and what was.
type Target struct {
	Name string `json:"name"`
	// AtLeast or AtMost is given.
	AtLeast float64 `json:"at_least,omitempty"`
	AtMost  float64 `json:"at_most,omitempty"`
	Got     float64 `json:"got"`
	Reached bool    `json:"reached"`
}

func atLeast(name string, want, got float64) Target {
	return Target{Name: name, AtLeast: want, Got: got, Reached: got >= want}
}

func atMost(name string, want, got float64) Target {
	return Target{Name: name, AtMost: want, Got: got, Reached: got <= want}
}

// samples is what the rounds measured, by side.
type samples struct {
	pushes   map[string]map[int][]pushed
	pulls    map[string][]pulled
	idles    map[string][]float64
	idleBody int
	peaks    map[string][]int64
	sizes    map[string][]int64
	loads    map[string]int64
}

func (s *samples) pushed(side string, clients int, p pushed) {
	if s.pushes == nil {
		s.pushes = map[string]map[int][]pushed{floorSide: {}, serverSide: {}}
	}
	s.pushes[side][clients] = append(s.pushes[side][clients], p)
}

func (s *samples) pulled(side string, p pulled) { put(&s.pulls, side, p) }

func (s *samples) idled(side string, rate float64) { put(&s.idles, side, rate) }

func (s *samples) weighed(side string, peak, size int64) {
	put(&s.peaks, side, peak)
	put(&s.sizes, side, size)
}

// loaded keeps how large the data was with everybody in it and no temperature yet.
func (s *samples) loaded(side string, size int64) {
	if s.loads == nil {
		s.loads = map[string]int64{}
	}
	s.loads[side] = size
}

func put[T any](m *map[string][]T, side string, x T) {
	if *m == nil {
		*m = map[string][]T{}
	}
	(*m)[side] = append((*m)[side], x)
}

// median returns the middle value; of an even number, the lower of the two.
func median[T cmp.Ordered](xs []T) T {
	var none T
	if len(xs) == 0 {
		return none
	}
	sorted := slices.Clone(xs)
	slices.Sort(sorted)
	return sorted[(len(sorted)-1)/2]
}

func medianOf[S any](xs []S, value func(S) float64) float64 {
	values := make([]float64, len(xs))
	for i, x := range xs {
		values[i] = value(x)
	}
	return median(values)
}

// ratio is 0 when there is nothing to compare with.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// report makes the report of what was taken.
func (r *run) report() Report {
	s := &r.taken
	report := Report{
		Machine: Machine{CPUs: runtime.NumCPU(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH},
		Settings: Settings{
			Changes: r.Changes, Batch: r.Batch, People: r.People, Roster: r.Roster, Rounds: r.Rounds, Seed: r.Seed,
			ChangeBytes: r.changeBytes,
		},
		FirstSync: s.firstSync(len(r.world.residents[firstCommunity]), r.People),
		Idle: Idle{
			Clients: len(r.world.idlers), Floor: median(s.idles[floorSide]), Server: median(s.idles[serverSide]), Body: s.idleBody,
		},
		Memory:  Memory{Floor: slices.Max(s.peaks[floorSide]), Server: slices.Max(s.peaks[serverSide])},
		Disk:    s.disk(r.People, r.Changes*len(r.Clients)),
		Seconds: time.Since(r.began).Seconds(),
	}
	report.Idle.Ratio = ratio(report.Idle.Server, report.Idle.Floor)
	for _, clients := range r.Clients {
		report.Push = append(report.Push, s.push(clients))
	}
	report.judge()
	return report
}

func (s *samples) push(clients int) Push {
	p := Push{Clients: clients}
	floor, server := s.pushes[floorSide][clients], s.pushes[serverSide][clients]
	p.Floor, p.Server = medianOf(floor, pushed.rate), medianOf(server, pushed.rate)
	p.Ratio = ratio(p.Server, p.Floor)
	within := func(percent int) func(pushed) float64 {
		return func(x pushed) float64 { return milliseconds(x.percentile(percent)) }
	}
	p.FloorP50, p.ServerP50 = medianOf(floor, within(50)), medianOf(server, within(50))
	p.FloorP99, p.ServerP99 = medianOf(floor, within(99)), medianOf(server, within(99))
	return p
}

func (s *samples) firstSync(people, of int) FirstSync {
	took := func(p pulled) float64 { return milliseconds(median(p.each)) }
	f := FirstSync{
		People: people, Of: of,
		Floor: medianOf(s.pulls[floorSide], took), Server: medianOf(s.pulls[serverSide], took),
	}
	f.Ratio = ratio(f.Floor, f.Server) // less time is better
	for _, p := range s.pulls[floorSide] {
		f.FloorBytes = p.bytes
	}
	for _, p := range s.pulls[serverSide] {
		f.ServerBytes, f.ServerPages, f.ServerGzip = p.bytes, p.pages, p.zipped
	}
	return f
}

func (s *samples) disk(people, temperatures int) Disk {
	d := Disk{Records: people + temperatures, Floor: median(s.sizes[floorSide]), Server: median(s.sizes[serverSide])}
	d.FloorRecord = ratio(float64(d.Floor), float64(d.Records))
	d.ServerRecord = ratio(float64(d.Server), float64(d.Records))
	d.ServerPerson = ratio(float64(s.loads[serverSide]), float64(people))
	d.ServerTemperature = ratio(float64(d.Server-s.loads[serverSide]), float64(temperatures))
	return d
}

// judge holds the figures against what is to be reached. Pushing is judged at the
// largest number of clients.
func (r *Report) judge() {
	last := r.Push[len(r.Push)-1]
	r.Targets = []Target{
		atLeast(fmt.Sprintf("push from %d clients, of the floor's changes a second", last.Clients), 0.4, last.Ratio),
		atMost("sync with nothing new, bytes of body", 400, float64(r.Idle.Body)),
		atLeast("sync with nothing new, of the floor's requests a second", 0.4, r.Idle.Ratio),
		atMost("peak memory, MB", 200, float64(r.Memory.Server)/1e6),
		atMost("bytes on disk a record", 800, r.Disk.ServerRecord),
	}
	r.Reached = !slices.ContainsFunc(r.Targets, func(t Target) bool { return !t.Reached })
}

// write writes the report as asked for.
func (r Report) write(o Options) error {
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
func (r Report) Table(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(what, floor, server, ratio string) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", what, floor, server, ratio)
	}
	whole := func(x float64) string { return fmt.Sprintf("%.0f", x) }
	row("", "floor", "server", "ratio")
	for _, p := range r.Push {
		row(fmt.Sprintf("push, %d clients, changes/s", p.Clients), whole(p.Floor), whole(p.Server), fmt.Sprintf("%.2f", p.Ratio))
		row("p50 of a batch, ms", fmt.Sprintf("%.1f", p.FloorP50), fmt.Sprintf("%.1f", p.ServerP50), "")
		row("p99 of a batch, ms", fmt.Sprintf("%.1f", p.FloorP99), fmt.Sprintf("%.1f", p.ServerP99), "")
	}
	row(fmt.Sprintf("first sync, %d of %d people, ms", r.FirstSync.People, r.FirstSync.Of),
		fmt.Sprintf("%.1f", r.FirstSync.Floor), fmt.Sprintf("%.1f", r.FirstSync.Server), fmt.Sprintf("%.2f", r.FirstSync.Ratio))
	row("bytes (with gzip)", fmt.Sprint(r.FirstSync.FloorBytes), fmt.Sprintf("%d (%d)", r.FirstSync.ServerBytes, r.FirstSync.ServerGzip), "")
	row("nothing new, requests/s", whole(r.Idle.Floor), whole(r.Idle.Server), fmt.Sprintf("%.2f", r.Idle.Ratio))
	row("nothing new, bytes", "", fmt.Sprint(r.Idle.Body), "")
	row("peak memory, MB", whole(float64(r.Memory.Floor)/1e6), whole(float64(r.Memory.Server)/1e6), "")
	row("on disk, bytes a record", whole(r.Disk.FloorRecord), whole(r.Disk.ServerRecord), "")
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	for _, t := range r.Targets {
		verdict, sign, want := "reached", "≥", t.AtLeast
		if t.AtMost != 0 {
			sign, want = "≤", t.AtMost
		}
		if !t.Reached {
			verdict = "MISSED"
		}
		if _, err := fmt.Fprintf(to, "%-8s %s: %.4g (%s %.4g)\n", verdict, t.Name, t.Got, sign, want); err != nil {
			return fmt.Errorf("writing the table: %w", err)
		}
	}
	return nil
}
