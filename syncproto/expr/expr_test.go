package expr_test

import (
	"errors"
	"testing"

	"gridsync/syncproto"
	"gridsync/syncproto/expr"
)

// any takes every name, d… as a date and at… as a time.
func anyField(name string) (expr.Type, bool) {
	switch name[0] {
	case 'd':
		return expr.Date, true
	case '@':
		return expr.Time, true
	}
	return expr.Plain, true
}

// everything is known, and no setting has a default.
var everything = expr.Names{Field: anyField, Setting: func(string) (syncproto.Value, bool) { return syncproto.Null, true }}

func parse(t *testing.T, source string) *expr.Expr {
	t.Helper()
	e, err := expr.Parse(source, everything)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return e
}

type settings map[string]syncproto.Value

func (s settings) Setting(name string, _ expr.Day) syncproto.Value { return s[name] }

func scope() *expr.Scope {
	return &expr.Scope{
		Fields: syncproto.Fields{"t": "37.3", "name": `"王"`, "list": `["a","b"]`, "day": `"2020-01-31"`, "yes": "true", "none": "null", "empty": `""`},
		Self:   "5", Now: 1580400000000, Env: settings{"fever_threshold": "37.3"},
	}
}

func TestAnExpressionComesToWhatItSays(t *testing.T) {
	for source, want := range map[string]syncproto.Value{
		"${t} >= setting('fever_threshold')": "true",
		"${t} > 37.29999":                    "true",
		"0.1 + 0.2 = 0.3":                    "true",
		"1 div 3 * 3 = 1":                    "true",
		"1 div 3":                            "0.333333333333",
		"2 div 3":                            "0.666666666667",
		"1 div 0":                            "null",
		"-7 mod 3":                           "-1",
		"2 + 3 * 4 - -1":                     "15",
		"${none} = ''":                       "true",
		"${none} != ''":                      "false",
		"${none} = 0":                        "false",
		"${none} != 1":                       "true",
		"${none} < 1":                        "false",
		"${none} + 1":                        "null",
		"selected(${list}, 'a')":             "true",
		"selected(${list}, 'c')":             "false",
		"selected(${name}, '王')":             "true",
		"count-selected(${list})":            "2",
		"selected-at(${list}, 1)":            `"b"`,
		"${list} = 'a b'":                    "true",
		"string-length('𠮷a')":                "2",
		"substr('abcd', 1, 3)":               `"bc"`,
		"concat('a', 1.50, ${day})":          `"a1.52020-01-31"`,
		"today()":                            `"2020-01-31"`,
		"today() - ${day}":                   "0",
		"${day} + 30":                        `"2020-03-01"`,
		"${day} <= today()":                  "true",
		"${day} = '2020-01-31'":              "true",
		"now() + 1":                          "1580486400000",
		"format-date(now(), '%e.%n.%Y')":     `"31.1.2020"`,
		"format-date(${day}, '%Y-%m-%d %H')": `"2020-01-31 00"`,
		"int(-2.5)":                          "-2",
		"round(2.345, 2)":                    "2.35",
		"round(-2.5)":                        "-2",
		"if(${yes}, 'a', 'b')":               `"a"`,
		"coalesce(${none}, ${empty}, 3)":     "3",
		"regex('13900', '1[0-9]{4}')":        "true",
		"regex('x13900', '1[0-9]{4}')":       "false",
		"not(1 = 2) and true()":              "true",
		". * 2":                              "10",
		"number('007') = 7":                  "true",
		"'7' = 7":                            "true",
		"min(3, ${none}, 2)":                 "2",
		"max(3, 'x', 2)":                     "3",
		"date(18292)":                        `"2020-01-31"`,
		"setting('nothing') = ''":            "true",
	} {
		if got := parse(t, source).Value(scope()); got != want {
			t.Errorf("%s is %s, want %s", source, got, want)
		}
	}
}

func TestWhatIsNoExpressionSaysWhereAndWhy(t *testing.T) {
	for source, want := range map[string]int{
		"": 1, "1 +": 4, "1 2": 3, "(1": 3, "foo(1)": 1, "pulldata('a')": 1, "if(1, 2)": 1, "${王}": 1, "$x": 1, "'a": 1,
		"a = 1": 1, "/data/x = 1": 1, "1 ≤ 2": 3, "‘a’": 1, "setting(1)": 9, "regex('a', ${b})": 12, "regex('王', '(?=a)')": 12,
		"regex('', 'a*?')": 11, "regex('', '[a')": 11, `regex('', '\1')`: 11, "regex('', 'a{2000}')": 11, "regex('', 'a|b)')": 11,
		"format-date(now(), '%Q')": 20, "123456789012345678901": 1, "true(1)": 1, "1 = ": 5,
	} {
		_, err := expr.Parse(source, everything)
		var p *expr.Problem
		if !errors.As(err, &p) || p.At != want || p.Message().ZH == "" || p.Message().EN == "" {
			t.Errorf("%q: %v, want a problem at %d", source, err, want)
		}
	}
}
