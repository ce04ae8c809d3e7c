package demo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"gridsync/clientsdk"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// Around is a server as the demo needs it.
func Around(s *host.Server) *Server {
	return &Server{
		URL: s.URL(), Histories: s.Histories, Close: s.Close, Settle: s.Retry,
		Invite: func(ctx context.Context, wanted Invitation) (string, error) { return invite(ctx, s, wanted) },
		Screen: func(ctx context.Context, area syncproto.AreaID) (string, error) { return screen(ctx, s, area) },
		Rebuild: func(ctx context.Context) ([]string, error) {
			diff, err := s.Rebuild(ctx)
			if err != nil {
				return nil, err
			}
			found := diff.Found
			if more := diff.Total - len(found); more > 0 {
				found = append(found, fmt.Sprintf("and %d more", more))
			}
			return found, nil
		},
	}
}

// invite invites somebody of the story as whoever sits at the server does: the person is
// known, so the invitation is theirs alone.
func invite(ctx context.Context, s *host.Server, wanted Invitation) (string, error) {
	if err := s.AddPeople(ctx, []identity.Author{wanted.Author}); err != nil {
		return "", err
	}
	letting, by, err := s.Letting(ctx)
	if err != nil {
		return "", err
	}
	_, code, err := letting.Invite(ctx, by, enrol.Inviting{Area: wanted.Area, Role: wanted.Role, Author: wanted.Author.ID})
	return code, err
}

// screenLasts is how long the screen on the wall of the story's headquarters may show the
// page: nobody stands there to sign in.
const screenLasts = 30 * 24 * time.Hour

func screen(ctx context.Context, s *host.Server, area syncproto.AreaID) (string, error) {
	enrolled, err := s.AddDevice(ctx, host.Device{
		Name: "县指挥部大屏", Areas: []syncproto.AreaID{area}, Role: identity.County, Token: screenLasts,
	})
	return enrolled.Token, err
}

// open redeems an invitation for each of the people of a phone, one after the other, over
// the phone's own link, and opens its file.
func (p *play) open(ctx context.Context, options clientsdk.Options, phone string, who []Invitation) (*clientsdk.Client, error) {
	name := filepath.Join(p.dir, "phones", options.Device.String())
	options.Keys = clientsdk.FileKeystore(name + ".keys")
	for _, wanted := range who {
		code, err := p.server.Invite(ctx, wanted)
		if err != nil {
			return nil, fmt.Errorf("inviting %s: %w", wanted.Author.Name, err)
		}
		if err := redeem(ctx, options, code, phone, wanted); err != nil {
			return nil, err
		}
	}
	return clientsdk.Open(ctx, name+".db", options)
}

// redeem lets somebody read what an invitation is for, accept the undertaking and come in,
// trying again while the link breaks.
func redeem(ctx context.Context, options clientsdk.Options, code, phone string, wanted Invitation) error {
	var invited syncproto.Invited
	err := again(func() (err error) {
		invited, err = clientsdk.Look(ctx, options, code)
		return err
	})
	if err != nil {
		return err
	}
	if invited.AreaID != wanted.Area {
		return fmt.Errorf("an invitation into %s says %s", wanted.Area, invited.AreaID)
	}
	return again(func() error {
		_, err := clientsdk.Enrol(ctx, options, clientsdk.Enrolment{
			Code: code, Name: wanted.Author.Name, Phone: phone, Undertaking: invited.Undertaking.Version,
		})
		return err
	})
}

// patience is how often somebody tries again when there was no answer.
const patience = 50

func again(try func() error) error {
	err := try()
	for n := 1; n < patience && errors.Is(err, clientsdk.ErrOffline); n++ {
		err = try()
	}
	return err
}

// desk opens a device of somebody who records nothing, over a good link.
func (p *play) desk(ctx context.Context, name string, area syncproto.AreaID, role identity.Role) (*clientsdk.Client, error) {
	device, err := p.newID()
	if err != nil {
		return nil, err
	}
	author, err := p.newID()
	if err != nil {
		return nil, err
	}
	who := identity.Author{ID: syncproto.AuthorID(author), Name: name}
	client, err := p.open(ctx, clientsdk.Options{
		Server: p.server.URL, Device: syncproto.DeviceID(device), AppName: "demo/1", Now: p.clock.Now,
	}, name, []Invitation{{Author: who, Area: area, Role: role}})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return client, nil
}
