// Command gridphone is a phone without the app: it records, lists, syncs and
// tells where it stands, on a file of its own. It is meant for people at a desk,
// for scripts and for trying a server out.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"gridsync/clientsdk"
	"gridsync/clientsdk/handset"
	"gridsync/syncproto"
)

// flags are the commands and what all of them share. Each flag can also be given
// as GRIDPHONE_… in the environment.
type flags struct {
	File   string `help:"${help_file}" default:"gridphone.db" env:"GRIDPHONE_FILE" type:"path"`
	Lang   string `help:"${help_lang}" default:"zh" enum:"zh,en" env:"GRIDPHONE_LANG"`
	Server string `help:"${help_server}" env:"GRIDPHONE_SERVER"`
	Token  string `help:"${help_token}" env:"GRIDPHONE_TOKEN"`
	Device string `help:"${help_device}" env:"GRIDPHONE_DEVICE"`
	Author string `help:"${help_author}" env:"GRIDPHONE_AUTHOR"`
	Phone  string `help:"${help_phone}" env:"GRIDPHONE_PHONE" type:"path"`
	User   string `help:"${help_user}" env:"GRIDPHONE_USER"`

	Init  initCommand  `cmd:"" help:"${help_init}"`
	Enrol enrolCommand `cmd:"" help:"${help_enrol}"`
	PIN   pinCommand   `cmd:"" name:"pin" help:"${help_pin}"`
	Users usersCommand `cmd:"" help:"${help_users}"`

	Undertaking undertakingCommand `cmd:"" help:"${help_undertaking}"`

	Deliver   deliverCommand   `cmd:"" help:"${help_deliver}"`
	Record    recordCommand    `cmd:"" help:"${help_record}"`
	List      listCommand      `cmd:"" help:"${help_list}"`
	Show      showCommand      `cmd:"" help:"${help_show}"`
	Sync      syncCommand      `cmd:"" help:"${help_sync}"`
	Status    statusCommand    `cmd:"" help:"${help_status}"`
	Forms     formsCommand     `cmd:"" help:"${help_forms}"`
	Notices   noticesCommand   `cmd:"" help:"${help_notices}"`
	Read      readCommand      `cmd:"" help:"${help_read_notice}"`
	Log       logCommand       `cmd:"" help:"${help_log}"`
	Told      toldCommand      `cmd:"" help:"${help_told}"`
	Returned  returnedCommand  `cmd:"" help:"${help_returned}"`
	Resubmit  resubmitCommand  `cmd:"" help:"${help_resubmit}"`
	Merge     mergeCommand     `cmd:"" help:"${help_merge}"`
	Different differentCommand `cmd:"" help:"${help_different}"`
	Accept    acceptCommand    `cmd:"" help:"${help_take}"`
	Return    returnCommand    `cmd:"" help:"${help_return}"`
	Undo      undoCommand      `cmd:"" help:"${help_undo}"`
	Attention attentionCommand `cmd:"" help:"${help_attention}"`
}

// session is what a command works with.
type session struct {
	ctx    context.Context
	out    io.Writer
	say    words
	flags  *flags
	in     *bufio.Reader
	client *clientsdk.Client
	author syncproto.AuthorID
	// phone is the shared phone that client is a profile of; nil for a file of one's own.
	phone *handset.Handset
	// sealed says that the file is, and pin what opened it.
	sealed bool
	pin    string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := realMain(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// realMain runs one command and returns the process's exit code.
func realMain(ctx context.Context, args []string, out, errOut io.Writer) int {
	args = dashes(args)
	say := wordsFor(args, os.Getenv("GRIDPHONE_LANG"))
	exited := -1
	var f flags
	parser, err := kong.New(&f, kong.Name("gridphone"), kong.Description(say["about"]), kong.Writers(out, errOut),
		kong.Vars(say), kong.Exit(func(code int) { exited = code }))
	if err != nil {
		fmt.Fprintln(errOut, err)
		return 1
	}
	command, err := parser.Parse(args)
	if exited >= 0 { // help was asked for and given
		return exited
	}
	if err != nil {
		fmt.Fprintln(errOut, say.wrong(err))
		return 2
	}
	s := &session{ctx: ctx, out: out, say: say, flags: &f, in: stdin()}
	if err := s.run(command); err != nil {
		fmt.Fprintln(errOut, say.wrong(err))
		return 1
	}
	return 0
}

// dashes lets the long flags be written with one dash, too.
func dashes(args []string) []string {
	long := []string{"file", "lang", "server", "token", "device", "author", "area", "record", "anyway", "export", "resolve", "read", "mine", "reason", "visits", "phone", "user", "name", "model", "accept", "without"}
	out := slices.Clone(args)
	for i, arg := range out {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && slices.Contains(long, name) {
			out[i] = "-" + arg
		}
	}
	return out
}

// run opens what the command needs and runs it. Nothing stays unlocked between two
// commands: each that reads or records asks for the PIN of a sealed file.
func (s *session) run(command *kong.Context) (err error) {
	name, _, _ := strings.Cut(command.Command(), " ")
	defer func() { err = errors.Join(err, s.close()) }()
	if name == "init" || name == "enrol" {
		return command.Run(s)
	}
	if err := s.open(name); err != nil {
		return err
	}
	if s.client != nil && name != "deliver" && name != "status" {
		if err := s.unlock(); err != nil {
			return err
		}
	}
	return command.Run(s)
}

func (s *session) close() error {
	if s.phone != nil {
		return s.phone.Close()
	}
	if s.client != nil {
		return s.client.Close()
	}
	return nil
}

// open opens the shared phone, or the client's file with what init or enrol kept, over
// which flags go.
func (s *session) open(command string) error {
	if s.flags.Phone != "" {
		if err := s.openPhone(command != "users" && command != "deliver"); err != nil {
			return err
		}
		if s.client != nil {
			s.author = s.client.Me()
		}
		return nil
	}
	if command == "users" {
		return rejection(s.say["no_phone"])
	}
	c, err := readConfig(s.flags.File)
	if err != nil {
		return err
	}
	c = c.over(s.flags)
	options := clientsdk.Options{Server: c.Server, Token: c.Token, AppName: app}
	if c.Device != "" {
		if options.Device, err = syncproto.ParseID[syncproto.DeviceID](c.Device); err != nil {
			return fmt.Errorf("device: %w", err)
		}
	}
	if c.Author != "" {
		if s.author, err = syncproto.ParseID[syncproto.AuthorID](c.Author); err != nil {
			return fmt.Errorf("author: %w", err)
		}
	}
	if _, known, err := clientsdk.HolderOf(s.keys()); err != nil || known || command == "pin" {
		if err != nil {
			return err
		}
		options.Keys = s.keys()
	}
	if s.client, err = clientsdk.Open(s.ctx, s.flags.File, options); err != nil {
		return err
	}
	if s.author.IsZero() {
		s.author = s.client.Me()
	}
	return nil
}

// as is the author who types.
func (s *session) as() (*clientsdk.Author, error) {
	if s.author.IsZero() {
		return nil, errors.New(s.say["no_author"])
	}
	return s.client.As(s.author), nil
}

func (s *session) printf(key string, args ...any) {
	fmt.Fprintf(s.out, s.say[key]+"\n", args...)
}

func clockTime(t time.Time) string { return t.Format("2006-01-02 15:04:05") }

func moment(at syncproto.Instant) string { return clockTime(time.UnixMilli(int64(at))) }
