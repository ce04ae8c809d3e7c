package sheet

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gridsync/syncproto"
)

// What is wrong with a text that should be a day.
var (
	faultNoDay   = say("不是日期，请写成 2020-01-31", "no date; write it as 2020-01-31")
	faultNoYear  = say("没有年份，无法确定是哪一天，请写成 2020-01-31", "without a year nobody knows which day it is; write it as 2020-01-31")
	faultYear    = say("年份只有两位，请写成四位，如 2020-01-31", "the year has two digits only; write it as 2020-01-31")
	faultOrder   = say("分不清哪个是月、哪个是日，请写成 2020-01-31", "it can't be told which is the month and which the day; write it as 2020-01-31")
	faultNoSuch  = say("没有这一天", "there is no such day")
	faultHour    = say("时间无法读取，请写成 2020-01-31 13:05", "the time of day can't be read; write it as 2020-01-31 13:05")
	faultJustDay = say("只有日期，没有时间，请写成 2020-01-31 13:05", "a day without a time; write it as 2020-01-31 13:05")
)

var (
	withYear    = regexp.MustCompile(`^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?$`)
	inOneNumber = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})$`)
	withoutYear = regexp.MustCompile(`^\d{1,2}\s*(?:[-/.]\s*\d{1,2}|月\s*\d{1,2}\s*[日号]?)$`)
	shortYear   = regexp.MustCompile(`^['’]?\d{2}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*[日号]?$`)
	yearLast    = regexp.MustCompile(`^\d{1,2}\s*[-/.]\s*\d{1,2}\s*[-/.]\s*\d{4}$`)
	ofTheDay    = regexp.MustCompile(`^(上午|下午|晚上|凌晨|中午)?\s*(\d{1,2})\s*(?:[:：]\s*(\d{2})(?:\s*[:：]\s*(\d{2}))?|[点时]\s*(?:(\d{1,2})\s*分?)?)$`)
	dayAndHour  = regexp.MustCompile(`^(.*?[\d日号])(?:\s*[T ]\s*|\s+|([日号])\s*)((?:上午|下午|晚上|凌晨|中午)?\s*\d{1,2}\s*[:：点时].*)$`)
)

// Day reads a day as people write it: 2020-01-31, 2020/1/31, 2020.1.31, 2020年1月31日,
// 20200131, with or without a time after it. It gives "2020-01-31", or says what is wrong:
// nobody's birthday is guessed.
func Day(text string) (string, *syncproto.Text) {
	day, _, fault := moment(text)
	return day, fault
}

// Instant reads a day with its time, in the zone that is given.
func Instant(text string, zone *time.Location) (time.Time, *syncproto.Text) {
	day, hour, fault := moment(text)
	switch {
	case fault != nil:
		return time.Time{}, fault
	case hour == "":
		return time.Time{}, &faultJustDay
	}
	at, err := time.ParseInLocation(time.DateTime, day+" "+hour, zone)
	if err != nil {
		return time.Time{}, &faultHour
	}
	return at, nil
}

// moment reads a day, and the time of day if there is one.
func moment(text string) (day, hour string, fault *syncproto.Text) {
	text = clean(text).text
	if m := dayAndHour.FindStringSubmatch(text); m != nil {
		if hour = hourOf(m[3]); hour == "" {
			return "", "", &faultHour
		}
		text = strings.TrimSpace(m[1] + m[2])
	}
	m := withYear.FindStringSubmatch(text)
	if m == nil {
		m = inOneNumber.FindStringSubmatch(text)
	}
	switch {
	case m != nil:
	case withoutYear.MatchString(text):
		return "", "", &faultNoYear
	case yearLast.MatchString(text):
		return "", "", &faultOrder
	case shortYear.MatchString(text):
		return "", "", &faultYear
	default:
		return "", "", &faultNoDay
	}
	day = m[1] + "-" + two(m[2]) + "-" + two(m[3])
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return "", "", &faultNoSuch
	}
	return day, hour, nil
}

// hourOf is a time of day as 13:05:00; "" for none.
func hourOf(text string) string {
	m := ofTheDay.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return ""
	}
	hour, err := strconv.Atoi(m[2])
	if err != nil || hour > 23 {
		return ""
	}
	switch m[1] {
	case "下午", "晚上":
		if hour < 12 {
			hour += 12
		}
	case "上午", "凌晨":
		if hour > 12 {
			return ""
		}
	}
	minute, second := m[3]+m[5], m[4]
	clock := fmt.Sprintf("%02d:%s:%s", hour, two(minute), two(second))
	if _, err := time.Parse(time.TimeOnly, clock); err != nil {
		return ""
	}
	return clock
}

// two is a number of at most two digits with two.
func two(s string) string {
	return "00"[min(len(s), 2):] + s
}

// serial is a spreadsheet's number of a day and its part as text. The system of 1900
// counts a 29 February 1900 that never was. day is "" for what is out of range.
func serial(v float64, since1904 bool) (day, hour string) {
	const msPerDay = 24 * 60 * 60 * 1000
	if v < 0 || v >= 2958466 {
		return "", ""
	}
	ms := int64(v*msPerDay + 0.5)
	ms = (ms + 500) / 1000 * 1000
	days, rest := ms/msPerDay, ms%msPerDay
	origin := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case since1904:
		origin = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case days == 60:
		return "", ""
	case days < 60:
		origin = time.Date(1899, 12, 31, 0, 0, 0, 0, time.UTC)
	}
	at := origin.AddDate(0, 0, int(days)).Add(time.Duration(rest) * time.Millisecond)
	if at.Year() > 9999 {
		return "", ""
	}
	return at.Format(time.DateOnly), at.Format(time.TimeOnly)
}
