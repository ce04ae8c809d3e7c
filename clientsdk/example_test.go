package clientsdk_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// A whole day at a grid with no signal: two authors share a phone, record a
// household with its people, come back to it in the evening, and send all of it
// from the office through a link that breaks.
func Example() {
	server := newFake(nil) // stands in for a real one
	defer server.http.Close()
	dir, err := os.MkdirTemp("", "gridphone")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	ctx := context.Background()
	clock := time.Date(2020, 2, 3, 8, 30, 0, 0, time.FixedZone("CST", 8*3600))
	ids := uint64(0)
	phone, err := clientsdk.Open(ctx, filepath.Join(dir, "phone.db"), clientsdk.Options{
		Server: server.url, Token: "token", Device: syncproto.DeviceID(id(101)),
		// The defaults are the real clock, random ids and real waiting.
		Now:   func() time.Time { return clock },
		NewID: func() uuid.UUID { ids++; return id(ids) },
		Wait:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		panic(err)
	}
	defer phone.Close()

	// Morning: Chen Mei visits. The visit is one commit.
	mei := phone.As(syncproto.AuthorID(id(501)))
	household, person, round := syncproto.RecordID(uuid.Must(uuid.NewV7())), syncproto.RecordID(uuid.Must(uuid.NewV7())), id(77)
	_, err = mei.PutAll(ctx, []clientsdk.Edit{
		{Record: household, Kind: "household", Area: grid1, Fields: syncproto.Fields{
			"address": syncproto.TextValue("幸福路 12 号 301"), "tenure": `"rented"`, "headcount": "2", "found_on": `"2020-02-03"`,
		}},
		{Record: person, Kind: "person", Area: grid1, Fields: syncproto.Fields{
			"name": syncproto.TextValue("张小明"), "household": syncproto.TextValue(household.String()),
			"classes": `["wuhan_return"]`, "found_on": `"2020-02-03"`,
		}},
		{Kind: "visit", Area: grid1, Fields: syncproto.Fields{
			"round": syncproto.TextValue(round.String()), "household": syncproto.TextValue(household.String()), "outcome": `"met"`,
			"found": syncproto.ValueOf([]string{person.String()}), "visited_at": syncproto.ValueOf(clock.UnixMilli()),
		}},
		{Kind: "temperature", Area: grid1, Fields: syncproto.Fields{
			"person": syncproto.TextValue(person.String()), "slot": `"am"`, "value": "36.4", "taken_at": syncproto.ValueOf(clock.UnixMilli()),
		}},
	})
	if err != nil {
		panic(err)
	}

	// Evening: Li Qiang takes the phone over and sees what she recorded.
	clock = clock.Add(10 * time.Hour)
	qiang := phone.As(syncproto.AuthorID(id(502)))
	people, err := phone.List(ctx, "person", clientsdk.InArea(grid1))
	if err != nil {
		panic(err)
	}
	for _, p := range people {
		fmt.Println("晚班看到：", p.Text("name"), p.Texts("classes"), "待上传：", p.Pending)
		_, err := qiang.Put(ctx, clientsdk.Edit{Kind: "temperature", Area: grid1, Fields: syncproto.Fields{
			"person": syncproto.TextValue(p.ID.String()), "slot": `"pm"`, "value": "38.1", "taken_at": syncproto.ValueOf(clock.UnixMilli()),
		}})
		if err != nil {
			panic(err)
		}
	}
	_, err = qiang.Put(ctx, clientsdk.Edit{Kind: "temperature", Area: grid1, Fields: syncproto.Fields{"value": `"hot"`}})
	fmt.Println("表单：", err)
	status, err := phone.Status(ctx)
	if err != nil {
		panic(err)
	}
	fmt.Println("待上传：", status.Unsent, "已送达：", status.Delivered)

	// The office: the first answer is lost after the server has stored the batch.
	server.fail(loseAnswer)
	report, err := phone.Sync(ctx)
	if err != nil {
		panic(err)
	}
	fmt.Println("重试：", report.Retries, "服务器档案：", len(server.records))
	if status, err = phone.Status(ctx); err != nil {
		panic(err)
	}
	fmt.Println("待上传：", status.Unsent, "已送达：", status.Delivered)
	// Output:
	// 晚班看到： 张小明 [wuhan_return] 待上传： true
	// 表单： recording edit 1 of 1: fails_form (value): a number
	// 待上传： 5 已送达： 0
	// 重试： 1 服务器档案： 5
	// 待上传： 0 已送达： 5
}
