package intake

import (
	"fmt"

	"gridsync/syncproto"
)

// What plans say, Chinese first. Verbs in both texts take the same arguments.
var (
	textNoField     = syncproto.Text{ZH: "没有“%s”这个栏目", EN: "there is no field %q"}
	textColumnTwice = syncproto.Text{ZH: "“%s”和“%s”两列是同一个栏目，请删去一列", EN: "the columns %q and %q are one field; leave one of them out"}
	textNoRows      = syncproto.Text{ZH: "表中没有数据行", EN: "there is no row in the file"}
	textTooMany     = syncproto.Text{ZH: "超过 %d 行，请分成几个文件", EN: "more than %d rows: bring it in parts"}
	textMissing     = syncproto.Text{ZH: "缺少必需的列：%s", EN: "a column is missing that must be there: %s"}

	textRowRefused = syncproto.Text{ZH: "第 %d 行：%s", EN: "row %d: %s"}
	textRequired   = syncproto.Text{ZH: "%s：此项必填", EN: "%s: required"}
	textNotADate   = syncproto.Text{ZH: "“%s”不是完整日期，应如 2020-01-31", EN: "%q is no whole date, such as 2020-01-31"}
	textNotATime   = syncproto.Text{ZH: "“%s”不是完整时间，应如 2020-01-31 08:30", EN: "%q is no whole time, such as 2020-01-31 08:30"}
	textNotANumber = syncproto.Text{ZH: "“%s”不是数字", EN: "%q is no number"}
	textNotYesNo   = syncproto.Text{ZH: "“%s”应为是或否", EN: "%q is neither yes nor no"}
	textNoChoice   = syncproto.Text{ZH: "“%s”不在选项之中，应为：%s", EN: "%q is not one of the choices: %s"}
	textLostDigits = syncproto.Text{ZH: "号码被表格软件改成了科学计数（%s），末几位已丢失：请把该列设为“文本”后重新填写", EN: "the spreadsheet turned the number into %s and its last digits are lost: format the column as text and enter it again"}
	textIDShort    = syncproto.Text{ZH: "身份证号应为 18 位，这里是 %d 位", EN: "an ID number has 18 characters, this has %d"}
	textUnread     = syncproto.Text{ZH: "单元格读不出来，请改正后再导入", EN: "the cell can't be read: mend it and bring the file again"}
	textNotTaken   = syncproto.Text{ZH: "这类栏目不能由文件填写", EN: "a field of this type can't be filled in by a file"}

	textNoArea     = syncproto.Text{ZH: "所选区域之下没有“%s”", EN: "there is no %q below the chosen area"}
	textAreasAlike = syncproto.Text{ZH: "所选区域之下有 %[2]d 个“%[1]s”，请改用编码", EN: "%[2]d areas below the chosen one are called %[1]q: give the code"}

	textNoTenure     = syncproto.Text{ZH: "将新建的 %d 户没有居住性质，补填之前不计入户数：请加一列“居住性质”（户籍、租住、集体宿舍、企业），或导入后补填", EN: "%d of the households that would be made have no tenure and count in no number of households until they do: add a column “Tenure” (registered, rented, dormitory, firm), or fill it in later"}
	textOtherTenures = syncproto.Text{ZH: "%d 户已有档案，其居住性质与文件不同或尚缺；人员文件不改动已有的户，请用户的文件导入", EN: "%d households are there already with another tenure than the file's, or none; a file of people doesn't alter them: bring a file of households"}
	textTenures      = syncproto.Text{ZH: "同一户的居住性质与第 %d 行不同：请改正其中一行", EN: "row %d says otherwise of the tenure of the same household: mend one of them"}

	textNobody    = syncproto.Text{ZH: "姓名、身份证号、手机号至少填写一项", EN: "a name, an ID number or a mobile must be there"}
	textNoRecord  = syncproto.Text{ZH: "没有编号为“%s”的档案，或不在所选区域之内", EN: "there is no record %q in the chosen area"}
	textTwinSays  = syncproto.Text{ZH: "与第 %d 行像是同一份档案，但内容不同：请改正或删去一行", EN: "row %d seems to speak of the same record and says otherwise: mend one of them or leave it out"}
	textTwinMore  = syncproto.Text{ZH: "与第 %d 行像是同一份档案，但这一行多填了“%s”：请把两行合成一行", EN: "row %d seems to speak of the same record, and this one says more (%s): make one row of the two"}
	textKeptTasks = syncproto.Text{ZH: "有 %d 行没有读入；上一版名单中可能就是这些人的 %d 项任务保留，没有撤回", EN: "%d rows were left out; %d tasks of the version before that may be theirs stay and are not withdrawn"}
	textTooDeep   = syncproto.Text{ZH: "区域层级超过 %d 层", EN: "the areas lie more than %d deep"}
	textManyAlike = syncproto.Text{ZH: "与 %d 份档案都相符：请先在核查台合并重复档案，或补充身份证号", EN: "it matches %d records: settle the duplicates first, or add the ID number"}
	textElsewhere = syncproto.Text{ZH: "该档案在所选区域之外", EN: "that record lies outside the chosen area"}

	textAreaCode  = syncproto.Text{ZH: "编码应为 1 至 32 位字母、数字、点、横线或下划线", EN: "a code is 1 to 32 letters, digits, dots, hyphens or underscores"}
	textAreaName  = syncproto.Text{ZH: "缺少名称，或名称超过 100 字", EN: "the name is missing or longer than 100 characters"}
	textAreaTwice = syncproto.Text{ZH: "编码与第 %d 行重复", EN: "row %d has this code already"}
	textNoParent  = syncproto.Text{ZH: "上级“%s”不在所选区域之内，表中也没有", EN: "the parent %q is neither in the chosen area nor in the file"}
	textCircle    = syncproto.Text{ZH: "上级关系成环", EN: "the parents form a circle"}
	textForeign   = syncproto.Text{ZH: "该编码属于所选区域之外", EN: "this code belongs to an area outside the chosen one"}
	textItself    = syncproto.Text{ZH: "所选区域本身不能由此改动", EN: "the chosen area itself isn't changed by this"}
)

// sayf fills in both texts.
func sayf(t syncproto.Text, args ...any) syncproto.Text {
	return syncproto.Text{ZH: fmt.Sprintf(t.ZH, args...), EN: fmt.Sprintf(t.EN, args...)}
}
