// Restante is a webmail: it leaves mail on the user's own IMAP server and brings
// it to any browser.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // a bare machine has no time zones
)

const usage = `Restante brings your mail to any browser.

  restante serve    serve the mail of your own servers
  restante demo     try it: web, IMAP, SMTP and POP3 with sample mail, nothing kept
  restante doctor   check configuration, database, keys and mail servers
  restante admin    setup-link, create NAME or reset NAME: who sets the site up
  restante config   export, check FILE or apply FILE: all that admins set, as one TOML file
  restante migrate  up or status: the database schema
  restante version

restante <command> -h tells its flags.
`

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // a webmail waits more than it works: memory is what its host is short of
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		tell(os.Stderr, err)
		code := exitCode{code: 1}
		errors.As(err, &code)
		os.Exit(code.code)
	}
}

// tell says why the program ends.
func tell(w io.Writer, err error) {
	if !errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintln(terminal{w}, "restante:", err)
	}
}

// run is main with its world as arguments. It ends when ctx does.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	stdout, stderr = terminal{stdout}, terminal{stderr}
	if len(args) == 0 {
		_, err := io.WriteString(stderr, usage)
		return errors.Join(err, flag.ErrHelp)
	}
	commands := map[string]func(context.Context, []string, io.Writer, io.Writer) error{
		"serve": serve, "demo": runDemo, "doctor": doctor, "admin": admin, "config": configure, "migrate": migrate, "version": printVersion,
	}
	command, ok := commands[args[0]]
	if !ok {
		_, err := io.WriteString(stderr, usage)
		return errors.Join(fmt.Errorf("there is no command %q", args[0]), err)
	}
	return command(ctx, args[1:], stdout, stderr)
}

func printVersion(_ context.Context, _ []string, stdout, _ io.Writer) error {
	_, err := fmt.Fprintln(stdout, "restante", version())
	return err
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (v == "" || v == "(devel)") {
			v = s.Value[:min(12, len(s.Value))]
		}
	}
	if v == "" {
		v = "devel"
	}
	return v
}
