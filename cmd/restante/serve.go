package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"restante/internal/config"
	"restante/internal/demo"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/discover"
)

// flags are those that serve, doctor and migrate share; more adds to them.
func flags(name string, args []string, stderr io.Writer, more ...func(*flag.FlagSet)) (config.Config, []string, error) {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	file := fs.String("config", os.Getenv("RESTANTE_CONFIG"), "configuration file (TOML)")
	listen := fs.String("listen", "", "address to serve on, host:port")
	data := fs.String("data", "", "data directory")
	level := fs.String("log", "", "debug, info, warn or error")
	for _, add := range more {
		add(fs)
	}
	if err := fs.Parse(args); err != nil {
		return config.Config{}, nil, err
	}
	conf, err := config.Load(*file, func(key string) string {
		given := map[string]string{"RESTANTE_LISTEN": *listen, "RESTANTE_DATA": *data, "RESTANTE_LOG": *level}
		if v := given[key]; v != "" {
			return v
		}
		return os.Getenv(key)
	})
	return conf, fs.Args(), err
}

// serve is the real thing: mail of the configured domain and of known providers.
func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	conf, _, err := flags("serve", args, stderr)
	if err != nil {
		return err
	}
	servers, err := preset(conf)
	if err != nil {
		return err
	}
	h, err := open(ctx, conf, servers, newLog(stderr, conf.Log))
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", conf.Listen)
	if err != nil {
		return errors.Join(err, h.close())
	}
	at := conf.PublicURL
	if at == "" {
		at = "http://" + reachable(ln.Addr())
	}
	_, _ = fmt.Fprintf(stdout, "Restante serves on %s\n", at)
	if err := h.offerSetup(ctx, stdout, at); err != nil {
		return errors.Join(err, ln.Close(), h.close())
	}
	return h.run(ctx, ln)
}

// reachable is an address that can be typed into a browser on this machine.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// runDemo serves embedded mail servers with sample mail. Without -data nothing outlives it.
func runDemo(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	fs := flag.NewFlagSet("demo", flag.ContinueOnError)
	fs.SetOutput(stderr)
	listen := fs.String("listen", "127.0.0.1:8080", "address to serve on, host:port")
	data := fs.String("data", "", "directory to keep mail and settings in")
	level := fs.String("log", "warn", "debug, info, warn or error")
	if err := fs.Parse(args); err != nil {
		return err
	}
	conf := config.Default()
	conf.Listen, conf.Log, conf.Data = *listen, *level, *data
	mailDir := ""
	if *data == "" {
		if conf.Data, err = os.MkdirTemp("", "restante-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(conf.Data)) }()
	} else {
		mailDir = *data + "/mail"
	}
	conf.KeyFile = conf.Data + "/restante.key"
	ln, err := net.Listen("tcp", conf.Listen)
	if err != nil {
		return fmt.Errorf("%w (choose another address with -listen)", err)
	}
	mail, err := demo.Start(context.WithoutCancel(ctx), demo.Options{Mail: true, Dir: mailDir})
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer mail.Close()
	h, err := open(ctx, conf, []discover.Servers{demoServers(mail)}, newLog(stderr, conf.Log), mail.POP3Addr)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	if err := nameDemo(ctx, h, mail.Users()); err != nil {
		return errors.Join(err, ln.Close(), h.close())
	}
	_, _ = fmt.Fprintf(stdout, "Restante demo: http://%s\n\n", reachable(ln.Addr()))
	for _, u := range mail.Users() {
		_, _ = fmt.Fprintf(stdout, "  sign in as  %-16s password  %s\n", u.Address, u.Password)
	}
	if err := h.offerSetup(ctx, stdout, "http://"+reachable(ln.Addr())); err != nil {
		return errors.Join(err, ln.Close(), h.close())
	}
	_, _ = fmt.Fprintf(stdout, "\n  an old POP3 mailbox to import from: %s without encryption, user %s, password %s\n", mail.POP3Addr, demo.OldUser.Address, demo.OldUser.Password)
	if *data == "" {
		_, _ = fmt.Fprintln(stdout, "\nThe two can write to each other. Nothing is kept when the demo ends (-data keeps it). Ctrl+C ends it.")
	}
	return h.run(ctx, ln)
}

// nameDemo lets the demo's people write under their names from the first mail on.
func nameDemo(ctx context.Context, h *house, users []demo.User) error {
	for _, u := range users {
		person, _, err := h.store.EnsureUser(ctx, u.Address, u.Address)
		if err != nil {
			return err
		}
		if person.Settings.Name != "" {
			continue
		}
		person.Settings.Name = u.Name
		if err := h.store.SaveSettings(ctx, person.ID, person.Settings); err != nil {
			return err
		}
	}
	return nil
}

// demoServers is where the embedded servers listen.
func demoServers(mail *demo.Servers) discover.Servers {
	at := func(addr string) mailclient.Endpoint {
		host, port, _ := net.SplitHostPort(addr)
		n, _ := strconv.Atoi(port)
		return mailclient.Endpoint{Host: host, Port: n, Security: mailclient.Plain}
	}
	return discover.Servers{Domain: mail.Domain, IMAP: at(mail.IMAPAddr), SMTP: at(mail.SMTPAddr)}
}

// openFor opens the database for what changes it, and makes it if it is not there; or for a look, as store.Look.
func openFor(ctx context.Context, conf config.Config, change bool) (*store.Store, error) {
	if !change {
		return store.Look(ctx, conf.DatabaseURL, conf.Data)
	}
	if err := conf.EnsureData(); err != nil {
		return nil, err
	}
	return store.Open(ctx, conf.DatabaseURL, conf.Data)
}

// migrate brings the schema up (serve does it by itself), or tells where it stands.
func migrate(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	conf, rest, err := flags("migrate", args, stderr)
	if err != nil {
		return err
	}
	if len(rest) != 1 || rest[0] != "up" && rest[0] != "status" {
		return errors.New("restante migrate up, or restante migrate status")
	}
	s, err := openFor(ctx, conf, rest[0] == "up")
	if err != nil && !errors.Is(err, store.ErrOlder) {
		return err
	}
	steps, err := s.Migrations(ctx)
	for _, step := range steps {
		state := "waits"
		if step.Applied {
			state = "applied"
		}
		_, _ = fmt.Fprintf(stdout, "%-8s %s\n", state, step.Name)
	}
	return errors.Join(err, s.Close())
}
