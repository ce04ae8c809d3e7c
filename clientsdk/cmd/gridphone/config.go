package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// config is what init keeps beside the client's file, readable by its owner only:
// it holds the token.
type config struct {
	Server string `json:"server"`
	Token  string `json:"token"`
	Device string `json:"device"`
	Author string `json:"author"`
}

func configPath(file string) string { return file + ".json" }

func readConfig(file string) (config, error) {
	var c config
	body, err := os.ReadFile(configPath(file))
	if errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	if err == nil {
		err = json.Unmarshal(body, &c)
	}
	if err != nil {
		return c, fmt.Errorf("reading %s: %w", configPath(file), err)
	}
	return c, nil
}

func (c config) write(file string) error {
	body, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(configPath(file), append(body, '\n'), 0o600); err != nil {
		return fmt.Errorf("keeping the settings: %w", err)
	}
	return nil
}

// over lays the flags that are given over c.
func (c config) over(f *flags) config {
	for _, s := range []struct {
		kept  *string
		given string
	}{{&c.Server, f.Server}, {&c.Token, f.Token}, {&c.Device, f.Device}, {&c.Author, f.Author}} {
		if s.given != "" {
			*s.kept = s.given
		}
	}
	return c
}

// claims reads who a token is for. It isn't verified: the server does that, and
// here it only saves typing two ids.
func claims(token string) (device, author string) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", ""
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", ""
	}
	var c struct {
		Subject string `json:"sub"`
		Author  string `json:"author"`
	}
	if json.Unmarshal(body, &c) != nil {
		return "", ""
	}
	return c.Subject, c.Author
}

type initCommand struct{}

// Run keeps server and token, and who they are for.
func (initCommand) Run(s *session) error {
	kept, err := readConfig(s.flags.File)
	if err != nil {
		return err
	}
	c := kept.over(s.flags)
	if c.Server == "" || c.Token == "" {
		return errors.New(s.say["init_needs"])
	}
	device, author := claims(c.Token)
	for _, d := range []struct {
		into  *string
		given string
		told  string
	}{{&c.Device, s.flags.Device, device}, {&c.Author, s.flags.Author, author}} {
		if d.given == "" && d.told != "" {
			*d.into = d.told
		}
	}
	id, err := syncproto.ParseID[syncproto.DeviceID](c.Device)
	if err != nil {
		return fmt.Errorf("%s: %w", s.say["init_device"], err)
	}
	if _, err := syncproto.ParseID[syncproto.AuthorID](c.Author); err != nil {
		return fmt.Errorf("%s: %w", s.say["init_author"], err)
	}
	client, err := clientsdk.Open(s.ctx, s.flags.File, clientsdk.Options{Device: id})
	if err != nil {
		return err
	}
	if err := client.Close(); err != nil {
		return err
	}
	if err := c.write(s.flags.File); err != nil {
		return err
	}
	s.printf("init_done", s.flags.File, c.Device, c.Author, c.Server)
	return nil
}
