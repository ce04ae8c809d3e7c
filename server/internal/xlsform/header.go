package xlsform

import (
	"slices"
	"strings"

	"gridsync/syncproto"
)

// header is what the first row of a sheet says of its columns.
type header struct {
	row     int // of the header itself, from 1
	columns []column
}

// column is one column: its name as XLSForm's reference writes it, and the language that
// stands behind the colons.
type column struct {
	name     string
	language language
	index    int
}

// cell is what stands in one cell.
type cell struct {
	text string
	at   place
}

// row is one row below a header.
type row struct {
	sheet  *sheet
	header *header
	number int
}

// aliases are the names under which columns went in older forms.
var aliases = map[string]string{
	"caption": "label", "list name": "list_name", "value": "name", "tag": "name", "command": "type",
	"relevance": "relevant", "bind::relevant": "relevant", "bind::required": "required", "bind::constraint": "constraint",
	"bind::calculate": "calculation", "calculate": "calculation", "readonly": "read_only", "bind::readonly": "read_only",
	"constraint message": "constraint_message", "constraining message": "constraint_message", "bind::jr:constraintmsg": "constraint_message",
	"requiredmsg": "required_message", "required message": "required_message", "bind::jr:requiredmsg": "required_message",
	"control::appearance": "appearance", "count": "repeat_count", "jr:count": "repeat_count",
	"set form title": "form_title", "title": "form_title", "set form id": "form_id", "id_string": "form_id",
	"media::image": "image", "media::audio": "audio", "media::video": "video", "media::big-image": "big-image",
}

// translated are the columns that stand once for each language.
var translated = []string{"label", "hint", "guidance_hint", "constraint_message", "required_message", "image", "audio", "video", "big-image", "gridsync_flag_label"}

// readHeader takes the first row with anything in it.
func (r *reader) readHeader(s *sheet) *header {
	for i, cells := range s.rows {
		if empty(cells) {
			continue
		}
		h := &header{row: i + 1}
		for j, text := range cells {
			if text != "" {
				r.addColumn(s, h, j, text)
			}
		}
		return h
	}
	return &header{}
}

func empty(cells []string) bool {
	return !slices.ContainsFunc(cells, func(c string) bool { return c != "" })
}

func (r *reader) addColumn(s *sheet, h *header, index int, text string) {
	name, tongue := splitHeader(text)
	c := column{name: name, language: languageOf(tongue), index: index}
	if slices.ContainsFunc(h.columns, func(o column) bool { return o.name == c.name && o.language == c.language && c.language != other }) {
		r.problem(s.at(h.row, index), say("列“%s”重复，只读了第一列", "the column %q is there twice; only the first was read", text))
		return
	}
	if c.language == other {
		r.remark(s.at(h.row, index), say("不保留此语言：%s", "this language is not kept: %s", tongue))
	}
	h.columns = append(h.columns, c)
}

// splitHeader cuts label::English (en) into a column's name and its language. One colon
// was enough in older forms.
func splitHeader(text string) (name, tongue string) {
	lower := strings.ToLower(text)
	if known, ok := aliases[lower]; ok {
		return known, ""
	}
	for _, cut := range []string{"::", ":"} {
		at := strings.LastIndex(lower, cut)
		if at < 0 {
			continue
		}
		name := strings.TrimSpace(lower[:at])
		if known, ok := aliases[name]; ok {
			name = known
		}
		if slices.Contains(translated, name) {
			return name, strings.TrimSpace(text[at+len(cut):])
		}
	}
	return lower, ""
}

// rows are those below the header that say anything.
func (s *sheet) below(h *header) []row {
	var all []row
	for i := h.row; i < len(s.rows); i++ {
		if !empty(s.rows[i]) {
			all = append(all, row{s, h, i + 1})
		}
	}
	return all
}

// cell returns what stands in the column of that name, or an empty cell.
func (l row) cell(name string) cell {
	for _, c := range l.header.columns {
		if c.name == name && c.language == plain {
			return l.in(c)
		}
	}
	return cell{at: l.sheet.at(l.number, 0)}
}

func (l row) in(c column) cell {
	found := cell{at: l.sheet.at(l.number, c.index)}
	if cells := l.sheet.rows[l.number-1]; c.index < len(cells) {
		found.text = cells[c.index]
	}
	return found
}

// text returns what a translated column says in both of our languages, and the cell that it
// was found in. A language that is not there is stood for by one that is: a question with an
// English label is better than one with none.
func (l row) text(name string, plainIs language) (syncproto.Text, cell) {
	var said [languages]cell
	for _, c := range l.header.columns {
		if c.name != name {
			continue
		}
		if found := l.in(c); found.text != "" && said[c.language].text == "" {
			said[c.language] = found
		}
	}
	if said[plainIs].text == "" {
		said[plainIs] = said[plain]
	}
	zh := firstSaid(said[chinese], said[plain], said[english], said[other])
	en := firstSaid(said[english], said[plain], said[chinese], said[other])
	return syncproto.Text{ZH: zh.text, EN: en.text}, zh
}

func firstSaid(cells ...cell) cell {
	for _, c := range cells {
		if c.text != "" {
			return c
		}
	}
	return cell{}
}

// unused remarks on the columns of a sheet that nobody reads, if they say anything.
func (r *reader) unused(s *sheet, h *header, known func(name string) (read bool, why *syncproto.Text)) {
	for _, c := range h.columns {
		read, why := known(c.name)
		if read {
			continue
		}
		for _, l := range s.below(h) {
			if found := l.in(c); found.text != "" {
				if why == nil {
					why = &textUnread
				}
				r.remark(s.at(h.row, c.index), syncproto.Text{ZH: "列 " + c.name + "：" + why.ZH, EN: "column " + c.name + ": " + why.EN})
				break
			}
		}
	}
}

var textUnread = syncproto.Text{ZH: "没有用到", EN: "is not used"}
