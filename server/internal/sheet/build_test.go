package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"gridsync/syncproto"
)

// workbookOf is a workbook as a spreadsheet would save it.
func workbookOf(t *testing.T, rows [][]any, more ...func(*excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	for i, row := range rows {
		if err := f.SetSheetRow("Sheet1", Ref(0, i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	for _, do := range more {
		do(f)
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// must stops a test on the failures of a fixture's own making.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// pack zips parts; what is named first stands first.
func pack(t *testing.T, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		must(t, err)
		_, err = w.Write([]byte(parts[i+1]))
		must(t, err)
	}
	must(t, z.Close())
	return b.Bytes()
}

const (
	partTypes = `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`
	partRels  = `<?xml version="1.0"?><Relationships><Relationship Id="rId1" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	partBook  = `<?xml version="1.0"?><workbook xmlns:r="r"><sheets><sheet name="名单" sheetId="1" r:id="rId1"/></sheets></workbook>`
	partBook2 = `<?xml version="1.0"?><Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="x/styles" Target="styles.xml"/><Relationship Id="rId9" Type="x/externalLink" Target="file:///etc/passwd" TargetMode="External"/></Relationships>`
	partStyles = `<styleSheet><numFmts><numFmt numFmtId="176" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@"/></numFmts>` +
		`<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="176"/><xf numFmtId="22"/><xf numFmtId="20"/></cellXfs></styleSheet>`
)

// rawBook is a workbook whose one sheet is written by hand.
func rawBook(t *testing.T, sheetXML string, more ...string) []byte {
	t.Helper()
	return pack(t, append([]string{
		"[Content_Types].xml", partTypes, "_rels/.rels", partRels, "xl/workbook.xml", partBook, "xl/_rels/workbook.xml.rels", partBook2,
		"xl/styles.xml", partStyles, "xl/worksheets/sheet1.xml", sheetXML,
	}, more...)...)
}

// read reads what must be readable.
func read(t *testing.T, name string, data []byte, o Options) *Table {
	t.Helper()
	table, err := Read(t.Context(), name, data, o)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return table
}

// refused is why a file isn't read at all.
func refused(t *testing.T, name string, data []byte, o Options) string {
	t.Helper()
	table, err := Read(t.Context(), name, data, o)
	var e *syncproto.Error
	if table != nil || !errors.As(err, &e) || e.Code != syncproto.CodeBadFile {
		t.Fatalf("%s: read as %+v, %v", name, table, err)
	}
	if e.Message().ZH == (&syncproto.Error{Code: syncproto.CodeBadFile}).Message().ZH {
		t.Errorf("%q has no Chinese", e.Detail)
	}
	return e.Detail
}

// cells are a table's texts, row by row.
func cells(table *Table) string {
	var lines []string
	for i := range table.Rows {
		var texts []string
		for j := range table.Rows[i].Cells {
			texts = append(texts, table.Rows[i].Cells[j].Text)
		}
		lines = append(lines, fmt.Sprintf("%d:%s", table.Rows[i].N, strings.Join(texts, "|")))
	}
	return strings.Join(lines, "\n")
}

// list is what problems or remarks say: where, of which column, in Chinese.
func list(problems []Problem) string {
	var lines []string
	for _, p := range problems {
		where := p.Cell
		if where == "" {
			where = fmt.Sprintf("第%d行", p.Row)
		}
		first, _, _ := strings.Cut(where, ":")
		if _, row, ok := parseRef(first); ok && row != p.Row {
			where += fmt.Sprintf(" in row %d", p.Row)
		}
		line := fmt.Sprintf("%s %s %s", where, p.Column, p.Text.ZH)
		if p.N > 1 {
			line += fmt.Sprintf(" ×%d", p.N)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// lying makes a zip file whose directory says that a part is small.
func lying(t *testing.T, data []byte, part string, claimed uint32) []byte {
	t.Helper()
	out := bytes.Clone(data)
	for _, mark := range []string{"PK\x01\x02", "PK\x03\x04"} {
		size, name := 24, 46
		if mark == "PK\x03\x04" {
			size, name = 22, 30
		}
		for at := 0; ; at++ {
			i := bytes.Index(out[at:], []byte(mark))
			if i < 0 {
				break
			}
			at += i
			if !bytes.HasPrefix(out[at+name:], []byte(part)) {
				continue
			}
			for k := range 4 {
				out[at+size+k] = byte(claimed >> (8 * k))
			}
		}
	}
	return out
}
