package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"restante/handlers"
	"restante/internal/config"
	"restante/internal/seal"
	"restante/internal/store"
)

const (
	linkLives = time.Hour
	linkFile  = "setup-link.txt" // in the data directory
)

// offerSetup prints a set-up link where nobody is admin yet, and keeps it in a file for this user alone: whoever starts
// the program in the background does not see the terminal.
func (h *house) offerSetup(ctx context.Context, w io.Writer, at string) error {
	has, err := h.store.HasAdmin(ctx)
	if err != nil {
		return err
	}
	if has {
		return dropLink(h.conf)
	}
	held, err := h.store.SetupHeld(ctx, handlers.SetupLives)
	if err != nil {
		return err
	}
	if held {
		_, err := fmt.Fprintln(w, "\n  A set-up was begun in a browser, and goes on there. A link for another: restante admin setup-link")
		return errors.Join(err, dropLink(h.conf))
	}
	return setupLink(ctx, h.store, h.conf, w, at)
}

// dropLink takes the file of a link away that is over.
func dropLink(conf config.Config) error {
	if err := os.Remove(filepath.Join(conf.Data, linkFile)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// setupLink makes a set-up link, in the place of any older one.
func setupLink(ctx context.Context, s *store.Store, conf config.Config, w io.Writer, at string) error {
	token := seal.NewToken()
	if err := s.NewSetupLink(ctx, seal.Digest(token), linkLives); err != nil {
		return err
	}
	link := strings.TrimSuffix(at, "/") + "/setup/" + token
	if err := dropLink(conf); err != nil {
		return err
	}
	file := filepath.Join(conf.Data, linkFile)
	if err := os.WriteFile(file, []byte(link+"\n"), 0o600); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n  Set it up in a browser: %s\n  The link holds for an hour, and once. It stands in %s too.\n", link, file)
	return err
}

const adminUsage = "restante admin setup-link, restante admin create NAME, or restante admin reset NAME"

// admin makes admins and lets them in again, from the machine that Restante runs on.
func admin(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	conf, rest, err := flags("admin", args, stderr, func(fs *flag.FlagSet) {
		fs.Usage = func() { _, _ = fmt.Fprintln(stderr, adminUsage); fs.PrintDefaults() }
	})
	if err != nil {
		return err
	}
	what := strings.Join(rest[:min(len(rest), 1)], "")
	if !(what == "setup-link" && len(rest) == 1) && !((what == "create" || what == "reset") && len(rest) == 2) {
		return errors.New(adminUsage)
	}
	if err := conf.EnsureData(); err != nil {
		return err
	}
	s, err := store.Open(ctx, conf.DatabaseURL, conf.Data)
	if err != nil {
		return err
	}
	switch what {
	case "setup-link":
		err = newLink(ctx, s, conf, stdout)
	case "create":
		err = createAdmin(ctx, s, rest[1], stdout, stderr)
	case "reset":
		err = resetAdmin(ctx, s, rest[1], stdout, stderr)
	}
	return errors.Join(err, s.Close())
}

// newLink prints a new set-up link. Once there is an admin there is none: others are made by `restante admin create`.
func newLink(ctx context.Context, s *store.Store, conf config.Config, stdout io.Writer) error {
	has, err := s.HasAdmin(ctx)
	if err != nil {
		return err
	}
	if has {
		return errors.New("there is an admin already: restante admin create NAME makes another one, restante admin reset NAME lets one in again")
	}
	at := conf.PublicURL
	if at == "" {
		_, port, _ := strings.Cut(conf.Listen, ":")
		at = "http://localhost:" + port
	}
	return setupLink(ctx, s, conf, stdout, at)
}

func createAdmin(ctx context.Context, s *store.Store, name string, stdout, stderr io.Writer) error {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 64 {
		return errors.New("a name of 1 to 64 letters is needed")
	}
	password, err := askPassword(stderr, name)
	if err != nil {
		return err
	}
	if _, err := s.AddAdmin(ctx, store.Admin{Name: name, Hash: seal.HashPassword(password)}, nil); errors.Is(err, store.ErrTaken) {
		return fmt.Errorf("there is an admin %s already", name)
	} else if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s can sign in at /admin.\n", name)
	return errors.Join(err, s.TellAdmins(ctx, name, "create"), s.AddAudit(ctx, store.AuditRow{Who: "command", Verb: "admin-create", Object: name, Result: "ok"}))
}

func resetAdmin(ctx context.Context, s *store.Store, name string, stdout, stderr io.Writer) error {
	a, err := s.AdminByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no admin %s", name)
	}
	if err != nil {
		return err
	}
	password, err := askPassword(stderr, a.Name)
	if err != nil {
		return err
	}
	err = errors.Join(s.SetAdminPassword(ctx, a.ID, seal.HashPassword(password)), s.SetAdminFactor(ctx, a.ID, nil, 0, nil, ""))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s has a new password, no second factor, and is signed out everywhere.\n", a.Name)
	return errors.Join(err, s.TellAdmins(ctx, a.Name, "reset"), s.AddAudit(ctx, store.AuditRow{Who: "command", Verb: "admin-reset", Object: a.Name, Result: "ok"}))
}

// askPassword takes a password from the terminal, or else a line of the standard input.
func askPassword(stderr io.Writer, name string) (string, error) {
	_, _ = fmt.Fprintf(stderr, "New password for %s, %d letters or more: ", name, seal.MinPassword)
	var password string
	if in := int(os.Stdin.Fd()); term.IsTerminal(in) {
		raw, err := term.ReadPassword(in)
		_, _ = fmt.Fprintln(stderr)
		if err != nil {
			return "", err
		}
		password = string(raw)
	} else {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		password = strings.TrimRight(line, "\r\n")
	}
	switch seal.WeakPassword(password, name) {
	case "short":
		return "", fmt.Errorf("a password has %d letters at least", seal.MinPassword)
	case "common":
		return "", errors.New("that password is too easily guessed")
	}
	return password, nil
}
