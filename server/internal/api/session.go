package api

import (
	"context"
	"encoding/json"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"gridsync/server/internal/console"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// Accounts are who may sign in. All fail with codes that console names.
type Accounts interface {
	Invite(ctx context.Context, caller identity.Caller, author syncproto.AuthorID, login string, now syncproto.Instant) (*console.Welcome, error)
	Setup(ctx context.Context, token string, now syncproto.Instant) (*console.Setup, error)
	Redeem(ctx context.Context, in console.Chosen, now syncproto.Instant) error
	ChangePassword(ctx context.Context, caller identity.Caller, old, password string, now syncproto.Instant) error
	LoginOf(ctx context.Context, author syncproto.AuthorID) (string, error)
}

// Signing is how people come in and go.
type Signing interface {
	SignIn(ctx context.Context, in console.Credentials, agent string, now syncproto.Instant) (*console.Entry, error)
	Sessions(ctx context.Context, caller identity.Caller, now syncproto.Instant) ([]console.SignedIn, error)
	SignOut(ctx context.Context, caller identity.Caller, name string, now syncproto.Instant) error
	SignOutEverywhere(ctx context.Context, author syncproto.AuthorID, now syncproto.Instant) error
}

// Desk is what signing in needs.
type Desk struct {
	// Accounts and Signing may be nil: then nobody signs in.
	Accounts Accounts
	Signing  Signing
	// InsecureCookie lets the cookie go over plain HTTP: for a server that nobody reaches
	// but from its own machine, unless a proxy there says that it was asked over TLS.
	InsecureCookie bool
}

// Linked is a link that is used: in a first step with its token alone.
type Linked = console.Chosen

// NewAccount asks for a link for a person.
type NewAccount struct {
	Author syncproto.AuthorID `json:"author"`
	Login  string             `json:"login"`
}

// NewPassword is a person's own change of password.
type NewPassword struct {
	Old      string `json:"old"`
	Password string `json:"password"`
}

// Ending names the session that is to end, or says that all are.
type Ending struct {
	ID  string `json:"id,omitempty"`
	All bool   `json:"all,omitempty"`
}

// Done is the answer to what has nothing more to tell.
type Done struct{}

// SessionList is where a person is signed in, the newest first.
type SessionList struct {
	Sessions []console.SignedIn `json:"sessions"`
}

// Me is who is signed in, and what they may do now.
type Me struct {
	Author syncproto.AuthorID `json:"author"`
	Name   string             `json:"name"`
	Login  string             `json:"login"`
	Grants []Held             `json:"grants"`
	// Reach lists for each right the topmost areas in which it may be used.
	Reach map[identity.Right][]syncproto.AreaID `json:"reach"`
}

// Held is a grant that holds.
type Held struct {
	Area     syncproto.AreaID  `json:"area"`
	AreaName string            `json:"area_name"`
	Role     identity.Role     `json:"role"`
	Rights   []identity.Right  `json:"rights"`
	Gives    []identity.Role   `json:"gives,omitempty"`
	From     syncproto.Instant `json:"from"`
	To       syncproto.Instant `json:"to,omitempty"`
}

// sessionRoutes are how people sign in at a desk.
func sessionRoutes() []route {
	return []route{
		{
			method: fiber.MethodPost, path: "/v1/session", id: "signIn", who: anyone, within: readWithin,
			summary: "Sign in at a desk with login, password and an authenticator's code; the answer sets the cookie.",
			body:    console.Credentials{}, answer: Me{}, handle: (*API).signIn,
			codes: append([]syncproto.Code{syncproto.CodeTOTPNeeded, syncproto.CodeSignInFailed, syncproto.CodeLocked}, codesOfDesk...),
		},
		{
			method: fiber.MethodGet, path: "/v1/session", id: "whoAmI", who: atDesk, within: readWithin,
			summary: "Who is signed in, and what they may do where.", answer: Me{}, handle: (*API).whoAmI,
		},
		{
			method: fiber.MethodDelete, path: "/v1/session", id: "signOut", who: atDesk, within: readWithin,
			summary: "Sign out.", answer: Done{}, handle: (*API).signOut, codes: []syncproto.Code{syncproto.CodeNotFound},
		},
		{
			method: fiber.MethodGet, path: "/v1/sessions", id: "sessions", who: atDesk, within: readWithin,
			summary: "Where the caller is signed in, the newest first.", answer: SessionList{}, handle: (*API).listSessions,
		},
		{
			method: fiber.MethodPost, path: "/v1/sessions/end", id: "endSession", who: atDesk, within: readWithin,
			summary: "End one of the caller's sessions, or all of them, this one too.",
			body:    Ending{}, answer: Done{}, handle: (*API).endSession, codes: append([]syncproto.Code{syncproto.CodeNotFound}, codesOfDesk...),
		},
		{
			method: fiber.MethodPost, path: "/v1/account", id: "useLink", who: anyone, within: readWithin,
			summary: "Use a link: first with its token alone, which tells whose it is and gives a secret for an authenticator; " +
				"then with a password, a code of that secret, and what was sealed, which sets both.",
			body: Linked{}, answer: console.Setup{}, handle: (*API).useLink,
			codes: append([]syncproto.Code{syncproto.CodeLinkSpent, syncproto.CodeWeakPassword, syncproto.CodeSignInFailed}, codesOfDesk...),
		},
		{
			method: fiber.MethodPost, path: "/v1/account/password", id: "changePassword", who: atDesk, within: readWithin,
			summary: "Change the caller's password; their other sessions end.",
			body:    NewPassword{}, answer: Done{}, handle: (*API).changePassword,
			codes: append([]syncproto.Code{syncproto.CodeWeakPassword, syncproto.CodeSignInFailed, syncproto.CodeLocked}, codesOfDesk...),
		},
		{
			method: fiber.MethodPost, path: "/v1/accounts", id: "makeLink", who: atDesk, right: identity.Enrol, within: readWithin,
			summary: "Make a link with which a person sets a password, for somebody all of whose grants the caller may give.",
			body:    NewAccount{}, answer: console.Welcome{}, handle: (*API).makeLink,
			codes: append([]syncproto.Code{syncproto.CodeForbidden, syncproto.CodeOwnGrant}, codesOfDesk...),
		},
	}
}

// codesOfDesk are those with which bodies are turned away, and who comes at a bad moment.
var codesOfDesk = []syncproto.Code{
	syncproto.CodeMalformed, syncproto.CodeBadRequest, syncproto.CodeBodyTooLarge, syncproto.CodeBadEncoding,
	syncproto.CodeCrossSite, syncproto.CodeNotFound, syncproto.CodeBusy,
}

// noDesk is what is answered where nobody signs in.
func (a *API) noDesk() error {
	if a.Desk.Accounts == nil || a.Desk.Signing == nil {
		return &syncproto.Error{Code: syncproto.CodeNotFound}
	}
	return nil
}

// signIn is POST /v1/session. It is asked of our page alone, cookie or not: another site must
// not be able to sign somebody in under a name of its own.
func (a *API) signIn(c *call) (any, error) {
	var in console.Credentials
	if err := a.open(c, &in); err != nil {
		return nil, err
	}
	in.Mark = c.Cookies(markCookie)
	entry, err := a.Desk.Signing.SignIn(c.ctx, in, c.Get(fiber.HeaderUserAgent), c.instant())
	if err != nil {
		return nil, err
	}
	c.caller = entry.Who
	me, err := a.whoAmI(c)
	if err != nil {
		return nil, err
	}
	a.setCookie(c, entry.Cookie)
	a.setMark(c, entry.Mark)
	return me, nil
}

// open reads the body of a request that nobody need be known for.
func (a *API) open(c *call, into any) error {
	if err := a.noDesk(); err != nil {
		return err
	}
	if err := sameSite(c.Ctx); err != nil {
		return err
	}
	return c.read(into)
}

// setCookie gives the browser a cookie, or takes it away if it is empty. It has no end of its
// own: the browser drops it when it closes, the server when the session ends.
func (a *API) setCookie(c *call, value string) {
	cookie := &fiber.Cookie{
		Name: SessionCookie, Value: value, Path: "/", HTTPOnly: true, Secure: !a.Desk.InsecureCookie || a.encrypted(c.Ctx),
		SameSite: fiber.CookieSameSiteStrictMode, SessionOnly: true,
	}
	if value == "" {
		cookie.SessionOnly, cookie.Expires = false, fasthttp.CookieExpireDelete
	}
	c.Cookie(cookie)
}

// markCookie says that somebody has signed in in this browser before. It is sent to signing
// in alone, and lets nobody in.
const markCookie = "gridsync-known"

// setMark marks a browser, for as long as browsers keep anything.
func (a *API) setMark(c *call, mark string) {
	c.Cookie(&fiber.Cookie{
		Name: markCookie, Value: mark, Path: "/v1/session", HTTPOnly: true, Secure: !a.Desk.InsecureCookie || a.encrypted(c.Ctx),
		SameSite: fiber.CookieSameSiteStrictMode, MaxAge: markSeconds,
	})
}

// markSeconds is longer than a mark holds: its service says when it ends.
const markSeconds = 365 * 24 * 60 * 60

// whoAmI is GET /v1/session.
func (a *API) whoAmI(c *call) (any, error) {
	if err := a.noDesk(); err != nil {
		return nil, err
	}
	id := c.caller.Authors[0]
	login, err := a.Desk.Accounts.LoginOf(c.ctx, id)
	if err != nil {
		return nil, err
	}
	author, _ := c.snap.People.Author(id)
	me := &Me{Author: id, Name: author.Name, Login: login, Grants: []Held{}, Reach: make(map[identity.Right][]syncproto.AreaID)}
	for _, g := range c.snap.People.Grants(id) {
		if !g.At(c.instant()) {
			continue
		}
		area, _ := c.snap.Areas.Find(g.Area)
		power := g.Role.Power()
		me.Grants = append(me.Grants, Held{
			Area: g.Area, AreaName: area.Name, Role: g.Role, Rights: power.Rights, Gives: power.Gives, From: g.From, To: g.To,
		})
	}
	for _, right := range identity.Rights {
		if tops := c.snap.People.Reach(c.snap.Areas, c.caller.Authors, right, c.instant()); len(tops) > 0 {
			me.Reach[right] = tops
		}
	}
	return me, nil
}

// signOut is DELETE /v1/session.
func (a *API) signOut(c *call) (any, error) {
	if err := a.Desk.Signing.SignOut(c.ctx, c.caller, "", c.instant()); err != nil {
		return nil, err
	}
	a.setCookie(c, "")
	return Done{}, nil
}

// listSessions is GET /v1/sessions.
func (a *API) listSessions(c *call) (any, error) {
	list, err := a.Desk.Signing.Sessions(c.ctx, c.caller, c.instant())
	return SessionList{list}, err
}

// endSession is POST /v1/sessions/end.
func (a *API) endSession(c *call) (any, error) {
	var in Ending
	if err := c.read(&in); err != nil {
		return nil, err
	}
	switch {
	case in.All:
		if err := a.Desk.Signing.SignOutEverywhere(c.ctx, c.caller.Authors[0], c.instant()); err != nil {
			return nil, err
		}
		a.setCookie(c, "")
	case in.ID == "":
		return nil, bad("id", "missing")
	default:
		if err := a.Desk.Signing.SignOut(c.ctx, c.caller, in.ID, c.instant()); err != nil {
			return nil, err
		}
	}
	return Done{}, nil
}

// useLink is POST /v1/account.
func (a *API) useLink(c *call) (any, error) {
	var in Linked
	if err := a.open(c, &in); err != nil {
		return nil, err
	}
	if in.Password == "" {
		return a.Desk.Accounts.Setup(c.ctx, in.Token, c.instant())
	}
	if err := a.Desk.Accounts.Redeem(c.ctx, in, c.instant()); err != nil {
		return nil, err
	}
	return console.Setup{}, nil
}

// changePassword is POST /v1/account/password.
func (a *API) changePassword(c *call) (any, error) {
	var in NewPassword
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return Done{}, a.Desk.Accounts.ChangePassword(c.ctx, c.caller, in.Old, in.Password, c.instant())
}

// makeLink is POST /v1/accounts.
func (a *API) makeLink(c *call) (any, error) {
	var in NewAccount
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if len(c.reach()) == 0 {
		return nil, &syncproto.Error{Code: syncproto.CodeForbidden, Field: "author"}
	}
	return a.Desk.Accounts.Invite(c.ctx, c.caller, in.Author, in.Login, c.instant())
}

// smallBody bounds the bodies that name a few things.
const smallBody = 16 << 10

// read reads a small body. It fails with the codes of readBody, and with bad_request for a
// member of another type.
func (c *call) read(into any) error {
	return readBody(c.Ctx, func(body []byte) error {
		switch {
		case len(body) > smallBody:
			return &syncproto.Error{Code: syncproto.CodeBodyTooLarge}
		case !json.Valid(body):
			return &syncproto.Error{Code: syncproto.CodeMalformed, Detail: "not JSON"}
		}
		if err := json.Unmarshal(body, into); err != nil {
			return wrongType(err)
		}
		return nil
	})
}
