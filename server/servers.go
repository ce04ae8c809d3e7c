package main

import (
	"context"

	"gridsync/server/internal/host"
	"gridsync/syncproto"
)

// What the list of servers says.
var (
	textServer     = syncproto.Text{ZH: "%s  自 %s  续约至 %s", EN: "%s  since %s  alive until %s"}
	textAlone      = syncproto.Text{ZH: "%s  自 %s  独占使用中，续约至 %s", EN: "%s  since %s  works alone, alive until %s"}
	textNoServers  = syncproto.Text{ZH: "没有正在运行的服务", EN: "no server is running"}
	textNotCounted = syncproto.Text{ZH: "数据目录一次只由一个服务使用，不另登记；本命令用于 PostgreSQL 数据库", EN: "a data folder has one server at a time, and doesn't say which; this is for PostgreSQL databases"}
)

type serversCommand struct{ dataFlag }

// Run lists the servers that work on a database.
func (c *serversCommand) Run(ctx context.Context, t *terminal) error {
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		if !d.Shared() {
			say(t.err, textNotCounted)
			return nil
		}
		servers, err := d.Servers(ctx)
		if err != nil {
			return err
		}
		if len(servers) == 0 {
			say(t.err, textNoServers)
		}
		for _, s := range servers {
			text := textServer
			if s.Alone {
				text = textAlone
			}
			say(t.out, text, s.Name, clock(syncproto.Instant(s.Since.UnixMilli())), clock(syncproto.Instant(s.Until.UnixMilli())))
		}
		return nil
	})
}
