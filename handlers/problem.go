package handlers

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"restante/internal/i18n"
	"restante/internal/oauth"
	"restante/internal/store"
	"restante/mailclient"
	"restante/templates"
)

// Problem is an error with words for the person who meets it.
type Problem struct {
	Status int
	Key    string // the sentence in the catalogue
	Args   []any
	Server string // the server's own words, under Details
	Next   string // catalogue key of the button, "" = to the inbox
	URL    string // where the button leads
	Retry  string // where a kept form goes, "" = where it went
	err    error
}

func (p *Problem) Error() string {
	if p.err != nil {
		return p.Key + ": " + p.err.Error()
	}
	return p.Key
}

func (p *Problem) Unwrap() error { return p.err }

// Errors of the handlers themselves.
var (
	errSignedOut   = &Problem{Status: http.StatusUnauthorized, Key: "error.signedout"}
	errNothingHere = &Problem{Status: http.StatusNotFound, Key: "error.404"}
	errBroken      = &Problem{Status: http.StatusInternalServerError, Key: "error.500"}
	errStale       = &Problem{Status: http.StatusForbidden, Key: "error.stale"}
	errTooMuch     = &Problem{Status: http.StatusRequestEntityTooLarge, Key: "error.413"}
)

func badRequest(key string, args ...any) error {
	return &Problem{Status: http.StatusBadRequest, Key: key, Args: args}
}

// problemOf is the one table from every error to what a person reads.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var tooLarge *http.MaxBytesError
	var refused *mailclient.RefusedError
	var signIn *mailclient.SignInError
	var connect *mailclient.ConnectError
	var full *mailclient.FullError
	var token *mailclient.TokenError
	var fault *oauth.Fault
	switch {
	case errors.As(err, &full):
		return wrap(err, http.StatusServiceUnavailable, "limit.hostfull", "Host", full.Host, "Limit", full.Most)
	case errors.As(err, &token):
		return tokenProblem(token)
	case errors.As(err, &fault):
		return faultProblem(fault)
	case errors.Is(err, store.ErrTooManyFlows):
		return wrap(err, http.StatusTooManyRequests, "error.busy")
	case errors.As(err, &tooLarge), errors.Is(err, store.ErrTooLarge):
		return wrap(err, http.StatusRequestEntityTooLarge, "error.413")
	case errors.Is(err, store.ErrNotFound):
		return wrap(err, http.StatusNotFound, "error.404")
	case errors.Is(err, mailclient.ErrGone):
		return wrap(err, http.StatusNotFound, "error.gone")
	case errors.Is(err, mailclient.ErrNoMailbox):
		return wrap(err, http.StatusNotFound, "error.nofolder")
	case errors.Is(err, mailclient.ErrUIDValidity):
		return wrap(err, http.StatusNotFound, "error.renewed")
	case errors.Is(err, mailclient.ErrBadInput):
		return wrap(err, http.StatusBadRequest, "error.badinput")
	case errors.Is(err, mailclient.ErrNoRight):
		return wrap(err, http.StatusForbidden, "error.noright")
	case errors.Is(err, mailclient.ErrTooLarge):
		return wrap(err, http.StatusRequestEntityTooLarge, "error.toolarge")
	case errors.Is(err, mailclient.ErrBusy), errors.Is(err, context.DeadlineExceeded):
		return wrap(err, http.StatusServiceUnavailable, "error.busy")
	case errors.As(err, &signIn):
		return signInProblem(signIn)
	case errors.As(err, &connect):
		return connectProblem(connect)
	case errors.As(err, &refused):
		return refusedProblem(refused)
	}
	return wrap(err, http.StatusInternalServerError, "error.500")
}

// problemAt is problemOf for what went wrong at a request: where somebody reads, nothing is to be put back.
func problemAt(r *http.Request, err error) *Problem {
	p := problemOf(err)
	if p.Key == "error.refused" && reading(r) {
		return &Problem{Status: p.Status, Key: "error.notshown", Server: p.Server, err: err}
	}
	return p
}

func wrap(err error, status int, key string, args ...any) *Problem {
	return &Problem{Status: status, Key: key, Args: args, err: err}
}

func signInProblem(e *mailclient.SignInError) *Problem {
	p := wrap(e, http.StatusUnauthorized, "error.password", "Host", e.Host)
	p.Server = e.Text
	text := strings.ToLower(e.Text)
	switch {
	case e.Code == "LIMIT" || e.Code == "INUSE":
		p.Status, p.Key = http.StatusServiceUnavailable, "error.toomany"
	case e.Temporary:
		p.Status, p.Key = http.StatusServiceUnavailable, "error.trouble"
	case e.Code == "EXPIRED":
		p.Key = "error.expired"
	case e.Code == "PRIVACYREQUIRED":
		p.Key = "error.notls"
	case strings.Contains(text, "application-specific") || strings.Contains(text, "app password"):
		p.Key = "error.apppassword"
	case strings.Contains(text, "disabled"):
		p.Key = "error.disabled"
	}
	return p
}

var connectKeys = map[mailclient.ConnectKind]string{
	mailclient.Unreachable: "error.unreachable", mailclient.NoSuchHost: "error.nohost", mailclient.Timeout: "error.unreachable",
	mailclient.CertExpired: "error.certexpired", mailclient.CertName: "error.certname", mailclient.CertUnknown: "error.certunknown",
	mailclient.CertChanged: "error.certchanged", mailclient.NoTLS: "error.notls", mailclient.WrongProtocol: "error.protocol", mailclient.Injected: "error.protocol",
	mailclient.Lost: "error.lost", mailclient.Bye: "error.bye",
}

func connectProblem(e *mailclient.ConnectError) *Problem {
	key, ok := connectKeys[e.Kind]
	if !ok {
		key = "error.unreachable"
	}
	p := wrap(e, http.StatusBadGateway, key, "Host", e.Host)
	p.Server = e.Text
	return p
}

func refusedProblem(e *mailclient.RefusedError) *Problem {
	p := wrap(e, http.StatusConflict, "error.refused", "Host", e.Host)
	p.Server = strings.TrimSpace(e.Code + " " + e.Text)
	switch e.Code {
	case "OVERQUOTA":
		p.Key = "error.quota"
	case "NOPERM":
		p.Key = "error.noright"
	case "ALREADYEXISTS":
		p.Key = "error.exists"
	case "NONEXISTENT", "TRYCREATE":
		p.Status, p.Key = http.StatusNotFound, "error.nofolder"
	case "CANNOT":
		p.Key = "error.name"
	}
	return p
}

// fail answers with the page of an error, and logs it once.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // nobody is there to read it
	}
	p := problemAt(r, err)
	s.logProblem(r, p)
	nonce := s.setHeaders(w, classApp)
	l := browserLanguage(r)
	if who, perr := s.personQuietly(r); perr == nil {
		l = who.L
	}
	page := templates.Error{
		Head:  templates.Head{L: l, Nonce: nonce, Title: l.T("error.title"), Theme: "auto"},
		Words: l.T(p.Key, p.Args...), ID: requestID(r), ServerSaid: p.Server,
		ButtonURL: "/", ButtonWords: l.T("error.inbox"),
	}
	if strings.HasPrefix(r.URL.Path, "/admin") {
		page.ButtonURL, page.ButtonWords = "/admin", l.T("admin.back")
	}
	if p.URL != "" {
		page.ButtonURL, page.ButtonWords = p.URL, l.T(p.Next)
	}
	if p.Status >= 500 && r.Method == http.MethodGet {
		page.ButtonURL, page.ButtonWords = r.URL.RequestURI(), l.T("try.again")
	}
	keepForm(&page, r, l, p.Status)
	if p.Retry != "" && page.RetryURL != "" {
		page.RetryURL = p.Retry
	}
	s.render(w, r, p.Status, page)
}

// personQuietly asks for the language of a failing request, where there is a session at all.
func (s *Server) personQuietly(r *http.Request) (p *person, err error) {
	defer func() {
		if recover() != nil { // scs panics outside of its middleware
			err = errSignedOut
		}
	}()
	return s.person(r)
}

// keepForm carries what was typed in a form that failed, so that pressing the button sends it again. Marks and moves
// lead back to their list: nothing was written there, and a form that was wrong would be wrong again.
func keepForm(page *templates.Error, r *http.Request, l *i18n.Localizer, status int) {
	if r.Method != http.MethodPost || len(r.PostForm) == 0 || r.URL.Path == "/login" || strings.HasPrefix(r.URL.Path, "/admin") || strings.HasPrefix(r.URL.Path, "/setup/") {
		return
	}
	list, marks := strings.CutSuffix(r.URL.Path, "/actions")
	if marks {
		page.ButtonURL, page.ButtonWords = ownPath(cmp.Or(r.PostFormValue("back"), list)), l.T("error.tolist")
	}
	if marks && status < 500 {
		return
	}
	total := 0
	for name, values := range r.PostForm {
		if name == "password" {
			continue
		}
		for _, v := range values {
			if total += len(v); total > 1<<20 {
				return
			}
			page.Kept = append(page.Kept, templates.Field{Name: name, Value: v})
		}
	}
	page.RetryURL, page.RetryMethod = r.URL.Path, "post"
	if marks {
		page.RetryWords = l.T("try.again")
		return
	}
	page.ButtonWords, page.Safe = l.T("try.again"), l.T("error.kept")
}

func (s *Server) logProblem(r *http.Request, p *Problem) {
	attrs := []any{"id", requestID(r), "method", r.Method, "route", routeOf(r), "status", p.Status, "what", p.Key}
	switch {
	case p.Status == http.StatusInternalServerError && p.err != nil:
		s.log.Error("request failed", append(attrs, "err", p.err.Error())...)
	case p.Status >= 500:
		s.log.Warn("request failed", attrs...)
	default:
		s.log.Info("request refused", attrs...)
	}
}
