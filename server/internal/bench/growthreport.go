package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
)

// GrowthReport is what a record costs while databases grow.
type GrowthReport struct {
	Machine Machine `json:"machine"`
	Curves  []Curve `json:"curves"`
	Seconds float64 `json:"seconds"`
}

// Curve is one engine's.
type Curve struct {
	Engine string  `json:"engine"`
	Points []Point `json:"points"`
}

// Point is the cost of a record when so many are there.
type Point struct {
	Records int `json:"records"`
	// Window is of how many records before the mark Micros and PerSecond are.
	Window    int     `json:"window"`
	Micros    float64 `json:"us_per_record"`
	PerSecond float64 `json:"per_second"`
	// Bytes is what the database takes, BytesEach its share for each record, BytesSince that of
	// each record since the mark before. An engine may set files up larger than what is in them.
	Bytes      int64   `json:"bytes"`
	BytesEach  float64 `json:"bytes_per_record"`
	BytesSince float64 `json:"bytes_per_record_since"`
	// Seconds is how long all records took up to there.
	Seconds float64 `json:"seconds"`
}

func machine() Machine {
	return Machine{CPUs: runtime.NumCPU(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
}

func (r GrowthReport) write(o *GrowthOptions) error {
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
func (r GrowthReport) Table(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "records\tengine\tµs each\tof the first\trecords/s\tbytes each\tof all\tMB\t")
	for _, c := range r.Curves {
		for _, p := range c.Points {
			fmt.Fprintf(w, "%d\t%s\t%.1f\t%.2f\t%.0f\t%.0f\t%.0f\t%.1f\t\n", p.Records, c.Engine, p.Micros,
				ratio(p.Micros, c.Points[0].Micros), p.PerSecond, p.BytesSince, p.BytesEach, float64(p.Bytes)/1e6)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}
