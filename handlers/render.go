package handlers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"restante/internal/i18n"
	"restante/mailclient"
	"restante/templates"
)

// app serves a page that needs nobody signed in.
func (s *Server) app(h func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		nonce := s.setHeaders(w, classApp)
		r = r.WithContext(context.WithValue(r.Context(), keyNonce, nonce))
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	}
}

// page serves a page of a signed-in person. A session that has ended leads to the sign-in page with what was typed.
func (s *Server) page(h func(http.ResponseWriter, *http.Request, *person) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		nonce := s.setHeaders(w, classApp)
		ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), keyNonce, nonce), patience(r))
		defer cancel()
		r = r.WithContext(ctx)
		who, err := s.person(r)
		if err == nil {
			s.ownBound(w, r, who)
			if r.Method == http.MethodGet { // which changes nothing that is told behind it
				asked := *who
				who.ahead = meanwhile(func() behind { return s.behind(ctx, &asked) })
			}
			err = h(w, r, who)
		}
		if err != nil {
			s.failFor(w, r, who, err)
		}
	}
}

// patience is how long a page may wait for the mail server before it says so.
func patience(r *http.Request) time.Duration {
	switch {
	case strings.HasPrefix(r.URL.Path, "/compose") && r.Method == http.MethodPost:
		return uploadTime
	case strings.HasSuffix(r.URL.Path, "/mailboxes") && r.Method == http.MethodPost: // many folders
		return 100 * time.Second
	case r.Method == http.MethodPost:
		return actTime + 5*time.Second
	}
	return firstAnswer
}

const (
	firstAnswer = 25 * time.Second // of the mail server, for a page
	furniture   = 4 * time.Second  // for the folders beside what a page is about
	uploadTime  = 30 * time.Minute // of a form with files over a slow line
)

// failFor sends those whose session or password is over to sign in again, with what they typed; else it says what went
// wrong, in the frame where it can.
func (s *Server) failFor(w http.ResponseWriter, r *http.Request, p *person, err error) {
	var refused *mailclient.SignInError
	if p != nil && needsProvider(p, err) {
		s.atProviderAgain(w, r, p, err)
		return
	}
	if errors.As(err, &refused) && !refused.Temporary && p != nil && p.Account.Further() {
		pr := accountTrouble(p.Account, "accounts.refused")
		pr.Server, pr.err = refused.Text, err
		err, refused = pr, nil
	}
	if errors.Is(err, errSignedOut) || refused != nil && !refused.Temporary {
		s.signInAgain(w, r, p)
		return
	}
	if p == nil || !s.failInFrame(w, r, p, err) {
		s.fail(w, r, err)
	}
}

// bytes serves parts of mails, files and streams of a signed-in person with the headers of c.
func (s *Server) bytes(c class, h func(http.ResponseWriter, *http.Request, *person) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.setHeaders(w, c)
		who, err := s.person(r)
		if err == nil {
			err = s.patiently(w, r, func(w http.ResponseWriter, r *http.Request) error { return h(w, r, who) })
		}
		if err == nil {
			return
		}
		if started(w) { // too late for a page: the connection ends, so that nothing looks whole
			s.logProblem(r, problemOf(err))
			panic(http.ErrAbortHandler)
		}
		if errors.Is(err, errSignedOut) {
			s.setHeaders(w, classText)
			http.Error(w, "signed out", http.StatusUnauthorized)
			return
		}
		s.fail(w, r, err)
	}
}

// patiently calls h, whose first byte must come within firstAnswer; what follows may take its time.
func (s *Server) patiently(w http.ResponseWriter, r *http.Request, h func(http.ResponseWriter, *http.Request) error) error {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	late := time.AfterFunc(firstAnswer, func() { cancel(context.DeadlineExceeded) })
	defer late.Stop()
	err := h(&firstByte{ResponseWriter: w, came: late}, r.WithContext(ctx))
	if err != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return err
}

// firstByte stops a timer when an answer begins.
type firstByte struct {
	http.ResponseWriter
	came *time.Timer
}

func (w *firstByte) Write(b []byte) (int, error) {
	w.came.Stop()
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *firstByte) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// started says whether bytes of an answer have left already.
func started(w http.ResponseWriter) bool {
	for {
		if sw, ok := w.(*statusWriter); ok {
			return sw.status != 0
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
}

// pageBuffers are used again: a page is some 64 kB, and to grow a buffer to that costs as much as to write the page.
var pageBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const (
	maxPageBuffer = 512 << 10 // a larger one is let go
	firstPiece    = 32 << 10  // of a page: it is compressed and sent while the rest is written
)

func pageBuffer() *bytes.Buffer {
	b := pageBuffers.Get().(*bytes.Buffer)
	b.Reset()
	return b
}

func pageBufferDone(b *bytes.Buffer) {
	if b.Cap() <= maxPageBuffer {
		pageBuffers.Put(b)
	}
}

// pieces gathers a page in two pieces. The first, once it is there, is passed to send by another goroutine.
type pieces struct {
	*bytes.Buffer
	send func(*bytes.Buffer)
	sent chan struct{} // closed once the first is; nil before there is one
}

func (p *pieces) Write(b []byte) (int, error) {
	n, err := p.Buffer.Write(b)
	if p.sent == nil && p.Len() >= firstPiece {
		first, sent := p.Buffer, make(chan struct{})
		p.Buffer, p.sent = pageBuffer(), sent
		go func() {
			defer close(sent)
			p.send(first)
			pageBufferDone(first)
		}()
	}
	return n, err
}

// fill writes the page, and returns once its first piece has been passed on.
func (p *pieces) fill(page templates.Page) error {
	defer func() {
		if p.sent != nil {
			<-p.sent
		}
	}()
	return templates.Render(p, page)
}

// render writes a page: a short one whole or not at all, a long one in two pieces.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, page templates.Page) {
	head := sync.OnceFunc(func() {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
	})
	p := &pieces{Buffer: pageBuffer(), send: func(b *bytes.Buffer) {
		head()
		if r.Method != http.MethodHead {
			_, _ = b.WriteTo(w)
			_ = http.NewResponseController(w).Flush()
		}
	}}
	defer func() { pageBufferDone(p.Buffer) }()
	err := p.fill(page)
	if err == nil {
		head()
		if r.Method != http.MethodHead {
			_, _ = p.WriteTo(w)
		}
		return
	}
	s.log.Error("template", "id", requestID(r), "err", err.Error())
	if p.sent != nil { // too late for a page: the connection ends, so that nothing looks whole
		panic(http.ErrAbortHandler)
	}
	http.Error(w, "Something broke here, not in your mail.", http.StatusInternalServerError)
}

func (s *Server) ok(w http.ResponseWriter, r *http.Request, page templates.Page) error {
	s.render(w, r, http.StatusOK, page)
	return nil
}

// browserLanguage is that of somebody whose settings nobody knows.
func browserLanguage(r *http.Request) *i18n.Localizer {
	return i18n.For("", r.Header.Get("Accept-Language"))
}

// head is what every page of a person begins with.
func (s *Server) head(r *http.Request, p *person, title string) templates.Head {
	set := p.User.Settings
	theme := set.Theme
	if theme == "" {
		theme = "auto"
	}
	return templates.Head{L: p.L, Nonce: nonceOf(r), Title: title, Theme: theme, Density: set.Density, Pane: set.ReadingPane, Scripts: true}
}

// frame is the furniture around a page. The folders come from the session's list; when the server does not answer,
// the page stands without them and says so.
func (s *Server) frame(r *http.Request, p *person, screen, title, current string) (templates.Frame, []mailclient.Mailbox) {
	ctx := r.Context()
	f := templates.Frame{
		Head: s.head(r, p, title), Screen: screen, Address: p.User.Address, Initials: accountInitials(p, p.Account),
		Hue: hue(p.Account.Address), Home: p.Accounts[0].ID, FoldersURL: pathFolders(p.Account.ID), SearchURL: "/search", WriteURL: with("/compose", p.naming(nil)), Account: p.naming(nil).Get("account"), Flash: s.popFlash(r),
		Here: r.URL.RequestURI(), Events: "/events", Seen: p.Seen, NoShortcuts: p.User.Settings.NoShortcuts,
		AskZone: p.User.Settings.TimeZone == "" && s.sessions.GetString(ctx, sessionZone) == "",
	}
	if f.Switcher = s.accountLinks(ctx, p, current); f.Switcher != nil {
		f.Of = p.Account.Address
	}
	f.WriteOutlined = r.Header.Get(headerOpen) != ""
	if r.Method != http.MethodGet {
		f.Here = "/"
	}
	if b := s.behind(ctx, p); b.err == nil {
		f.Outbox = b.Outbox
		if b.Work {
			s.tellWork(r, p, &f)
		}
		if b.Missed {
			s.tellMissed(r, p, &f)
		}
	}
	if p.cred.Token != 0 {
		s.tellProvider(r, p, &f)
	}
	treeCtx, cancel := context.WithTimeout(ctx, furniture)
	defer cancel()
	boxes, err := s.mailboxes(treeCtx, p)
	if err != nil {
		if f.Again != nil { // which says why
			return f, nil
		}
		if f.Away = s.awayView(ctx, p, current); f.Away != nil {
			return f, nil
		}
		pr := problemAt(r, err)
		f.Strip = &templates.Strip{Words: p.L.T(pr.Key, pr.Args...), URL: f.Here}
		return f, nil
	}
	if f.Again == nil {
		f.Moved, f.Away = s.movedWords(p), s.awayView(ctx, p, current)
	}
	f.Special, f.Others = tree(boxes, p, current)
	f.Folded, f.Searches = p.User.Settings.Folded, savedSearches(r, p)
	if q, ok := p.Mail.Quota(); ok && q.LimitKiB > 0 {
		percent := int(min(100, q.UsedKiB*100/q.LimitKiB))
		f.Quota = &templates.Quota{Percent: percent, Near: percent >= 80,
			Words: p.L.T("quota.words", "Used", p.L.Size(q.UsedKiB*1024), "Limit", p.L.Size(q.LimitKiB*1024))}
	}
	return f, boxes
}

// initials are up to two letters for an avatar: of the name, or of what stands before the @ of an address.
func initials(name, addr string) string {
	name, _, _ = strings.Cut(cmp.Or(name, addr), "@")
	words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" .-_,\"'", r) })
	out := []rune{}
	for _, w := range words {
		for _, r := range w {
			out = append(out, r)
			break
		}
		if len(out) == 2 {
			break
		}
	}
	return strings.ToUpper(string(out))
}

// hue picks one of eight colours for an address, always the same.
func hue(addr string) int {
	h := uint32(2166136261)
	for _, c := range []byte(strings.ToLower(addr)) {
		h = (h ^ uint32(c)) * 16777619
	}
	return int(h%8) + 1
}

// with gives path with query values set or, when empty, removed.
func with(path string, q url.Values, pairs ...string) string {
	out := url.Values{}
	for k, v := range q {
		out[k] = v
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			out.Del(pairs[i])
		} else {
			out.Set(pairs[i], pairs[i+1])
		}
	}
	if len(out) == 0 {
		return path
	}
	return fmt.Sprintf("%s?%s", path, out.Encode())
}
