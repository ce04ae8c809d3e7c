package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"gridsync/server/internal/enrol"
	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/qr"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// What the commands about people and phones say.
var (
	textInvite      = syncproto.Text{ZH: "邀请：区域 %s，角色 %s，可用 %d 次，有效至 %s", EN: "an invitation into %s as %s, good for %d uses until %s"}
	textConfirmed   = syncproto.Text{ZH: "来人须经确认后授权才生效", EN: "whoever comes waits to be confirmed"}
	textPerson      = syncproto.Text{ZH: "人员 %s  %s", EN: "person %s  %s"}
	textGrant       = syncproto.Text{ZH: "  区域 %s  角色 %s  自 %s 至 %s", EN: "  area %s  role %s  from %s to %s"}
	textPhone       = syncproto.Text{ZH: "  设备 %s  %s  %s", EN: "  device %s  %s  %s"}
	textPhoneLine   = syncproto.Text{ZH: "设备 %s  %s  使用人 %s  状态 %s", EN: "device %s  %s  of %s  %s"}
	textPhoneState  = syncproto.Text{ZH: "  最近联系 %s  自报未上传 %d  已收 %d  待处理 %d", EN: "  last heard of %s  unsent by its own word %d  held %d  parked %d"}
	textNever       = syncproto.Text{ZH: "从未", EN: "never"}
	textOpenEnd     = syncproto.Text{ZH: "不限", EN: "open"}
	textWillPass    = syncproto.Text{ZH: "试运行：将交接 %d 项授权；移交人的手机上自报还有 %d 条未上传，之后仍会照常收下", EN: "dry run: %d grants would pass; the phones of who leaves say they hold %d unsent, which will still be taken"}
	textPassed      = syncproto.Text{ZH: "已交接 %d 项授权；移交人的手机上自报还有 %d 条未上传，仍会照常收下", EN: "%d grants have passed; the phones of who leaves say they hold %d unsent, which will still be taken"}
	textNewTokenKey = syncproto.Text{ZH: "新的凭证密钥 %s：%s（运行中的服务自动启用；旧文件十五分钟后可删除）", EN: "new token key %s: %s (a running server takes it up by itself; the older file may go after a quarter of an hour)"}
)

// refusal is a code of the protocol with which a command was turned away.
type refusal struct{ code *syncproto.Error }

func (r refusal) Error() string { return r.code.Error() }
func (r refusal) Unwrap() error { return r.code }

// text is the code's message in both languages.
func (r refusal) text() syncproto.Text {
	m := r.code.Message()
	return syncproto.Text{ZH: m.ZH + "（%v）", EN: m.EN + " (%v)"}
}

// withLetting opens a data folder for work on people and phones.
func withLetting(ctx context.Context, data dataFlag, work func(*enrol.Service, enrol.By) error) error {
	err := withData(ctx, data, func(d *host.Data) error {
		service, by, err := d.Letting(ctx)
		if err != nil {
			return err
		}
		return work(service, by)
	})
	var known *syncproto.Error
	if errors.As(err, &known) {
		return refusal{known}
	}
	return err
}

type inviteCommand struct {
	dataFlag
	baseFlag
	Area    syncproto.AreaID   `required:"" placeholder:"CODE" help:"invite_area"`
	Role    identity.Role      `default:"volunteer" enum:"volunteer,secretary,township,county,administrator,auditor" help:"role"`
	Uses    int                `default:"1" help:"invite_uses"`
	Hours   int                `default:"24" help:"invite_hours"`
	Days    int                `help:"invite_days"`
	Confirm bool               `help:"invite_confirm"`
	Author  syncproto.AuthorID `placeholder:"ID" help:"invite_author"`
	Label   string             `placeholder:"TEXT" help:"invite_label"`
}

// Run makes the invitation. Standard output gets code and link, for a script; standard
// error the picture, for a phone's camera.
func (c *inviteCommand) Run(ctx context.Context, t *terminal) error {
	return withLetting(ctx, c.dataFlag, func(s *enrol.Service, by enrol.By) error {
		in := enrol.Inviting{Area: c.Area, Role: c.Role, Uses: c.Uses, Hours: c.Hours, Confirm: c.Confirm, Author: c.Author, Label: c.Label}
		if c.Days != 0 {
			in.To = by.Now + syncproto.Instant(time.Duration(c.Days)*24*time.Hour/time.Millisecond)
		}
		made, code, err := s.Invite(ctx, by, in)
		if err != nil {
			return err
		}
		link := strings.TrimRight(c.Base, "/") + "/#enrol=" + code
		picture, err := qr.Encode(link)
		if err != nil {
			return err
		}
		say(t.err, textInvite, made.Area, made.Role, made.Uses, clock(made.Expires))
		if made.Confirm {
			say(t.err, textConfirmed)
		}
		fmt.Fprint(t.err, picture.Terminal())
		fmt.Fprintln(t.out, code)
		fmt.Fprintln(t.out, link)
		return nil
	})
}

// clock writes an instant as the county's clocks show it.
func clock(at syncproto.Instant) string {
	return time.UnixMilli(int64(at)).In(form.Zone).Format(time.DateTime)
}

// clockOr writes an instant, or what it means that there is none.
func clockOr(at syncproto.Instant, none syncproto.Text) string {
	if at == 0 {
		return none.ZH + "/" + none.EN
	}
	return clock(at)
}

type keysTokenCommand struct{ dataFlag }

// Run adds a key that signs tokens from now on.
func (c *keysTokenCommand) Run(t *terminal) error {
	file, key, err := host.AddTokenKey(c.Data, c.options())
	if err != nil {
		return err
	}
	say(t.err, textNewTokenKey, key, file)
	return nil
}

// tellLine says how a phone stands.
func tellLine(w io.Writer, line *enrol.BoardLine) {
	names := make([]string, len(line.People))
	for i, p := range line.People {
		names[i] = p.Name
	}
	say(w, textPhoneLine, line.ID, line.Name, strings.Join(names, " "), line.Status)
	say(w, textPhoneState, clockOr(line.Contact, textNever), line.Unsent, line.Held, line.Parked)
}
