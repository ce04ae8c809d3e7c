package expr

import (
	"fmt"
	"time"

	"gridsync/syncproto"
)

// Day is a calendar day as 20200131: the year, month and day in decimal.
type Day int32

// Zone is the zone in which days are counted: China Standard Time, which has no
// daylight saving.
var Zone = time.FixedZone("CST", 8*60*60)

// DayOf returns the day of an instant in Zone; 0 beyond the years 1 to 9999.
func DayOf(t syncproto.Instant) Day {
	y, m, d := time.UnixMilli(int64(t)).In(Zone).Date()
	if y < 1 || y > 9999 {
		return 0
	}
	return Day(y*10000 + int(m)*100 + d)
}

// ParseDay reads 2020-01-31.
func ParseDay(s string) (Day, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1 {
		return 0, false
	}
	return Day(t.Year()*10000 + int(t.Month())*100 + t.Day()), true
}

func (d Day) String() string {
	return fmt.Sprintf("%04d-%02d-%02d", int(d)/10000, int(d)/100%100, int(d)%100)
}

// number counts days from 1970-01-01, and dayNumbered is the day of such a count; 0
// beyond the years 1 to 9999.
func (d Day) number() int64 {
	t := time.Date(int(d)/10000, time.Month(int(d)/100%100), int(d)%100, 0, 0, 0, 0, time.UTC)
	return t.Unix() / daySeconds
}

const (
	daySeconds = 24 * 60 * 60
	dayMillis  = daySeconds * 1000
	// lastDay is that of 9999-12-31, and firstDay that of 0001-01-01, counted from 1970.
	firstDay, lastDay = -719162, 2932896
)

func dayNumbered(n int64) (Day, bool) {
	if n < firstDay || n > lastDay {
		return 0, false
	}
	y, m, d := time.Unix(n*daySeconds, 0).UTC().Date()
	return Day(y*10000 + int(m)*100 + d), true
}
