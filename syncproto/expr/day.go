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
	const ahead = 8 * 60 * 60 * 1000
	if t > syncproto.MaxN || t < -syncproto.MaxN {
		return 0
	}
	n := (int64(t) + ahead) / dayMillis
	if (int64(t)+ahead)%dayMillis < 0 {
		n--
	}
	d, _ := dayNumbered(n)
	return d
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

const (
	dayMillis = 24 * 60 * 60 * 1000
	// firstDay is that of 0001-01-01, lastDay that of 9999-12-31, counted from 1970-01-01.
	firstDay, lastDay = -719162, 2932896
	// A calendar of years that begin in March repeats itself after an era of 400 years. The
	// first era began on 0000-03-01, so many days before 1970.
	eraDays, eraYears, beforeEpoch = 146097, 400, 719468
)

// number counts days from 1970-01-01.
func (d Day) number() int64 {
	y, m, day := int64(d)/10000, int64(d)/100%100, int64(d)%100
	if m <= 2 {
		y--
		m += 12
	}
	ofEra := y % eraYears
	ofYear := (153*(m-3)+2)/5 + day - 1
	return y/eraYears*eraDays + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - beforeEpoch
}

// dayNumbered is the day of such a count, and whether it lies in the years 1 to 9999.
func dayNumbered(n int64) (Day, bool) {
	if n < firstDay || n > lastDay {
		return 0, false
	}
	n += beforeEpoch
	era, ofEra := n/eraDays, n%eraDays
	year := (ofEra - ofEra/1460 + ofEra/36524 - ofEra/(eraDays-1)) / 365
	ofYear := ofEra - (365*year + year/4 - year/100)
	march := (5*ofYear + 2) / 153
	y, m, d := era*eraYears+year, march+3, ofYear-(153*march+2)/5+1
	if m > 12 {
		y, m = y+1, m-12
	}
	return Day(y*10000 + m*100 + d), true
}
