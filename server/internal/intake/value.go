package intake

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// valueOf reads a cell as a field's value. An empty value is a cell that says nothing; a
// problem says why it can't be read. A remark besides a value is worth telling.
func valueOf(field *form.Field, c sheet.Cell) (v syncproto.Value, problem *syncproto.Text) {
	text := strings.TrimSpace(c.Text)
	if text == "" {
		return "", nil
	}
	wrong := func(t syncproto.Text, args ...any) (syncproto.Value, *syncproto.Text) {
		t = sayf(t, args...)
		return "", &t
	}
	switch field.Type {
	case form.Text:
		return syncproto.TextValue(text), nil
	case form.Integer, form.Decimal:
		n := plainNumber(text)
		if n == "" {
			return wrong(textNotANumber, text)
		}
		return syncproto.Value(n), nil
	case form.Boolean:
		yes, known := yesOrNo(text)
		if !known {
			return wrong(textNotYesNo, text)
		}
		return syncproto.Value(strconv.FormatBool(yes)), nil
	case form.Date:
		day, ok := dayIn(text)
		if !ok {
			return wrong(textNotADate, text)
		}
		return syncproto.TextValue(day), nil
	case form.Time:
		at, ok := momentIn(text)
		if !ok {
			return wrong(textNotATime, text)
		}
		return syncproto.ValueOf(at), nil
	case form.Choice:
		code, ok := choiceOf(field, text)
		if !ok {
			return wrong(textNoChoice, text, labels(field))
		}
		return syncproto.TextValue(code), nil
	case form.Choices:
		return choicesOf(field, text)
	case form.IDNumber, form.Mobile:
		return numberOf(field, text)
	case form.Ref:
		if id, err := syncproto.ParseID[syncproto.RecordID](text); err == nil {
			return syncproto.TextValue(id.String()), nil
		}
	}
	return wrong(textNotTaken)
}

// scientific is a number as a spreadsheet shows it once it has lost its last digits.
var scientific = regexp.MustCompile(`^\d(\.\d+)?[eE]\+?\d+$`)

// numberOf reads an ID number or a mobile. What our own files masked says nothing.
func numberOf(field *form.Field, text string) (syncproto.Value, *syncproto.Text) {
	folded := norm.NFKC.String(strings.TrimPrefix(text, "'"))
	if scientific.MatchString(folded) {
		t := sayf(textLostDigits, text)
		return "", &t
	}
	if strings.Contains(folded, "*") {
		return "", nil
	}
	if field.Type == form.IDNumber {
		folded = strings.ToUpper(strings.Map(func(r rune) rune {
			if r == ' ' || r == '-' {
				return -1
			}
			return r
		}, folded))
		if n := utf8.RuneCountInString(folded); n != 18 {
			t := sayf(textIDShort, n)
			return "", &t
		}
	}
	return syncproto.TextValue(folded), nil
}

// plainNumber is a number as JSON writes it, "" for what is none: full-width digits,
// thousands' commas and a unit behind it (36.5℃, 3人) are common.
func plainNumber(text string) string {
	s := strings.ReplaceAll(norm.NFKC.String(text), ",", "")
	end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != '-' })
	if end == 0 {
		return ""
	}
	if end > 0 {
		if r, _ := utf8.DecodeRuneInString(s[end:]); r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || utf8.RuneCountInString(s[end:]) > 2 {
			return ""
		}
		s = s[:end]
	}
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, part, dotted := strings.Cut(s, ".")
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	s = whole
	if dotted {
		s += "." + part
	}
	if _, err := strconv.ParseFloat(s, 64); err != nil || strings.HasSuffix(s, ".") || strings.Contains(s, "-") {
		return ""
	}
	return sign + s
}

func yesOrNo(text string) (yes, known bool) {
	switch strings.ToLower(norm.NFKC.String(text)) {
	case "是", "有", "真", "对", "√", "✓", "1", "y", "yes", "true":
		return true, true
	case "否", "无", "假", "不", "×", "x", "0", "n", "no", "false":
		return false, true
	}
	return false, false
}

// dates are the ways in which whole dates are written; months and days of one digit are
// read by the same.
var dates = []string{"2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日", "2006年1月2号", "20060102"}

// dayIn reads a whole date, "2020-01-31"; a time of the day behind it is passed over.
func dayIn(text string) (string, bool) {
	s := strings.Join(strings.Fields(norm.NFKC.String(text)), " ")
	t, rest, ok := dateIn(s)
	if !ok || rest != "" && !isHour(rest) || t.Year() < 1850 || t.Year() > 2200 {
		return "", false
	}
	return t.Format(time.DateOnly), true
}

// dateIn reads the date at the beginning of a text; rest is what stands behind a space.
func dateIn(s string) (day time.Time, rest string, ok bool) {
	date, rest, _ := strings.Cut(s, " ")
	if before, after, cut := strings.Cut(date, "T"); cut {
		date, rest = before, after
	}
	for _, layout := range dates {
		if day, err := time.ParseInLocation(layout, date, form.Zone); err == nil {
			return day, rest, true
		}
	}
	return day, "", false
}

// hours are the ways in which hours are written.
var hours = []string{"15:04:05", "15:04", "15时04分", "15点04分", "15时", "15点"}

func isHour(s string) bool { _, ok := hourIn(s); return ok }

func hourIn(s string) (time.Duration, bool) {
	for _, layout := range hours {
		if t, err := time.Parse(layout, s); err == nil {
			return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second, true
		}
	}
	return 0, false
}

// momentIn reads a date with an hour.
func momentIn(text string) (syncproto.Instant, bool) {
	day, rest, ok := dateIn(strings.Join(strings.Fields(norm.NFKC.String(text)), " "))
	hour, timed := hourIn(rest)
	if !ok || !timed {
		return 0, false
	}
	return syncproto.Instant(day.Add(hour).UnixMilli()), true
}

// choiceOf finds a choice by its code or by one of its labels.
func choiceOf(field *form.Field, text string) (string, bool) {
	want := field.Fold(syncproto.TextValue(text))
	for _, o := range field.Choices {
		for _, said := range []string{o.Code, o.Label.ZH, o.Label.EN} {
			if said != "" && strings.EqualFold(field.Fold(syncproto.TextValue(said)), want) {
				return o.Code, true
			}
		}
	}
	if short, known := shortChoices[text]; known {
		for _, o := range field.Choices {
			if o.Code == short {
				return o.Code, true
			}
		}
	}
	return "", false
}

// shortChoices are other words for choices of the forms that come with the program.
var shortChoices = map[string]string{
	"男性": "male", "女性": "female", "户籍": "registered", "本地": "registered", "常住": "registered",
	"流动": "migrant", "外来": "migrant", "租户": "rented", "出租": "rented", "租房": "rented", "自住": "registered", "宿舍": "dormitory",
}

func labels(field *form.Field) string {
	said := make([]string, len(field.Choices))
	for i, o := range field.Choices {
		said[i] = o.Label.ZH
	}
	return strings.Join(said, "、")
}

// choicesOf reads a list of choices.
func choicesOf(field *form.Field, text string) (syncproto.Value, *syncproto.Text) {
	var codes []string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("、,，;；/|\n", r) }) {
		part = strings.TrimSpace(part)
		code, ok := choiceOf(field, part)
		if !ok {
			t := sayf(textNoChoice, part, labels(field))
			return "", &t
		}
		codes = append(codes, code)
	}
	if len(codes) == 0 {
		return "", nil
	}
	return form.Delta(codes, nil), nil
}

// fit holds a value against the form's own bounds.
func fit(f *form.Form, name string, v syncproto.Value) *syncproto.Text {
	why := f.Check(syncproto.Fields{name: v}, false, form.Occasion{})
	if why == nil {
		return nil
	}
	zh, known := syncproto.Problem(why.Detail)
	if !known {
		m := why.Message()
		return &m
	}
	return &syncproto.Text{ZH: zh, EN: fmt.Sprintf("must be: %s", why.Detail)}
}
