package intake

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// What columns hold besides fields of the form.
const (
	colArea     = "@area"      // where the row belongs: a code or a name
	colAreaName = "@area_name" // the name, beside a code
	colAddress  = "@address"   // of a person's household
	colHead     = "@head"      // of a person's household
	colTenure   = "@tenure"    // of a person's household
	colRecord   = "@record"    // the record's id, as our own files have it
	colIgnored  = "@ignored"   // known, and not taken: a running number, what follows from the rest
	colCode     = "@code"      // of an area
	colName     = "@name"      // of an area
	colParent   = "@parent"    // of an area
)

// standingColumns are what a column holds besides fields, with the headings it goes by.
var standingColumns = []struct {
	target  string
	label   syncproto.Text
	aliases []string
}{
	{colArea, syncproto.Text{ZH: "所属区域", EN: "Area"}, []string{
		"网格", "网格编码", "网格代码", "网格名称", "所属网格", "区域", "区域编码", "区域代码", "所属区域", "所在区域", "area", "area_code", "area code", "grid",
	}},
	{colAreaName, syncproto.Text{ZH: "区域名称", EN: "Area name"}, []string{"区域名称", "area_name", "area name", "社区", "村社", "村（社区）", "所属社区", "街道", "乡镇街道"}},
	{colRecord, syncproto.Text{ZH: "档案编号", EN: "Record"}, []string{"档案编号", "record"}},
	{colIgnored, syncproto.Text{ZH: "不导入", EN: "not imported"}, []string{
		"序号", "编号", "no", "no.", "#", "离开登记", "exit", "待核查栏目", "in dispute", "年龄", "age", "与户主关系",
	}},
}

// personColumns are what a person's row says of its household.
var personColumns = []struct {
	target  string
	label   syncproto.Text
	aliases []string
}{
	{colAddress, syncproto.Text{ZH: "住址", EN: "Address"}, addressAliases},
	{colHead, syncproto.Text{ZH: "户主", EN: "Head of household"}, headAliases},
	{colTenure, syncproto.Text{ZH: "居住性质", EN: "Tenure"}, []string{"居住性质", "房屋性质", "tenure"}},
}

var (
	addressAliases = []string{
		"住址", "地址", "家庭住址", "家庭地址", "现住址", "现住地址", "居住地址", "居住地", "详细地址", "户籍地址", "门牌", "门牌号", "address",
	}
	headAliases = []string{"户主", "户主姓名", "head", "head of household"}
)

// aliases are the headings by which fields go besides their names and labels.
var aliases = map[string][]string{
	"name":       {"名字", "人员姓名", "真实姓名", "居民姓名"},
	"id_number":  {"身份证", "身份证号", "身份证号码", "证件号码", "证件号", "公民身份号码", "身份号码", "身份证件号码"},
	"mobile":     {"电话", "手机", "手机号", "手机号码", "联系电话", "联系方式", "电话号码", "联系手机", "本人电话", "phone", "tel"},
	"birth":      {"出生日期", "出生年月", "出生年月日", "生日", "birthday"},
	"sex":        {"性别", "gender"},
	"employer":   {"单位", "就业单位", "所在单位"},
	"came_from":  {"来源地", "从何处来", "返回地", "出发地"},
	"arrived_on": {"返回日期", "抵达日期", "来返日期", "返回时间", "到达时间", "抵达时间"},
	"transport":  {"交通方式", "车次", "航班", "车次航班"},
	"classes":    {"人员类别", "人员类型", "人员分类"},
	"vulnerable": {"重点人群"},
	"residence":  {"户口性质"},
	"note":       {"说明", "备注说明"},
	"address":    addressAliases,
	"head":       headAliases,
	"headcount":  {"人口数", "家庭人数", "户人数", "人数"},
	"tenure":     {"房屋性质", "居住类型"},
	"building":   {"楼栋", "楼栋单元", "幢单元"},
	"found_on":   {"登记日期"},
}

// areaColumns are those of a file of areas.
var areaColumns = []struct {
	target  string
	label   syncproto.Text
	aliases []string
}{
	{colCode, syncproto.Text{ZH: "编码", EN: "Code"}, []string{"编码", "代码", "区域编码", "区域代码", "code", "id", "area_code"}},
	{colName, syncproto.Text{ZH: "名称", EN: "Name"}, []string{"名称", "区域名称", "网格名称", "name"}},
	{colParent, syncproto.Text{ZH: "上级编码", EN: "Parent"}, []string{"上级", "上级编码", "上级代码", "上级区域", "parent"}},
}

// heading is a heading as it is compared: half width, without spaces, what stands in
// brackets, and the marks of what is required.
func heading(s string) string {
	s = strings.ToLower(strings.TrimSpace(norm.NFKC.String(s)))
	if i := strings.IndexAny(s, "(["); i > 0 {
		s = s[:i]
	}
	return strings.Trim(strings.Join(strings.Fields(s), " "), "*:： ")
}

// target is what a column holds: a field's name, or one of the columns above.
type target struct {
	name  string
	label syncproto.Text
	field *form.Field // nil for what is no field
}

// vocabulary finds what a heading means.
type vocabulary struct {
	byHeading map[string]target
	byName    map[string]target
}

func (v *vocabulary) add(t target, headings ...string) {
	v.byName[t.name] = t
	for _, h := range headings {
		if h = heading(h); h == "" {
			continue
		}
		if _, taken := v.byHeading[h]; !taken {
			v.byHeading[h] = t
		}
	}
}

// vocabularyOf is that of one kind. The form's own names and labels come first: aliases
// never take a heading that a form gives.
func vocabularyOf(kind syncproto.Kind, f *form.Form) *vocabulary {
	v := &vocabulary{byHeading: make(map[string]target), byName: make(map[string]target)}
	if kind == KindArea {
		for _, c := range areaColumns {
			v.add(target{name: c.target, label: c.label}, c.aliases...)
		}
		v.add(target{name: colIgnored}, "序号", "no", "备注", "级别")
		return v
	}
	for i := range f.Fields {
		field := &f.Fields[i]
		v.add(target{field.Name, field.Label, field}, field.Name, field.Label.ZH, field.Label.EN)
	}
	for i := range f.Fields {
		field := &f.Fields[i]
		v.add(target{field.Name, field.Label, field}, aliases[field.Name]...)
	}
	for _, c := range standingColumns {
		v.add(target{name: c.target, label: c.label}, c.aliases...)
	}
	if kind == kindPerson {
		for _, c := range personColumns {
			v.add(target{name: c.target, label: c.label}, c.aliases...)
		}
	}
	return v
}

// layout says what the columns of a file hold.
type layout struct {
	targets []target // by place; the zero target for a column that isn't taken
	at      map[string]int
}

// layOut holds a file's headings against a vocabulary.
func (v *vocabulary) layOut(p *Plan, headings []string, mapping map[string]string) layout {
	l := layout{targets: make([]target, len(headings)), at: make(map[string]int)}
	for i, h := range headings {
		t, known := v.byHeading[heading(h)]
		if want, given := mapping[h]; given {
			if t, known = v.byName[want]; want == "" {
				t, known = target{name: colIgnored}, true
			} else if !known {
				p.Problems = append(p.Problems, Problem{Column: h, Text: sayf(textNoField, want)})
				continue
			}
		}
		switch {
		case strings.TrimSpace(h) == "":
			continue
		case !known:
			p.Ignored = append(p.Ignored, h)
			continue
		}
		if first, twice := l.at[t.name]; twice && t.name != colIgnored {
			p.Problems = append(p.Problems, Problem{Column: h, Text: sayf(textColumnTwice, headings[first], h)})
			continue
		}
		l.targets[i], l.at[t.name] = t, i
		p.Columns = append(p.Columns, Column{Header: h, Field: strings.TrimPrefix(t.name, "@"), Label: t.label})
	}
	return l
}

// need notes which of these are not there; one of the names in each list will do.
func (l layout) need(p *Plan, v *vocabulary, wanted ...[]string) {
	for _, any := range wanted {
		if slices.ContainsFunc(any, func(name string) bool { _, ok := l.at[name]; return ok }) {
			continue
		}
		p.Missing = append(p.Missing, v.byName[any[0]].label)
	}
}
