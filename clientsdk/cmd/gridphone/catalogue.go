package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// words are the command's texts in one language, by key.
type words map[string]string

// wordsFor picks the language before the flags are read, as help needs it too.
func wordsFor(args []string, env string) words {
	lang := env
	for i, a := range args {
		if value, ok := strings.CutPrefix(a, "--lang="); ok {
			lang = value
		} else if (a == "--lang") && i+1 < len(args) {
			lang = args[i+1]
		}
	}
	column := 0
	if lang == "en" {
		column = 1
	}
	w := make(words, len(texts))
	for key, t := range texts {
		w[key] = t[column]
	}
	return w
}

// wrong says what went wrong in words for people, with the technical text behind it.
func (w words) wrong(err error) string {
	var text string
	var pin *clientsdk.PINError
	var said *syncproto.Error
	var rejected rejection
	switch {
	case errors.As(err, &rejected):
		return rejected.Error()
	case errors.As(err, &pin):
		return w.wrongPIN(pin)
	case errors.As(err, &said):
		text = said.Message().ZH
		if w["lang"] == "en" {
			text = said.Message().EN
		}
	case errors.Is(err, clientsdk.ErrOffline):
		text = w["offline"]
	case errors.Is(err, clientsdk.ErrNoServer):
		text = w["no_server"]
	case errors.Is(err, clientsdk.ErrNoDevice):
		text = w["no_device"]
	case errors.Is(err, clientsdk.ErrNotFound):
		text = w["not_found"]
	case errors.Is(err, clientsdk.ErrAnswered):
		text = w["answered_already"]
	case errors.Is(err, clientsdk.ErrSame):
		text = w["same_already"]
	default:
		text = w.standsInTheWay(err)
	}
	return text + " (" + err.Error() + ")"
}

// standsInTheWay says what PINs, keys and the end of a right have to do with an error.
func (w words) standsInTheWay(err error) string {
	for _, known := range []struct {
		err error
		key string
	}{
		{clientsdk.ErrLocked, "locked"},
		{clientsdk.ErrWeakPIN, "weak_pin"},
		{clientsdk.ErrNoKeys, "no_keys"},
		{clientsdk.ErrOtherKeys, "other_keys"},
		{clientsdk.ErrOtherServer, "other_server"},
		{clientsdk.ErrClosed, "status_closed"},
		{clientsdk.ErrMasked, "masked"},
	} {
		if errors.Is(err, known.err) {
			return w[known.key]
		}
	}
	return w["wrong"]
}

// wrongPIN says what came of a PIN.
func (w words) wrongPIN(e *clientsdk.PINError) string {
	wait := e.After.Round(time.Second).String()
	switch {
	case !e.Tried:
		return fmt.Sprintf(w["pin_early"], wait)
	case e.After > 0:
		return fmt.Sprintf(w["pin_wrong_wait"], wait)
	}
	return fmt.Sprintf(w["pin_wrong"], e.Left)
}

// texts is the catalogue: Chinese, English.
var texts = map[string][2]string{
	"lang":  {"zh", "en"},
	"comma": {"，", ", "},
	"colon": {"：", ": "},
	"about": {"网格通：没有手机应用时，用这条命令登记、查看和同步", "gridsync: record, look up and sync without the app"},

	"help_file":        {"本机数据文件", "the client's file"},
	"help_lang":        {"界面语言：zh 或 en", "language: zh or en"},
	"help_server":      {"服务器地址", "the server's base URL"},
	"help_token":       {"设备凭证", "the device's token"},
	"help_device":      {"设备编号（默认取自凭证）", "the device's id (from the token if left out)"},
	"help_author":      {"填写人编号（默认取自凭证）", "the author's id (from the token if left out)"},
	"help_init":        {"登记本机：保存服务器、凭证、设备和填写人", "set up: keep server, token, device and author"},
	"help_record":      {"登记或修改一条档案：record 类别 栏目=内容 …", "record or edit: record KIND field=value …"},
	"help_list":        {"列出某一类档案", "list the records of a kind"},
	"help_show":        {"显示一条档案", "show a record"},
	"help_sync":        {"与服务器同步", "sync with the server"},
	"help_status":      {"显示本机状态", "tell where this device stands"},
	"help_forms":       {"列出在用的表单和各区域的填报模板", "list forms in force, and the templates of areas"},
	"template_of":      {"%s：%s按“%s”（%s/%d）填报", "%s: %s is asked by “%s” (%s/%d)"},
	"help_log":         {"列出本机填写的全部内容", "list this device's own changes"},
	"help_told":        {"列出对本机填写内容的处理结果", "list what was decided about this device's entries"},
	"help_returned":    {"列出退回本人重新核实的内容", "list what came back to be looked at again"},
	"help_resubmit":    {"更正后重新提交被退回的某一号：resubmit 号 栏目=内容 …", "submit a returned number anew: resubmit N field=value …"},
	"help_merge":       {"裁定前一条档案就是后一条", "decide that the first record is the second"},
	"help_different":   {"裁定两条档案不是同一个", "decide that two records are not one"},
	"help_take":        {"接受一条等待处理的内容：accept 档案 设备 号 --area 区域", "accept an entry that waits: accept RECORD DEVICE N --area AREA"},
	"help_return":      {"把一条等待处理的内容退回填写人：return 档案 设备 号 --area 区域 --reason 理由", "return an entry that waits to its author: return RECORD DEVICE N --area AREA --reason REASON"},
	"help_undo":        {"撤回一项裁定：undo 档案 设备 号；只给档案则列出可撤回的裁定", "withdraw a decision: undo RECORD DEVICE N; with the record alone, list them"},
	"help_mine":        {"只列出本人的", "only this author's"},
	"help_notices":     {"列出通知，新的在前", "list notices, the latest first"},
	"help_read_notice": {"登记本人已阅读一则通知", "say that a notice was read"},
	"help_notice":      {"通知的序号（见 notices）或编号", "the notice's number in the list of notices, or its id"},
	"urgent":           {"【紧急】", "[urgent]"},
	"unread":           {"【未读】", "[unread]"},
	"noticed":          {"通知%d则，未读%d则", "%d notices, %d unread"},
	"noted":            {"已登记：已阅读“%s”", "Noted as read: “%s”"},
	"help_read":        {"列出后标为已读", "mark all of it as read"},
	"help_n":           {"本机登记的号", "the number of a change"},
	"help_absorbed":    {"并入的档案编号", "the id of the record that is absorbed"},
	"help_survivor":    {"保留的档案编号", "the id of the record that survives"},
	"help_visits":      {"两条都是入户记录", "the two are visits"},
	"help_reason":      {"理由", "the reason"},
	"help_from_device": {"填写那条内容的设备编号", "the id of the device that it comes from"},
	"help_its_n":       {"那台设备登记的号", "its number on that device"},
	"help_desk":        {"那条内容所属的区域编号", "the code of the area that it belongs to"},
	"help_without":     {"不采用的栏目，用逗号分隔", "fields to leave out, separated by commas"},
	"help_of_device":   {"作出裁定的设备编号；- 表示本机", "the id of the device that decided; - for this one"},
	"help_attention":   {"列出需要处理的内容", "list what needs attention"},
	"help_kind":        {"类别，如 household、person、temperature", "kind, such as household, person, temperature"},
	"help_fields":      {"栏目=内容；列表用逗号分隔；内容为空表示清除", "field=value; lists are separated by commas; empty clears"},
	"help_area":        {"区域编号", "an area's code"},
	"help_id":          {"档案编号", "a record's id"},
	"help_anyway":      {"不符合表单也照样登记", "record even what the form rejects"},
	"help_resolve":     {"把某一号标为已处理", "mark one number as seen to"},
	"help_export":      {"以 JSON 导出，每行一条", "write as JSON, one a line"},

	"help_phone":       {"多人共用手机的数据文件夹，每人一份", "the folder of a phone that several people use, with a profile for each"},
	"help_user":        {"共用手机上的哪一位（姓名）", "which person of a shared phone (the name)"},
	"help_enrol":       {"凭邀请码登记本机：enrol 邀请码 --server 地址 --name 姓名", "come in with an invitation: enrol CODE --server URL --name NAME"},
	"help_code":        {"邀请码", "the invitation's code"},
	"help_name":        {"您的姓名", "your name"},
	"help_model":       {"手机型号", "what device this is"},
	"help_accept":      {"已阅读并接受保密承诺，不再询问", "the undertaking was read and is accepted; don't ask"},
	"help_pin":         {"设置或更改 PIN；设置后本机内容加密", "set or change the PIN that seals the file (now from GRIDPHONE_PIN or typed)"},
	"help_users":       {"列出共用手机上的人", "list the people on a shared phone"},
	"help_undertaking": {"阅读并接受新版保密承诺", "read the newer undertaking and accept it"},
	"help_deliver":     {"只上传，不下载；不需要 PIN", "send what is unsent and fetch nothing; needs no PIN"},

	"invited":            {"邀请：%s（%s），角色 %s，自 %s 起", "invited to %s (%s) as %s, from %s"},
	"invited_confirmed":  {"登记后需社区确认；其间填写的内容不会丢失", "a person at the office confirms it; what is recorded meanwhile is not lost"},
	"accept_prompt":      {"请阅读以上保密承诺，输入“接受”继续：", "read the undertaking above and type accept to go on:"},
	"not_accepted":       {"未接受保密承诺，没有登记", "the undertaking was not accepted; nothing was registered"},
	"enrolled":           {"已登记：%s\n填写人 %s\n设备 %s", "registered: %s\nauthor %s\ndevice %s"},
	"enrolment_active":   {"登记有效", "the registration holds"},
	"enrolment_waiting":  {"已登记，等待社区确认；可以先填写，不会丢失", "registered, and waiting for the office to confirm; you may record meanwhile"},
	"enrolment_refused":  {"登记未获确认，请联系社区", "the registration was not confirmed; please ask the office"},
	"role_volunteer":     {"网格员", "volunteer"},
	"role_secretary":     {"社区书记", "secretary"},
	"role_township":      {"镇街", "township"},
	"role_county":        {"县区", "county"},
	"role_administrator": {"系统管理员", "administrator"},
	"role_auditor":       {"审计员", "auditor"},

	"status_suspended":   {"有人用过本机的凭证：本机不再接收，未上传的仍会上传。请联系社区", "somebody else has used this device's credentials: it receives nothing, and still delivers. Please ask the office"},
	"status_closed":      {"本机已停用；全部内容已在服务器上，本机副本已销毁", "this device is not in use any more; the server holds everything, and the copy here was destroyed"},
	"status_locked":      {"已上锁：查看和填写需要 PIN，上传不需要", "locked: reading and recording need the PIN, delivering doesn't"},
	"status_undertaking": {"保密承诺有新版（第 %d 版），请用 undertaking 阅读并接受", "there is a newer undertaking (version %d): read and accept it with undertaking"},

	"undertaking_version":      {"保密承诺第 %d 版", "undertaking, version %d"},
	"undertaking_none":         {"没有需要接受的新版保密承诺", "there is no newer undertaking to accept"},
	"undertaking_accepted":     {"已接受，将随同步告知服务器", "accepted; the server is told when this device syncs"},
	"undertaking_not_accepted": {"未接受，以前接受的仍然有效；本机照常使用", "not accepted; the one accepted before still holds, and this device works as before"},

	"pin_prompt":       {"PIN：", "PIN:"},
	"pin_new":          {"新 PIN（至少六位）：", "new PIN (at least six characters):"},
	"pin_set":          {"PIN 已设好。忘记 PIN 就打不开本机内容，但仍可上传", "the PIN is set. Without it nothing here can be read, but it can still be delivered"},
	"pin_needed":       {"请输入 PIN，或用环境变量 GRIDPHONE_PIN 给出", "type the PIN, or give it in GRIDPHONE_PIN"},
	"pin_wrong":        {"PIN 不对，还可再试 %d 次", "wrong PIN; %d more without a wait"},
	"pin_wrong_wait":   {"PIN 不对，%s后才能再试", "wrong PIN; the next may be tried in %s"},
	"pin_early":        {"请在 %s后再试", "please try again in %s"},
	"weak_pin":         {"PIN 至少六位，不能全部相同或连续", "a PIN has at least six characters, neither all alike nor in a row"},
	"locked":           {"已上锁，请先输入 PIN", "locked: the PIN is needed"},
	"no_keys":          {"本机还没有密钥，请先登记", "this device has no keys; enrol first"},
	"other_keys":       {"密钥不是这份数据的，打不开", "these are not the keys of this file"},
	"other_server":     {"本机已在另一台服务器登记", "this device is enrolled at another server"},
	"masked":           {"不能填写已遮盖的内容", "a masked value is not written"},
	"file_taken":       {"这个文件已有另一台设备的内容，请用 --file 另选文件", "this file holds another device's work; choose another with --file"},
	"which_user":       {"请用 --user 指明是哪一位", "say with --user which person it is"},
	"no_phone":         {"请用 --phone 指明共用手机的文件夹", "name the shared phone's folder with --phone"},
	"user":             {"%s  设备 %s  待上传 %d · 已送达 %d", "%s  device %s  unsent %d · delivered %d"},
	"user_broken":      {"%s 打不开：%v", "%s can't be opened: %v"},
	"deliver_withheld": {"另有 %d 条要解锁后才能上传，请用 sync", "%d more can only be sent once the file is unlocked: see sync"},
	"deliver_done":     {"%s 上传 %d 条，请求 %d 次，重试 %d 次", "%s sent %d, in %d requests with %d retries"},

	"init_needs":  {"请用 --server 和 --token 给出服务器地址和设备凭证", "give --server and --token"},
	"init_device": {"设备编号", "device id"},
	"init_author": {"填写人编号", "author id"},
	"init_done":   {"已登记：%s\n设备 %s\n填写人 %s\n服务器 %s", "set up: %s\ndevice %s\nauthor %s\nserver %s"},

	"recorded":         {"已保存在本机，待上传：%s", "kept on this device, to be sent: %s"},
	"remarked":         {"未保存：", "not kept:"},
	"remark_missing":   {"还没有填写：%s (%s)", "still to be answered: %s (%s)"},
	"remark_not_asked": {"按已填内容不必填写：%s (%s)", "the other answers say that it isn't asked: %s (%s)"},
	"remark_unmet":     {"不符合填写条件：%s (%s)%s", "it doesn't meet its condition: %s (%s)%s"},
	"remark_anyway":    {"确需照样登记请加 --anyway", "to record it even so, add --anyway"},
	"rejected":         {"未保存。%s (%s)：%s。确需照样登记请加 --anyway", "not kept. %s (%s): %s. To record it even so, add --anyway"},
	"listed":           {"共 %d 条", "%d records"},
	"hidden":           {"已遮盖", "masked"},
	"pending":          {"待上传或待处理", "not sent, or waiting at a desk"},
	"disputed":         {"有争议", "disputed"},
	"parked":           {"等待社区处理", "waiting at the office"},
	"absorbed":         {"已并入 %d 条档案", "with %d records that are the same"},
	"merged_into":      {"已并入 %s，本机没有那条档案", "merged into %s, which is not on this device"},
	"shown_as":         {"%s 已并入 %s，以下是合并后的内容", "%s was merged into %s, which is shown"},
	"returned":         {"已退回，请重新核实", "returned, please look again"},
	"answered":         {"已用第 %d 号重新提交", "submitted anew as number %d"},
	"decided":          {"裁定已保存在本机，待上传", "the decision is kept on this device, to be sent"},
	"desk_needed":      {"请用 --area 给出那条内容所属的区域", "say with --area which area the entry belongs to"},
	"decisions_none":   {"这条档案没有可撤回的裁定", "there is no decision on this record to withdraw"},
	"undone":           {"撤回已保存在本机，待上传；已上传的裁定，要到下次同步之后才恢复原样", "the withdrawal is kept on this device, to be sent; a decision that was sent shows until the next sync"},

	"on_watch":      {"注意：此人可能在名单“%s”（第 %d 版）上，请核对。%s", "careful: this person may be on the list %q (version %d); please check. %s"},
	"watching":      {"正在比对 %d 份名单", "watching out for %d lists"},
	"watch_failed":  {"名单比对资料未能更新：%s", "what is watched for could not be fetched: %s"},
	"told_new":      {"有 %d 项处理结果，请用 told 查看", "%d decisions to read: see told"},
	"told_none":     {"没有处理结果", "nothing was decided"},
	"returned_none": {"没有退回的内容", "nothing came back"},
	"lost":          {"服务器缺少本机的 %d 条内容，已重新上传", "the server lacked %d entries of this device; they were sent again"},
	"reoffered":     {"服务器的回执与本机不符，本机内容已全部重新核对", "the server's receipt disagreed; everything here was offered again"},

	"item_conflict":     {"内容不一致", "conflict"},
	"item_duplicate":    {"疑似重复", "duplicate"},
	"item_double_visit": {"重复入户", "double visit"},
	"item_parked":       {"待处理记录", "waiting entry"},
	"item_implausible":  {"数据存疑", "hard to believe"},
	"item_exit":         {"离开存疑", "exit"},
	"item_restated":     {"日结变动", "restated day"},
	"said_kept":         {"采用了您填写的内容", "what you wrote holds"},
	"said_other":        {"采用了另一内容，您填写的仍有留存", "another value holds; what you wrote is kept"},
	"said_merged":       {"确认为同一个，已合并", "the two are one"},
	"said_different":    {"确认不是同一个", "the two are not one"},
	"said_accepted":     {"已照此接受", "accepted as it is"},
	"said_returned":     {"已退回，请重新核实", "returned, please look again"},
	"said_undone":       {"裁定已撤回，重新待定", "the decision was withdrawn; the question is open again"},
	"said_settled":      {"已自行了结", "ended by itself"},

	"outcome_applied":   {"已记入", "in the record"},
	"outcome_merged":    {"已记入，与他人所填并存", "in the record, beside what others wrote"},
	"outcome_disputed":  {"已记入，待核实", "in the record, and disputed"},
	"outcome_parked":    {"未记入档案", "kept aside"},
	"outcome_duplicate": {"服务器已有", "known to the server"},
	"outcome_refused":   {"服务器无法读取", "unreadable to the server"},

	"synced":  {"上传 %d 条，收到 %d 条，请求 %d 次，重试 %d 次", "sent %d, received %d, in %d requests with %d retries"},
	"drifted": {"区域 %s 的数据与服务器不一致，将再次获取", "area %s disagrees with the server's and will be fetched again"},

	"status_device":    {"设备 %s，已填写到第 %d 号", "device %s, numbers given out: %d"},
	"status_changes":   {"待上传 %d · 待确认 %d · 已送达 %d（其中等待社区处理 %d） · 需要处理 %d", "unsent %d · to be confirmed %d · delivered %d (%d of these wait at the office) · need attention %d"},
	"status_news":      {"退回待核实 %d · 未读处理结果 %d", "returned %d · unread decisions %d"},
	"status_copies":    {"本机存有 %d 条档案，%d 个区域", "%d records of %d areas on this device"},
	"status_never":     {"还没有同步过", "never synced"},
	"status_last":      {"上次同步 %s，本机时钟需校正 %s", "last sync %s, this clock is off by %s"},
	"status_disagrees": {"服务器的回执与本机不符，正在重新核对", "the server's receipt disagrees with this device; checking again"},
	"status_foreign":   {"服务器上另有本设备编号的 %d 条内容不在本机", "the server holds %d changes of this device's id that are not here"},
	"resolved":         {"第 %d 号已标为已处理", "number %d is marked as seen to"},
	"attention_none":   {"没有需要处理的内容", "nothing needs attention"},

	"state_unsent":          {"待上传", "unsent"},
	"state_sent":            {"已上传，待确认", "sent, to be confirmed"},
	"state_delivered":       {"已送达", "delivered"},
	"state_needs_attention": {"需要处理", "needs attention"},
	"state_resolved":        {"已处理", "seen to"},
	"state_superseded":      {"已换号重新登记", "recorded again under another number"},

	"no_author":        {"请先用 enrol 登记，或用 --author 给出填写人", "run enrol first, or give --author"},
	"no_device":        {"请先用 enrol 登记本机", "run enrol first"},
	"no_server":        {"请先用 enrol 登记服务器", "run enrol first: there is no server"},
	"not_found":        {"本机没有这条档案", "this device holds no such record"},
	"answered_already": {"这一号已经重新提交过", "this number was submitted anew already"},
	"same_already":     {"两条档案已经是同一条", "the two records are one already"},
	"offline":          {"连不上服务器；本机上的记录不会丢失", "no answer from the server; nothing here is lost"},
	"wrong":            {"出错了", "something went wrong"},
}
