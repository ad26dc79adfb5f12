package handlers

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"restante/internal/jobs"
	"restante/internal/limits"
	"restante/internal/netguard"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/compose"
	"restante/mailclient/discover"
	"restante/mailclient/submit"
	"restante/templates"
)

// pathAccounts is where a person sees to their accounts.
const pathAccounts = "/settings/accounts"

// accountForm is the form of a further account as it was typed.
type accountForm struct {
	address, username, password string
	read, send                  serverTyped
	wrong, said                 string // what is to be mended, in words, and the server's
	found                       *discover.Found
}

// serverTyped is a server as it was typed.
type serverTyped struct{ host, port, security string }

func serverTypedFrom(r *http.Request, prefix string) serverTyped {
	v := func(name string) string { return strings.TrimSpace(r.PostFormValue(prefix + name)) }
	t := serverTyped{v("host"), v("port"), v("security")}
	if host, port, err := net.SplitHostPort(t.host); err == nil {
		t.host, t.port = host, port
	}
	return t
}

// place is what was typed, as far as it can be.
func (t serverTyped) place(service discover.Service) (at discover.Place, ok bool) {
	at.Security = mailclient.Security(strings.Replace(t.security, "none", "plain", 1))
	if at.Port = usualPorts[service][at.Security]; t.port != "" {
		at.Port, _ = strconv.Atoi(t.port)
	}
	at.Host, ok = netguard.Host(t.host)
	return at, ok
}

func accountFormFrom(r *http.Request) accountForm {
	return accountForm{address: strings.TrimSpace(r.PostFormValue("address")), username: strings.TrimSpace(r.PostFormValue("username")), password: r.PostFormValue("password"),
		read: serverTypedFrom(r, "imap_"), send: serverTypedFrom(r, "smtp_")}
}

// accountsTab lists the accounts of a person, with the form for another.
func (s *Server) accountsTab(p *person, page *templates.Settings, f accountForm) {
	for _, a := range p.Accounts {
		v := templates.AccountCard{ID: a.ID, Address: a.Address, URL: pathMailbox(a.ID, "INBOX"), Further: a.Further(), Sent: sentOptions(p, a)}
		if there, err := s.as(p, a.ID); err != nil {
			pr := problemOf(err)
			v.Trouble = p.L.T(pr.Key, pr.Args...)
		} else {
			v.Servers = p.L.T("accounts.servers", "Read", there.Servers.IMAP.Host, "Send", there.Servers.SMTP.Host)
			if o, out := there.Mail.Outage(); out {
				v.Trouble = awayWords(there, o.Err)
			}
		}
		page.Accounts = append(page.Accounts, v)
	}
	most := int(s.bounds.Of(p.User.Address, limits.Accounts))
	switch {
	case most == 0:
		page.NoMore = p.L.T("accounts.none")
	case len(p.Accounts)-1 >= most:
		page.NoMore = p.L.T("accounts.toomany", "Limit", most)
	default:
		page.NewAccount = accountFormView(p, f)
	}
}

func accountFormView(p *person, f accountForm) *templates.AccountForm {
	server := func(name, service string, t serverTyped, usual discover.Service) templates.ServerForm {
		v := templates.ServerForm{Name: name, Words: p.L.T(service), Host: t.host, Port: t.port, Usual: strconv.Itoa(usualPorts[usual][mailclient.TLS])}
		v.Securities = securityOptions(p, cmp.Or(t.security, "tls"))
		return v
	}
	v := &templates.AccountForm{Address: f.address, Username: f.username, Problem: f.wrong, ServerSaid: f.said, OpenServer: f.read.host != "" || f.wrong != "" && f.found != nil,
		Servers: []templates.ServerForm{server("imap", "accounts.reading", f.read, discover.IMAP), server("smtp", "accounts.sending", f.send, discover.Submission)}}
	if f.found == nil {
		return v
	}
	for _, c := range []discover.Choice{f.found.IMAP, f.found.Submission} {
		if !c.Found() {
			continue
		}
		v.Found = append(v.Found, p.L.T("imports.found", "Host", c.Address(), "Source", sourceWords(p.L, c.Source)))
		if c.Confirm() {
			v.Confirm = append(v.Confirm, p.L.T("imports.confirm", "Host", c.Host, "Domain", f.found.Domain))
		}
	}
	if len(v.Found) == 2 {
		v.Found = append(v.Found, p.L.T("accounts.found.again"))
	}
	v.PasswordURL = f.found.Password
	return v
}

// saveAccounts adds a further account, changes its password or removes it.
func (s *Server) saveAccounts(w http.ResponseWriter, r *http.Request, p *person) error {
	if r.PostFormValue("action") == "add" {
		return s.addAccount(w, r, p)
	}
	id := atoi64(r.PostFormValue("id"))
	if r.PostFormValue("action") == "sent" {
		return s.saveSentMode(w, r, p, id)
	}
	at := slices.IndexFunc(p.Accounts, func(a store.Account) bool { return a.ID == id && a.Further() })
	if at < 0 {
		return errNothingHere
	}
	switch a := p.Accounts[at]; r.PostFormValue("action") {
	case "password":
		return s.changeAccountPassword(w, r, p, a)
	case "remove":
		return s.removeAccount(w, r, p, a)
	}
	return badRequest("error.act")
}

// sentModes are who may put the copy of a sent mail into Sent.
var sentModes = []string{"auto", "append", "server", "none"}

func sentOptions(p *person, a store.Account) (out []templates.Option) {
	for _, mode := range sentModes {
		out = append(out, templates.Option{Value: mode, Words: p.L.T("accounts.sent." + mode), Current: mode == a.SentMode})
	}
	return out
}

// saveSentMode notes who puts the copies of sent mail into Sent, for one account.
func (s *Server) saveSentMode(w http.ResponseWriter, r *http.Request, p *person, id int64) error {
	mode := r.PostFormValue("sent")
	if !slices.Contains(sentModes, mode) {
		return badRequest("settings.badvalue")
	}
	if err := s.store.SetSentMode(r.Context(), p.User.ID, id, mode, 0); err != nil {
		return err
	}
	s.putFlash(r, flash{Words: p.L.T("settings.saved")})
	return seeOther(w, r, pathAccounts)
}

// addAccount looks for the servers of an address, or signs in there and keeps the account.
func (s *Server) addAccount(w http.ResponseWriter, r *http.Request, p *person) error {
	f := accountFormFrom(r)
	again := func(status int, key string, args ...any) error {
		f.wrong = p.L.T(key, args...)
		return s.accountsPage(w, r, p, status, f)
	}
	if !compose.Valid(f.address) || len(f.address)+len(f.username) > 254 || len(f.password) > 1024 || strings.ContainsAny(f.address+f.username+f.password, "\r\n\x00") {
		return again(http.StatusUnprocessableEntity, "accounts.badaddress", "Address", cutText(f.address, 254))
	}
	if !s.accounts.may(p.User.ID, s.now()) {
		return again(http.StatusTooManyRequests, "imports.toomany")
	}
	a := store.Account{Address: strings.ToLower(f.address)}
	servers, wrong, err := s.serversFor(r.Context(), &f, &a)
	switch {
	case err != nil:
		return err
	case wrong != "":
		return again(http.StatusUnprocessableEntity, wrong, "Address", f.address, "Domain", limits.DomainOf(f.address))
	case f.found != nil && (f.found.IMAP.OAuthOnly() || f.found.Submission.OAuthOnly()):
		return again(http.StatusUnprocessableEntity, "accounts.provider", "Domain", f.found.Domain)
	case f.found != nil && !(f.found.IMAP.Found() && f.found.Submission.Found()):
		return again(http.StatusUnprocessableEntity, "accounts.notfound", "Domain", f.found.Domain)
	case f.found != nil:
		return s.accountsPage(w, r, p, http.StatusOK, f)
	case f.password == "":
		return again(http.StatusUnprocessableEntity, "accounts.nopassword")
	}
	if a.Username = cmp.Or(f.username, servers.Username(a.Address)); a.Username == "" {
		a.Username = a.Address
	}
	if pr := s.proven(r, a, servers, f.password); pr != nil {
		f.wrong, f.said = p.L.T(pr.Key, pr.Args...), pr.Server
		return s.accountsPage(w, r, p, http.StatusUnprocessableEntity, f)
	}
	added, err := s.queue.AddAccount(r.Context(), p.User, a, f.password)
	switch {
	case errors.Is(err, store.ErrAccountTaken):
		return again(http.StatusConflict, "accounts.taken", "Address", a.Address)
	case errors.Is(err, store.ErrTooManyAccounts):
		return again(http.StatusConflict, "accounts.toomany", "Limit", int(s.bounds.Of(p.User.Address, limits.Accounts)))
	case err != nil:
		return err
	}
	s.hub.tell(p.User.ID, "accounts")
	s.log.Info("account added", "id", requestID(r), "user", p.User.ID, "account", added.ID)
	s.putFlash(r, flash{Words: p.L.T("accounts.added", "Address", a.Address), LinkURL: pathMailbox(added.ID, "INBOX"), LinkWords: p.L.T("accounts.open")})
	return seeOther(w, r, pathAccounts)
}

// accountsPage shows the accounts with a form as it was typed.
func (s *Server) accountsPage(w http.ResponseWriter, r *http.Request, p *person, status int, f accountForm) error {
	page := s.settingsFrame(r, p, "accounts")
	s.accountsTab(p, &page, f)
	s.render(w, r, status, page)
	return nil
}

// serversFor are the servers of a new account: an admin's for a domain that is set up, else those that were typed, else
// those of a known provider. Where none of them is, servers are looked for, and shown before a password goes there.
func (s *Server) serversFor(ctx context.Context, f *accountForm, a *store.Account) (servers discover.Servers, wrong string, err error) {
	servers, known := s.servers.Lookup(a.Address)
	switch {
	case known && servers.OAuth != nil:
		return servers, "accounts.provider", nil
	case known && servers.Source == discover.FromDomain, known && !servers.Discovered() && f.read.host == "":
		return servers, "", nil
	case f.read.host == "":
		return servers, "", s.findAccount(ctx, f)
	}
	d := discover.Domain{Name: limits.DomainOf(a.Address)}
	var ok, ok2 bool
	d.IMAP, ok = f.read.place(discover.IMAP)
	d.Submission, ok2 = f.send.place(discover.Submission)
	if !ok || !ok2 || d.Check() != nil {
		return servers, "accounts.badserver", nil
	}
	a.Servers = d.Encode()
	return s.queue.ServersNamed(d), "", nil
}

// findAccount fills the servers of an address in, without asking them for anything.
func (s *Server) findAccount(ctx context.Context, f *accountForm) error {
	found, err := s.finder.Find(ctx, f.address)
	if err != nil && !errors.Is(err, discover.ErrAddress) {
		return err
	}
	f.found = &found
	typed := func(c discover.Choice) serverTyped {
		return serverTyped{c.Host, strconv.Itoa(c.Port), typedSecurity(string(c.Security))}
	}
	if found.IMAP.Found() {
		f.read = typed(found.IMAP)
		if name := found.IMAP.Username(f.address); f.username == "" && name != f.address {
			f.username = name
		}
	}
	if found.Submission.Found() {
		f.send = typed(found.Submission)
	}
	return nil
}

// proven signs in to the servers of an account, for reading and for sending. nil: both took the password.
func (s *Server) proven(r *http.Request, a store.Account, servers discover.Servers, password string) *Problem {
	device := s.device(r, deviceKey(a.Address, servers))
	tried, until, err := s.limits.allow(r.Context(), s.clientNetwork(r), a.Address, device)
	if err != nil {
		return problemOf(err)
	}
	if !until.IsZero() {
		return problemOf(s.tooManyTries(until))
	}
	cred := mailclient.Credentials{Username: a.Username, Password: password}
	err = s.checks.try(r.Context(), a.Address, password+"\x00"+addressesOf(servers), true, func(ctx context.Context) error {
		key := "account/try/" + requestID(r)
		defer s.pool.Drop(key)
		return s.pool.Session(key, servers.IMAP, cred).SignIn(ctx)
	})
	var refused *mailclient.SignInError
	after := context.WithoutCancel(r.Context())
	switch {
	case err == nil:
		err = s.limits.right(after, tried)
	case !errors.As(err, &refused) || refused.Temporary:
		err = errors.Join(err, s.limits.undo(after, tried))
	}
	if err != nil {
		return problemOf(err)
	}
	if _, err = submit.Ask(r.Context(), submit.Options{Server: servers.SMTP, Credentials: cred}); err != nil {
		return sendingProblem(servers.SMTP.Host, err)
	}
	return nil
}

// sendingProblem says what is wrong with a submission server.
func sendingProblem(host string, err error) *Problem {
	var refused *submit.RefusedError
	if !errors.As(err, &refused) {
		return problemOf(err)
	}
	p := wrap(err, http.StatusBadGateway, "error.unreachable", "Host", host)
	out := refused.Outcome
	switch key, ok := connectKeys[out.Why]; {
	case ok:
		p.Key = key
	case out.Kind == submit.SignIn:
		p.Key, p.Server = "accounts.nosending", out.Text
	case out.Code != 0:
		p.Key, p.Server = "accounts.sendtrouble", out.Text
	}
	return p
}

// accountOptions are the accounts of a person who has several, as a choice.
func accountOptions(p *person, now int64) (out []templates.Option) {
	if len(p.Accounts) < 2 {
		return nil
	}
	for _, a := range p.Accounts {
		out = append(out, templates.Option{Value: strconv.FormatInt(a.ID, 10), Words: a.Address, Current: a.ID == now})
	}
	return out
}

func (s *Server) changeAccountPassword(w http.ResponseWriter, r *http.Request, p *person, a store.Account) error {
	servers, ok := s.queue.ServersOf(a)
	if !ok {
		return accountTrouble(a, "accounts.noservers")
	}
	password := r.PostFormValue("password")
	done := flash{Words: p.L.T("settings.saved")}
	switch {
	case password == "" || len(password) > 1024 || strings.ContainsAny(password, "\r\n\x00"):
		done = flash{Words: p.L.T("accounts.nopassword"), Failed: true}
	case !s.accounts.may(p.User.ID, s.now()):
		done = flash{Words: p.L.T("imports.toomany"), Failed: true}
	default:
		if pr := s.proven(r, a, servers, password); pr != nil {
			s.logProblem(r, pr)
			done = flash{Words: p.L.T(pr.Key, pr.Args...), Failed: true}
		} else if err := s.queue.SetAccountPassword(r.Context(), a, password); err != nil {
			return err
		} else {
			s.hub.tell(p.User.ID, "accounts") // no open page signs in with the old one any more
		}
	}
	s.putFlash(r, done)
	return seeOther(w, r, pathAccounts)
}

// removeAccount forgets a further account. Its mail stays where it is.
func (s *Server) removeAccount(w http.ResponseWriter, r *http.Request, p *person, a store.Account) error {
	if there, err := s.as(p, a.ID); err == nil {
		s.fileNow(r, there)
	}
	err := s.queue.RemoveAccount(r.Context(), p.User.ID, a.ID)
	if errors.Is(err, store.ErrAccountBusy) {
		s.putFlash(r, flash{Words: p.L.T("accounts.busy", "Address", a.Address), Failed: true, LinkURL: "/outbox", LinkWords: p.L.T("nav.outbox")})
		return seeOther(w, r, pathAccounts)
	}
	if err != nil {
		return err
	}
	if err := s.index.Remove(a.ID); err != nil {
		s.log.Warn("index of an account stays", "account", a.ID, "err", err.Error())
	}
	s.pool.Drop(jobs.SessionKey(a.ID))
	s.hub.tell(p.User.ID, "accounts")
	s.log.Info("account removed", "id", requestID(r), "user", p.User.ID, "account", a.ID)
	s.putFlash(r, flash{Words: p.L.T("accounts.removed", "Address", a.Address)})
	return seeOther(w, r, pathAccounts)
}
