package expr

import (
	"fmt"

	"gridsync/syncproto"
)

// Problem says why a text is no expression, and where.
type Problem struct {
	// At is the place, in characters, the first being 1.
	At int
	// Near is what stands there: a function's name, a character.
	Near   string
	Reason syncproto.Text
}

func (p *Problem) Error() string {
	return fmt.Sprintf("at %d%s: %s", p.At, near(p.Near, " (%s)"), p.Reason.EN)
}

// Message is what whoever wrote the expression reads.
func (p *Problem) Message() syncproto.Text {
	return syncproto.Text{
		ZH: fmt.Sprintf("第 %d 个字符%s：%s", p.At, near(p.Near, "“%s”"), p.Reason.ZH),
		EN: p.Error(),
	}
}

func near(what, format string) string {
	if what == "" {
		return ""
	}
	return fmt.Sprintf(format, what)
}

// The reasons for which a text is no expression.
var (
	tooLong       = syncproto.Text{ZH: "条件太长，最多 4000 个字符", EN: "longer than 4,000 characters"}
	tooDeep       = syncproto.Text{ZH: "嵌套太深，最多 50 层", EN: "nested more than 50 deep"}
	notUTF8       = syncproto.Text{ZH: "不是有效的文字编码", EN: "not valid UTF-8"}
	endsEarly     = syncproto.Text{ZH: "条件没有写完", EN: "it ends too early"}
	notExpected   = syncproto.Text{ZH: "此处不应出现", EN: "not expected here"}
	straight      = syncproto.Text{ZH: "请改用半角符号", EN: "write it half-width: ' \" ( ) , = < >"}
	openQuote     = syncproto.Text{ZH: "引号没有成对", EN: "a quote that is not closed"}
	openName      = syncproto.Text{ZH: "栏目应写作 ${名称}", EN: "a field is written ${name}"}
	noPaths       = syncproto.Text{ZH: "不支持路径，请写作 ${名称}", EN: "paths are not supported, a field is written ${name}"}
	longNumber    = syncproto.Text{ZH: "数字太长，小数点前后各最多 20 位", EN: "more than 20 digits before or behind the point"}
	noField       = syncproto.Text{ZH: "没有这个栏目", EN: "no such field"}
	noSetting     = syncproto.Text{ZH: "没有这项设置", EN: "no such setting"}
	noFunction    = syncproto.Text{ZH: "不支持这个函数", EN: "this function is not supported"}
	badArguments  = syncproto.Text{ZH: "参数个数不对", EN: "the wrong number of arguments"}
	literalNeeded = syncproto.Text{ZH: "此处须直接写出带引号的文字", EN: "a text in quotes is needed here"}
	badFormat     = syncproto.Text{ZH: "日期格式只能用 %Y %m %n %d %e %H %M %S", EN: "of a date's format only %Y %m %n %d %e %H %M %S are supported"}
	badPattern    = syncproto.Text{ZH: "正则表达式不完整或有误", EN: "not a regular expression"}
	noSuchPattern = syncproto.Text{ZH: "正则表达式用了不支持的写法", EN: "this is not supported in a regular expression"}
	bigPattern    = syncproto.Text{ZH: "正则表达式太大", EN: "the regular expression is too large"}
)
