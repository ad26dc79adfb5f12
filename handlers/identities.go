package handlers

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"restante/internal/jobs"
	"restante/internal/store"
	"restante/mailclient/compose"
	"restante/templates"
)

const pathIdentities = "/settings/identities"

func pathIdentity(id int64) string { return pathIdentities + "/" + strconv.FormatInt(id, 10) }

// Bounds of what is typed of an identity, in octets.
const (
	maxIdentityName  = 200
	maxSignature     = 8000
	maxSignatureHTML = 64 << 10

	maxIdentities = 100 // of a person
)

var errLocked = &Problem{Status: http.StatusForbidden, Key: "identity.locked"}

// identitiesTab lists a person's identities.
func (s *Server) identitiesTab(r *http.Request, p *person, page *templates.Settings) error {
	ids, err := s.identities(r.Context(), p)
	if err != nil {
		return err
	}
	lock, err := s.lockOf(r.Context(), p)
	if err != nil {
		return err
	}
	if page.MayAdd = lock == ""; lock != "" {
		page.Locked = p.L.T("identity.lock." + lock)
	}
	for i, id := range ids {
		card := templates.IdentityCard{ID: id.ID, Name: id.Name, Address: id.Address, Default: id.Default, Up: i > 0, Down: i < len(ids)-1}
		if lock != store.LockAll {
			card.URL = pathIdentity(id.ID)
		}
		if own, ok := jobs.OwnServerOf(id.Identity); ok {
			card.Through = p.L.T("identity.through", "Host", own.Host)
		} else if a := accountOf(p, id.AccountID); len(p.Accounts) > 1 && a.Address != id.Address {
			card.Through = p.L.T("identity.through", "Host", a.Address)
		}
		page.Identities = append(page.Identities, card)
	}
	return nil
}

func accountOf(p *person, id int64) store.Account {
	for _, a := range p.Accounts {
		if a.ID == id {
			return a
		}
	}
	return store.Account{}
}

// identityForm is an identity as it is typed.
type identityForm struct {
	store.Identity
	lock    string
	picture *store.Picture
	own     ownTyped
	usual   string // the name where it has none

	wrong, said string // what is to be mended, in words, and the server's
	lines       []templates.TestLine
	anyway      bool // it can be kept all the same
	password    string
}

// identityOf is the identity that the path or the form names, with what the admin fills in; "new" and "0" are one that is
// not there yet.
func (s *Server) identityOf(r *http.Request, p *person, named string) (f identityForm, err error) {
	if f.lock, err = s.lockOf(r.Context(), p); err != nil {
		return f, err
	}
	if named == "new" || named == "0" {
		f.UserID, f.AccountID, f.usual = p.User.ID, p.Account.ID, p.User.Settings.Name
		return f, nil
	}
	id, err := strconv.ParseInt(named, 10, 64)
	if err != nil {
		return f, badRequest("error.form")
	}
	ids, err := s.identities(r.Context(), p)
	if err != nil {
		return f, err
	}
	for _, known := range ids {
		if known.ID == id {
			stored, err := s.store.Identity(r.Context(), p.User.ID, id)
			f.Identity = known.Identity
			f.usual, f.Name, f.AnyAddress = known.Name, stored.Name, stored.AnyAddress
			f.own = ownTypedOf(known.Identity)
			return f, err
		}
	}
	return f, store.ErrNotFound
}

// identityPage shows the form of an identity.
func (s *Server) identityPage(w http.ResponseWriter, r *http.Request, p *person) error {
	f, err := s.identityOf(r, p, chi.URLParam(r, "identity"))
	if err != nil {
		return err
	}
	if f.lock == store.LockAll || f.ID == 0 && f.lock != "" {
		return errLocked
	}
	if f.ID == 0 {
		if f.Address = cutText(strings.TrimSpace(r.URL.Query().Get("address")), 254); f.Address != "" { // of an old mailbox
			f.own.on, f.own.username = true, f.Address
		}
	}
	if own, ok := jobs.OwnServerOf(f.Identity); ok && r.URL.Query().Get("look") != "" {
		f.lines = s.vouchLines(r.Context(), p, f.Address, own.Host)
	}
	return s.showIdentity(w, r, p, f, http.StatusOK)
}

func (s *Server) showIdentity(w http.ResponseWriter, r *http.Request, p *person, f identityForm, status int) error {
	page := s.settingsFrame(r, p, "identities")
	v := &templates.IdentityForm{
		ID: f.ID, Name: f.Name, UsualName: f.usual, Address: f.Address, ReplyTo: f.ReplyTo, Organization: f.Organization, Bcc: f.Bcc, Default: f.Default,
		Signature: f.Signature, SignatureHTML: showSigned(f.SignatureHTML), SignBelow: f.SignBelow, AnyAddress: f.AnyAddress, Fixed: f.lock != "",
		Picture: signedPicture.MatchString(f.SignatureHTML), Rich: f.SignatureHTML != "" || !p.User.Settings.PlainText,
		CanDelete: f.ID != 0 && !f.Default && f.lock == "", Accounts: accountOptions(p, f.AccountID), Own: s.ownServerView(p, f),
		Problem: f.wrong, ServerSaid: f.said, Lines: f.lines, Anyway: f.anyway,
	}
	for _, on := range []string{"", "new", "answers"} {
		v.SignOn = append(v.SignOn, templates.Option{Value: on, Words: p.L.T("identity.on." + cmp.Or(on, "all")), Current: on == f.SignOn})
	}
	if f.picture != nil { // it is not there before the form is saved
		v.Chosen = base64.StdEncoding.EncodeToString(f.picture.Content)
	}
	page.Identity = v
	s.render(w, r, status, page)
	return nil
}

// saveIdentities keeps an identity, removes it, or changes its place among the others.
func (s *Server) saveIdentities(w http.ResponseWriter, r *http.Request, p *person) error {
	picture, err := s.readIdentity(r)
	if err != nil {
		return err
	}
	f, err := s.identityOf(r, p, r.PostFormValue("id"))
	if err != nil {
		return err
	}
	action := r.PostFormValue("action")
	if f.lock == store.LockAll || f.lock != "" && (f.ID == 0 || action == "delete") {
		return errLocked
	}
	switch action {
	case "up", "down":
		by := map[string]int{"up": -1, "down": 1}[action]
		if err := s.store.MoveIdentity(r.Context(), p.User.ID, f.ID, by); err != nil {
			return err
		}
		return seeOther(w, r, pathIdentities)
	case "delete":
		return s.deleteIdentity(w, r, p, f)
	case "", "save", "anyway", "find", "test", "testmail":
		return s.saveIdentity(w, r, p, f, picture)
	}
	return badRequest("error.act")
}

func (s *Server) deleteIdentity(w http.ResponseWriter, r *http.Request, p *person, f identityForm) error {
	if err := s.store.DeleteIdentity(r.Context(), p.User.ID, f.ID); errors.Is(err, store.ErrNotFound) {
		return s.settingsPage(w, r, p, "identities", &badForm{words: p.L.T("identity.last")})
	} else if err != nil {
		return err
	}
	s.hub.tell(p.User.ID, "outbox")
	s.putFlash(r, flash{Words: p.L.T("identity.deleted")})
	return seeOther(w, r, pathIdentities)
}

// saveIdentity does with the form what its button says.
func (s *Server) saveIdentity(w http.ResponseWriter, r *http.Request, p *person, f identityForm, picture *store.Picture) error {
	was := f
	if err := s.typedIdentity(r, p, &f, picture); err != nil {
		return err
	}
	if f.wrong != "" {
		return s.showIdentity(w, r, p, f, http.StatusUnprocessableEntity)
	}
	if f.ID == 0 {
		all, err := s.store.Identities(r.Context(), p.User.ID)
		if err != nil {
			return err
		}
		if len(all) >= maxIdentities {
			f.wrong = p.L.T("identity.toomany", "Limit", maxIdentities)
			return s.showIdentity(w, r, p, f, http.StatusConflict)
		}
	}
	change := jobs.IdentityChange{Picture: f.picture, Password: f.password}
	if shown, err := s.ownServerAct(w, r, p, &f, was, &change); shown || err != nil {
		return err
	}
	if change.Server == nil {
		change.Password = ""
	}
	f.placePicture()
	if m := signedPicture.FindStringSubmatch(f.SignatureHTML); m != nil {
		change.KeepPicture = m[1]
	}
	f.Saved = true
	id, err := s.queue.SaveIdentity(r.Context(), f.Identity, change)
	if err != nil {
		return err
	}
	s.hub.tell(p.User.ID, "outbox")
	s.putFlash(r, flash{Words: p.L.T("identity.saved")})
	if change.Server != nil {
		return seeOther(w, r, pathIdentity(id)+"?look=1")
	}
	return seeOther(w, r, pathIdentities)
}

// typedIdentity takes what was typed, as far as the person may change it.
func (s *Server) typedIdentity(r *http.Request, p *person, f *identityForm, picture *store.Picture) error {
	v := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	f.Name = oneLine(v("name"))
	s.typedSignature(r, f, picture)
	f.Default = f.Default || v("default") == "1"
	if len(f.Name) > maxIdentityName || len(f.Signature) > maxSignature || len(f.SignatureHTML) > maxSignatureHTML || strings.ContainsRune(f.Name+f.Signature, 0) {
		return badRequest("error.form")
	}
	if f.lock != "" {
		if a := v("address"); a != "" && !strings.EqualFold(a, f.Address) {
			return errLocked
		}
		return nil
	}
	through, err := s.as(p, cmp.Or(atoi64(v("account")), f.AccountID))
	if err != nil {
		return err
	}
	f.AccountID, f.Address, f.ReplyTo, f.Bcc, f.Organization = through.Account.ID, v("address"), v("reply_to"), v("bcc"), oneLine(v("organization"))
	f.AnyAddress = v("any_address") == "1"
	if len(f.Organization) > maxIdentityName {
		return badRequest("error.form")
	}
	for _, addr := range []string{f.Address, f.ReplyTo, f.Bcc} {
		if addr != "" && !compose.Valid(addr) || f.Address == "" {
			f.wrong = p.L.T("identity.bad", "Address", cutText(addr, 254))
		}
	}
	f.own = ownTypedFrom(r, f.own)
	f.password = s.passwordTyped(r, p)
	return nil
}

// typedSignature takes the signature. Where no script has brought it formatted, the formatted one stays as long as its text
// is what it was.
func (s *Server) typedSignature(r *http.Request, f *identityForm, picture *store.Picture) {
	text := strings.ReplaceAll(strings.TrimRight(r.PostFormValue("signature"), "\r\n "), "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	switch {
	case r.PostForm.Has("signature_html"):
		f.SignatureHTML = cleaned(namePictures(cutText(r.PostFormValue("signature_html"), 4*maxSignatureHTML)))
		if strings.TrimSpace(text) == "" && !strings.Contains(f.SignatureHTML, "<img") {
			f.SignatureHTML = ""
		}
	case text != strings.TrimRight(f.Signature, "\n ") || r.PostFormValue("formatted") == "0":
		kept := signedPicture.FindString(f.SignatureHTML)
		f.SignatureHTML = ""
		if kept != "" && r.PostFormValue("formatted") != "0" {
			f.SignatureHTML = compose.HTMLFromText(text) + "<div>" + kept + "</div>"
		}
	}
	f.Signature = text
	if r.PostFormValue("sign_on") != "" || r.PostForm.Has("sign_on") {
		f.SignOn = map[string]string{"new": "new", "answers": "answers"}[r.PostFormValue("sign_on")]
	}
	f.SignBelow = r.PostFormValue("sign_below") == "1"
	if f.picture = picture; r.PostFormValue("drop_picture") == "1" {
		f.SignatureHTML = signedPicture.ReplaceAllString(f.SignatureHTML, "")
	}
}

// placePicture puts a picture that came along below the signature, in the place of that which is there.
func (f *identityForm) placePicture() {
	if f.picture == nil {
		return
	}
	f.SignatureHTML = signedPicture.ReplaceAllString(f.SignatureHTML, "")
	if f.SignatureHTML == "" && f.Signature != "" {
		f.SignatureHTML = compose.HTMLFromText(f.Signature)
	}
	f.SignatureHTML += "<div>" + pictureTag(*f.picture) + "</div>"
}

// writeAsURL is where a person makes an identity for an address.
func writeAsURL(address string) string {
	return with(pathIdentities+"/new", url.Values{"address": {address}})
}
