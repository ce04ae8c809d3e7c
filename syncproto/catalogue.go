package syncproto

import "sort"

// entry is what the catalogue says of a code: the HTTP status when it turns a
// request away (0 for codes of single changes) and what a person reads.
type entry struct {
	Status int
	Text
}

// catalogue is the closed table of codes.
var catalogue = map[Code]entry{
	CodeMalformed:      {400, Text{"内容无法读取，已保留在手机上，请在“需要处理”中查看", "This could not be read. It stays on the phone under “needs attention”"}},
	CodeBadChange:      {0, Text{"记录缺少必要内容或类型不对，已保留在手机上", "A part of this entry is missing or of the wrong type. It stays on the phone"}},
	CodeChangeTooLarge: {0, Text{"这条记录太大，无法上传，已保留在手机上", "This entry is too large to send. It stays on the phone"}},
	CodeWrongDevice:    {0, Text{"这条记录属于另一台设备，不能从本机上传", "This entry belongs to another device"}},
	CodeNReused:        {0, Text{"序号已被另一条记录使用，将换新序号重新上传", "Its number was already used for another entry. It will be sent again under a new one"}},

	CodeUnknownAuthor: {0, Text{"服务器还不认识填写人，已收下，等待登记", "The server does not know this author yet. The entry is kept and waits"}},
	CodeOutOfArea:     {0, Text{"不在填写人负责的区域内，已收下，等待社区处理", "Outside the author's area. The entry is kept and waits for the community"}},
	CodeGrantExpired:  {0, Text{"填写时授权已到期或尚未开始，已收下，等待社区处理", "The author's grant did not hold at that time. The entry is kept and waits for the community"}},
	CodeNotEntitled:   {0, Text{"填写人无权作出裁定，已收下，等待社区处理", "The author may not decide this. The entry is kept and waits for the community"}},
	CodeUnknownArea:   {0, Text{"服务器还没有这个区域，已收下，区域建立后自动处理", "The server does not have this area yet. The entry is kept and is taken up when it has"}},
	CodeUnknownKind:   {0, Text{"服务器还没有这类表单，已收下，表单发布后自动处理", "The server does not have this kind of form yet. The entry is kept and is taken up when it has"}},
	CodeUnknownForm:   {0, Text{"服务器还没有这个版本的表单，已收下，表单发布后自动处理", "The server does not have this version of the form yet. The entry is kept and is taken up when it has"}},
	CodeUnknownRecord: {0, Text{"所修改的档案尚未到达服务器，已收下，到达后自动处理", "The record that this edits has not arrived yet. The entry is kept and is taken up when it has"}},
	CodeKindDiffers:   {0, Text{"同一编号已用于另一类档案，已收下，等待社区处理", "This id already belongs to a record of another kind. The entry is kept and waits for the community"}},
	CodeFailsForm:     {0, Text{"内容不符合表单要求，已收下，等待社区处理", "This does not meet the form's rules. The entry is kept and waits for the community"}},

	CodeOwnWork:     {0, Text{"不能裁定自己填写的内容，已收下，等待他人处理", "Nobody decides on what they wrote. The entry is kept and waits for somebody else"}},
	CodeReturned:    {0, Text{"已退回填写人重新核实，原记录仍保留", "Returned to its author to be checked again. The entry is kept"}},
	CodeResubmitted: {0, Text{"填写人已重新提交，原记录仍保留", "Its author has submitted it anew. The entry is kept"}},

	CodeDeviceUntrusted: {0, Text{"本机已报失或凭证曾被复制，已收下，等待社区核实", "This device was reported lost or its credentials were copied. The entry is kept and waits for the community"}},
	CodeNotSealed:       {0, Text{"密封内容无法打开，已保留在手机上，请解锁后重新上传", "What was sealed could not be opened. It stays on the phone; unlock it and send it again"}},

	CodePurged: {410, Text{"该档案已超过保存期限并清除，已收下，等待社区处理", "This record was purged after its retention time. The entry is kept and waits for the community"}},

	CodeUnknownField:  {0, Text{"含有表单中没有的栏目，已一并保存", "It has a field that the form does not have. It was kept with the rest"}},
	CodeNotAsked:      {0, Text{"填写了按条件不必填写的栏目，已一并保存", "It answers what the form does not ask here. It was kept with the rest"}},
	CodeNotAnswered:   {0, Text{"本地区要求填写的栏目尚未填写，已先收下，请补填", "It lacks what its area asks for. It is in the record; please complete it"}},
	CodeAfterGap:      {0, Text{"之前有序号尚未到达，请继续同步", "Earlier entries of this device have not arrived yet. Please go on syncing"}},
	CodeClockOff:      {0, Text{"手机时钟与服务器相差较大，时间已按服务器校正", "The phone's clock is off. Times were corrected by the server's"}},
	CodeCursorForeign: {410, Text{"服务器数据已更换或恢复，正在重新同步", "The server's history has changed. Syncing again from the start"}},
	CodeCursorInvalid: {400, Text{"同步位置无效，正在重新同步", "The sync position is not valid. Syncing again from the start"}},

	CodeBadRequest:        {400, Text{"请求格式不正确", "The request is not well formed"}},
	CodeBodyTooLarge:      {413, Text{"一次上传的内容太大，请减半后重试", "Too much in one request. Send half of it"}},
	CodeBadEncoding:       {415, Text{"不支持的压缩或编码方式", "This encoding is not supported"}},
	CodeTooManyChanges:    {413, Text{"一次上传的条数太多，请减半后重试", "Too many entries in one request. Send half of them"}},
	CodeUnknownProtocol:   {426, Text{"应用版本与服务器不兼容，请更新应用；手机上的记录不会丢失", "This app and the server do not understand each other. Please update the app; nothing on the phone is lost"}},
	CodeNoToken:           {401, Text{"请先登记本设备", "Please enrol this device first"}},
	CodeBadToken:          {401, Text{"设备凭证无效，请联系社区", "The device's token is not valid. Please ask the community office"}},
	CodeTokenExpired:      {401, Text{"设备凭证已过期，请联系社区；手机上的记录不会丢失", "The device's token has expired. Please ask the community office; nothing on the phone is lost"}},
	CodeDeviceRevoked:     {403, Text{"本设备已被停用，请联系社区", "This device has been revoked. Please ask the community office"}},
	CodeForbidden:         {403, Text{"超出您的授权范围，不能查看或办理", "This is beyond what you may see or do"}},
	CodeNotFound:          {404, Text{"找不到所请求的内容", "There is nothing here"}},
	CodeMethod:            {405, Text{"不支持的请求方法", "This method is not allowed here"}},
	CodeBusy:              {429, Text{"服务器繁忙，请稍后自动重试；手机上的记录不会丢失", "The server is busy and will be tried again; nothing on the phone is lost"}},
	CodeMovedOn:           {409, Text{"情况已有变化，请看最新内容后再处理；这次操作没有生效", "This has changed meanwhile. Please look again; nothing was done"}},
	CodeBadFile:           {400, Text{"文件无法读取，什么也没有导入", "This file can't be read; nothing was taken from it"}},
	CodeBadForm:           {400, Text{"表单定义有误，没有保存，请按提示修改", "There is something wrong with this form. Nothing was kept; please mend what is named"}},
	CodeFormIncompatible:  {409, Text{"与已发布的版本不兼容，没有发布：已有栏目不能删除、改类型或降低保密级别，可以停用", "This does not go together with the version that is published, and was not published: a field that is there may be retired, and not removed, retyped or made less personal"}},
	CodeBadSetting:        {400, Text{"没有这项设置，或设置的值不正确", "There is no such setting, or not with this value"}},
	CodeInviteUnknown:     {404, Text{"邀请码不存在或已撤回，请向社区核对", "There is no such invitation, or it was withdrawn. Please check with the community office"}},
	CodeInviteSpent:       {410, Text{"邀请码已用完，请向社区索取新的", "This invitation has been used up. Please ask the community office for a new one"}},
	CodeInviteExpired:     {410, Text{"邀请码已过期，请向社区索取新的", "This invitation has expired. Please ask the community office for a new one"}},
	CodeUndertakingNeeded: {403, Text{"请先阅读并接受保密承诺", "Please read and accept the undertaking first"}},
	CodeEnrolmentWaits:    {403, Text{"已登记，等待社区确认；您可以先记录，内容不会丢失", "Registered, and waiting for the community to confirm. You may record meanwhile; nothing is lost"}},
	CodeEnrolmentRefused:  {403, Text{"登记未获确认，请联系社区", "The registration was not confirmed. Please ask the community office"}},
	CodeRefreshReused:     {401, Text{"本机凭证曾被他人使用，已停止下发数据；未上传的记录仍可上传，请联系社区", "Somebody else has used this device's credentials. It receives no more data; what is unsent can still be delivered. Please ask the community office"}},
	CodeBadSignature:      {401, Text{"设备签名不符，请重新登记本设备", "The device's signature is not valid. Please enrol this device again"}},
	CodeSignInFailed:      {401, Text{"账号、密码或验证码不正确", "Name, password or code is not right"}},
	CodeTOTPNeeded:        {401, Text{"请输入验证器中的六位验证码", "Please enter the six digits of your authenticator"}},
	CodeLocked:            {429, Text{"尝试次数过多，请按提示的时间后再试", "Too many attempts. Please try again after the time shown"}},
	CodeWeakPassword:      {400, Text{"密码太短或太常见，请用十二个以上字符", "The password is too short or too common. Use twelve characters or more"}},
	CodeLinkSpent:         {410, Text{"链接已使用或已过期，请索取新的", "This link was used or has expired. Please ask for a new one"}},
	CodeCrossSite:         {403, Text{"请求不是从本页面发出的，已拒绝", "The request did not come from this page and was turned away"}},
	CodeOwnGrant:          {403, Text{"不能确认或更改自己的授权", "Nobody confirms or changes their own grant"}},
	CodeTooFast:           {429, Text{"请求过于频繁，请稍后自动重试；手机上的记录不会丢失", "Too many requests; it will be tried again. Nothing on the phone is lost"}},
	CodeInternal:          {500, Text{"服务器内部错误，请稍后重试；手机上的记录不会丢失", "Something went wrong in the server. Please try again; nothing on the phone is lost"}},
}

// problems are the details that say what is wrong with a field's value or with a file, in the
// words of a form, with their Chinese.
//
//nolint:gosec // G101: it speaks of a workbook's password, and holds none
var problems = map[string]string{
	"required": "此项必填",
	"a list is cleared by removing its members": "多选项请逐个取消",
	"true or false":                  "应为是或否",
	"an integer of milliseconds":     "应为时间",
	"a text":                         "应为文字",
	"a number":                       "应为数字",
	"a whole number":                 "应为整数",
	"out of bounds":                  "超出允许范围",
	"it does not meet the condition": "不符合填写条件",
	"an hour such as 18:00":          "应为时间，如 18:00",
	"the name of a template":         "应为模板名称",
	"a list of codes":                "应为代码列表",
	"too few codes, or too many":     "代码太少或太多",
	"a code is there twice":          "代码重复",
	"a list of texts, or an object of add and remove":                       "应为多选列表",
	"more than 500 members":                                                 "超过 500 项",
	"too long":                                                              "太长",
	"a date such as 2020-01-31":                                             "应为日期，如 2020-01-31",
	"not one of the choices":                                                "不在选项之中",
	"the id of a record":                                                    "应为档案编号",
	"the check character does not fit":                                      "身份证号校验位不符",
	"5 to 15 digits":                                                        "应为 5 至 15 位数字",
	"a day and an area, such as 2020-01-27 330702001003":                    "应为日期和区域代码，如 2020-01-27 330702001003",
	"an area's code":                                                        "应为区域代码",
	"an exit: reason, date, destination":                                    "应填写离开原因、日期、去向",
	"reason is moved, died, left, duplicate or mistake":                     "离开原因应为迁出、死亡、离开、重复或误登",
	"date is a date such as 2020-01-31":                                     "离开日期应为日期，如 2020-01-31",
	"destination is too long":                                               "去向太长",
	"broken, or cut short":                                                  "文件已损坏或不完整",
	"an .xls workbook of before 2007: save it as .xlsx":                     "是旧版 .xls 工作簿，请另存为 .xlsx",
	"locked by a password: save it without":                                 "文件有密码，请取消密码后再导入",
	"a workbook with macros: save it as .xlsx without them":                 "工作簿带有宏，请另存为不带宏的 .xlsx",
	"an .xlsb workbook: save it as .xlsx":                                   "是 .xlsb 二进制工作簿，请另存为 .xlsx",
	"an OpenDocument file: save it as .xlsx":                                "是 OpenDocument 文件，请另存为 .xlsx",
	"a web page under the name of a workbook: open it and save it as .xlsx": "其实是网页，请打开后另存为 .xlsx",
	"neither an .xlsx workbook nor a list in text":                          "既不是 .xlsx 工作簿，也不是文本表格",
	"a file has at most 4 MB: save it as .xlsx, or take it apart":           "文件最大 4 MB：请另存为 .xlsx（通常小得多），或拆成几个文件",
	"the file is too large: take it apart":                                  "文件太大，请拆分后再导入",
	"it unpacks to more than such a file can need":                          "解压后大得异常，已拒绝",
	"too many rows: take it apart":                                          "行数太多，请拆分后再导入",
	"too many columns":                                                      "列数太多",
	"too many cells: take it apart":                                         "单元格太多，请拆分后再导入",
	"there is nothing in it":                                                "里面没有内容",
	"it has no sheet of this name":                                          "没有这个名称的工作表",
	"there is no row of headings there":                                     "那里没有表头",
}

// Problem returns the Chinese of a detail that says what is wrong with a field's
// value, and whether it is one.
func Problem(detail string) (zh string, ok bool) {
	zh, ok = problems[detail]
	return zh, ok
}

// Codes returns every code of the table in order.
func Codes() []Code {
	codes := make([]Code, 0, len(catalogue))
	for c := range catalogue {
		codes = append(codes, c)
	}
	sort.Slice(codes, func(i, j int) bool { return codes[i] < codes[j] })
	return codes
}
