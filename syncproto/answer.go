package syncproto

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// Write appends the answer to b, byte for byte as Encode has it. Most of an answer to a
// push are verdicts, which are written here without encoding/json, in a third of its time.
func (a *Answer) Write(b *bytes.Buffer) error {
	if len(a.Verdicts) == 0 {
		return encodeTo(b, a)
	}
	var rest bytes.Buffer
	bare := *a
	bare.Verdicts = nil
	if err := encodeTo(&rest, &bare); err != nil {
		return err
	}
	// Before the receipt stand numbers and an epoch only.
	at := bytes.Index(rest.Bytes(), []byte(`,"receipt":`))
	b.Write(rest.Bytes()[:at])
	b.WriteString(`,"verdicts":[`)
	for i := range a.Verdicts {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := a.Verdicts[i].appendTo(b.AvailableBuffer())
		if err != nil {
			return err
		}
		b.Write(text)
	}
	b.WriteByte(']')
	b.Write(rest.Bytes()[at:])
	return nil
}

// encodeTo is Encode into a buffer.
func encodeTo(b *bytes.Buffer, x any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(x); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the encoder's line end
	return nil
}

// appendTo writes a verdict; one with a reason, of which there are few, by encoding/json.
func (v *Verdict) appendTo(b []byte) ([]byte, error) {
	if v.Reason != nil || v.First != "" {
		text, err := Encode(v)
		return append(b, text...), err
	}
	b = strconv.AppendUint(append(b, `{"n":`...), v.N, 10)
	b = append(append(append(b, `,"verdict":"`...), v.Verdict...), '"')
	if v.Version != 0 {
		b = strconv.AppendInt(append(b, `,"version":`...), int64(v.Version), 10)
	}
	if s := v.Stamp; s != nil {
		b = strconv.AppendInt(append(b, `,"stamp":{"time":`...), int64(s.Time), 10)
		b = strconv.AppendInt(append(b, `,"earliest":`...), int64(s.Earliest), 10)
		b = strconv.AppendInt(append(b, `,"latest":`...), int64(s.Latest), 10)
		b = append(b, '}')
	}
	return append(b, '}'), nil
}
