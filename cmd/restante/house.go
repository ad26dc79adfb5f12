package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"restante/handlers"
	"restante/internal/config"
	"restante/internal/jobs"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/discover"
)

// house is every room of the program, put together.
type house struct {
	conf   config.Config
	store  *store.Store
	pool   *mailclient.Pool
	queue  *jobs.Queue
	pages  *handlers.Server
	server *http.Server
	log    *slog.Logger
}

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
func open(ctx context.Context, conf config.Config, servers []discover.Servers, log *slog.Logger) (*house, error) {
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
	h := &house{conf: conf, log: log}
	if h.store, err = store.Open(ctx, conf.DatabaseURL, conf.Data); err != nil {
		return nil, err
	}
	h.pool = mailclient.NewPool(mailclient.Limits{})
	directory := discover.NewDirectory(servers...)
	var pages *handlers.Server
	h.queue, err = jobs.New(ctx, jobs.Options{
		Store: h.store, Ring: ring, Pool: h.pool, Servers: directory, Log: log, Hello: helloName(conf),
		Notify:     func(userID int64, item store.OutboxItem) { pages.Notify(userID, item) },
		NotifyWork: func(userID int64) { pages.NotifyWork(userID) },
	})
	if err != nil {
		h.pool.Close()
		return nil, errors.Join(err, h.store.Close())
	}
	pages = handlers.New(handlers.Options{
		Config: conf, Store: h.store, Ring: ring, Pool: h.pool, Servers: directory, Queue: h.queue, Log: log, Version: version(),
		Secure: strings.HasPrefix(conf.PublicURL, "https://"),
	})
	h.pages = pages
	h.server = &http.Server{
		Handler: pages.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return h, nil
}

func helloName(conf config.Config) string {
	if _, host, ok := strings.Cut(conf.PublicURL, "://"); ok {
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
	var err error
	select {
	case <-ctx.Done():
		h.log.Info("stopping")
	case err = <-failed:
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	h.pages.Close()
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

func (h *house) close() error {
	h.pool.Close()
	return h.store.Close()
}

// preset is the domain that the configuration sets up, none if it does not.
func preset(conf config.Config) ([]discover.Servers, error) {
	if conf.Domain.Name == "" {
		return nil, nil
	}
	var roots *x509.CertPool
	if conf.CAFile != "" {
		pem, err := os.ReadFile(conf.CAFile)
		if err != nil {
			return nil, err
		}
		if roots, err = x509.SystemCertPool(); err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file %s holds no certificate", conf.CAFile)
		}
	}
	endpoint := func(raw, service string) (mailclient.Endpoint, error) {
		s, err := config.ParseServer(raw, service)
		return mailclient.Endpoint{Host: s.Host, Port: s.Port, Security: mailclient.Security(s.Security), RootCAs: roots}, err
	}
	imap, err := endpoint(conf.Domain.IMAP, "imap")
	if err != nil {
		return nil, err
	}
	smtp, err := endpoint(conf.Domain.SMTP, "smtp")
	return []discover.Servers{{Domain: conf.Domain.Name, IMAP: imap, SMTP: smtp, Local: conf.Domain.Login == "local", Authserv: conf.Domain.Authserv}}, err
}
