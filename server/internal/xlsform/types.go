package xlsform

import (
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// asks is what a type of XLSForm means here.
type asks int

const (
	// unsupported types are named, and what they ask isn't asked.
	unsupported asks = iota
	// answers become a field of a type of ours.
	answers
	// selects have a list of choices.
	selectsOne
	selectsMany
	// agrees is ticked or not.
	agrees
	// calculates nothing that anybody is asked.
	calculates
	// tells something and asks nothing.
	tells
	// knows what every record carries anyway.
	knows
	// hides a value that something else fills in.
	hides
	beginGroup
	endGroup
	beginRepeat
	endRepeat
)

// kindOfQuestion is what a cell of the column type says.
type kindOfQuestion struct {
	word string // as XLSForm's reference writes it
	asks asks
	// as is the field's type, for answers.
	as form.Type
	// instead says what is done in place of what was asked; nil if that is the same.
	instead *syncproto.Text
	// list and orOther are for selects.
	list    string
	orOther bool
}

var (
	textBarcode = syncproto.Text{ZH: "条码由人输入，不扫描", EN: "barcodes are typed in, not scanned"}
	textClock   = syncproto.Text{ZH: "钟点以文字“时:分”填写", EN: "a time of day is written as text, hours and minutes"}
	textRange   = syncproto.Text{ZH: "滑块改为填数字，上下限不变", EN: "the slider became a number with the same bounds"}
)

// types are those of XLSForm, and the names that older forms have for them.
var types = map[string]kindOfQuestion{
	"text": {asks: answers, as: form.Text}, "string": {asks: answers, as: form.Text},
	"integer": {asks: answers, as: form.Integer}, "int": {asks: answers, as: form.Integer},
	"decimal": {asks: answers, as: form.Decimal}, "date": {asks: answers, as: form.Date},
	"datetime": {asks: answers, as: form.Time},
	"time":     {asks: answers, as: form.Text, instead: &textClock},
	"barcode":  {asks: answers, as: form.Text, instead: &textBarcode},
	"range":    {asks: answers, as: form.Decimal, instead: &textRange},

	"acknowledge": {asks: agrees}, "trigger": {asks: agrees},
	"calculate": {asks: calculates}, "note": {asks: tells}, "hidden": {asks: hides},

	"start": {asks: knows}, "end": {asks: knows}, "today": {asks: knows}, "deviceid": {asks: knows}, "imei": {asks: knows},
	"username": {asks: knows}, "email": {asks: knows}, "phonenumber": {asks: knows}, "subscriberid": {asks: knows},
	"simserial": {asks: knows}, "audit": {asks: knows},

	"begin group": {asks: beginGroup}, "end group": {asks: endGroup}, "begin repeat": {asks: beginRepeat}, "end repeat": {asks: endRepeat},
	"begin_group": {asks: beginGroup}, "end_group": {asks: endGroup}, "begin_repeat": {asks: beginRepeat}, "end_repeat": {asks: endRepeat},
	"begin lgroup": {asks: beginRepeat}, "end lgroup": {asks: endRepeat}, "begin loop": {asks: beginRepeat}, "end loop": {asks: endRepeat},
}

// selects are the words before the name of a list.
var selects = []struct {
	word string
	asks asks
}{
	{"select_one_from_file", unsupported},
	{"select_multiple_from_file", unsupported},
	{"select_one_external", unsupported},
	{"select_one", selectsOne},
	{"select one from", selectsOne},
	{"select one", selectsOne},
	{"select1", selectsOne},
	{"select_multiple", selectsMany},
	{"select all that apply from", selectsMany},
	{"select all that apply", selectsMany},
	{"select multiple", selectsMany},
	{"rank", unsupported},
}

// readType reads a cell of the column type.
func readType(text string) kindOfQuestion {
	words := strings.Join(strings.Fields(text), " ")
	lower := strings.ToLower(words)
	if q, ok := types[lower]; ok {
		q.word = lower
		return q
	}
	for _, s := range selects {
		if !strings.HasPrefix(lower, s.word+" ") {
			continue
		}
		q := kindOfQuestion{word: s.word, asks: s.asks, list: strings.TrimSpace(words[len(s.word):])}
		for _, tail := range []string{" or_other", " or specify other", " or other"} {
			if cutAt := len(q.list) - len(tail); cutAt > 0 && strings.EqualFold(q.list[cutAt:], tail) {
				q.list, q.orOther = strings.TrimSpace(q.list[:cutAt]), true
			}
		}
		return q
	}
	return kindOfQuestion{word: words}
}

// metaInstead says where what a device knows is found here.
func metaInstead(word string) syncproto.Text {
	switch word {
	case "start", "end", "today":
		return say("%s 不必询问：每条记录自带填写时间和收到时间", "%s needs no asking: every record carries when it was made and when it arrived", word)
	case "deviceid", "imei", "subscriberid", "simserial", "phonenumber":
		return say("%s 不必询问：每条记录自带设备编号", "%s needs no asking: every record carries its device", word)
	case "audit":
		return say("audit 不必设置：每处改动都留有记录", "audit needs no setting: every change is kept")
	}
	return say("%s 不必询问：每条记录自带填写人", "%s needs no asking: every record carries its author", word)
}
