package syncproto

import (
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// KindReview is the kind of record that holds what people have said about a question
// as such. Its id is the question's.
const KindReview Kind = "review"

// Names of the fields of a record of KindReview. Its area is the desk.
const (
	RulingItem     = "item"     // Question.Item
	RulingAbout    = "about"    // Question.Record
	RulingSubject  = "subject"  // Question.Field
	RulingVerdict  = "verdict"  // a Ruling
	RulingWithout  = "without"  // names of fields that an accepted change is taken without: see JoinNames
	RulingAssignee = "assignee" // an author's id
	RulingReason   = "reason"
)

// Ruling is what people have said of a question as such. What is chosen for a field,
// and which records are one, is said in the records themselves.
type Ruling string

// The closed set of rulings.
const (
	RulingAccept    Ruling = "accept"
	RulingDifferent Ruling = "different"
	RulingReturn    Ruling = "return"
)

// Kinds of questions that a replica names by itself.
const (
	ItemDuplicate   = "duplicate"
	ItemDoubleVisit = "double_visit"
	ItemParked      = "parked"
)

// Question is the key of something that a person must settle. Item is its kind; what
// Record and Field say depends on that.
type Question struct {
	Item   string
	Record RecordID
	Field  string
}

// questions is the namespace of the ids of questions.
var questions = uuid.MustParse("47929e61-a96b-5709-8ea4-187f63034803")

// ID is the question's id, and that of the record of KindReview about it. It follows
// from the key, so that two who rule on one question while offline write to one record,
// and their disagreement is seen.
func (q Question) ID() RecordID {
	return RecordID(uuid.NewSHA1(questions, []byte(q.Item+"\x00"+q.Record.String()+"\x00"+q.Field)))
}

// AboutPair is the question whether two records are one, ItemDuplicate or
// ItemDoubleVisit: the same one in whichever order they are named.
func AboutPair(item string, a, b RecordID) Question {
	first, second := a.String(), b.String()
	if first > second {
		return Question{Item: item, Record: b, Field: first}
	}
	return Question{Item: item, Record: a, Field: second}
}

// AboutParked is the question what becomes of a change of a record that waits.
func AboutParked(record RecordID, change Origin) Question {
	return Question{Item: ItemParked, Record: record, Field: change.Device.String() + "/" + strconv.FormatUint(change.N, 10)}
}

// JoinNames writes names of fields as RulingWithout holds them: with spaces between,
// which no name contains.
func JoinNames(names []string) string { return strings.Join(names, " ") }

// SplitNames reads what JoinNames wrote.
func SplitNames(s string) []string { return strings.Fields(s) }
