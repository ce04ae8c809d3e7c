package syncproto

import "github.com/google/uuid"

// KindNoticeRead is the kind of record by which somebody says that they have read a notice.
const KindNoticeRead Kind = "notice_read"

// Names of the fields of a record of KindNoticeRead.
const (
	ReadNotice = "notice" // the notice's id
	ReadAt     = "read_at"
)

// receipts is the namespace of the ids of read receipts.
var receipts = uuid.MustParse("0f5c8a0e-64a9-5d0b-9d5e-6a3c6d1f7b52")

// ReceiptID is the id of the record by which an author says that they have read a notice.
// It follows from both, so that somebody who reads it on two phones has read it once.
func ReceiptID(notice RecordID, author AuthorID) RecordID {
	return RecordID(uuid.NewSHA1(receipts, []byte(notice.String()+"\x00"+author.String())))
}
