package sqlite_test

import (
	"testing"

	"github.com/google/uuid"

	"gridsync/server/internal/enrol"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
)

// Whoever has a copy of the database can neither call those who were let in nor renew their
// tokens; and both go along when the key is changed.
func TestMobilesAndTokensOfThoseLetInAreSealed(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir)
	device, author := syncproto.DeviceID{1}, syncproto.AuthorID{2}
	invite := enrol.Invite{ID: uuid.UUID{3}, Area: "33", Role: identity.Volunteer, Uses: 1, Left: 1}
	secret := [32]byte([]byte("a refresh token is made of this!"))
	is := enrol.Refresh{Secret: secret, Generation: 1, Expires: 9}
	err := store.SaveEnrol(t.Context(), &enrol.Write{Invites: []enrol.Invite{invite}})
	if err == nil {
		err = store.SaveEnrol(t.Context(), &enrol.Write{
			Spent:   []uuid.UUID{invite.ID},
			Authors: []identity.Author{{ID: author, Name: "甲"}},
			Devices: []identity.Device{{ID: device, Name: "甲手机", Authors: []syncproto.AuthorID{author}}},
			Enrolments: []enrol.Enrolment{{
				ID: uuid.UUID{4}, Invite: invite.ID, Device: device, Author: author, Area: "33", Role: identity.Volunteer,
				Name: "甲", Phone: "10000000009", State: syncproto.EnrolmentWaiting,
			}},
			Rotations: []enrol.Rotation{{Device: device, Is: is}},
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	pieces := []string{"10000000009", string(secret[:])}
	if found := tells(t, dir, pieces); len(found) > 0 {
		t.Errorf("open: %v", found)
	}
	closed(t, store)
	if found := tells(t, dir, pieces); len(found) > 0 {
		t.Error(found)
	}
	store = openWith(t, dir, storetest.Keys(t, 1, 2))
	if n, err := store.Reseal(t.Context()); n != 2 || err != nil {
		t.Errorf("%d texts sealed anew, %v", n, err)
	}
	closed(t, store)
	store = openWith(t, dir, storetest.Keys(t, 2))
	defer closed(t, store)
	found, err := store.Enrolments(t.Context(), enrol.EnrolmentsWanted{IDs: []uuid.UUID{{4}}})
	if err != nil || len(found) != 1 || found[0].Phone != "10000000009" {
		t.Errorf("%+v, %v", found, err)
	}
	phones, err := store.Phones(t.Context(), []syncproto.DeviceID{device})
	if err != nil || len(phones) != 1 || phones[0].Refresh != is {
		t.Errorf("%+v, %v", phones, err)
	}
}
