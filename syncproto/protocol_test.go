package syncproto_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"testing"

	"gridsync/syncproto"
)

// The history of the wire. A line here, the number in doc.go and the shape below
// change together.
//
//	1  2026-11-21  the first: one round trip, changes, verdicts, receipt, feeds
//	1  2026-11-22  added: told in an answer, with, undoes and spent in a part; a change's with,
//	               undoes and answers, which older replicas pass on as unknown members;
//	               above of an area, whose broadcasts an older replica shows like records;
//	               settings of an area and templates, without which an older replica asks and
//	               flags by what its program came with
const pinned = 1

// shape is every message of protocol 1: Go's name, and of each member its name on
// the wire, how it is written, and "?" if it may be missing.
const shape = `
Answer: protocol int; epoch Epoch; now Instant; verdicts? []Verdict; receipt Receipt; reset? bool; notice? *Error; left? []AreaID; restarted? []AreaID; areas? []Area; forms? []RawMessage; templates? []RawMessage; records? []Record; gone? []Gone; told? []Told; sums? map[AreaID]Sum; cursor string; more? bool
Area: id AreaID; name string; parent? AreaID; above? bool; settings? []Setting
Beside: record RecordID; version Version
Enrolled: author AuthorID; access string; access_until Instant; refresh string; refresh_until Instant; now Instant; box []uint8; state EnrolmentState; undertaking int
Enrolling: code string; device DeviceID; key []uint8; name string; phone? string; app? string; undertaking int; signature []uint8
Exit: reason string; date string; destination? string
Gone: record RecordID; kind Kind; area AreaID; version Version
Invited: area AreaID; area_name string; role string; from Instant; to? Instant; confirmed? bool; undertaking Undertaking
Masked: masked string; tag? string
Origin: device DeviceID; n uint64
Part: version Version; device DeviceID; n uint64; author AuthorID; base Version; time Instant; earliest Instant; latest Instant; amid? []string; decides? bool; with? []Beside; undoes? []Origin; fields Fields; spent? Fields
Receipt: through uint64; missing? []Span; parked? []Waiting; held uint64; digest Digest
Record: id RecordID; kind Kind; area AreaID; version Version; live []Part
Renewing: device DeviceID; refresh string; clock Instant; accepted? int; signature []uint8
Request: protocol int; device DeviceID; clock Instant; epoch? *Epoch; cursor? string; high uint64; unsent int; app? string; page_bytes? int; restart? []AreaID; deliver? bool; changes? []RawMessage
Sealed: n uint64; sealed []uint8
Setting: name string; from string; value Value
Span: from uint64; to uint64
Stamp: time Instant; earliest Instant; latest Instant
Text: zh string; en string
Tokens: access string; access_until Instant; refresh string; refresh_until Instant; now Instant; box []uint8; state EnrolmentState; undertaking int
Told: version Version; at Instant; n uint64; author AuthorID; kind Kind; record RecordID; item string; field? string; said Said; shows? Value; by? AuthorID; reason? string; other? RecordID
Undertaking: version int; text Text
Verdict: n uint64; verdict Outcome; first? Outcome; version? Version; stamp? *Stamp; reason? *Error
Waiting: n uint64; code Code
`

// members lists a message's members as shape does.
func members(typ reflect.Type, messages map[string]reflect.Type) string {
	var list []string
	for i := range typ.NumField() {
		field := typ.Field(i)
		if field.Anonymous {
			list = append(list, members(field.Type, messages))
			messages[field.Type.Name()] = field.Type
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if options == "omitempty" || options == "omitzero" {
			name += "?"
		}
		text := strings.NewReplacer("syncproto.", "", "json.", "").Replace(field.Type.String())
		list = append(list, name+" "+text)
		inner := field.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner.Name() != "Error" && messages[inner.Name()] == nil {
			messages[inner.Name()] = inner
			members(inner, messages)
		}
	}
	return strings.Join(list, "; ")
}

func TestTheShapeOfTheWireIsPinnedToItsNumber(t *testing.T) {
	messages := map[string]reflect.Type{}
	for _, m := range []any{
		syncproto.Request{},
		syncproto.Answer{},
		syncproto.Exit{},
		syncproto.Text{},
		syncproto.Sealed{},
		syncproto.Masked{},
		syncproto.Enrolling{},
		syncproto.Enrolled{},
		syncproto.Invited{},
		syncproto.Renewing{},
	} {
		messages[reflect.TypeOf(m).Name()] = reflect.TypeOf(m)
		members(reflect.TypeOf(m), messages)
	}
	var lines []string
	for name, typ := range messages {
		lines = append(lines, name+": "+members(typ, messages))
	}
	sort.Strings(lines)
	got := strings.Join(lines, "\n")
	if syncproto.Protocol != pinned || got != strings.TrimSpace(shape) {
		t.Errorf("protocol %d has the shape below. If a replica of protocol %d would misread it, raise the number; either way pin it and write the history.\n%s", syncproto.Protocol, pinned, got)
	}
	if syncproto.OldestProtocol > syncproto.Protocol || syncproto.Protocol-syncproto.OldestProtocol > 2 {
		t.Errorf("protocols %d to %d: the present one and the two before it", syncproto.OldestProtocol, syncproto.Protocol)
	}
}

const sampleRequest = `{"protocol":1,"device":"` + device1 + `","clock":1583020800000,"epoch":"` + record1 + `","cursor":"c","high":2,"unsent":1,"app":"test 1","page_bytes":4096,"restart":["330702"],"deliver":true,"changes":[` + sampleChange + `]}`

const sampleChange = `{"id":"` + change1 + `","n":2,"author":"` + author1 + `","kind":"person","record":"` + record1 + `","area":"330702","base":7,"fields":{"name":"a<b>&c","age":9007199254740993},"amid":["name"],"decides":true,"at":1583020800000,"form":1,"answers":"` + change1 + `","mood":"good","undoes":[{"device":"` + device1 + `","n":1}],"with":[{"record":"` + record1 + `","version":3}]}`

const sampleAnswer = `{"protocol":1,"epoch":"` + record1 + `","now":1583020800000,"verdicts":[{"n":1,"verdict":"duplicate","first":"merged","version":3},{"n":2,"verdict":"applied","version":4,"stamp":{"time":2,"earliest":1,"latest":3}},{"n":3,"verdict":"parked","reason":{"code":"out_of_area","field":"area","message":{"zh":"不在填写人负责的区域内，已收下，等待社区处理","en":"Outside the author's area. The entry is kept and waits for the community"}}}],"receipt":{"through":3,"missing":[{"from":2,"to":2}],"parked":[{"n":3,"code":"out_of_area"}],"held":2,"digest":"0000000000000000000000000000000000000000000000000000000000000001"},"reset":true,"left":["a"],"restarted":["b"],"areas":[{"id":"b","name":"乙<1>","parent":"c"}],"forms":[{"kind":"x"}],"records":[{"id":"` + record1 + `","kind":"person","area":"b","version":9,"live":[{"version":9,"device":"` + device1 + `","n":1,"author":"` + author1 + `","base":0,"time":2,"earliest":1,"latest":3,"amid":["name"],"decides":true,"with":[{"record":"` + record1 + `","version":3}],"undoes":[{"device":"` + device1 + `","n":1}],"fields":{"name":"a<b>&c"},"spent":{"note":null}}]}],"gone":[{"record":"` + record1 + `","kind":"person","area":"b","version":9}],"told":[{"version":9,"at":2,"n":1,"author":"` + author1 + `","kind":"person","record":"` + record1 + `","item":"conflict","field":"name","said":"other","shows":"a<b>&c","by":"` + author1 + `","reason":"<看过>"},{"version":9,"at":2,"n":2,"author":"` + author1 + `","kind":"person","record":"` + record1 + `","item":"duplicate","said":"settled","other":"` + record1 + `"}],"sums":{"b":"00000000000000ff"},"cursor":"c2","more":true}`

// A message read and written again is the same text, byte for byte.
func TestMessagesComeBackAsTheyWere(t *testing.T) {
	for sample, into := range map[string]any{sampleRequest: &syncproto.Request{}, sampleAnswer: &syncproto.Answer{}} {
		if err := json.Unmarshal([]byte(sample), into); err != nil {
			t.Fatal(err)
		}
		again, err := syncproto.Encode(into)
		if err != nil {
			t.Fatal(err)
		}
		if string(again) != sample {
			t.Errorf("read\n%s\nwrote\n%s", sample, again)
		}
	}
	c, err := syncproto.DecodeChange([]byte(sampleChange), id[syncproto.DeviceID](t, device1))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.MarshalJSON(); err != nil || string(again) != sampleChange {
		t.Errorf("read\n%s\nwrote\n%s (%v)", sampleChange, again, err)
	}
}

// Which record a part is of is known where several are looked at as one, and nowhere else.
func TestAPartTravelsWithoutTheRecordThatItIsOf(t *testing.T) {
	p := syncproto.Part{Of: id[syncproto.RecordID](t, record1), Fields: syncproto.Fields{"a": "1"}}
	text, err := syncproto.Encode(p)
	if err != nil || strings.Contains(string(text), record1) {
		t.Errorf("wrote %s (%v)", text, err)
	}
	var read syncproto.Part
	if err := json.Unmarshal([]byte(`{"Of":"`+record1+`","of":"`+record1+`","-":"`+record1+`"}`), &read); err != nil || !read.Of.IsZero() {
		t.Errorf("read %s (%v)", read.Of, err)
	}
}

func TestOnlyWhatIsRefusedIsNotHeld(t *testing.T) {
	for _, o := range []syncproto.Outcome{syncproto.Applied, syncproto.Merged, syncproto.Disputed, syncproto.Parked, syncproto.Duplicate, syncproto.Refused} {
		if o.Held() != (o != syncproto.Refused) {
			t.Errorf("%s: held %v", o, o.Held())
		}
	}
}

func TestAnIdentityReadsInEitherCaseAndWritesInLower(t *testing.T) {
	upper, err := syncproto.ParseID[syncproto.RecordID](strings.ToUpper(record1))
	if err != nil || upper.String() != record1 {
		t.Errorf("%s (%v)", upper, err)
	}
	for _, bad := range []string{"", record1[1:], "{" + record1 + "}", "urn:uuid:" + record1, strings.ReplaceAll(record1, "-", ""), strings.Replace(record1, "0", "g", 1), strings.Repeat("0", 36)} {
		if got, err := syncproto.ParseID[syncproto.RecordID](bad); err == nil {
			t.Errorf("%q was read as %s", bad, got)
		}
	}
	var r syncproto.RecordID
	if err := json.Unmarshal([]byte(fmt.Sprintf("%q", record1)), &r); err != nil || r.IsZero() || r != upper {
		t.Errorf("%s (%v)", r, err)
	}
}

func TestFieldsAreWrittenAlikeByEveryReplica(t *testing.T) {
	f := syncproto.Fields{"b": syncproto.TextValue("<&> \u2028"), "a": "36.60", "c": "", "d": `[ "x y", 1 ]`}
	if got := string(f.Encode()); got != `{"a":36.60,"b":"<&> \u2028","c":null,"d":["x y",1]}` {
		t.Errorf("wrote %s", got)
	}
}
