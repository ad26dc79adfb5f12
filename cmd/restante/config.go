package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"restante/internal/config"
	"restante/internal/document"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/mailclient/discover"
)

const configUsage = `restante config export          writes what admins have set, as TOML, to the standard output
restante config check FILE      says what is wrong with such a file, and what it would change
restante config apply FILE      changes that, all of it or nothing (-prune: also where something goes that people need)

FILE may be "-": the standard input. check ends with 0 where nothing would change, 2 where something would; apply with 3
where it needs -prune; both with 1 for a file that cannot be, or a site that cannot be read.`

// exitCode is an error that ends the program with a code of its own.
type exitCode struct {
	code  int
	words string
}

func (e exitCode) Error() string { return e.words }

// configure writes, looks at and applies the document of all that admins set.
func configure(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	var prune bool
	conf, rest, err := flags("config "+verb, args, stderr, func(fs *flag.FlagSet) {
		if verb == "apply" {
			fs.BoolVar(&prune, "prune", false, "let go what the file does not name, though people need it")
		}
	})
	if err != nil {
		return err
	}
	wanted := map[string]int{"export": 0, "check": 1, "apply": 1}
	if n, ok := wanted[verb]; !ok || len(rest) != n {
		_, err := fmt.Fprintln(stderr, configUsage)
		return errors.Join(errors.New("restante config export, check FILE or apply FILE"), err)
	}
	text := ""
	if len(rest) > 0 {
		if text, err = readDocument(rest[0]); err != nil {
			return err
		}
	}
	s, err := openFor(ctx, conf, verb == "apply") // to look is not to begin a site, say in a folder that was mistyped
	if err != nil {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
		return err
	}
	c := configuring{store: s, fixed: fixed(conf), secrets: secrets(conf, verb == "apply"), stdout: stdout}
	switch verb {
	case "export":
		err = c.export(ctx)
	case "check":
		err = c.check(ctx, rest[0], text)
	case "apply":
		err = c.apply(ctx, rest[0], text, prune)
	}
	return errors.Join(err, s.Close())
}

// maxDocument is how much of a file is read: more than a document may have.
const maxDocument = 32 << 20

func readDocument(name string) (string, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxDocument))
	return string(raw), err
}

// fixed is what a configuration sets.
func fixed(conf config.Config) document.Fixed {
	f := document.Fixed{PublicURL: conf.PublicURL, Limits: fixedLimits(conf), Discover: conf.Discover}
	if name, ok := discover.HostName(conf.Domain.Name); ok {
		f.Domains = []string{name}
	}
	return f
}

// secrets opens references by the key of a site, which is made when the first one is kept; a look keeps none.
func secrets(conf config.Config, change bool) document.Secrets {
	return document.Secrets{Getenv: os.Getenv, Ring: sync.OnceValues(func() (*seal.Ring, error) {
		if !change {
			if ring, err := seal.Load(conf.KeyFile); !errors.Is(err, os.ErrNotExist) {
				return ring, err
			}
			return seal.NewRing(), nil
		}
		ring, _, err := seal.LoadOrCreate(conf.KeyFile)
		return ring, err
	})}
}

type configuring struct {
	store   *store.Store
	fixed   document.Fixed
	secrets document.Secrets
	stdout  io.Writer
}

func (c configuring) export(ctx context.Context) error {
	now, err := document.Read(ctx, c.store, c.fixed)
	if err != nil {
		return err
	}
	_, err = io.WriteString(c.stdout, now.Written(c.fixed))
	return err
}

// parse reads a document, or says everything that is wrong with it.
func (c configuring) parse(name, text string, now document.Document) (document.Document, error) {
	then, faults := document.Parse(text, c.fixed, c.secrets, now)
	var all []error
	for _, f := range faults {
		at := name
		if f.Line > 0 {
			at = fmt.Sprintf("%s:%d", name, f.Line)
		}
		all = append(all, fmt.Errorf("%s: %s", at, f.Words))
	}
	if len(all) > 0 {
		all = slices.Insert(all, 0, fmt.Errorf("%s cannot be applied", name))
	}
	return then, errors.Join(all...)
}

func (c configuring) check(ctx context.Context, name, text string) error {
	now, err := document.Read(ctx, c.store, c.fixed)
	if err != nil {
		return err
	}
	then, err := c.parse(name, text, now)
	if err != nil {
		return err
	}
	changes := document.Changes(now, then)
	if err := c.tell(changes, "would change"); err != nil || len(changes) == 0 {
		return err
	}
	return exitCode{2, fmt.Sprintf("%s is sound, and not what the site is", name)}
}

func (c configuring) apply(ctx context.Context, name, text string, prune bool) error {
	changes, err := document.Apply(ctx, c.store, c.fixed, func(now document.Document) (document.Document, error) { return c.parse(name, text, now) }, prune)
	if errors.Is(err, document.ErrLost) {
		return errors.Join(c.tell(changes, "would change"), exitCode{3, "nothing was changed: what is marked with ! would go; -prune lets it"})
	}
	if err != nil {
		return err
	}
	return c.tell(changes, "changed")
}

// tell says what changes, a line each. What would be lost is marked.
func (c configuring) tell(changes []document.Change, how string) error {
	if len(changes) == 0 {
		_, err := fmt.Fprintln(c.stdout, "The site is as the file says.")
		return err
	}
	for _, v := range changes {
		mark := " "
		if v.Lost {
			mark = "!"
		}
		if _, err := fmt.Fprintf(c.stdout, "%s %s: %s\n", mark, how, inLine(v.Words)); err != nil {
			return err
		}
	}
	return nil
}
