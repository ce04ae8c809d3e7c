// Command server is gridsync's server: it serves phones, imports areas, enrols
// devices, proves its own totals, and shows and measures itself.
//
// It holds the commands and refuses to hold rules: those are the services'.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"gridsync/server/internal/host"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once: the first only asks.
	context.AfterFunc(ctx, stop)
	code := exitCode(realMain(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr), os.Stderr)
	stop()
	os.Exit(code)
}

// commands is the command line.
type commands struct {
	Serve serveCommand `cmd:"" help:"serve"`
	Init  initCommand  `cmd:"" help:"init"`
	Link  linkCommand  `cmd:"" help:"link"`
	Areas struct {
		Import areasImportCommand `cmd:"" help:"areas_import"`
		List   areasListCommand   `cmd:"" help:"areas_list"`

		Division areasDivisionCommand `cmd:"" help:"areas_division"`
	} `cmd:"" help:"areas"`
	Invite  inviteCommand `cmd:"" help:"invite"`
	People  peopleCommand `cmd:"" help:"people"`
	Devices struct {
		List devicesListCommand `cmd:"" default:"withargs" help:"devices_list"`
		Set  devicesSetCommand  `cmd:"" help:"devices_set"`
	} `cmd:"" help:"devices"`
	Hooks struct {
		List  hooksListCommand  `cmd:"" default:"withargs" help:"hooks_list"`
		Add   hooksAddCommand   `cmd:"" help:"hooks_add"`
		End   hooksEndCommand   `cmd:"" help:"hooks_end"`
		Sent  hooksSentCommand  `cmd:"" help:"hooks_sent"`
		Retry hooksRetryCommand `cmd:"" help:"hooks_retry"`
	} `cmd:"" help:"hooks"`
	Servers  serversCommand  `cmd:"" help:"servers"`
	Handover handoverCommand `cmd:"" help:"handover"`
	Rebuild  rebuildCommand  `cmd:"" help:"rebuild"`
	Verify   verifyCommand   `cmd:"" help:"verify"`
	History  historyCommand  `cmd:"" help:"history"`
	Purge    purgeCommand    `cmd:"" help:"purge"`
	Epoch    struct {
		New epochNewCommand `cmd:"" help:"epoch_new"`
	} `cmd:"" help:"epoch"`
	Keys struct {
		List   keysListCommand   `cmd:"" help:"keys_list"`
		Rotate keysRotateCommand `cmd:"" help:"keys_rotate"`
		Token  keysTokenCommand  `cmd:"" help:"keys_add"`
	} `cmd:"" help:"keys"`
	Forms      formsCommands     `cmd:"" help:"forms"`
	Settings   settingsCommand   `cmd:"" help:"settings"`
	Demo       demoCommand       `cmd:"" help:"demo"`
	Bench      benchCommand      `cmd:"" help:"bench"`
	BenchChild benchChildCommand `cmd:"" hidden:""`

	Import importCommand `cmd:"" help:"import"`
	Copy   copyCommand   `cmd:"" help:"copy"`

	Partitions partitionsCommands `cmd:"" help:"partitions"`

	Audit auditCommand `cmd:"" help:"audit"`
	Seen  seenCommand  `cmd:"" help:"seen"`
}

// dataFlag is the flags that every command about one installation has.
type dataFlag struct {
	Data string `default:"gridsync-data" env:"GRIDSYNC_DATA" placeholder:"DIR" help:"data"`
	Keys string `env:"GRIDSYNC_KEYS" placeholder:"DIR" help:"keys_folder"`
	// DB may hold a password, which belongs in the environment and not on a command line.
	DB string `name:"db" env:"GRIDSYNC_DB" placeholder:"sqlite:DIR|postgres://…" help:"db"`
}

// options are what host.Open makes of the flags.
func (f *dataFlag) options() host.Options { return host.Options{Keys: f.Keys, DB: f.DB} }

// terminal is where a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

// usageError is a command line that can't be understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// leave is what kong's exit becomes, so that help ends a test no less than a process.
type leave struct{ code int }

// realMain runs one command to its end, or until ctx does.
func realMain(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	var line commands
	parser, err := newParser(&line,
		kong.Name("server"), kong.Description(helpTexts["product"]),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { panic(leave{code}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&terminal{stdin, stdout, stderr}),
	)
	if err != nil {
		return fmt.Errorf("command line: %w", err)
	}
	defer func() {
		value := recover()
		if left, ok := value.(leave); ok {
			if left.code != 0 {
				err = usageError{errors.New("exit")}
			}
		} else if value != nil {
			panic(value)
		}
	}()
	parsed, err := parser.Parse(doubleDashes(args))
	if err != nil {
		return usageError{err}
	}
	return parsed.Run()
}

// newParser makes a parser whose help is what helpTexts say under the names that tags give. As
// variables of kong's own they would be looked for in every part of every tag, which took
// longer than most commands do.
func newParser(line any, options ...kong.Option) (*kong.Kong, error) {
	parser, err := kong.New(line, options...)
	if err != nil {
		return nil, err
	}
	word := func(help *string) error {
		text, there := helpTexts[*help]
		if !there && *help != "" {
			return fmt.Errorf("no text for the help %q", *help)
		}
		*help = text
		return nil
	}
	err = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		switch node := node.(type) {
		case *kong.Value:
			if node != parser.Model.HelpFlag.Value { // whose text is kong's
				return next(word(&node.Help))
			}
		case *kong.Node:
			return next(word(&node.Help))
		}
		return next(nil)
	})
	return parser, err
}

// doubleDashes lets long flags be written with one dash, as Go's own commands
// have them: -data DIR. Single letters, numbers and what follows "--" stay.
func doubleDashes(args []string) []string {
	out := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...)
		}
		if len(arg) > 2 && arg[0] == '-' && letter(arg[1]) && arg[2] != '=' {
			arg = "-" + arg
		}
		out = append(out, arg)
	}
	return out
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// exitCode tells a person what went wrong, and says with which code to end: 0 for
// nothing, 2 for a wrong command line, 1 for anything else.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	text, arg := explain(err)
	var usage usageError
	if !errors.As(err, &usage) {
		say(stderr, text, arg)
		return 1
	}
	if text == textFailed {
		text = textUsage
	}
	say(stderr, text, arg)
	return 2
}
