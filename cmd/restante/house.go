package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"restante/handlers"
	"restante/internal/config"
	"restante/internal/index"
	"restante/internal/jobs"
	"restante/internal/limits"
	"restante/internal/netguard"
	"restante/internal/oauth"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/internal/tokens"
	"restante/mailclient"
	"restante/mailclient/discover"
)

// house is every room of the program, put together.
type house struct {
	conf   config.Config
	store  *store.Store
	ring   *seal.Ring
	known  *discover.Directory
	looker *discover.Finder // for people
	finder *discover.Finder // for admins, who look beyond what is set up
	world  world
	pool   *mailclient.Pool
	index  *index.Index
	limits *limits.Book
	tokens *tokens.Keeper
	queue  *jobs.Queue
	server *http.Server
	log    *slog.Logger

	trusted *x509.CertPool
	pages   atomic.Pointer[handlers.Server]

	mu     sync.Mutex // of reload
	setUp  string     // what the domains were read from
	public string     // the address that pages stands for
}

// world is how servers of domains that were set up in the pages are reached; zero is the ordinary way.
type world struct {
	dial     mailclient.Dialer
	resolver discover.Resolver
}

// probes are the waits before each look whether the server filed a sent mail by itself; nil: as the queue has them.
var probes []time.Duration

// maxConnections are open at once; more wait to be taken in.
const maxConnections = 20_000

func newLog(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	if l.UnmarshalText([]byte(level)) != nil {
		l = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}

// open puts the rooms together: key, database with its migrations, queue, pages. close undoes it.
// near are addresses, host:port, that people may name as their servers though they are this machine's.
func open(ctx context.Context, conf config.Config, servers []discover.Servers, log *slog.Logger, near ...string) (*house, error) {
	if err := conf.EnsureData(); err != nil {
		return nil, err
	}
	ring, made, err := seal.LoadOrCreate(conf.KeyFile)
	if err != nil {
		return nil, err
	}
	if made {
		log.Info("a key for stored passwords was made: keep it apart from backups of the data", "file", conf.KeyFile)
	}
	trusted, err := roots(conf)
	if err != nil {
		return nil, err
	}
	dial, err := namedServers(conf, near)
	if err != nil {
		return nil, err
	}
	h := &house{conf: conf, log: log, ring: ring, trusted: trusted}
	if h.store, err = store.Open(ctx, conf.DatabaseURL, conf.Data); err != nil {
		return nil, err
	}
	h.store.SealBlobs(ring)
	site, err := h.store.Site(ctx)
	if err != nil {
		return nil, errors.Join(err, h.store.Close())
	}
	h.pool, h.limits = mailclient.NewPool(mailclient.Limits{}), limits.NewBook(fixedLimits(conf))
	h.index = index.Open(filepath.Join(conf.Data, "index"), log)
	h.known = discover.NewDirectory(servers...)
	if h.looker, err = newFinder(conf, trusted, h.known); err != nil {
		return nil, errors.Join(err, h.close())
	}
	if conf.Discover != "off" {
		h.known.Discover(h.looker, h.store)
	}
	if h.finder, err = newFinder(conf, trusted, discover.NewDirectory()); err != nil {
		return nil, errors.Join(err, h.close())
	}
	h.tokens = tokens.New(tokens.Options{Store: h.store, Ring: ring, Client: oauth.NewClient(trusted, conf.AllowHosts, nil), Servers: h.known, Log: log})
	h.queue, err = jobs.New(ctx, jobs.Options{
		Store: h.store, Ring: ring, Pool: h.pool, Servers: h.known, Limits: h.limits, Tokens: h.tokens, Log: log, Hello: helloName(cmp.Or(conf.PublicURL, site[store.SitePublicURL])), Probes: probes,
		Notify:     func(userID int64, item store.OutboxItem) { h.pages.Load().Notify(userID, item) },
		NotifyWork: func(userID int64) { h.pages.Load().NotifyWork(userID) },
		Imports:    jobs.Imports{Dial: dial, RootCAs: trusted, Spool: filepath.Join(conf.Data, "spool"), Notify: func(userID int64) { h.pages.Load().NotifyImport(userID) }},
	})
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	h.server = &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	accounts, err := h.store.AccountIDs(ctx)
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	if err := h.index.Keep(accounts); err != nil {
		log.Warn("old indexes could not be removed", "err", err)
	}
	if err := h.reload(ctx); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

// namedServers dials servers that people name: public ones, those that the admin allows, and those near.
func namedServers(conf config.Config, near []string) (func(ctx context.Context, network, address string) (net.Conn, error), error) {
	guard, err := netguard.New(netguard.Options{Ports: netguard.MailPorts, Allow: conf.AllowHosts, Wait: 10 * time.Second})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if slices.Contains(near, address) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
		return guard.DialContext(ctx, network, address)
	}, nil
}

// helloName is how the program names itself to submission servers: the host of the site's address.
func helloName(public string) string {
	if _, host, ok := strings.Cut(public, "://"); ok {
		name, _, _ := strings.Cut(host, ":")
		return name
	}
	return ""
}

// run serves on ln until ctx ends, then stops gracefully: requests end, jobs are handed back, IMAP logs out.
func (h *house) run(ctx context.Context, ln net.Listener) error {
	if err := h.queue.Start(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(err, ln.Close())
	}
	failed := make(chan error, 1)
	go func() { failed <- h.server.Serve(netutil.LimitListener(ln, maxConnections)) }()
	err := h.watch(ctx, failed)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	h.pages.Load().Close()
	if e := h.server.Shutdown(stop); e != nil && !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e, h.server.Close())
	}
	if e := h.queue.Stop(stop); e != nil {
		err = errors.Join(err, e)
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, h.close())
}

// watch waits for the end, and hears meanwhile what other nodes have set up.
func (h *house) watch(ctx context.Context, failed <-chan error) error {
	again := time.NewTicker(time.Minute)
	defer again.Stop()
	memory, still := &calm{}, time.NewTicker(quietTime)
	defer still.Stop()
	for {
		select {
		case <-still.C:
			memory.look()
		case <-ctx.Done():
			h.log.Info("stopping")
			return nil
		case err := <-failed:
			return err
		case <-again.C:
			if err := h.reload(ctx); err != nil && ctx.Err() == nil {
				h.log.Warn("what is set up could not be read anew", "err", err)
			}
		}
	}
}

func (h *house) close() error {
	h.index.Close()
	h.pool.Close()
	return h.store.Close()
}

// roots are whose certificates are trusted: the system's, and those of the private authority that is configured.
// nil means the system's alone.
func roots(conf config.Config) (*x509.CertPool, error) {
	if conf.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(conf.CAFile)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file %s holds no certificate", conf.CAFile)
	}
	return pool, nil
}

// preset is the domain that the configuration sets up, none if it does not.
func preset(conf config.Config) ([]discover.Servers, error) {
	if conf.Domain.Name == "" {
		return nil, nil
	}
	trusted, err := roots(conf)
	if err != nil {
		return nil, err
	}
	out := discover.Servers{Domain: conf.Domain.Name, Local: conf.Domain.Login == "local", Authserv: conf.Domain.Authserv}
	if d := conf.Domain; d.OAuth != "" {
		out.OAuth = &discover.OAuth{Kind: d.OAuth, ClientID: d.OAuthClientID, Secret: d.OAuthSecret, Issuer: d.OAuthIssuer, Tenant: d.OAuthTenant, Scopes: d.OAuthScopes}
	}
	for _, s := range []struct {
		service, raw string
		to           *mailclient.Endpoint
	}{
		{"imap", conf.Domain.IMAP, &out.IMAP}, {"smtp", conf.Domain.SMTP, &out.SMTP}, {"pop3", conf.Domain.POP3, &out.POP3}, {"sieve", conf.Domain.Sieve, &out.Sieve},
	} {
		if s.raw == "" {
			continue
		}
		at, err := config.ParseServer(s.raw, s.service)
		if err != nil {
			return nil, err
		}
		*s.to = mailclient.Endpoint{Host: at.Host, Port: at.Port, Security: mailclient.Security(at.Security), RootCAs: trusted}
	}
	return []discover.Servers{out}, nil
}

// newFinder looks for servers, and goes where the configuration lets people go.
func newFinder(conf config.Config, trusted *x509.CertPool, known *discover.Directory) (*discover.Finder, error) {
	guard, err := netguard.New(netguard.Options{Ports: slices.Concat(netguard.MailPorts, netguard.WebPorts), Allow: conf.AllowHosts, Wait: 5 * time.Second})
	if err != nil {
		return nil, err
	}
	return discover.NewFinder(discover.FinderOptions{Dial: guard, RootCAs: trusted, Directory: known, ISPDB: conf.Discover == "ispdb"}), nil
}
