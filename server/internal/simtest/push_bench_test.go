package simtest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"gridsync/server/internal/host"
	"gridsync/syncproto"
)

// BenchmarkPush pushes temperatures of 12 fields, 100 a batch, from 64 devices at
// the same time, past HTTP: what is left is decoding, merging and committing.
func BenchmarkPush(b *testing.B) {
	const devices, batch = 64, 100
	server, err := host.Start(b.Context(), host.Config{Dir: b.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	areas := "code,name,parent\n"
	phones := make([]host.Device, devices)
	for i := range phones {
		grid := fmt.Sprint("grid-", i)
		areas += grid + ",网格,\n"
		phones[i] = host.Device{Name: fmt.Sprint("phone-", i), Areas: []syncproto.AreaID{syncproto.AreaID(grid)}}
	}
	if _, _, err := server.ImportAreas(b.Context(), strings.NewReader(areas)); err != nil {
		b.Fatal(err)
	}
	enrolled, err := server.AddDevices(b.Context(), phones)
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Retry(b.Context()); err != nil {
		b.Fatal(err)
	}
	requests := make([][]*syncproto.Request, devices)
	for i := range b.N {
		d := i % devices
		requests[d] = append(requests[d], temperatures(enrolled[d], phones[d].Areas[0], batch, i/devices*batch))
	}
	b.ReportAllocs()
	b.ResetTimer()
	var done sync.WaitGroup
	for d := range devices {
		done.Go(func() {
			cursor := ""
			for _, req := range requests[d] {
				req.Cursor = cursor
				answer, err := server.Exchange().Sync(b.Context(), req.Device, req)
				if err != nil {
					b.Error(err)
					return
				}
				cursor = answer.Cursor
			}
		})
	}
	done.Wait()
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "changes/s")
}

func temperatures(phone host.Enrolled, area syncproto.AreaID, count, from int) *syncproto.Request {
	req := &syncproto.Request{Protocol: syncproto.Protocol, Device: phone.ID, High: uint64(from + count)}
	for i := range count {
		c := syncproto.Change{
			ID: syncproto.ChangeID(uuid.Must(uuid.NewV7())), N: uint64(from + i + 1), Author: phone.Authors[0].ID, Kind: "temperature",
			Record: syncproto.RecordID(uuid.Must(uuid.NewV7())), Area: area, At: 1_580_083_200_000, Form: 1,
			Fields: syncproto.Fields{
				"person":    syncproto.TextValue(uuid.NewString()),
				"household": syncproto.TextValue(uuid.NewString()),
				"slot":      `"am"`, "value": "36.6", "symptoms": `["cough"]`, "taken_at": "1580083200000", "method": `"forehead"`,
				"place": `"门口"`, "thermometer": `"T-17"`, "medicated": "false", "self_reported": "false", "note": `"无异常"`,
			}.Encode(),
		}
		raw, err := json.Marshal(c)
		if err != nil {
			panic(err)
		}
		req.Changes = append(req.Changes, raw)
	}
	return req
}
