package storetest

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// invited keeps the n-th invitation, which may be redeemed so often.
func (w *world) invited(n, uses int, in syncproto.AreaID) enrol.Invite {
	w.t.Helper()
	v := enrol.Invite{
		ID: id[uuid.UUID](n), Code: enrol.Digest{byte(n), byte(n >> 8), 1}, Area: in, Role: identity.Volunteer, From: 5, To: start + 9,
		Expires: start + 7, Left: uses, Uses: uses, Confirm: n%2 == 1, Author: authorID(n), Label: "早班", By: authorID(9), Made: start + syncproto.Instant(n),
	}
	w.must(w.SaveEnrol(w.ctx(), &enrol.Write{Invites: []enrol.Invite{v}, At: start}))
	return v
}

// redeemed is what redeeming an invitation on a new device comes to.
func redeemed(v enrol.Invite, device int) *enrol.Write {
	d, a := deviceID(device), authorID(device)
	return &enrol.Write{
		At: start + 1, Spent: []uuid.UUID{v.ID},
		Lines:        []audit.Entry{{At: start + 1, Act: audit.Enrolled, Who: a, Device: d, Area: v.Area}},
		Authors:      []identity.Author{{ID: a, Name: "王芳"}},
		Devices:      []identity.Device{{ID: d, Name: "小米 8", Authors: []syncproto.AuthorID{a}, Standing: identity.Standing{Since: start}, Key: make(ed25519.PublicKey, 32)}},
		Grants:       []identity.Grant{{Author: a, Area: v.Area, Role: v.Role, From: 5, To: v.To}},
		Undertakings: []enrol.Accepted{{Author: a, Version: 1, Device: d}},
		Rotations:    []enrol.Rotation{{Device: d, Is: enrol.Refresh{Secret: [32]byte{byte(device)}, Generation: 1, Expires: start + 99}}},
		Enrolments: []enrol.Enrolment{{
			ID: id[uuid.UUID](1000 + device), Invite: v.ID, Device: d, Author: a, Area: v.Area, Role: v.Role, From: 5, To: v.To,
			Name: "王芳", Phone: "小米 8", State: syncproto.EnrolmentWaiting, At: start + syncproto.Instant(device),
		}},
	}
}

// turnedAway fails unless a write is turned away because something has moved on.
func (w *world) turnedAway(what string, write *enrol.Write) {
	w.t.Helper()
	if err := w.SaveEnrol(w.ctx(), write); !errors.Is(err, enrol.ErrMovedOn) {
		w.t.Errorf("%s: %v", what, err)
	}
}

func (w *world) invitesWanted(want enrol.InvitesWanted) []enrol.Invite {
	w.t.Helper()
	found, err := w.Invites(w.ctx(), want)
	w.must(err)
	return found
}

func invitationsComeBackWhole(w *world) {
	one, two, far := w.invited(1, 1, code(1)), w.invited(2, 3, code(1)), w.invited(3, 1, code(2))
	same(w.t, "by its code", w.invitesWanted(enrol.InvitesWanted{Code: two.Code}), []enrol.Invite{two})
	same(w.t, "by a code that there isn't", len(w.invitesWanted(enrol.InvitesWanted{Code: enrol.Digest{9, 9}})), 0)
	same(w.t, "by its id", w.invitesWanted(enrol.InvitesWanted{IDs: []uuid.UUID{far.ID, {7}}}), []enrol.Invite{far})
	areas := []syncproto.AreaID{code(1), code(3)}
	same(w.t, "an area's, the newest first", w.invitesWanted(enrol.InvitesWanted{Areas: areas, Limit: 9}), []enrol.Invite{two, one})
	same(w.t, "bounded", w.invitesWanted(enrol.InvitesWanted{Areas: areas, Limit: 1}), []enrol.Invite{two})
	w.must(w.SaveEnrol(w.ctx(), &enrol.Write{Withdrawn: []uuid.UUID{one.ID}, At: start + 3}))
	w.must(w.SaveEnrol(w.ctx(), &enrol.Write{Withdrawn: []uuid.UUID{one.ID}, At: start + 4}))
	one.Ended = start + 3
	same(w.t, "withdrawn once", w.invitesWanted(enrol.InvitesWanted{Code: one.Code}), []enrol.Invite{one})
	w.turnedAway("one that was withdrawn", redeemed(one, 1))
	same(w.t, "nobody is let in by halves", w.everyone(), identity.Everyone{})
}

func whoIsLetInIsThereWhole(w *world) {
	v := w.invited(2, 2, code(1))
	before := w.revision()
	write := redeemed(v, 4)
	w.must(w.SaveEnrol(w.ctx(), write))
	same(w.t, "everyone", w.everyone(), identity.Everyone{Devices: write.Devices, Authors: write.Authors, Grants: write.Grants})
	if w.revision() <= before {
		w.t.Error("the registry isn't told")
	}
	v.Left = 1
	same(w.t, "the invitation", w.invitesWanted(enrol.InvitesWanted{Code: v.Code}), []enrol.Invite{v})
	found, err := w.Enrolments(w.ctx(), enrol.EnrolmentsWanted{Devices: []syncproto.DeviceID{deviceID(4)}})
	w.must(err)
	same(w.t, "the enrolment", found, write.Enrolments)
	phones, err := w.Phones(w.ctx(), []syncproto.DeviceID{deviceID(4), deviceID(5)})
	w.must(err)
	same(w.t, "a phone that was never heard of", phones, []enrol.Phone{{Device: deviceID(4), Refresh: write.Rotations[0].Is}})
	accepted := write.Undertakings[0]
	accepted.At = write.At
	newer := accepted
	newer.Version, newer.At = 2, write.At+5
	w.must(w.SaveEnrol(w.ctx(), &enrol.Write{Undertakings: []enrol.Accepted{newer}, At: newer.At}))
	w.must(w.SaveEnrol(w.ctx(), &enrol.Write{Undertakings: []enrol.Accepted{newer, accepted}, At: newer.At + 5})) // again
	signed, err := w.Undertakings(w.ctx(), []syncproto.AuthorID{accepted.Author, authorID(77)})
	w.must(err)
	same(w.t, "the undertaking", signed, []enrol.Accepted{newer})
	again := redeemed(v, 4)
	again.Devices = nil
	w.turnedAway("the same again", again)
	other := redeemed(v, 4)
	other.Enrolments = nil
	w.turnedAway("a device that is registered", other)
	same(w.t, "a use that nobody had", w.invitesWanted(enrol.InvitesWanted{Code: v.Code})[0].Left, 1)
}

func anInvitationIsSpentOnce(w *world) {
	v := w.invited(2, 3, code(1))
	var in atomic.Int32
	var work sync.WaitGroup
	for device := range 50 {
		work.Go(func() {
			switch err := w.SaveEnrol(w.ctx(), redeemed(v, device+1)); {
			case err == nil:
				in.Add(1)
			case !errors.Is(err, enrol.ErrMovedOn):
				w.t.Error(err)
			}
		})
	}
	work.Wait()
	same(w.t, "let in", in.Load(), int32(3))
	same(w.t, "devices", len(w.everyone().Devices), 3)
	lines, _, err := w.AuditLines(w.ctx(), audit.Want{Act: audit.Enrolled}, 0, 100)
	w.must(err)
	same(w.t, "noted", len(lines), 3)
	same(w.t, "left", w.invitesWanted(enrol.InvitesWanted{Code: v.Code})[0].Left, 0)
}

func whoWaitsIsSettledOnce(w *world) {
	v := w.invited(2, 9, code(1))
	for device := 1; device <= 5; device++ {
		w.must(w.SaveEnrol(w.ctx(), redeemed(v, device)))
	}
	names := func(want enrol.EnrolmentsWanted) (told string) {
		found, err := w.Enrolments(w.ctx(), want)
		w.must(err)
		for _, e := range found {
			told += fmt.Sprint(e.At-start, string(e.State[:1]), " ")
		}
		return told
	}
	areas := []syncproto.AreaID{code(1), code(8)}
	waiting := enrol.EnrolmentsWanted{Areas: areas, State: syncproto.EnrolmentWaiting, Limit: 3}
	same(w.t, "a page", names(waiting), "1w 2w 3w ")
	waiting.After = enrol.Place{At: start + 3, ID: id[uuid.UUID](1003)}
	same(w.t, "the next", names(waiting), "4w 5w ")
	two := redeemed(v, 2).Enrolments[0]
	two.State, two.By, two.Settled = syncproto.EnrolmentActive, authorID(9), start+50
	w.must(w.SaveEnrol(w.ctx(), &enrol.Write{Settled: []enrol.Enrolment{two}}))
	two.State = syncproto.EnrolmentRefused
	w.turnedAway("settled already", &enrol.Write{Settled: []enrol.Enrolment{two}, Grants: []identity.Grant{{Author: authorID(2), Area: "x", Role: identity.Volunteer}}})
	waiting.After = enrol.Place{}
	same(w.t, "those who wait", names(waiting), "1w 3w 4w ")
	same(w.t, "everybody", names(enrol.EnrolmentsWanted{Areas: areas, Limit: 9}), "1w 2a 3w 4w 5w ")
	same(w.t, "elsewhere", names(enrol.EnrolmentsWanted{Areas: areas[1:], Limit: 9}), "")
	same(w.t, "grants", len(w.everyone().Grants), 5)
	two.State = syncproto.EnrolmentActive
	found, err := w.Enrolments(w.ctx(), enrol.EnrolmentsWanted{IDs: []uuid.UUID{two.ID, {9}}})
	w.must(err)
	same(w.t, "by id", found, []enrol.Enrolment{two})
}

func aRefreshTokenTurnsOnce(w *world) {
	v := w.invited(2, 9, code(1))
	w.must(w.SaveEnrol(w.ctx(), redeemed(v, 1)))
	turn := func(was, is uint64) *enrol.Write {
		return &enrol.Write{Rotations: []enrol.Rotation{{Device: deviceID(1), Was: was, Is: enrol.Refresh{Secret: [32]byte{1}, Generation: is, Expires: start + 100, Vouched: is == 2}}}}
	}
	before := w.revision()
	w.must(w.SaveEnrol(w.ctx(), turn(1, 2)))
	w.turnedAway("turned already", turn(1, 2))
	w.turnedAway("begun already", turn(0, 1))
	same(w.t, "revision", w.revision(), before)
	w.reopen()
	phones, err := w.Phones(w.ctx(), []syncproto.DeviceID{deviceID(1)})
	w.must(err)
	same(w.t, "after a restart", phones[0].Refresh, turn(1, 2).Rotations[0].Is)
}

func standingsAndJoinsDontUndoEachOther(w *world) {
	v := w.invited(2, 9, code(1))
	write := redeemed(v, 1)
	w.must(w.SaveEnrol(w.ctx(), write))
	w.must(w.SaveEnrol(w.ctx(), redeemed(v, 2)))
	lost := enrol.Restanding{Device: deviceID(1), Was: write.Devices[0].Standing, Is: identity.Standing{Status: identity.Lost, Since: start + 5}}
	w.must(w.SaveEnrol(w.ctx(), &enrol.Write{Standings: []enrol.Restanding{lost}}))
	w.turnedAway("a standing that isn't what it was", &enrol.Write{Standings: []enrol.Restanding{lost}})
	join := enrol.Join{Device: deviceID(1), Author: authorID(2)}
	w.must(w.SaveEnrol(w.ctx(), &enrol.Write{Joins: []enrol.Join{join}}))
	w.must(w.SaveEnrol(w.ctx(), &enrol.Write{Joins: []enrol.Join{join}}))
	want := write.Devices[0]
	want.Standing, want.Authors = lost.Is, []syncproto.AuthorID{authorID(1), authorID(2)}
	same(w.t, "the device", w.everyone().Devices[0], want)
}

func phonesTellTheirBacklog(w *world) {
	w.must(w.SaveEnrol(w.ctx(), redeemed(w.invited(2, 9, code(1)), 1)))
	b := &exchange.Batch{Devices: []exchange.DeviceState{{
		Device: deviceID(1), High: 9, Held: 8, ContactServer: start + 50, ContactDevice: start + 20, Unsent: 12, App: "app/1",
		Parked: []syncproto.Waiting{{N: 1, Code: syncproto.CodeOutOfArea}, {N: 2, Code: syncproto.CodeOutOfArea}},
	}}}
	w.areas(1)
	w.save(b)
	phones, err := w.Phones(w.ctx(), []syncproto.DeviceID{deviceID(1)})
	w.must(err)
	phones[0].Refresh = enrol.Refresh{}
	same(w.t, "the phone", phones, []enrol.Phone{{
		Device: deviceID(1), Contact: start + 50, Offset: 30, App: "app/1", Unsent: 12, Held: 8, Parked: 2,
	}})
}
