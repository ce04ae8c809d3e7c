package sheet

import (
	"fmt"

	"gridsync/syncproto"
)

// What is wrong with a whole file. The catalogue has the same in Chinese.
const (
	badBroken    = "broken, or cut short"
	badOld       = "an .xls workbook of before 2007: save it as .xlsx"
	badLocked    = "locked by a password: save it without"
	badMacros    = "a workbook with macros: save it as .xlsx without them"
	badBinary    = "an .xlsb workbook: save it as .xlsx"
	badOpen      = "an OpenDocument file: save it as .xlsx"
	badPage      = "a web page under the name of a workbook: open it and save it as .xlsx"
	badOther     = "neither an .xlsx workbook nor a list in text"
	badLarge     = "the file is too large: take it apart"
	badBomb      = "it unpacks to more than such a file can need"
	badRows      = "too many rows: take it apart"
	badColumns   = "too many columns"
	badCells     = "too many cells: take it apart"
	badEmpty     = "there is nothing in it"
	badNoSheet   = "it has no sheet of this name"
	badNoHeading = "there is no row of headings there"
)

func refuse(detail string) error {
	return &syncproto.Error{Code: syncproto.CodeBadFile, Detail: detail}
}

func say(zh, en string, args ...any) syncproto.Text {
	return syncproto.Text{ZH: fmt.Sprintf(zh, args...), EN: fmt.Sprintf(en, args...)}
}

// What is wrong with a cell.
var (
	textLost = say(
		"数字超过 15 位，表格软件已丢掉末尾几位，无法恢复：请先把这一列设为“文本”格式，再按原件重新填写",
		"a number of more than 15 digits: the spreadsheet has lost the last ones for good. Format the column as text, then type it again from the original")
	textRounded = say(
		"只剩科学计数的几位（如 1.23E+17），其余数字已丢失：请先把这一列设为“文本”格式，再按原件重新填写",
		"only the first digits are left, as in 1.23E+17. Format the column as text, then type it again from the original")
	textErrorValue = say("单元格是错误值（如 #N/A），没有读入", "the cell holds an error such as #N/A and was not read")
	textNoResult   = say("公式没有算好的值：请用表格软件打开并保存一次", "the formula has no result: open the file in a spreadsheet and save it once")
	textBadDate    = say("日期超出范围", "the date is out of range")
	textTooLong    = say("内容太长，没有读入", "too long; it was not read")
	textBadLetters = say("有认不出的字符，没有读入", "it has characters that can't be read; it was not read")
	textBadNumber  = say("数字无法读取", "the number can't be read")
	textOpenQuote  = say("引号没有成对，按普通字符读入", "a quotation mark without its partner was read as an ordinary character")
)

// How a cell was read.
var (
	textWide       = say("全角数字、字母按半角读入", "full-width digits and letters were read as half-width")
	textSpaces     = say("去掉了首尾空格和看不见的字符", "spaces and invisible characters at the ends were dropped")
	textApostrophe = say("去掉了开头的撇号", "the apostrophe at the beginning was dropped")
	textFormula    = say("单元格是公式，读入上次算好的值", "the cell is a formula; its last result was read")
	textExpanded   = say("科学计数的数字已还原，没有丢位", "a number in scientific notation was written out; no digit is missing")
	textZeros      = say("末三位都是 0，若是身份证号，可能已被表格软件改动，请核对", "the last three digits are zeros: if this is an identity number, a spreadsheet may have changed it. Please check")
	textHidden     = say("这一行是隐藏或筛选掉的行，也读入了", "this row is hidden or filtered away; it was read all the same")
)
