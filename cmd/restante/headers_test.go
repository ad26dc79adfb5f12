package main

import (
	"context"
	"html"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"restante/handlers"
	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// headerClass is a header class of the site, in the test's own words: policy, cache, type and frames; "" = not looked at.
type headerClass struct{ policy, cache, kind, frames string }

const (
	appCSP = "default-src 'none'; script-src 'nonce-N'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; frame-src 'self'; font-src 'self'; media-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types htmx dompurify restante"
	msgCSP = "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; script-src 'none'; style-src 'unsafe-inline'; img-src data: HOST/mail/1/INBOX/2/parts/; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)

var (
	classApp      = headerClass{appCSP, "no-store", "text/html; charset=utf-8", "DENY"}
	classBody     = headerClass{msgCSP, "no-store", "text/html; charset=utf-8", "SAMEORIGIN"}
	classFrame    = headerClass{"default-src 'none'; style-src 'unsafe-inline'; img-src blob: data: 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'", "no-store", "text/html; charset=utf-8", "SAMEORIGIN"}
	classInline   = headerClass{"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'", "private, no-store", "image/gif", "SAMEORIGIN"}
	classDownload = headerClass{"sandbox; default-src 'none'", "private, no-store", "", "DENY"}
	classSource   = headerClass{"sandbox; default-src 'none'; frame-ancestors 'none'", "no-store", "text/plain; charset=utf-8", "DENY"}
	classPicture  = headerClass{"sandbox; default-src 'none'", "no-store", "image/svg+xml", "DENY"} // of one that could not be fetched; others are kept for a day
	classStream   = headerClass{"default-src 'none'", "no-store", "text/event-stream", "DENY"}
	classAsset    = headerClass{"default-src 'none'", "", "", "DENY"}
	classWorker   = headerClass{"default-src 'none'; connect-src 'self'", "no-cache", "text/javascript; charset=utf-8", "DENY"}
	classText     = headerClass{"default-src 'none'", "no-store", "text/plain; charset=utf-8", "DENY"}
)

// route is what the test knows of a route: a path to try, the class of a good answer, and who may see it.
type route struct {
	path   string
	good   headerClass
	status int // 0 = 200
	form   string
	open   bool // without a session too
	out    headerClass
	who    string // "admin" or "setup": whose it is; "" is a user's
	away   int    // the status for somebody else, where it is another
}

// routes are all of the site's. {D} is a draft, {P} a signed picture, {F} a file of the draft, {S} a fingerprinted file.
var routes = map[string]route{
	"GET /healthz": {path: "/healthz", good: classText, open: true}, "GET /readyz": {path: "/readyz", good: classText, open: true},
	"GET /static/*": {path: "{S}", good: classAsset, open: true}, "GET /sw.js": {path: "/sw.js", good: classWorker, open: true},
	"GET /manifest.webmanifest": {path: "/manifest.webmanifest", good: classAsset, open: true}, "GET /offline": {path: "/offline", good: classApp, open: true},
	"GET /login": {path: "/login?out=1", good: classApp, status: 303, open: true}, "POST /login": {path: "/login", good: classApp, status: 401, form: "username=x@y.test", open: true},
	"POST /logout":        {path: "/logout", good: classApp, status: 303, form: "x=1", open: true},
	"GET /oauth/callback": {path: "/oauth/callback?state=x&code=y", good: classApp, status: 400, open: true},
	"GET /logout/cache":   {path: "/logout/cache", good: classText, status: 204, open: true},
	"GET /":               {path: "/", good: classApp, status: 303, out: classApp}, "GET /mail/{account}/mailboxes": {path: "/mail/1/mailboxes", good: classApp, out: classApp},
	"GET /mail/all/INBOX": {path: "/mail/all/INBOX", good: classApp, out: classApp}, "POST /mail/all/INBOX/actions": {path: "/mail/all/INBOX/actions", good: classApp, status: 400, form: "x=1", out: classApp},
	"POST /mail/{account}/mailboxes":            {path: "/mail/1/mailboxes", good: classApp, status: 422, form: "action=create", out: classApp},
	"GET /mail/{account}/{mailbox}":             {path: "/mail/1/INBOX", good: classApp, out: classApp},
	"POST /mail/{account}/{mailbox}/actions":    {path: "/mail/1/INBOX/actions", good: classApp, status: 400, form: "x=1", out: classApp},
	"GET /mail/{account}/{mailbox}/{uid}":       {path: "/mail/1/INBOX/2", good: classApp, out: classApp},
	"GET /mail/{account}/{mailbox}/{uid}/print": {path: "/mail/1/INBOX/2/print", good: classApp, out: classApp}, "GET /mail/{account}/{mailbox}/{uid}/files/{section}": {path: "/mail/1/INBOX/4/files/2", good: classApp, out: classApp},
	"GET /mail/{account}/{mailbox}/{uid}/attach": {path: "/mail/1/INBOX/4/attach", good: classApp, out: classApp}, "POST /mail/{account}/{mailbox}/{uid}/attach": {path: "/mail/1/INBOX/4/attach", good: classApp, status: 400, form: "x=1", out: classApp},
	"POST /mail/{account}/{mailbox}/{uid}/answer": {path: "/mail/1/INBOX/2/answer", good: classApp, status: 400, form: "x=1", out: classApp}, "POST /mail/{account}/{mailbox}/{uid}/receipt": {path: "/mail/1/INBOX/2/receipt", good: classApp, status: 400, form: "x=1", out: classApp}, "POST /mail/{account}/{mailbox}/{uid}/again": {path: "/mail/1/INBOX/2/again", good: classApp, status: 303, form: "x=1", out: classApp},
	"POST /mail/{account}/{mailbox}/{uid}/unsubscribe": {path: "/mail/1/INBOX/2/unsubscribe", good: classApp, status: 400, form: "x=1", out: classApp},
	"POST /mail/{account}/{mailbox}/{uid}/contacts":    {path: "/mail/1/INBOX/2/contacts", good: classApp, status: 404, form: "x=1", out: classApp}, "GET /mail/{account}/{mailbox}/{uid}/parts/{section}/small": {path: "/mail/1/INBOX/4/parts/2/small", good: classApp, status: 415, out: classText},
	"POST /search/saved":   {path: "/search/saved", good: classApp, status: 400, form: "x=1", out: classApp},
	"POST /search/actions": {path: "/search/actions", good: classApp, status: 400, form: "x=1", out: classApp}, "POST /work/{work}": {path: "/work/7", good: classApp, status: 303, form: "x=1", out: classApp},
	"GET /search": {path: "/search?q=x", good: classApp, out: classApp}, "POST /undo/{act}": {path: "/undo/7", good: classApp, status: 404, form: "x=1", out: classApp},
	"POST /retry": {path: "/retry", good: classApp, status: 303, form: "back=/", out: classApp}, "POST /trust": {path: "/trust", good: classApp, status: 303, form: "sender=a@b.test", out: classApp}, "GET /compose": {path: "/compose", good: classApp, out: classApp},
	"POST /compose": {path: "/compose", good: classApp, status: 422, form: "action=send&subject=s&body=b", out: classApp}, "GET /compose/people": {path: "/compose/people?q=x", good: classApp, out: classApp}, "GET /compose/templates": {path: "/compose/templates?to=x", good: classApp, out: classApp},
	"GET /search/suggest":  {path: "/search/suggest?q=x", good: classApp, out: classApp},
	"GET /compose/{draft}": {path: "/compose/{D}", good: classApp, out: classApp}, "POST /compose/{draft}": {path: "/compose/{D}", good: classApp, status: 303, form: "subject=s", out: classApp},
	"GET /compose/{draft}/files/{file}/view": {path: "{F}/view", good: classApp, out: classApp}, "GET /compose/{draft}/files/{file}/small": {path: "{F}/small", good: classApp, status: 404, out: classText},
	"POST /compose/{draft}/arriving": {path: "/compose/{D}/arriving", good: classApp, status: 400, form: "x=1", out: classApp}, "GET /compose/{draft}/arriving/{file}": {path: "/compose/{D}/arriving/7", good: classApp, status: 404, out: classApp},
	"POST /compose/{draft}/arriving/{file}": {path: "/compose/{D}/arriving/7", good: classApp, status: 404, form: "x=1", out: classApp}, "POST /compose/{draft}/arriving/{file}/stop": {path: "/compose/{D}/arriving/7/stop", good: classApp, status: 404, form: "x=1", out: classApp},
	"GET /compose/thrown": {path: "/compose/thrown", good: classApp, out: classApp}, "POST /compose/thrown": {path: "/compose/thrown", good: classApp, status: 404, form: "x=1", out: classApp},
	"POST /compose/{draft}/files": {path: "/compose/{D}/files", good: classApp, status: 400, form: "x=1", out: classApp}, "GET /outbox": {path: "/outbox", good: classApp, out: classApp},
	"POST /outbox/{id}": {path: "/outbox/7", good: classApp, status: 404, form: "x=1", out: classApp}, "GET /settings": {path: "/settings", good: classApp, out: classApp},
	"GET /settings/{tab}": {path: "/settings/devices", good: classApp, out: classApp}, "POST /settings/{tab}": {path: "/settings/general", good: classApp, status: 303, form: "name=Anna", out: classApp},
	"GET /settings/identities/{identity}": {path: "/settings/identities/new", good: classApp, out: classApp}, "GET /compose/signatures/{picture}": {path: "/compose/signatures/7", good: classApp, status: 404, out: classText},
	"GET /help": {path: "/help", good: classApp, out: classApp}, "GET /leave": {path: "/leave?u=https://x.test&s=0", good: classApp, status: 404, out: classApp},
	"GET /mail/{account}/{mailbox}/{uid}/body":            {path: "/mail/1/INBOX/2/body", good: classBody, out: classText},
	"GET /mail/{account}/{mailbox}/{uid}/parts/{section}": {path: "/mail/1/INBOX/4/parts/2", good: classInline, out: classText},
	"GET /mail/{account}/{mailbox}/{uid}/source":          {path: "/mail/1/INBOX/2/source", good: classSource, out: classText},
	"GET /mail/{account}/{mailbox}/{uid}.eml":             {path: "/mail/1/INBOX/2.eml", good: classDownload, out: classText},
	"GET /mail/{account}/{mailbox}/{uid}/attachments.zip": {path: "/mail/1/INBOX/3/attachments.zip", good: classDownload, out: classText},
	"GET /compose/frame":                                  {path: "/compose/frame", good: classFrame, out: classText}, "GET /compose/{draft}/files/{file}": {path: "{F}", good: classDownload, out: classText},
	"GET /settings/export.json": {path: "/settings/export.json", good: classDownload, out: classText}, "GET /proxy": {path: "{P}", good: classPicture, out: classText},
	"GET /contacts": {path: "/contacts", good: classApp, out: classApp}, "POST /contacts": {path: "/contacts", good: classApp, status: 422, form: "x=1", out: classApp},
	"GET /contacts/new": {path: "/contacts/new", good: classApp, out: classApp}, "GET /contacts/of": {path: "/contacts/of?address=a@b.test", good: classApp, status: 303, out: classApp},
	"GET /contacts/written": {path: "/contacts/written", good: classApp, out: classApp}, "POST /contacts/written": {path: "/contacts/written", good: classApp, status: 303, form: "x=1", out: classApp},
	"POST /contacts/actions": {path: "/contacts/actions", good: classApp, status: 303, form: "x=1", out: classApp}, "POST /contacts/groups": {path: "/contacts/groups", good: classApp, status: 404, form: "x=1", out: classApp},
	"GET /contacts/doubles": {path: "/contacts/doubles", good: classApp, out: classApp}, "POST /contacts/doubles": {path: "/contacts/doubles", good: classApp, status: 303, form: "x=1", out: classApp},
	"GET /contacts/import": {path: "/contacts/import", good: classApp, out: classApp}, "POST /contacts/import": {path: "/contacts/import", good: classApp, status: 400, form: "x=1", out: classApp},
	"GET /contacts/import/{file}": {path: "/contacts/import/7", good: classApp, status: 404, out: classApp}, "POST /contacts/import/{file}": {path: "/contacts/import/7", good: classApp, status: 404, form: "x=1", out: classApp},
	"GET /contacts/{contact}": {path: "/contacts/7", good: classApp, status: 404, out: classApp}, "POST /contacts/{contact}": {path: "/contacts/7", good: classApp, status: 422, form: "x=1", out: classApp},
	"GET /contacts/{contact}/edit": {path: "/contacts/7/edit", good: classApp, status: 404, out: classApp}, "GET /contacts/export.vcf": {path: "/contacts/export.vcf", good: classDownload, out: classText},
	"GET /imports": {path: "/imports", good: classApp, out: classApp}, "POST /imports": {path: "/imports", good: classApp, status: 422, form: "x=1", out: classApp},
	"POST /imports/files": {path: "/imports/files", good: classApp, status: 400, form: "x=1", out: classApp}, "POST /imports/{source}": {path: "/imports/7", good: classApp, status: 404, form: "x=1", out: classApp},
	"GET /setup/{token}": {path: "/setup/{T}", good: classApp, status: 303, who: "setup", out: classApp, away: 410}, "POST /setup/{token}": {path: "/setup/{T}", good: classApp, status: 410, form: "x=1", who: "setup", out: classApp, away: 410},
	"GET /setup/owner": {path: "/setup/owner", good: classApp, who: "setup", out: classApp, away: 404}, "POST /setup/owner": {path: "/setup/owner", good: classApp, status: 303, form: "x=1", who: "setup", out: classApp, away: 404},
	"GET /setup/site": {path: "/setup/site", good: classApp, status: 303, who: "setup", out: classApp, away: 404}, "POST /setup/site": {path: "/setup/site", good: classApp, status: 303, form: "x=1", who: "setup", out: classApp, away: 404},
	"GET /setup/domain": {path: "/setup/domain", good: classApp, status: 303, who: "setup", out: classApp, away: 404}, "POST /setup/domain": {path: "/setup/domain", good: classApp, status: 303, form: "x=1", who: "setup", out: classApp, away: 404},
	"GET /setup/test": {path: "/setup/test", good: classApp, status: 303, who: "setup", out: classApp, away: 404}, "POST /setup/test": {path: "/setup/test", good: classApp, status: 303, form: "x=1", who: "setup", out: classApp, away: 404},
	"GET /setup/finish": {path: "/setup/finish", good: classApp, status: 303, who: "setup", out: classApp, away: 404}, "POST /setup/finish": {path: "/setup/finish", good: classApp, status: 303, form: "x=1", who: "setup", out: classApp, away: 404},
	"GET /setup/self": {path: "/setup/self", good: classApp, status: 404, open: true},

	"GET /admin/login": {path: "/admin/login", good: classApp, status: 303, who: "admin", out: classApp, away: 200}, "POST /admin/login": {path: "/admin/login", good: classApp, status: 401, form: "username=x&password=y", who: "admin", open: true},
	"GET /admin/factor": {path: "/admin/factor", good: classApp, status: 303, who: "admin", out: classApp}, "POST /admin/factor": {path: "/admin/factor", good: classApp, status: 303, form: "x=1", who: "admin", out: classApp},
	"POST /admin/logout": {path: "/admin/logout", good: classApp, status: 303, form: "x=1", who: "admin", out: classApp}, "GET /admin/": {path: "/admin", good: classApp, who: "admin", out: classApp},
	"HEAD /admin/":       {path: "/admin", good: classApp, who: "admin", out: classApp},
	"GET /admin/domains": {path: "/admin/domains", good: classApp, who: "admin", out: classApp}, "GET /admin/domains/{domain}": {path: "/admin/domains/new", good: classApp, who: "admin", out: classApp},
	"GET /admin/domains/{domain}/senders": {path: "/admin/domains/nowhere.test/senders", good: classApp, status: 404, who: "admin", out: classApp}, "POST /admin/domains/{domain}/senders": {path: "/admin/domains/nowhere.test/senders", good: classApp, status: 404, form: "x=1", who: "admin", out: classApp},
	"POST /admin/domains/{domain}": {path: "/admin/domains/new", good: classApp, status: 422, form: "action=save", who: "admin", out: classApp}, "GET /admin/people": {path: "/admin/people", good: classApp, who: "admin", out: classApp},
	"POST /admin/people/{user}": {path: "/admin/people/77", good: classApp, status: 404, form: "x=1", who: "admin", out: classApp}, "GET /admin/people/{user}": {path: "/admin/people/1", good: classApp, who: "admin", out: classApp}, "GET /admin/sessions": {path: "/admin/sessions", good: classApp, who: "admin", out: classApp},
	"POST /admin/sessions": {path: "/admin/sessions", good: classApp, status: 404, form: "x=1", who: "admin", out: classApp}, "GET /admin/audit": {path: "/admin/audit", good: classApp, who: "admin", out: classApp},
	"GET /admin/audit.csv": {path: "/admin/audit.csv", good: classDownload, who: "admin", out: classApp}, "GET /admin/health": {path: "/admin/health", good: classApp, who: "admin", out: classApp},
	"POST /admin/news": {path: "/admin/news", good: classApp, status: 303, form: "about=x&kind=create", who: "admin", out: classApp},
	"GET /admin/jobs":  {path: "/admin/jobs", good: classApp, who: "admin", out: classApp}, "POST /admin/jobs": {path: "/admin/jobs", good: classApp, status: 400, form: "x=1", who: "admin", out: classApp},
	"POST /admin/jobs/{kind}/{job}": {path: "/admin/jobs/send/77", good: classApp, status: 303, form: "x=1", who: "admin", out: classApp}, "GET /admin/jobs/{kind}/{job}/drop": {path: "/admin/jobs/send/77/drop", good: classApp, status: 303, who: "admin", out: classApp},
	"GET /admin/limits": {path: "/admin/limits", good: classApp, who: "admin", out: classApp}, "POST /admin/limits": {path: "/admin/limits", good: classApp, status: 422, form: "contacts=x", who: "admin", out: classApp},
	"GET /admin/site": {path: "/admin/site", good: classApp, who: "admin", out: classApp}, "POST /admin/site": {path: "/admin/site", good: classApp, status: 422, form: "url=x", who: "admin", out: classApp},
	"GET /admin/account": {path: "/admin/account", good: classApp, who: "admin", out: classApp}, "POST /admin/account": {path: "/admin/account", good: classApp, status: 303, form: "action=confirm", who: "admin", out: classApp},

	"GET /events": {path: "/events", good: classStream, out: classText},
}

// table walks the real route table.
func table(t *testing.T) (out []string) {
	t.Helper()
	h := handlers.New(handlers.Options{Config: config.Default(), Log: slog.New(slog.DiscardHandler)}).Handler()
	err := chi.Walk(h.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		out = append(out, method+" "+pattern)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryRouteHasTheHeadersOfItsClass(t *testing.T) {
	all := table(t)
	for r := range routes {
		if !slices.Contains(all, r) {
			t.Errorf("the test knows of %s, the site does not", r)
		}
	}
	for _, public := range []string{"", "https://mail.example.test"} {
		t.Run(public, func(t *testing.T) {
			h := newHeaderSite(t, public)
			for _, name := range all {
				r, known := routes[name]
				if !known {
					t.Errorf("no header class is known to the test for %s", name)
					continue
				}
				method, _, _ := strings.Cut(name, " ")
				t.Run(name, func(t *testing.T) { h.check(t, method, r) })
			}
			h.errors(t)
		})
	}
}

// headerSite is a site with some mail, asked as by its public name.
type headerSite struct {
	site  *site
	https bool
	in    *visitor
	out   *visitor
	admin *visitor
	setup *visitor
	fill  *strings.Replacer
	host  string
}

func newHeaderSite(t *testing.T, public string) *headerSite {
	t.Helper()
	mail := testmail.Demo(t)
	s := newSite(t, mail, testdb.SQLite(t), func(c *config.Config) { c.PublicURL = public })
	u := mail.NewUser(t)
	gif := "From: a@b.test\r\nSubject: Picture\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\nContent-Type: text/plain\r\n\r\nx\r\n" +
		"--cut\r\nContent-Type: image/gif; name=p.gif\r\nContent-Disposition: attachment; filename=p.gif\r\n\r\nGIF89a\x01\r\n--cut--\r\n"
	mail.Deliver(t, u, append(letters([]byte("scan")), gif)...)
	h := &headerSite{site: s, https: public != "", host: strings.TrimPrefix(s.base, "http://")}
	if h.https { // a proxy in front of the site ends TLS
		s.base = "https://" + h.host
	}
	h.in, h.out, h.admin, h.setup = newVisitor(t, s.base), newVisitor(t, s.base), newVisitor(t, s.base), newVisitor(t, s.base)
	for _, v := range []*visitor{h.in, h.out, h.admin, h.setup} {
		tr := v.client.Transport.(*http.Transport)
		tr.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}
	}
	v := h.in
	v.get("/login").form("form[action=/login]").set("username", u.Address).set("password", u.Password).press("", "").want(200)
	styles := attr(v.one("link[rel=stylesheet]"), "href")
	v.get("/compose").form("form[data-compose]").set("subject", "s").attach("attachments", file{"a.bin", []byte("x")}).press("action", "save").want(200)
	draft := strings.TrimPrefix(v.url.Path, "/compose/")
	kept := attr(v.one("a[data-attachment]"), "href")
	v.get("/mail/1/INBOX/2/body?remote=1").want(200)
	proxied := html.UnescapeString(regexp.MustCompile(`/proxy\?[^"']+`).FindString(string(v.body)))
	if proxied == "" {
		t.Fatal("no picture goes through the proxy")
	}
	if !strings.Contains(v.header.Get("Content-Security-Policy"), "img-src data: "+h.host+"/mail/1/INBOX/2/parts/ "+h.host+"/proxy") {
		t.Errorf("with the reader's consent the policy is %s", v.header.Get("Content-Security-Policy"))
	}
	token := s.setupToken()
	h.setup.get("/setup/"+token).want(200).form("form").press("", "").want(200)
	s.makeAdmin("owner")
	h.admin.get("/admin/login").adminTries("owner", adminPassword).want(200)
	h.fill = strings.NewReplacer("{T}", token, "{D}", draft, "{F}", kept, "{P}", proxied, "{S}", styles)
	for _, w := range []*visitor{h.in, h.out, h.admin, h.setup} {
		w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return h
}

func (h *headerSite) check(t *testing.T, method string, r route) {
	path, status := h.fill.Replace(r.path), r.status
	if status == 0 {
		status = 200
	}
	in := map[string]*visitor{"": h.in, "admin": h.admin, "setup": h.setup}[r.who]
	if path != "/logout" && path != "/admin/logout" {
		h.ask(t, in, method, path, r.form, status, r.good)
	}
	if method == http.MethodGet && status == 200 {
		h.ask(t, in, http.MethodHead, path, "", status, r.good)
	}
	switch {
	case r.away != 0:
		h.ask(t, h.out, method, path, r.form, r.away, r.out)
	case r.who == "admin" && !r.open:
		h.ask(t, h.out, method, path, r.form, 303, r.out)
	case r.open && path == "/login?out=1":
		h.ask(t, h.out, method, path, r.form, 200, r.good)
	case r.open:
		h.ask(t, h.out, method, path, r.form, status, r.good)
	case r.out == classText || method == http.MethodPost:
		h.ask(t, h.out, method, path, r.form, 401, r.out)
	default:
		h.ask(t, h.out, method, path, r.form, 303, r.out)
	}
	// from another site: refused, whatever it is
	want, refusal := 403, classApp
	if method != http.MethodPost {
		refusal = classText
	}
	h.ask(t, in, method, path, r.form, want, refusal, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors")
	if method == http.MethodPost {
		h.ask(t, in, method, path, r.form, want, refusal, "Sec-Fetch-Site", "", "Origin", "https://evil.example")
	}
	h.ask(t, in, http.MethodPut, path, "x=1", 405, classApp)
}

// ask makes a request and looks at the headers of its answer.
func (h *headerSite) ask(t *testing.T, v *visitor, method, path, form string, status int, want headerClass, headers ...string) {
	t.Helper()
	if form != "" {
		headers = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	res, err := v.client.Do(v.newRequest(method, path, strings.NewReader(form), headers...).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() // unread: a stream would not end
	if res.StatusCode != status {
		t.Errorf("%s %s: status %d, not %d", method, path, res.StatusCode, status)
	}
	for _, fault := range h.faults(res.Header, want) {
		t.Errorf("%s %s (%d): %s", method, path, res.StatusCode, fault)
	}
}

var nonce = regexp.MustCompile(`'nonce-[A-Za-z0-9+/]{22}'`)

func (h *headerSite) faults(got http.Header, want headerClass) (out []string) {
	is := func(name, value string) {
		if all := got.Values(name); strings.Join(all, " | ") != value {
			out = append(out, name+" is "+strings.Join(all, " | ")+", not "+value)
		}
	}
	for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "X-DNS-Prefetch-Control": "off", "X-Robots-Tag": "noindex", "Origin-Agent-Cluster": "?1", "X-Frame-Options": want.frames,
		"Server": "", "X-Powered-By": "", "Access-Control-Allow-Origin": ""} {
		is(name, value)
	}
	hsts := ""
	if h.https {
		hsts = "max-age=31536000"
	}
	is("Strict-Transport-Security", hsts)
	if p := got.Get("Permissions-Policy"); !strings.Contains(p, "camera=()") || !strings.Contains(p, "geolocation=()") {
		out = append(out, "Permissions-Policy is "+p)
	}
	policy := strings.Join(got.Values("Content-Security-Policy"), " | ")
	if strings.Contains(want.policy, "nonce") && !nonce.MatchString(policy) {
		out = append(out, "no nonce of 128 bits")
	}
	if policy = nonce.ReplaceAllString(policy, "'nonce-N'"); policy != strings.ReplaceAll(want.policy, "HOST", h.names()) {
		out = append(out, "the policy is "+policy)
	}
	if want.cache != "" && strings.TrimSuffix(strings.Join(got.Values("Cache-Control"), "|"), `|no-cache="Set-Cookie"`) != want.cache {
		is("Cache-Control", want.cache)
	}
	if want.kind != "" {
		is("Content-Type", want.kind)
	}
	attached := strings.HasPrefix(got.Get("Content-Disposition"), "attachment")
	if (want == classDownload) != attached {
		out = append(out, "Content-Disposition is "+got.Get("Content-Disposition"))
	}
	for _, c := range got.Values("Set-Cookie") {
		out = append(out, h.cookieFaults(c)...)
	}
	return out
}

// names are the hosts of the site as a policy has them; the test looks at the first alone.
func (h *headerSite) names() string {
	if h.https {
		return h.host + "/mail/1/INBOX/2/parts/ mail.example.test"
	}
	return h.host
}

func (h *headerSite) cookieFaults(c string) (out []string) {
	must := []string{"HttpOnly", "SameSite=Lax", "Path=/"}
	name := "restante="
	for _, strict := range []string{"restante-admin=", "restante-setup="} { // not even by a link of another site
		if strings.Contains(c, strict) {
			must, name = []string{"HttpOnly", "SameSite=Strict", "Path=/"}, strict
		}
	}
	if h.https {
		must, name = append(must, "Secure"), "__Host-"+name
	}
	for _, m := range must {
		if !strings.Contains(c, "; "+m) {
			out = append(out, "a cookie lacks "+m)
		}
	}
	if !strings.HasPrefix(c, name) || strings.Contains(c, "Domain") {
		out = append(out, "a cookie is not "+name)
	}
	return out
}

// errors are answers that no route gives, and those that take the place of files.
func (h *headerSite) errors(t *testing.T) {
	h.ask(t, h.in, "GET", "/nothing", "", 404, classApp)
	h.ask(t, h.in, "GET", "/static/nothing.css", "", 404, classAsset)
	h.ask(t, h.in, "GET", "/mail/1/INBOX/99.eml", "", 404, classApp)
	h.ask(t, h.in, "GET", "/mail/1/INBOX/99/attachments.zip", "", 404, classApp)
	h.ask(t, h.in, "GET", "/mail/1/INBOX/99/parts/1", "", 404, classApp)
	h.ask(t, h.in, "GET", "/mail/1/INBOX/99/source", "", 404, classApp)
	h.ask(t, h.in, "GET", "/mail/1/INBOX/2/parts/9", "", 404, classApp)
	h.ask(t, h.in, "GET", "/mail/1/INBOX/3/parts/2", "", 200, classDownload)
	h.ask(t, h.in, "GET", "/mail/1/INBOX/4/parts/2?download=1", "", 200, classDownload)
	h.ask(t, h.in, "GET", "/proxy?u=https://x.test/&s=00", "", 404, classApp)
	h.ask(t, h.in, "GET", "/mail/1/INBOX?page=%00", "", 400, classApp)
	h.ask(t, h.in, "GET", "/%ff", "", 404, classApp)
	h.ask(t, h.in, "POST", "/compose", "body="+strings.Repeat("x", 9<<20), 413, classApp)
	if h.https {
		v := h.in.tab()
		req := v.newRequest("GET", "/", strings.NewReader(""))
		req.Host = "evil.example"
		res, err := v.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("another host's name: status %d", res.StatusCode)
		}
		for _, fault := range h.faults(res.Header, classText) {
			t.Errorf("another host's name: %s", fault)
		}
	}
}
