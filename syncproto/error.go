package syncproto

import "encoding/json"

// Code names one way in which something can go wrong. Codes are part of the
// protocol: a closed table, never reworded, never reused.
type Code string

// Codes of changes that couldn't be read (verdict refused).
const (
	CodeMalformed      Code = "malformed"
	CodeBadChange      Code = "bad_change"
	CodeChangeTooLarge Code = "change_too_large"
	CodeWrongDevice    Code = "wrong_device"
	CodeNReused        Code = "n_reused"
)

// Codes of changes that wait (verdict parked).
const (
	CodeUnknownAuthor Code = "unknown_author"
	CodeOutOfArea     Code = "out_of_area"
	CodeGrantExpired  Code = "grant_expired"
	CodeNotEntitled   Code = "not_entitled"
	CodeUnknownArea   Code = "unknown_area"
	CodeUnknownKind   Code = "unknown_kind"
	CodeUnknownForm   Code = "unknown_form"
	CodeUnknownRecord Code = "unknown_record"
	CodeKindDiffers   Code = "kind_differs"
	CodeFailsForm     Code = "fails_form"
	CodeOwnWork       Code = "own_work"
	CodeReturned      Code = "returned"
	CodeResubmitted   Code = "resubmitted"
	CodePurged        Code = "purged"
	// CodeDeviceUntrusted: the device was reported lost, or its credentials were copied.
	CodeDeviceUntrusted Code = "device_untrusted"
	// CodeNotSealed: what was sealed for the server can't be opened.
	CodeNotSealed Code = "not_sealed"
)

// Codes that remark on a change or a request without standing in its way.
const (
	CodeUnknownField Code = "unknown_field"
	// CodeNotAsked: an answer to what the other answers say isn't asked.
	CodeNotAsked Code = "not_asked"
	// CodeNotAnswered: the template of its area asks for more.
	CodeNotAnswered   Code = "not_answered"
	CodeAfterGap      Code = "after_gap"
	CodeClockOff      Code = "clock_off"
	CodeCursorForeign Code = "cursor_foreign"
	CodeCursorInvalid Code = "cursor_invalid"
)

// Codes of requests that were turned away as a whole.
const (
	CodeBadRequest      Code = "bad_request"
	CodeBodyTooLarge    Code = "body_too_large"
	CodeBadEncoding     Code = "bad_encoding"
	CodeTooManyChanges  Code = "too_many_changes"
	CodeUnknownProtocol Code = "unknown_protocol"
	CodeNoToken         Code = "no_token"
	CodeBadToken        Code = "bad_token"
	CodeTokenExpired    Code = "token_expired"
	CodeDeviceRevoked   Code = "device_revoked"
	CodeForbidden       Code = "forbidden"
	CodeNotFound        Code = "not_found"
	CodeMethod          Code = "method_not_allowed"
	CodeBusy            Code = "busy"
	CodeInternal        Code = "internal"
	CodeMovedOn         Code = "moved_on"
	// CodeBadForm: a form or template that can't be published as it is.
	CodeBadForm Code = "bad_form"
	// CodeFormIncompatible: it makes sense by itself, and not beside the version before it.
	CodeFormIncompatible Code = "form_incompatible"
	// CodeBadSetting: no such setting, or not with this value.
	CodeBadSetting Code = "bad_setting"
	// CodeBadFile: a workbook or list can't be read at all; nothing was taken from it.
	CodeBadFile Code = "bad_file"
)

// Codes of enrolment, signing in and keeping signed in.
const (
	CodeInviteUnknown     Code = "invite_unknown"
	CodeInviteSpent       Code = "invite_spent"
	CodeInviteExpired     Code = "invite_expired"
	CodeUndertakingNeeded Code = "undertaking_needed"
	CodeEnrolmentWaits    Code = "enrolment_waits"
	CodeEnrolmentRefused  Code = "enrolment_refused"
	CodeRefreshReused     Code = "refresh_reused"
	CodeBadSignature      Code = "bad_signature"
	CodeSignInFailed      Code = "sign_in_failed"
	CodeTOTPNeeded        Code = "totp_needed"
	CodeLocked            Code = "locked"
	CodeWeakPassword      Code = "weak_password"
	CodeLinkSpent         Code = "link_spent"
	CodeCrossSite         Code = "cross_site"
	CodeOwnGrant          Code = "own_grant"
	// CodeTooFast: this device or this address asks too often.
	CodeTooFast Code = "too_fast"
)

// Text is a message in the languages of the product.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Error is the one error type of the protocol: a code, the field it speaks of,
// and a detail for those who write clients. Its message comes from the
// catalogue.
type Error struct {
	Code  Code
	Field string
	// Detail is technical, in English, and holds no value that a person typed.
	Detail string

	// said is the message of a newer server, whose code this table doesn't have; reason what
	// Because added.
	said, reason Text
}

// Because returns the error with a reason that a person reads after the code's text.
func (e *Error) Because(reason Text) *Error {
	with := *e
	with.reason = reason
	return &with
}

func (e *Error) Error() string {
	s := string(e.Code)
	if e.Field != "" {
		s += " (" + e.Field + ")"
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Is makes errors.Is compare codes.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Message returns what a person reads: the code's text, and after it what is wrong
// with a field's value, for the details that speak of that.
func (e *Error) Message() Text {
	known, ok := catalogue[e.Code]
	if !ok {
		return e.said
	}
	if e.reason != (Text{}) {
		return Text{ZH: known.ZH + "：" + e.reason.ZH, EN: known.EN + ": " + e.reason.EN}
	}
	if problem, ok := problems[e.Detail]; ok {
		return Text{ZH: known.ZH + "：" + problem, EN: known.EN + ": " + e.Detail}
	}
	return known.Text
}

// Status returns the HTTP status of a request that was turned away with this code.
func (e *Error) Status() int {
	if s := catalogue[e.Code].Status; s != 0 {
		return s
	}
	return 500
}

type wireError struct {
	Code    Code   `json:"code"`
	Field   string `json:"field,omitempty"`
	Detail  string `json:"detail,omitempty"`
	Message Text   `json:"message"`
}

// MarshalJSON writes the error with its message in both languages.
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireError{e.Code, e.Field, e.Detail, e.Message()})
}

// UnmarshalJSON reads what MarshalJSON wrote; a code that isn't in the table
// (from a newer server) is kept with its message.
func (e *Error) UnmarshalJSON(b []byte) error {
	var w wireError
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*e = Error{Code: w.Code, Field: w.Field, Detail: w.Detail, said: w.Message}
	return nil
}
