package api

import (
	"context"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"gridsync/server/internal/enrol"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/qr"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// Invitations are how somebody is asked in. All fail with codes that enrol names.
type Invitations interface {
	Invite(ctx context.Context, by enrol.By, in enrol.Inviting) (invite enrol.Invite, code string, err error)
	Invites(ctx context.Context, by enrol.By, area syncproto.AreaID) ([]enrol.Invite, error)
	Withdraw(ctx context.Context, by enrol.By, id uuid.UUID) (enrol.Invite, error)
}

// Entry is how phones come in and stay in.
type Entry interface {
	Look(ctx context.Context, code string, now syncproto.Instant) (*syncproto.Invited, error)
	Enrol(ctx context.Context, in *syncproto.Enrolling, now syncproto.Instant) (*syncproto.Enrolled, error)
	Renew(ctx context.Context, in *syncproto.Renewing, now syncproto.Instant) (*syncproto.Tokens, error)
}

// Confirmations are how those who came by an invitation for many are looked at.
type Confirmations interface {
	Enrolments(ctx context.Context, by enrol.By, area syncproto.AreaID, state syncproto.EnrolmentState, after enrol.Place, limit int) ([]enrol.Enrolment, error)
	Settle(ctx context.Context, by enrol.By, in enrol.Settling) ([]enrol.Settlement, error)
}

// Letting is how people and phones are let in and looked after.
type Letting struct {
	Invitations   Invitations
	Entry         Entry
	Confirmations Confirmations
	Posts         Posts
	Phones        Phones
	// Base is where the server is reached from outside, such as https://sync.example.cn; as
	// the request has it if empty.
	Base string
}

// CodeTyped is an invitation's code as somebody typed it.
type CodeTyped struct {
	Code string `json:"code"`
}

// NewInvite is an invitation with what is to be handed on. None of it can be had again.
type NewInvite struct {
	enrol.Invite
	Code string `json:"code"`
	// Link opens the page with the code filled in; the code isn't sent to any server by
	// that.
	Link string `json:"link"`
	// QR is the link as a picture, an SVG in a data URL.
	QR string `json:"qr"`
}

// InviteList is an area's invitations, the newest first.
type InviteList struct {
	Invites []enrol.Invite `json:"invites"`
}

// EnrolmentList is a page of enrolments, the oldest first.
type EnrolmentList struct {
	Enrolments []enrol.Enrolment `json:"enrolments"`
	// Next is what to give as after for the next page; empty at the end.
	Next string `json:"next,omitempty"`
}

// Settlements stand in the order of the enrolments asked for.
type Settlements struct {
	Results []enrol.Settlement `json:"results"`
}

// Codes of routes that let people in.
var (
	codesOfBody = []syncproto.Code{
		syncproto.CodeMalformed, syncproto.CodeBadRequest, syncproto.CodeBodyTooLarge, syncproto.CodeBadEncoding, syncproto.CodeBusy,
	}
	codesOfInvite = []syncproto.Code{syncproto.CodeInviteUnknown, syncproto.CodeInviteExpired, syncproto.CodeInviteSpent}
	codesOfGiving = append([]syncproto.Code{syncproto.CodeForbidden, syncproto.CodeOwnGrant, syncproto.CodeNotFound}, codesOfBody...)
)

// enrolRoutes are how people and their phones are let in and looked after.
func enrolRoutes() []route {
	return append(postRoutes(), []route{
		{
			method: fiber.MethodPost, path: "/v1/invites", id: "invite", who: someone, right: identity.Enrol, within: readWithin,
			summary: "Make an invitation into an area, with its code, a link and a QR code.",
			body:    enrol.Inviting{}, answer: NewInvite{}, codes: codesOfGiving, handle: (*API).invite,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/invites", id: "invites", who: someone, right: identity.Enrol, within: readWithin,
			summary: "The invitations into an area and all below it, the newest first.",
			params:  []param{paramArea}, answer: InviteList{}, codes: codesOfRead, handle: (*API).invites,
		},
		{
			method: fiber.MethodPost, path: "/v1/invites/{id}/withdraw", id: "withdrawInvite", who: someone, right: identity.Enrol, within: readWithin,
			summary: "End an invitation.",
			params:  []param{{"id", "path", "The invitation's id.", "string", ""}},
			answer:  enrol.Invite{}, codes: codesOfRead, handle: (*API).withdraw,
		},
		{
			method: fiber.MethodPost, path: "/v1/enrol/look", id: "lookAtInvite", who: anyone, within: readWithin,
			summary: "What an invitation gives, and the undertaking to be accepted; spends nothing.",
			body:    CodeTyped{}, answer: syncproto.Invited{}, codes: append(codesOfInvite, codesOfBody...), handle: (*API).lookAtInvite,
		},
		{
			method: fiber.MethodGet, path: "/v1/undertaking", id: "undertaking", who: anyone, within: readWithin,
			summary: "The undertaking in force, for whoever has accepted an earlier one.",
			answer:  syncproto.Undertaking{}, handle: (*API).undertaking,
		},
		{
			method: fiber.MethodPost, path: "/v1/enrol", id: "enrol", who: anyone, within: readWithin,
			summary: "Redeem an invitation on a phone. Asked again, it answers the same.",
			body:    syncproto.Enrolling{}, answer: syncproto.Enrolled{}, handle: (*API).enrol,
			codes: append(append([]syncproto.Code{
				syncproto.CodeBadSignature, syncproto.CodeUndertakingNeeded, syncproto.CodeOwnGrant, syncproto.CodeDeviceRevoked,
			}, codesOfInvite...), codesOfBody...),
		},
		{
			method: fiber.MethodPost, path: "/v1/token", id: "token", who: anyone, within: readWithin,
			summary: "A phone's next tokens. One that receives nothing any more gets an access token, with which it delivers, and no refresh token.",
			body:    syncproto.Renewing{}, answer: syncproto.Tokens{}, handle: (*API).token,
			codes: append([]syncproto.Code{syncproto.CodeBadToken, syncproto.CodeBadSignature, syncproto.CodeRefreshReused}, codesOfBody...),
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/enrolments", id: "enrolments", who: someone, right: identity.Enrol, within: readWithin,
			summary: "Who came into an area and all below it by an invitation, the oldest first.",
			params: []param{
				paramArea, {"state", "query", "Only those that are active, waiting or refused.", "string", "waiting"}, paramAfter, paramLimit,
			},
			answer: EnrolmentList{}, codes: codesOfRead, handle: (*API).enrolments,
		},
		{
			method: fiber.MethodPost, path: "/v1/enrolments", id: "settleEnrolments", who: someone, right: identity.Enrol, within: readWithin,
			summary: "Confirm or refuse those who wait, at most " + strconv.Itoa(enrol.MaxSettled) + " at a time. What is wrong with one stops no other.",
			body:    enrol.Settling{}, answer: Settlements{}, handle: (*API).settleEnrolments,
			codes: append([]syncproto.Code{syncproto.CodeTooManyChanges}, codesOfBody...),
		},
	}...)
}

// by is the caller as enrol knows them.
func (c *call) by() enrol.By {
	return enrol.By{Authors: c.caller.Authors, Device: c.caller.Device.ID, Now: c.instant()}
}

// invite is POST /v1/invites.
func (a *API) invite(c *call) (any, error) {
	var in enrol.Inviting
	if err := c.read(&in); err != nil {
		return nil, err
	}
	made, code, err := a.Letting.Invitations.Invite(c.ctx, c.by(), in)
	if err != nil {
		return nil, err
	}
	base := a.Letting.Base
	if base == "" {
		base = c.BaseURL()
	}
	link := strings.TrimSuffix(base, "/") + "/#enrol=" + code
	picture, err := qr.Encode(link)
	if err != nil {
		return nil, err
	}
	return NewInvite{made, code, link, picture.DataURL()}, nil
}

// invites is GET /v1/areas/{id}/invites.
func (a *API) invites(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	list, err := a.Letting.Invitations.Invites(c.ctx, c.by(), id)
	return InviteList{append([]enrol.Invite{}, list...)}, err
}

// withdraw is POST /v1/invites/{id}/withdraw.
func (a *API) withdraw(c *call) (any, error) {
	id, err := syncproto.ParseID[uuid.UUID](c.Params("id"))
	if err != nil {
		return nil, bad("id", "an invitation's id")
	}
	return a.Letting.Invitations.Withdraw(c.ctx, c.by(), id)
}

// lookAtInvite is POST /v1/enrol/look.
func (a *API) lookAtInvite(c *call) (any, error) {
	var in CodeTyped
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return a.Letting.Entry.Look(c.ctx, in.Code, c.instant())
}

// undertaking is GET /v1/undertaking.
func (a *API) undertaking(*call) (any, error) { return enrol.Undertaking(), nil }

// enrol is POST /v1/enrol.
func (a *API) enrol(c *call) (any, error) {
	var in syncproto.Enrolling
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return a.Letting.Entry.Enrol(c.ctx, &in, c.instant())
}

// token is POST /v1/token.
func (a *API) token(c *call) (any, error) {
	var in syncproto.Renewing
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if err := a.limiter.claimed(in.Device, c.from, c.now); err != nil {
		return nil, err
	}
	return a.Letting.Entry.Renew(c.ctx, &in, c.instant())
}

// enrolments is GET /v1/areas/{id}/enrolments.
func (a *API) enrolments(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	limit, err := c.pageLimit()
	if err != nil {
		return nil, err
	}
	state := syncproto.EnrolmentState(c.Query("state"))
	switch state {
	case "", syncproto.EnrolmentActive, syncproto.EnrolmentWaiting, syncproto.EnrolmentRefused:
	default:
		return nil, bad("state", "active, waiting or refused")
	}
	after, ok := placeOf(c.Query("after"))
	if !ok {
		return nil, bad("after", "the next of a page")
	}
	found, err := a.Letting.Confirmations.Enrolments(c.ctx, c.by(), id, state, after, limit)
	if err != nil {
		return nil, err
	}
	page := EnrolmentList{Enrolments: append([]enrol.Enrolment{}, found...)}
	if len(found) == limit {
		last := found[limit-1]
		page.Next = strconv.FormatInt(int64(last.At), 10) + "." + hex.EncodeToString(last.ID[:])
	}
	return page, nil
}

// placeOf reads a page's Next.
func placeOf(text string) (enrol.Place, bool) {
	if text == "" {
		return enrol.Place{}, true
	}
	at, id, ok := strings.Cut(text, ".")
	raw, err := hex.DecodeString(id)
	n, numeric := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || len(raw) != len(uuid.UUID{}) || numeric != nil {
		return enrol.Place{}, false
	}
	return enrol.Place{At: syncproto.Instant(n), ID: uuid.UUID(raw)}, true
}

// pageLimit is the query's limit, or how many rows a page has without one.
func (c *call) pageLimit() (int, error) {
	limit, err := c.limit()
	if limit == 0 {
		limit = roster.DefaultRows
	}
	return limit, err
}

// settleEnrolments is POST /v1/enrolments.
func (a *API) settleEnrolments(c *call) (any, error) {
	var in enrol.Settling
	if err := c.read(&in); err != nil {
		return nil, err
	}
	results, err := a.Letting.Confirmations.Settle(c.ctx, c.by(), in)
	return Settlements{results}, err
}
