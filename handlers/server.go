// Package handlers is HTTP in, HTML out: decode, one call into the domain,
// render or redirect. routes.go is the site map. It knows no IMAP types, no SQL
// and no HTML strings. Start at New and routes.go.
package handlers

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	"golang.org/x/sync/semaphore"

	"restante/internal/config"
	"restante/internal/index"
	"restante/internal/jobs"
	"restante/internal/limits"
	"restante/internal/proxy"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/internal/tokens"
	"restante/mailclient"
	"restante/mailclient/checkup"
	"restante/mailclient/discover"
)

// Server answers every request of the program.
type Server struct {
	conf     config.Config
	store    *store.Store
	ring     *seal.Ring
	pool     *mailclient.Pool
	index    *index.Index
	servers  *discover.Directory
	tokens   *tokens.Keeper
	queue    *jobs.Queue
	finder   *discover.Finder
	sources  tried // servers of imports
	accounts tried // and of further accounts
	pictures *proxy.Proxy
	sessions *scs.SessionManager
	log      *slog.Logger
	limits   *signInLimits
	bounds   *limits.Book
	checks   *passwords
	hub      *hub
	version  string
	now      func() time.Time

	sizeMu sync.Mutex
	sizes  map[string]offerKnown // by submission host
	filing filing
	drafts *crowd[string] // by id: requests for one draft follow one another

	copying *crowd[string] // by id: copies of one draft, too

	requests, costlies *crowd[int64] // by user

	touched touched

	letters letters

	reducing *semaphore.Weighted // bytes of pictures

	fixed   bool
	setup   Setup
	handler http.Handler
}

// Options are the rooms that the pages need.
type Options struct {
	Config  config.Config
	Store   *store.Store
	Ring    *seal.Ring
	Pool    *mailclient.Pool
	Index   *index.Index // nil: lists come from IMAP alone
	Servers *discover.Directory
	Limits  *limits.Book   // nil: the defaults
	Tokens  *tokens.Keeper // of people who sign in by a provider
	Queue   *jobs.Queue
	Finder  *discover.Finder // of the servers that people name themselves
	Log     *slog.Logger
	Version string
	Secure  bool // the site is reached by https
	Fixed   bool // its address is the configuration's, and cannot be set up in the pages
	Setup   Setup
}

// Setup is what the pages of admins need beside the rest.
type Setup struct {
	Finder   *discover.Finder
	Roots    *x509.CertPool    // whom mail servers are trusted by; nil is the system's
	Dial     mailclient.Dialer // to servers that an admin names; nil is an ordinary one
	Resolver discover.Resolver // nil is the system's
	Reload   func(ctx context.Context) error
	Examine  func(ctx context.Context) []Check
	LinkUsed func() error               // the set-up link was used: whoever keeps it can forget it
	Free     func() (free, total int64) // bytes on the disk of the data directory; a total of 0 where nobody can say
}

// Check is one thing that the doctor looked at: data, key, database, public, named, preset, provider, or a Step of a mail server.
// Cause is what the program says of a fault.
type Check struct {
	Kind, About string
	Result      checkup.Result
	Cause       string
	Step        *checkup.Step
}

// New makes the server; Handler gives its routes.
func New(o Options) *Server {
	s := &Server{
		conf: o.Config, store: o.Store, ring: o.Ring, pool: o.Pool, index: o.Index, servers: o.Servers, tokens: o.Tokens, queue: o.Queue, finder: o.Finder, log: o.Log,
		limits: newSignInLimits(o.Store, o.Ring, time.Now), bounds: o.Limits, checks: newPasswords(o.Ring, time.Now),
		sources: tried{burst: tryBurst, every: tryEvery}, accounts: tried{burst: tryAccountBurst, every: tryAccountEvery},
		fixed: o.Fixed, setup: o.Setup, hub: newHub(), version: o.Version, now: time.Now, sizes: map[string]offerKnown{}, drafts: newCrowd[string](1), copying: newCrowd[string](1), reducing: semaphore.NewWeighted(reducingRoom), requests: newCrowd[int64](0), costlies: newCrowd[int64](costlyAtOnce),
	}
	pictures := proxy.Options{Dir: o.Config.Data}
	if u, err := url.Parse(o.Config.PublicURL); err == nil && u.Host != "" {
		pictures.Own = []string{u.Host}
	}
	s.pictures = proxy.New(pictures)
	s.sessions = scs.New()
	s.sessions.Store, s.sessions.Codec = o.Store, sessionCodec{}
	s.sessions.HashTokenInStore = true
	s.sessions.Lifetime = 30 * 24 * time.Hour
	s.sessions.Cookie.Name, s.sessions.Cookie.Secure = cookieName("restante", o.Secure), o.Secure
	s.sessions.Cookie.Persist = false
	s.sessions.Cookie.SameSite = http.SameSiteLaxMode
	s.sessions.Cookie.HttpOnly = true
	s.sessions.Cookie.Path = "/"
	s.sessions.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) { s.fail(w, r, err) }
	s.handler = s.Handler()
	return s
}

// cookieName is what a cookie is called; where all goes over TLS, by a name that no other host can set (RFC 6265bis 4.1.3.2).
func cookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

// ServeHTTP answers a request by the site map.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Notify is told by the jobs of each change of an outbox item.
func (s *Server) Notify(userID int64, _ store.OutboxItem) { s.hub.tell(userID, "outbox") }

// NotifyImport is told by the jobs when an import has come on.
func (s *Server) NotifyImport(userID int64) { s.hub.tell(userID, "import") }

// Close ends every stream, so that a graceful stop does not wait for them.
func (s *Server) Close() { s.hub.close() }
