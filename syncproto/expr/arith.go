package expr

import (
	"math/big"

	"gridsync/syncproto/decimal"
)

// calculate adds, subtracts, multiplies and divides. A date or an instant may have days
// added to it or taken from it, and from another of its kind: what is left are days.
// What can't be reckoned is null.
func calculate(o op, a, b *value) value {
	if o <= opSubtract && (a.sort >= isDate || b.sort >= isDate) {
		return calculateDays(o, a, b)
	}
	x, y := a.number(), b.number()
	if x.sort == isNull || y.sort == isNull {
		return null
	}
	if x.exact == nil && y.exact == nil && o <= opSubtract {
		n := x.n + y.n
		if o == opSubtract {
			n = x.n - y.n
		}
		if n <= plainMost && n >= -plainMost {
			return value{sort: isNumber, n: n}
		}
	}
	p, q := x.rat(), y.rat()
	switch o {
	case opAdd:
		return exactly(new(big.Rat).Add(p, q))
	case opSubtract:
		return exactly(new(big.Rat).Sub(p, q))
	case opMultiply:
		return exactly(new(big.Rat).Mul(p, q))
	}
	if q.Sign() == 0 {
		return null
	}
	quotient := new(big.Rat).Quo(p, q)
	if o == opDivide {
		return exactly(quotient)
	}
	return exactly(new(big.Rat).Sub(p, quotient.Mul(q, new(big.Rat).SetInt(truncated(quotient)))))
}

// truncated drops what is behind the point.
func truncated(x *big.Rat) *big.Int { return new(big.Int).Quo(x.Num(), x.Denom()) }

func negate(v *value) value {
	x := v.number()
	switch {
	case v.sort >= isDate || x.sort == isNull:
		return null
	case x.exact == nil:
		return value{sort: isNumber, n: -x.n}
	}
	return exactly(new(big.Rat).Neg(x.exact))
}

func calculateDays(o op, a, b *value) value {
	if o == opAdd && b.sort >= isDate {
		a, b = b, a
	}
	if a.sort < isDate {
		return null // a number less a date
	}
	if b.sort >= isDate {
		if o == opAdd {
			return null
		}
		return between(a, b)
	}
	days := b.number()
	if days.sort == isNull {
		return null
	}
	if o == opSubtract {
		days = negate(&days)
	}
	if a.sort == isDate {
		if !days.rat().IsInt() || !days.rat().Num().IsInt64() {
			return null
		}
		n := days.rat().Num().Int64()
		if n > lastDay-firstDay || n < firstDay-lastDay {
			return null
		}
		if d, ok := dayNumbered(Day(a.n).number() + n); ok {
			return value{sort: isDate, n: int64(d)}
		}
		return null
	}
	millis := new(big.Rat).Mul(days.rat(), big.NewRat(dayMillis, 1))
	millis.Add(millis, new(big.Rat).SetInt64(a.n)).Add(millis, big.NewRat(1, 2))
	t := floor(millis)
	if !t.IsInt64() {
		return null
	}
	return instant(t.Int64())
}

// between is how many days lie between two dates, or two instants; an instant less a
// date, or a date less an instant, counts by its day.
func between(a, b *value) value {
	if a.sort == isInstant && b.sort == isInstant {
		return exactly(big.NewRat(a.n-b.n, dayMillis))
	}
	x, ok := a.day()
	y, also := b.day()
	if !ok || !also {
		return null
	}
	return whole(x.number() - y.number())
}

// rounded rounds to so many decimals, halves towards the greater number.
func rounded(v *value, decimals *value) value {
	x, d := v.number(), decimals.number()
	if x.sort == isNull || d.sort == isNull || d.exact != nil || d.n < 0 || d.n > 20*decimal.Million || d.n%decimal.Million != 0 {
		return null
	}
	return exactly(roundHalfUp(x.rat(), d.n/decimal.Million))
}
