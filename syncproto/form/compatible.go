package form

import (
	"fmt"
	"slices"

	"gridsync/syncproto"
)

// Incompatible says what keeps a form from following another as its next version.
type Incompatible struct {
	// Field is the field it is about, "" for the form as a whole.
	Field  string
	Reason syncproto.Text
}

func (e *Incompatible) Error() string {
	if e.Field == "" {
		return e.Reason.EN
	}
	return fmt.Sprintf("field %s: %s", e.Field, e.Reason.EN)
}

// Message is what whoever publishes reads.
func (e *Incompatible) Message() syncproto.Text {
	if e.Field == "" {
		return e.Reason
	}
	return syncproto.Text{ZH: "栏目 " + e.Field + "：" + e.Reason.ZH, EN: e.Error()}
}

// Compatible says why next can't follow old as the newest form of a kind, as an
// *Incompatible; nil if it can. Records keep what was recorded under old and are shown by
// next, so a field never goes (it is retired), never becomes another type or rule, and
// never less personal; no choice goes, and the order of choices by severity stays. Labels,
// hints, conditions, flags, measures and bounds may change, and fields and choices be
// added.
func Compatible(old, next *Form) error {
	if found := incompatible(old, next); found != nil {
		return found
	}
	for i := range old.Fields {
		was := &old.Fields[i]
		is, there := next.byName[was.Name]
		if !there {
			return &Incompatible{was.Name, syncproto.Text{ZH: "栏目不能删除，请改为停用（retired）", EN: "a field can't be removed: retire it"}}
		}
		if reason, ok := fieldFollows(was, is); !ok {
			return &Incompatible{was.Name, reason}
		}
	}
	return nil
}

func incompatible(old, next *Form) *Incompatible {
	switch {
	case next.Kind != old.Kind:
		return &Incompatible{"", syncproto.Text{ZH: "表单种类不同", EN: "it is a form of another kind"}}
	case next.Version != old.Version+1:
		return &Incompatible{"", syncproto.Text{
			ZH: fmt.Sprintf("版本应为 %d", old.Version+1), EN: fmt.Sprintf("the version must be %d", old.Version+1),
		}}
	case next.Stream != old.Stream:
		return &Incompatible{"", syncproto.Text{ZH: "传送方式（stream）不能更改", EN: "the stream can't change"}}
	case next.Decided != old.Decided:
		return &Incompatible{"", syncproto.Text{ZH: "是否只由裁定填写（decided）不能更改", EN: "what is decided only can't change"}}
	case (next.Sightings == nil) != (old.Sightings == nil) || next.Sightings != nil &&
		(next.Sightings.Round != old.Sightings.Round || next.Sightings.Subjects != old.Sightings.Subjects):
		return &Incompatible{"", syncproto.Text{ZH: "轮次比较所用的栏目不能更改", EN: "the fields that rounds are compared by can't change"}}
	}
	return nil
}

// fieldFollows reports whether a field can be what another was, or why not.
func fieldFollows(was, is *Field) (syncproto.Text, bool) {
	switch {
	case is.Type != was.Type:
		return syncproto.Text{ZH: "类型不能更改", EN: "its type can't change"}, false
	case is.Rule != was.Rule:
		return syncproto.Text{ZH: "合并规则不能更改", EN: "its rule of merging can't change"}, false
	case is.Of != was.Of:
		return syncproto.Text{ZH: "所指的档案种类不能更改", EN: "the kind that it names can't change"}, false
	case is.Unit != was.Unit:
		return syncproto.Text{ZH: "单位不能更改", EN: "its unit can't change"}, false
	case personal(is.Class) < personal(was.Class):
		return syncproto.Text{ZH: "个人信息级别不能降低", EN: "it can't become less personal"}, false
	case was.Indexed && !is.Indexed:
		return syncproto.Text{ZH: "索引不能取消", EN: "it can't cease to be indexed"}, false
	}
	return choicesFollow(was, is)
}

// personal orders the classes.
func personal(c Class) int { return slices.Index([]Class{Open, Personal, Secret}, c) }

// choicesFollow holds that no choice is gone, and that those of a field that shows the
// severest stand in the same order.
func choicesFollow(was, is *Field) (syncproto.Text, bool) {
	place := -1
	for _, o := range was.Choices {
		at := slices.IndexFunc(is.Choices, func(p Option) bool { return p.Code == o.Code })
		switch {
		case at < 0:
			return syncproto.Text{ZH: "选项 " + o.Code + " 不能删除", EN: "the choice " + o.Code + " can't be removed"}, false
		case at < place && was.Rule == Severest:
			return syncproto.Text{ZH: "轻重次序不能更改", EN: "the order by severity can't change"}, false
		}
		place = at
	}
	return syncproto.Text{}, true
}
