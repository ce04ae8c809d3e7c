package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// parts are the files that a workbook consists of. What they say of their sizes isn't
// believed: everything that is unpacked, of all of them together, is counted.
type parts struct {
	byName map[string]*zip.File
	left   int64
}

// openParts looks into a workbook without unpacking anything of it.
func openParts(data []byte, limits *Limits) (*parts, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, broken("open: %w", err)
	}
	if len(z.File) > limits.Parts {
		return nil, refuse(badBomb)
	}
	p := &parts{byName: make(map[string]*zip.File, len(z.File)), left: limits.Inflated}
	var claimed uint64
	for _, f := range z.File {
		name := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/"))
		if _, twice := p.byName[name]; twice {
			return nil, broken("%q stands in it twice", name)
		}
		p.byName[name] = f
		if claimed += f.UncompressedSize64; claimed > uint64(limits.Inflated) || f.UncompressedSize64 > uint64(limits.Inflated) {
			return nil, refuse(badBomb)
		}
		if f.UncompressedSize64 > manyTimes*f.CompressedSize64 && f.UncompressedSize64 > smallPart {
			return nil, refuse(badBomb)
		}
		if f.Flags&1 != 0 {
			return nil, refuse(badLocked)
		}
	}
	if err := p.suspect(); err != nil {
		return nil, err
	}
	return p, nil
}

// A part that is packed to less than a 400th is nothing that anybody has typed, unless it
// is small: a sheet of nothing but formatted empty rows gets to a hundredth.
const (
	manyTimes = 400
	smallPart = 4 << 20
)

// suspect says what is wrong with a package that is no workbook which is read.
func (p *parts) suspect() error {
	for name := range p.byName {
		if path.Base(name) == "vbaproject.bin" || strings.HasPrefix(name, "xl/macrosheets/") {
			return refuse(badMacros)
		}
	}
	switch {
	case p.byName["xl/workbook.bin"] != nil:
		return refuse(badBinary)
	case p.byName["mimetype"] != nil && p.byName["content.xml"] != nil:
		return refuse(badOpen)
	case p.byName["word/document.xml"] != nil || p.byName["ppt/presentation.xml"] != nil:
		return refuse(badOther)
	case p.byName["[content_types].xml"] == nil:
		return refuse(badOther)
	}
	macros := false
	err := p.read("[content_types].xml", func(d *decoder) error {
		return d.each(func(e *xml.StartElement) error {
			macros = macros || strings.Contains(strings.ToLower(attr(e, "ContentType")), "macroenabled")
			return nil
		})
	})
	if err == nil && macros {
		return refuse(badMacros)
	}
	return err
}

// errBomb stops unpacking.
var errBomb = errors.New("unpacks to too much")

// read unpacks a part while it is read.
func (p *parts) read(name string, use func(*decoder) error) (err error) {
	f := p.byName[strings.ToLower(name)]
	if f == nil {
		return broken("%q is missing", name)
	}
	r, err := f.Open()
	if err != nil {
		return broken("open %q: %w", name, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	bounded := &rationed{r: r, left: &p.left}
	if err := use(&decoder{xml.NewDecoder(bounded)}); err != nil {
		if bounded.spent {
			return refuse(badBomb)
		}
		return fmt.Errorf("read %q: %w", name, err)
	}
	return nil
}

// rationed reads as much as is left, and no token of XML that is longer than any cell: a
// decoder holds the whole of one.
type rationed struct {
	r     io.Reader
	left  *int64
	token int
	spent bool
}

// maxToken is well above the greatest cell with each of its characters escaped.
const maxToken = 1 << 20

func (b *rationed) Read(into []byte) (int, error) {
	n, err := b.r.Read(into)
	if *b.left -= int64(n); *b.left < 0 {
		b.spent = true
		return 0, errBomb
	}
	if at := bytes.LastIndexByte(into[:n], '<'); at >= 0 {
		b.token = n - at
	} else if b.token += n; b.token > maxToken {
		b.spent = true
		return 0, errBomb
	}
	return n, err //nolint:wrapcheck // io.EOF must stay itself
}

// decoder reads XML token by token. It knows no entity but the five of XML itself.
type decoder struct{ *xml.Decoder }

// each visits every element's start.
func (d *decoder) each(visit func(*xml.StartElement) error) error {
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok {
			if err := visit(&start); err != nil {
				return err
			}
		}
	}
}

// attr is an attribute, whatever its prefix.
func attr(e *xml.StartElement, name string) string {
	for i := range e.Attr {
		if e.Attr[i].Name.Local == name {
			return e.Attr[i].Value
		}
	}
	return ""
}

// truth reads an attribute that says yes or no.
func truth(s string) bool { return s == "1" || s == "true" || s == "on" }
