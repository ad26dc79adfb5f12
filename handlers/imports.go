package handlers

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"restante/internal/limits"
	"restante/internal/netguard"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/compose"
	"restante/mailclient/discover"
	"restante/mailclient/pop3"
	"restante/templates"
)

// newFolder is the choice of a folder that is called after the address.
const newFolder = "+"

// sourceForm is the form of a source as it was typed.
type sourceForm struct {
	host, port, security, username, mailbox, keep, days string
	once, markRead, apop                                bool
	wrong, said                                         string // what is to be mended, in words, and the server's
	found                                               *discover.Found
	looked                                              bool
	again                                               bool  // a password was typed before the server was known: it went nowhere
	token                                               int64 // that a provider gave for it, in the place of a password
}

// freshSource is the form before anything is typed.
var freshSource = sourceForm{mailbox: "INBOX", security: "tls", keep: "keep", days: "14"}

func sourceFormFrom(r *http.Request) sourceForm {
	v := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	f := sourceForm{host: v("host"), port: v("port"), security: v("security"), username: v("username"), mailbox: r.PostFormValue("mailbox"), keep: v("keep"), days: v("days"),
		once: v("every") == "once", markRead: v("markread") == "1", apop: v("apop") == "1"}
	if host, port, err := net.SplitHostPort(f.host); err == nil {
		f.host, f.port = host, port
	}
	return f
}

// imports shows the sources of a person, and the form for a new one.
func (s *Server) imports(w http.ResponseWriter, r *http.Request, p *person) error {
	return s.importsPage(w, r, p, http.StatusOK, freshSource, nil)
}

// importsPage shows the page, with a form as it was typed, and a question about one of the sources.
func (s *Server) importsPage(w http.ResponseWriter, r *http.Request, p *person, status int, f sourceForm, ask *templates.SourceAsk) error {
	return s.importsWith(w, r, p, status, f, func(v *templates.Source) {
		if ask != nil && ask.ID == v.ID {
			v.Ask = ask
		}
	})
}

// importsWith is importsPage, where change may alter how each source is shown.
func (s *Server) importsWith(w http.ResponseWriter, r *http.Request, p *person, status int, f sourceForm, change func(v *templates.Source)) error {
	sources, err := s.store.Sources(r.Context(), p.User.ID)
	if err != nil {
		return err
	}
	frame, boxes := s.frame(r, p, "imports-page", p.L.T("nav.imports"), "")
	page := templates.Imports{Frame: frame, Form: s.sourceFormView(p, f, boxes), Fold: len(sources) > 0 && f.wrong == "" && !f.looked}
	for _, o := range sources {
		v, err := s.sourceView(r, p, o, boxes)
		if err != nil {
			return err
		}
		change(&v)
		page.Sources = append(page.Sources, v)
	}
	page.Mailboxes = mailboxOptions(p, boxes, "INBOX", false)
	s.render(w, r, status, page)
	return nil
}

func mailboxOptions(p *person, boxes []mailclient.Mailbox, now string, another bool) (out []templates.Option) {
	for _, b := range boxes {
		if b.Selectable && b.Role != mailclient.RoleTrash && b.Role != mailclient.RoleJunk && b.Role != mailclient.RoleDrafts {
			out = append(out, templates.Option{Value: b.Name, Words: fullDisplay(b, p), Current: b.Name == now})
		}
	}
	if len(out) == 0 { // the server does not tell them now
		out = append(out, templates.Option{Value: "INBOX", Words: "INBOX", Current: true})
	}
	if another {
		out = append(out, templates.Option{Value: newFolder, Words: p.L.T("imports.newfolder"), Current: now == newFolder})
	}
	return out
}

var sourceSecurities = []string{"tls", "starttls", "none"}

// typedSecurity is what the form calls a security: "none" is what the rest of the program calls plain.
func typedSecurity(security string) string { return strings.Replace(security, "plain", "none", 1) }

func securityOptions(p *person, now string) (out []templates.Option) {
	for _, v := range sourceSecurities {
		out = append(out, templates.Option{Value: v, Words: p.L.T("imports.security." + v), Current: v == now})
	}
	return out
}

func keepOptions(p *person, now string) (out []templates.Option) {
	for _, v := range []store.Keep{store.KeepAll, store.KeepDays, store.KeepNone} {
		out = append(out, templates.Option{Value: string(v), Words: p.L.T("imports.keep." + string(v)), Current: string(v) == now})
	}
	return out
}

func (s *Server) sourceFormView(p *person, f sourceForm, boxes []mailclient.Mailbox) templates.SourceForm {
	v := templates.SourceForm{Host: f.host, Port: f.port, Username: f.username, Days: f.days, Once: f.once, MarkRead: f.markRead, APOP: f.apop, Problem: f.wrong, ServerSaid: f.said,
		Securities: securityOptions(p, f.security), Keeps: keepOptions(p, f.keep), Mailboxes: mailboxOptions(p, boxes, f.mailbox, true), OpenServer: f.host != "" || f.looked, BadDays: f.wrong != "" && f.badDays()}
	if at, ok := s.providerOfSource(f.username, f.host); ok {
		v.Provider, v.ProviderHint = p.L.T("login.provider", "Provider", providerName(at.OAuth)), p.L.T("imports.provider", "Provider", providerName(at.OAuth))
	}
	if f.found == nil {
		return v
	}
	c := f.found.POP3
	if c.Found() {
		v.Found = p.L.T("imports.found", "Host", c.Address(), "Source", sourceWords(p.L, c.Source))
		if f.again && v.Provider == "" {
			v.Found += " " + p.L.T("imports.found.again")
		}
		if c.Confirm() {
			v.Confirm = p.L.T("imports.confirm", "Host", c.Host, "Domain", f.found.Domain)
		}
		for _, o := range c.Disagree() {
			v.Others = append(v.Others, p.L.T("imports.other", "Host", o.Address(), "Source", sourceWords(p.L, o.Source)))
		}
	}
	v.PasswordURL = f.found.Password
	return v
}

func pathSource(id int64) string { return "/imports/" + strconv.FormatInt(id, 10) }

// postImports looks for the server of an address, or adds a source and starts it.
func (s *Server) postImports(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	f := sourceFormFrom(r)
	if f.username == "" {
		f.wrong = p.L.T("imports.noaddress")
		return s.importsPage(w, r, p, http.StatusUnprocessableEntity, f, nil)
	}
	if !s.sources.may(p.User.ID, s.now()) {
		f.wrong = p.L.T("imports.toomany")
		return s.importsPage(w, r, p, http.StatusTooManyRequests, f, nil)
	}
	if f.host == "" || r.PostFormValue("action") == "find" {
		return s.findSource(w, r, p, f)
	}
	return s.addSource(w, r, p, f)
}

// findSource fills the server of an address in, without asking it for anything.
func (s *Server) findSource(w http.ResponseWriter, r *http.Request, p *person, f sourceForm) error {
	f.looked, f.again = true, r.PostFormValue("password") != "" && r.PostFormValue("action") != "find"
	found, err := s.finder.Find(r.Context(), f.username)
	status := http.StatusOK
	switch {
	case errors.Is(err, discover.ErrAddress):
		f.wrong, status = p.L.T("imports.badaddress", "Address", f.username), http.StatusUnprocessableEntity
	case err != nil:
		return err
	case !found.POP3.Found():
		f.wrong = p.L.T("imports.notfound", "Domain", found.Domain)
	default:
		f.found = &found
		f.host, f.port, f.security = found.POP3.Host, strconv.Itoa(found.POP3.Port), typedSecurity(string(found.POP3.Security))
		if name := found.POP3.Username(f.username); name != "" {
			f.username = name
		}
	}
	return s.importsPage(w, r, p, status, f, nil)
}

// source is what a form says, as far as it can be; wrong says why not.
func (f *sourceForm) source(p *person) (o store.Source, wrong string) {
	o = store.Source{Host: f.host, Username: f.username, Security: strings.Replace(f.security, "none", "plain", 1), Mailbox: f.mailbox, Keep: store.Keep(f.keep),
		Every: 15 * time.Minute, Once: f.once, MarkRead: f.markRead}
	switch o.Keep {
	case "":
		o.Keep = store.KeepAll
	case store.KeepAll, store.KeepDays, store.KeepNone:
	default:
		return o, p.L.T("error.form")
	}
	o.APOP = f.apop && o.Security == "plain"
	if o.Port = usualPorts[discover.POP3][mailclient.Security(o.Security)]; o.Port == 0 {
		return o, p.L.T("imports.badserver")
	}
	if f.port != "" {
		n, err := strconv.Atoi(f.port)
		if err != nil || n < 1 || n > 65535 {
			return o, p.L.T("imports.badport", "Port", f.port)
		}
		o.Port = n
	}
	host, known := netguard.Host(f.host)
	if o.Host = host; !known || len(f.username) > 254 || strings.ContainsAny(f.username, "\r\n\x00") {
		return o, p.L.T("imports.badserver")
	}
	if o.Keep == store.KeepDays {
		if !daysRight(f.days) {
			return o, p.L.T("imports.baddays")
		}
		o.Days = atoi(f.days)
	}
	return o, ""
}

// mailboxFor is the folder that a form names: one that there is, or a new one called after the address. The first run that
// brings something makes that one.
func (s *Server) mailboxFor(ctx context.Context, p *person, f sourceForm) (string, error) {
	boxes, err := p.Mail.Mailboxes(ctx)
	if err != nil {
		return "", err
	}
	if f.mailbox == "" {
		return "INBOX", nil
	}
	if f.mailbox != newFolder {
		if !hasMailbox(boxes, f.mailbox) {
			return "", mailclient.ErrNoMailbox
		}
		return f.mailbox, nil
	}
	name, err := mailclient.NewName(boxes, "", f.username)
	if err != nil { // what parts folders stands in it
		name, err = mailclient.NewName(boxes, "", strings.NewReplacer("/", "-", ".", "-", "\\", "-", "%", "-", "*", "-").Replace(f.username))
	}
	if err != nil {
		return "", err
	}
	return name, err
}

func hasMailbox(boxes []mailclient.Mailbox, name string) bool {
	return slices.ContainsFunc(boxes, func(b mailclient.Mailbox) bool { return b.Name == name && b.Selectable })
}

// moreThan is how many mails are deleted at a source without another word (PROTOCOLS P12).
const moreThan = 100

// addSource tries the server with the password, adds the source and starts it. When much would be deleted there, nothing
// is until the person has said so once more.
func (s *Server) addSource(w http.ResponseWriter, r *http.Request, p *person, f sourceForm) error {
	ctx := r.Context()
	again := func(status int, wrong, said string) error {
		f.wrong, f.said = wrong, said
		return s.importsPage(w, r, p, status, f, nil)
	}
	password := r.PostFormValue("password")
	o, wrong := f.source(p)
	if wrong != "" {
		return again(http.StatusUnprocessableEntity, wrong, "")
	}
	if at, ok := s.providerOfSource(o.Username, o.Host); ok {
		if f.token == 0 {
			return s.askForSource(w, r, p, at, providerFlow{Address: o.Username, Form: r.PostForm})
		}
		o.TokenID, o.Port, o.Security = f.token, at.POP3.Port, string(at.POP3.Security)
	}
	if password == "" && o.TokenID == 0 {
		return again(http.StatusUnprocessableEntity, p.L.T("imports.nopassword"), "")
	}
	mails, err := s.queue.CheckSource(ctx, o, password)
	if err != nil {
		out := pop3.SourceOutcome(err)
		s.log.Info("import source refused", "id", requestID(r), "outcome", string(out.Kind))
		return again(http.StatusUnprocessableEntity, sourceTrouble(p, o, string(out.Kind), ""), out.Text)
	}
	if o.Mailbox, err = s.mailboxFor(ctx, p, f); errors.Is(err, mailclient.ErrNoMailbox) {
		return again(http.StatusUnprocessableEntity, p.L.T("error.nofolder"), "")
	} else if err != nil {
		return err
	}
	wanted := o.Keep
	if mails > moreThan {
		o.Keep = store.KeepAll
	}
	o, err = s.queue.AddSource(ctx, p.Account, o, password, p.cred)
	switch {
	case errors.Is(err, store.ErrSourceTaken):
		return again(http.StatusConflict, p.L.T("imports.taken"), "")
	case errors.Is(err, store.ErrTooManySources):
		return again(http.StatusConflict, p.L.T("imports.toomanysources", "Limit", s.bounds.Of(p.User.Address, limits.Sources)), "")
	case err != nil:
		return err
	}
	if wanted != o.Keep {
		return s.importsPage(w, r, p, http.StatusOK, freshSource, deletionAsk(p, o, wanted, mails))
	}
	words := p.L.T("imports.started", "N", mails, "Host", o.Host)
	if kept, err := s.store.Source(ctx, p.User.ID, o.ID); err == nil && kept.Held {
		words = p.L.T("imports.held")
	} else if o.Keep != store.KeepAll && mails > 0 {
		words += " " + p.L.T("imports.started."+string(o.Keep), "N", o.Days)
	}
	done := flash{Words: words}
	if lock, err := s.lockOf(ctx, p); err == nil && lock == "" && compose.Valid(o.Username) && !s.mine(r, p, o.Username) {
		done.LinkURL, done.LinkWords = writeAsURL(o.Username), p.L.T("imports.writeas", "Address", o.Username)
	}
	s.putFlash(r, done)
	return seeOther(w, r, "/imports")
}

// deletionAsk asks before mails are deleted at a source.
func deletionAsk(p *person, o store.Source, keep store.Keep, n int) *templates.SourceAsk {
	return &templates.SourceAsk{ID: o.ID, Words: p.L.T("imports.ask."+string(keep), "N", n, "Host", o.Host, "Days", o.Days), Keep: string(keep), Days: max(o.Days, 1)}
}

// sourceOf is the source that the path names.
func (s *Server) sourceOf(r *http.Request, p *person) (store.Source, error) {
	id, err := idParam(r, "source")
	if err != nil {
		return store.Source{}, err
	}
	return s.store.Source(r.Context(), p.User.ID, id)
}

// actOnSource does what a button of a source says.
func (s *Server) actOnSource(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	o, err := s.sourceOf(r, p)
	if err != nil {
		return err
	}
	ctx, user := r.Context(), p.User.ID
	row := atoi64(r.PostFormValue("mail"))
	words := ""
	action := r.PostFormValue("action")
	if o.Held && slices.Contains([]string{"run", "", "retry"}, action) { // whoever holds it lets it go on: else to hold it would mean nothing
		s.putFlash(r, flash{Words: p.L.T("imports.held.kept"), Failed: true})
		return seeOther(w, r, "/imports")
	}
	switch action {
	case "run", "":
		err, words = s.queue.RunSource(ctx, user, o.ID), "imports.done.run"
	case "pause":
		err, words = s.store.PauseSource(ctx, user, o.ID), "imports.done.pause"
	case "retry":
		err, words = s.queue.RetryMails(ctx, user, o.ID, row), "imports.done.run"
	case "settle":
		err, words = s.store.SettleMail(ctx, user, o.ID, row), "imports.done.settle"
	case "remove":
		err, words = s.store.RemoveSource(ctx, user, o.ID), "imports.done.remove"
	case "password":
		if o.TokenID != 0 {
			return badRequest("error.act")
		}
		if r.PostFormValue("password") == "" {
			s.putFlash(r, flash{Words: p.L.T("imports.nopassword"), Failed: true})
			return seeOther(w, r, "/imports")
		}
		if err, words = s.queue.SetSourcePassword(ctx, user, o.ID, r.PostFormValue("password")), "imports.done.run"; o.Held {
			words = "settings.saved"
		}
	case "provider":
		at, ok := s.providerOfSource(o.Username, o.Host)
		if !ok || o.TokenID == 0 {
			return badRequest("error.act")
		}
		return s.askForSource(w, r, p, at, providerFlow{Address: o.Username, Source: o.ID})
	case "save":
		return s.saveSource(w, r, p, o)
	default:
		return badRequest("error.act")
	}
	if errors.Is(err, store.ErrNotFound) && row != 0 { // it was settled meanwhile
		err, words = nil, ""
	}
	if err != nil {
		return err
	}
	if words != "" {
		s.putFlash(r, flash{Words: p.L.T(words, "Host", o.Host)})
	}
	return seeOther(w, r, "/imports")
}

// typedInto shows a source with what was typed to change it, and what is wrong with that.
func (f *sourceForm) typedInto(p *person, v *templates.Source, wrong string) {
	v.Wrong, v.Keeps, v.Days, v.Port, v.Securities = wrong, keepOptions(p, f.keep), f.days, f.port, securityOptions(p, f.security)
	v.Once, v.MarkRead, v.APOP = f.once, f.markRead, f.apop
	v.BadDays = f.badDays()
	for i := range v.Mailboxes {
		v.Mailboxes[i].Current = v.Mailboxes[i].Value == f.mailbox
	}
}

// badDays says whether days are asked for and are none.
func (f *sourceForm) badDays() bool { return f.keep == string(store.KeepDays) && !daysRight(f.days) }

func daysRight(days string) bool {
	n, err := strconv.Atoi(days)
	return err == nil && n >= 1 && n <= 3650
}

// saveSource changes a source. Before mails are deleted that were not to be, it says how many and asks.
func (s *Server) saveSource(w http.ResponseWriter, r *http.Request, p *person, o store.Source) error {
	f := sourceFormFrom(r)
	f.host, f.username = o.Host, o.Username
	if f.security == "" { // the question about deletions sends no more than they are about
		f.security, f.port, f.mailbox, f.once, f.markRead, f.apop = typedSecurity(o.Security), strconv.Itoa(o.Port), o.Mailbox, o.Once, o.MarkRead, o.APOP
	}
	next, wrong := f.source(p)
	if wrong == "" && f.mailbox != o.Mailbox {
		var err error
		if next.Mailbox, err = s.mailboxFor(r.Context(), p, f); err != nil {
			wrong = p.L.T("error.nofolder")
		}
	}
	if wrong != "" {
		return s.importsWith(w, r, p, http.StatusUnprocessableEntity, freshSource, func(v *templates.Source) {
			if v.ID == o.ID {
				f.typedInto(p, v, wrong)
			}
		})
	}
	next.ID, next.UserID, next.AccountID = o.ID, o.UserID, o.AccountID
	counts, err := s.store.SourceCounts(r.Context(), p.User.ID, o.ID)
	if err != nil {
		return err
	}
	n := counts.Kept + counts.Waiting // what is not here yet, or not long enough, is deleted later
	more := next.Keep != store.KeepAll && (next.Keep != o.Keep || next.Keep == store.KeepDays && next.Days < o.Days)
	if n > 0 && more && r.PostFormValue("sure") != "1" {
		return s.importsPage(w, r, p, http.StatusOK, freshSource, deletionAsk(p, next, next.Keep, n))
	}
	if err := s.queue.ChangeSource(r.Context(), next); err != nil {
		return err
	}
	s.putFlash(r, flash{Words: p.L.T("settings.saved")})
	return seeOther(w, r, "/imports")
}
