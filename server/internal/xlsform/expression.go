package xlsform

import (
	"errors"
	"regexp"
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/expr"
	"gridsync/syncproto/form"
)

// expression reads the condition or calculation in a cell of the field self, which . means;
// "" if there is none, or if it means something that ours can't, which is a problem then.
func (r *reader) expression(c cell, self string) string { return r.readAs(c, self, "") }

// outside is expression of what is asked of a record as a whole: the question goes by its
// name in the survey.
func (r *reader) outside(c cell, asked string) string {
	return r.readAs(c, "", "${"+asked+"}")
}

// readAs puts point in place of . if it isn't empty.
func (r *reader) readAs(c cell, self, point string) string {
	if c.text == "" {
		return ""
	}
	text := r.rewrite(c, point)
	if text == "" {
		return ""
	}
	if wrong := r.parse(text, self); wrong != nil {
		r.problem(c.at, syncproto.Text{ZH: "条件“" + c.text + "”没有读入：" + wrong.ZH, EN: "the expression “" + c.text + "” was not read: " + wrong.EN})
		return ""
	}
	return text
}

// given are the questions that devices answer by themselves, and what an expression that
// speaks of them means.
var given = map[string]string{"today": "today()", "start": "now()", "end": "now()"}

// rewrite puts the names of fields in place of the survey's, and half-width quotes in place
// of those that word processors make.
func (r *reader) rewrite(c cell, point string) string {
	text := c.text
	if straight := straightened(text); straight != text {
		r.remark(c.at, say("全角或弯引号、括号和比较符号已改为半角", "curly or full-width quotes, brackets and signs were made plain ones"))
		text = straight
	}
	var out strings.Builder
	for len(text) > 0 {
		piece := pieceOf(text)
		text = text[len(piece):]
		switch {
		case strings.HasPrefix(piece, "${"):
			asked := strings.TrimSpace(strings.TrimSuffix(piece[2:], "}"))
			name, ok := r.referred(asked, c)
			if !ok {
				return ""
			}
			out.WriteString(name)
		case piece == "." && point != "":
			text = point + text
		default:
			out.WriteString(piece)
		}
	}
	return acknowledged(out.String(), r.agreed)
}

// referred is how an expression names what the survey calls asked.
func (r *reader) referred(asked string, c cell) (string, bool) {
	if s, ok := r.sums[asked]; ok {
		circle := s.state == reading
		if text := r.worked(s); text != "" {
			return "(" + text + ")", true
		}
		if circle { // which is said where it was found
			return "", false
		}
	} else if name, ok := r.names.of[asked]; ok {
		return "${" + name + "}", true
	}
	if meta, ok := r.metas[asked]; ok {
		if instead, ok := given[meta]; ok {
			return instead, true
		}
		r.problem(c.at, say("条件用到 ${%s}：%s 由同步自带，条件中不能引用，未读入", "the expression speaks of ${%s}: %s is known to sync and not to expressions; it was not read", asked, meta))
		return "", false
	}
	if r.lost[asked] {
		r.problem(c.at, say("条件用到没有读入的问题 ${%s}，因此也没有读入", "the expression speaks of ${%s}, which was not read, and so was not read either", asked))
		return "", false
	}
	r.problem(c.at, say("条件用到不存在的问题 ${%s}，没有读入", "the expression speaks of ${%s}, and there is no such question; it was not read", asked))
	return "", false
}

// sum is a calculation. Nobody records what it comes to, so it stands itself wherever the
// survey speaks of it.
type sum struct {
	asked string
	cell  cell
	text  string
	state sumState
}

// sumState is how far a sum was read: one that is met again while it is being read speaks
// of itself.
type sumState int

const (
	unread sumState = iota
	reading
	done
)

// maxExpression bounds what sums grow to in one another; the language has a bound near it.
const maxExpression = 4000

// worked is a calculation with those it speaks of written out; "" if there is none.
func (r *reader) worked(s *sum) string {
	switch s.state {
	case done:
		return s.text
	case reading:
		r.problem(s.cell.at, say("计算“%s”用到了自己", "the calculation %q speaks of itself", s.asked))
		return ""
	}
	s.state = reading
	s.text = r.outside(s.cell, s.asked)
	if len(s.text) > maxExpression {
		r.problem(s.cell.at, say("计算“%s”太长", "the calculation %q is too long", s.asked))
		s.text = ""
	}
	s.state = done
	if s.text == "" {
		r.lose(s.asked)
	}
	return s.text
}

// pieceOf is the first piece of an expression: a text in quotes, a name in braces, a number,
// a point by itself, or one byte of anything else.
func pieceOf(text string) string {
	switch c := text[0]; {
	case c == '\'' || c == '"':
		if end := strings.IndexByte(text[1:], c); end >= 0 {
			return text[:end+2]
		}
		return text
	case strings.HasPrefix(text, "${"):
		if end := strings.IndexByte(text, '}'); end >= 0 {
			return text[:end+1]
		}
		return text
	}
	if word := wordPattern.FindString(text); word != "" {
		return word
	}
	if strings.HasPrefix(text, "..") {
		return ".."
	}
	return text[:1]
}

// wordPattern is a name or a number, with the points in it.
var wordPattern = regexp.MustCompile(`^(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+|[A-Za-z_][A-Za-z0-9_:-]*)`)

// straighten are the signs that word processors and input methods write for plain ones.
var straighten = strings.NewReplacer("‘", "'", "’", "'", "“", `"`, "”", `"`, "（", "(", "）", ")", "，", ",", "＝", "=", "＜", "<", "＞", ">", "≤", "<=", "≥", ">=", "≠", "!=", "＇", "'", "＂", `"`)

// straightened changes signs outside of texts only: the quotes around a text are found
// first, as they may be curly themselves.
func straightened(text string) string {
	var out strings.Builder
	var closing rune
	for _, c := range text {
		switch {
		case closing != 0 && c == closing:
			closing = 0
		case closing != 0:
			out.WriteRune(c)
			continue
		default:
			closing = closings[c]
		}
		out.WriteString(straighten.Replace(string(c)))
	}
	if closing != 0 { // the quotes don't match: one was curly, the other not
		return straighten.Replace(text)
	}
	return out.String()
}

// closings are the quotes that end a text, by those that begin it.
var closings = map[rune]rune{'\'': '\'', '"': '"', '‘': '’', '“': '”', '＇': '＇', '＂': '＂'}

// okPattern is how an expression asks whether a trigger was ticked.
var okPattern = regexp.MustCompile(`\$\{([^}]+)\}\s*=\s*(?:'OK'|"OK")`)

// acknowledged asks of the questions that are answered by yes here whether they were.
func acknowledged(text string, agreed map[string]bool) string {
	return okPattern.ReplaceAllStringFunc(text, func(found string) string {
		if name := okPattern.FindStringSubmatch(found)[1]; agreed[name] {
			return "${" + name + "} = true()"
		}
		return found
	})
}

// both joins conditions that must hold together.
func both(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "" || a == b:
		return a
	}
	return "(" + a + ") and (" + b + ")"
}

// yes reads a cell that says yes or no. sure is false for anything else.
func yes(text string) (is, sure bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "yes", "y", "true", "true()", "1", "是":
		return true, true
	case "", "no", "n", "false", "false()", "0", "否":
		return false, true
	}
	return false, false
}

// mentions says whether a text that people read has an answer put into it.
func mentions(t syncproto.Text) bool { return strings.Contains(t.ZH+t.EN, "${") }

// parse holds an expression against the language.
func (r *reader) parse(text, self string) *syncproto.Text {
	own, _ := r.typeOf(self)
	_, err := expr.Parse(text, expr.Names{Field: r.typeOf, Self: own, Setting: setting})
	var wrong *expr.Problem
	if !errors.As(err, &wrong) {
		return nil
	}
	message := wrong.Message()
	return &message
}

// typeOf says how the values of a field are read.
func (r *reader) typeOf(name string) (expr.Type, bool) {
	typ, ok := r.types[name]
	switch typ {
	case form.Date:
		return expr.Date, ok
	case form.Time:
		return expr.Time, ok
	}
	return expr.Plain, ok
}

// setting is what a setting is where nobody has set it.
func setting(name string) (syncproto.Value, bool) {
	def, ok := form.SettingOf(name)
	if !ok {
		return "", false
	}
	return def.Default, true
}

// derives is outside of what is worked out anew at any time: today would make it another
// tomorrow.
func (r *reader) derives(c cell, asked string) string {
	text := r.outside(c, asked)
	if text == "" {
		return ""
	}
	e, err := expr.Parse(text, expr.Names{Field: r.typeOf, Setting: setting})
	if err == nil && e.UsesClock() {
		r.problem(c.at, say("“%s”用到今天或现在，随时间而变，不能用于统计和警示", "%q speaks of today or now, and what is counted or alarms must not change by itself", c.text))
		return ""
	}
	return text
}
