package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gridsync/server/internal/console"
	"gridsync/server/internal/host"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// What these commands say.
var (
	textFirst       = syncproto.Text{ZH: "已建立管理员 %s，登录名 %s", EN: "administrator %s, who signs in as %s"}
	textLink        = syncproto.Text{ZH: "链接有效至 %s，只能用一次，如同密码，请当面交给本人：", EN: "the link is good once, until %s; hand it to its person like a password:"}
	textNoAdminName = syncproto.Text{ZH: "请用 -name 给出管理员姓名（%v）", EN: "give the administrator's name with -name (%v)"}
	textNoAreasYet  = syncproto.Text{ZH: "还没有区域，请先用 areas import 导入（%v）", EN: "there are no areas yet; import them with areas import first (%v)"}
	textHasFirst    = syncproto.Text{ZH: "已有管理员；确要再建一个请加 -again，忘记密码请用 link 命令（%v）", EN: "there is an administrator; add -again to make another, or use the command link for a forgotten password (%v)"}
	textNoAccount   = syncproto.Text{ZH: "没有这个登录名（%v）", EN: "nobody has that login (%v)"}
	textBadLogin    = syncproto.Text{ZH: "登录名应为 3 至 64 个小写字母、数字或 . - _ @，且未被他人使用（%v）", EN: "a login is 3 to 64 of a-z, 0-9, '.', '-', '_' and '@', and nobody else's (%v)"}
)

// baseFlag is where browsers find the server, which doesn't know it behind a proxy.
type baseFlag struct {
	Base string `default:"http://127.0.0.1:8080" env:"GRIDSYNC_BASE" placeholder:"URL" help:"base"`
}

// hand prints a link: standard output gets it alone.
func (b *baseFlag) hand(t *terminal, w *console.Welcome) {
	say(t.err, textLink, time.UnixMilli(int64(w.Expires)).In(form.Zone).Format(time.DateTime))
	fmt.Fprintln(t.out, strings.TrimRight(b.Base, "/")+"/#welcome="+w.Token)
}

type initCommand struct {
	dataFlag
	baseFlag
	Name  string             `placeholder:"NAME" help:"init_name"`
	Login string             `required:"" placeholder:"LOGIN" help:"login"`
	Areas []syncproto.AreaID `name:"area" placeholder:"CODE" help:"init_area"`
	Again bool               `help:"init_again"`
}

// Run makes an administrator.
func (c *initCommand) Run(ctx context.Context, t *terminal) error {
	return withNewData(ctx, c.dataFlag, func(d *host.Data) error {
		welcome, err := d.Begin(ctx, console.First{Name: c.Name, Login: c.Login, Areas: c.Areas, Again: c.Again})
		if err != nil {
			return err
		}
		say(t.err, textFirst, c.Name, welcome.Login)
		c.hand(t, welcome)
		return nil
	})
}

type linkCommand struct {
	dataFlag
	baseFlag
	Login string `required:"" placeholder:"LOGIN" help:"login"`
}

// Run makes another link for somebody who has an account.
func (c *linkCommand) Run(ctx context.Context, t *terminal) error {
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		welcome, err := d.Relink(ctx, c.Login)
		if err != nil {
			return err
		}
		c.hand(t, welcome)
		return nil
	})
}
