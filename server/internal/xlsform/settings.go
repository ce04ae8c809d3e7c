package xlsform

import (
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// settings are the cells of the first row of the settings, by column.
type settings map[string]cell

func (s settings) text(name string) string { return s[name].text }

// settingsRead are the settings that are read; for the others it is said what stands for them.
var settingsRead = map[string]bool{
	"form_title": true, "form_id": true, "version": true, "default_language": true,
	"gridsync_stream": true, "gridsync_moment": true, "gridsync_counts": true,
}

var settingsInstead = map[string]syncproto.Text{
	"submission_url":          {ZH: "记录随同步上传，不需要地址", EN: "records travel by sync and need no address"},
	"public_key":              {ZH: "手机按本系统的方式加密，不用此密钥", EN: "phones seal what they hold in this system's own way; this key is not used"},
	"auto_send":               {ZH: "同步自动进行", EN: "syncing goes on by itself"},
	"auto_delete":             {ZH: "手机保留已上传的记录三十天", EN: "phones keep what they sent for thirty days"},
	"instance_name":           {ZH: "记录以编号和时间区分，不另取名", EN: "records go by id and time and have no names of their own"},
	"style":                   {ZH: "版式由手机决定", EN: "the phone decides on the layout"},
	"allow_choice_duplicates": {ZH: "选项代码必须各不相同", EN: "the codes of choices must differ"},
}

// readSettings takes the first row below the header.
func (r *reader) readSettings(s *sheet) settings {
	if s == nil {
		return nil
	}
	h := r.readHeader(s)
	rows := s.below(h)
	if len(rows) == 0 {
		return nil
	}
	found := settings{}
	for _, c := range h.columns {
		found[c.name] = rows[0].in(c)
	}
	r.unused(s, h, func(name string) (bool, *syncproto.Text) {
		why, ok := settingsInstead[name]
		if !ok {
			return settingsRead[name], nil
		}
		return false, &why
	})
	if v := found["version"]; v.text != "" {
		r.remark(v.at, say("版本“%s”只作说明：本系统发布时按 1、2、3 编号", "version %q is only noted: publishing counts 1, 2, 3 here", v.text))
	}
	return found
}

// kind is what the form is of.
func (r *reader) kind() syncproto.Kind {
	if r.options.Kind != "" {
		return r.options.Kind
	}
	id := r.settings["form_id"]
	if id.text == "" {
		r.problem(place{sheet: "settings", cell: id.at.cell}, textNoKind)
		return "survey"
	}
	name := cut(latin(id.text), maxKind)
	if name == "" {
		name = "survey"
	}
	if name != id.text {
		r.remark(id.at, say("form_id“%s”改为“%s”：只能用英文字母、数字、点、横线和下划线，最多 %d 位", "form_id %q became %q: letters, digits, dots, hyphens and underscores only, at most %d", id.text, name, maxKind))
	}
	return syncproto.Kind(name)
}

// title is what the form is called: as the workbook says, or by its kind.
func (r *reader) title() syncproto.Text {
	title := r.settings.text("form_title")
	if title == "" {
		title = string(r.form.Kind)
	}
	label := syncproto.Text{ZH: title, EN: title}
	if b := r.options.Before; b != nil && !hasHan(title) && hasHan(b.Label.ZH) {
		label.ZH = b.Label.ZH
	}
	return label
}

// stream is when the records travel: with what was done, unless the settings say that
// they are needed at the door.
func (r *reader) stream() form.Stream {
	asked := r.settings["gridsync_stream"]
	if b := r.options.Before; b != nil {
		return b.Stream
	}
	switch s := form.Stream(strings.ToLower(asked.text)); s {
	case form.Roster, form.History:
		return s
	case "":
	default:
		r.problem(asked.at, say("gridsync_stream 只能是 roster 或 history", "gridsync_stream is roster or history"))
	}
	return form.History
}
